"""Where the checks of infra/ get deployments from."""

from typing import Any

from tests.support import HOSTILE, LONG_PACKAGE

SLUG = "purchase-prediction"
ANSWERS: dict[str, dict[str, Any]] = {
    "default": {},
    "level-1, short names": {"maturity_level": 1, "project_slug": "a", "package_name": "b"},
    "level-2, long names": {
        "maturity_level": 2,
        "project_slug": "a-slug-of-27-plain-letters1",
        "package_name": LONG_PACKAGE,
    },
    "blank, hostile": {"example": "blank", **HOSTILE},
}
