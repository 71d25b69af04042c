"""Scoring without a request: raw data in, one row of predictions a key out."""
