"""Where the checks of infra/ get deployments from."""

from pathlib import Path
from typing import Any

from tools.bicep import guid
from tests.support import HOSTILE, LONG_PACKAGE

SLUG = "purchase-prediction"
ANSWERS: dict[str, dict[str, Any]] = {
    "default": {},
    "level-1": {"maturity_level": 1},
    "level-2": {"maturity_level": 2},
    "blank": {"example": "blank"},
    "short-names": {"project_slug": "a", "package_name": "b"},
    "long-names": {"project_slug": "a-slug-of-27-plain-letters1", "package_name": LONG_PACKAGE},
    "hostile": HOSTILE,
}
