"""Where the steps and endpoints run: the platform protocol and its implementations."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops.platforms.azure.platform import AzurePlatform
    from mlops.platforms.base import Platform
    from mlops.platforms.local.platform import LocalPlatform
    from mlops.settings.loading import LoadedSettings


def platform_class(settings: "LoadedSettings") -> "type[AzurePlatform | LocalPlatform]":
    """Return the class of the platform that the setting `platform` names.

    It answers what does not need an open platform: `has_callers`, `examine`.
    """
    if settings.values.platform == "azure":
        from mlops.platforms.azure.platform import AzurePlatform

        return AzurePlatform
    from mlops.platforms.local.platform import LocalPlatform

    return LocalPlatform


def open_platform(settings: "LoadedSettings") -> "Platform":
    """Return the platform that the setting `platform` names.

    Raises:
        ConfigError: it is azure, and the group `azure` is not installed or no subscription named.
    """
    return platform_class(settings)(settings)
