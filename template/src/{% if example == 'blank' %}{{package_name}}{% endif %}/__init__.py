"""The use case: what the model is about. Yours to fill; updates leave it alone."""
