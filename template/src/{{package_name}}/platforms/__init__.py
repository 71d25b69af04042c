"""Where the steps and endpoints run: the platform protocol and its implementations."""
