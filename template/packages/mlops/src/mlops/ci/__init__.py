"""What pipelines ask for, and what they are told."""
