"""`mlops setup github`: what a repository on GitHub needs before it can release."""
