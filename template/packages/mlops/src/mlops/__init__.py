"""The machinery of an MLOps project: README.md beside src/ names its packages in reading order."""
