"""Requests of deletion: a key is removed from what the project keeps, and stays out."""
