"""Where the steps and endpoints run: the platform protocol and its implementations."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops.platforms.base import Platform
    from mlops.settings.loading import LoadedSettings


def open_platform(settings: "LoadedSettings") -> "Platform":
    """Return the platform that the setting `platform` names.

    Raises:
        ConfigError: it is azure, and the group `azure` is not installed or no subscription named.
    """
    if settings.values.platform == "azure":
        from mlops.platforms.azure.platform import AzurePlatform

        return AzurePlatform(settings)
    from mlops.platforms.local.platform import LocalPlatform

    return LocalPlatform(settings)
