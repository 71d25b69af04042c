"""The audit log: who did what to a model, in lines that are chained by their hashes."""
