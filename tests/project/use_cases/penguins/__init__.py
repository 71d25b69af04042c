"""A use case with categories and nulls: which of three species is a penguin?"""
