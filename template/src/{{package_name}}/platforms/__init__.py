"""Where the steps and endpoints run: the platform protocol and its implementations."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..settings import LoadedSettings
    from .base import Platform


def open_platform(settings: "LoadedSettings") -> "Platform":
    """Return the platform that the setting `platform` names."""
    from .local import LocalPlatform

    return LocalPlatform(settings)
