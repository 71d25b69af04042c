"""The command line as `python -m`, for where the project is not installed."""

from .cli import main

main()
