"""A use case with a number, a count, a boolean and a category, each of which may be null."""
