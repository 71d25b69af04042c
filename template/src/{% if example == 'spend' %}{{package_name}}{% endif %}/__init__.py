"""The use case: how much does a customer spend soon? Yours to change; updates leave it alone."""
