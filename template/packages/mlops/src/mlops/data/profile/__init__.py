"""What raw data look like, told without telling the data: `mlops data profile`."""
