"""Reading the raw data and fingerprinting it."""
