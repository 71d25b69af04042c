"""Choosing parameters by cross-validation on the training part, which `mlops tune` does."""
