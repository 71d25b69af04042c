"""Trains a version again from its record, and says whether what comes out is the same."""
