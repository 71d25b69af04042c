"""Installs Azurite, which the emulator needs."""

from .azurite import install

print(install())
