"""The use case: does a customer buy again soon? Yours to change; updates leave it alone."""
