"""Azure on this machine, for tests: see README.md."""

from .app import Call
from .emulator import AzureEmulator
from .faults import ALWAYS

__all__ = ["ALWAYS", "AzureEmulator", "Call"]
