"""Installs Azurite, which the emulator needs."""

from .azurite import install_azurite

print(install_azurite())
