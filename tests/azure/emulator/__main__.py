"""Installs what the emulator needs besides Python."""

import sys

from .azurite import MissingToolError, install

try:
    print(install())
except MissingToolError as error:
    sys.exit(str(error))
