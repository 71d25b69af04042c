"""Where the steps and endpoints run: the platform protocol and its implementations."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..settings import LoadedSettings
    from .base import Platform


def open_platform(settings: "LoadedSettings") -> "Platform":
    """Return the platform that the setting `platform` names.

    Raises:
        ConfigError: it is azure, and the extra `azure` is not installed or no subscription named.
    """
    if settings.values.platform == "azure":
        from .azure import AzurePlatform

        return AzurePlatform(settings)
    from .local import LocalPlatform

    return LocalPlatform(settings)
