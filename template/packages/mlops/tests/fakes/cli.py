"""How tests call the command line."""

from collections.abc import Callable

Command = Callable[..., int]
"""Runs a command of mlops and returns its exit code."""

Outputs = Callable[[], dict[str, str]]
"""Returns what later steps of a GitHub job would see."""
