"""Checks of the project's Azure ML definitions, offline."""
