"""What the steps of the example pipeline run."""
