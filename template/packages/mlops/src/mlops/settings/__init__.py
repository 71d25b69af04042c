"""The project's settings and where they come from."""
