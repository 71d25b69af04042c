"""Watching a model that serves: what its inputs looked like, and how they change."""
