"""Machines and who looks after them: a use case with columns that are declared personal."""
