"""The names of the platforms, as settings and options give them.

Who needs to know what a platform can do asks `mlops.platforms`, and compares no names.
"""

from typing import Literal, get_args

PlatformName = Literal["local", "azure"]
THIS_MACHINE: PlatformName = "local"
PLATFORM_NAMES: tuple[str, ...] = get_args(PlatformName)
