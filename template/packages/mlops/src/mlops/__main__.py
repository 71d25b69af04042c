"""The command line as `python -m`, for where the project is not installed."""

from mlops.cli.main import main

main()
