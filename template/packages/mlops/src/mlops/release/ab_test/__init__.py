"""The comparison of a candidate with the deployment that serves."""
