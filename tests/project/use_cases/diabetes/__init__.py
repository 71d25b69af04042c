"""A use case of amounts: how far has diabetes progressed after a year? One row is one patient."""
