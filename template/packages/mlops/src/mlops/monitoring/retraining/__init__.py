"""Training the model that serves again: when, what of, and by what."""
