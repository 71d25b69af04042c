"""Bringing a registered model version to an endpoint."""
