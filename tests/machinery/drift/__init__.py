"""What runs in the environment of the machinery."""
