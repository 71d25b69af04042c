"""Measurements of a generated project, each against a floor and a peer."""
