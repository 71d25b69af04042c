"""The settings of what licences of dependencies are allowed."""

from datetime import date

from pydantic import Field

from mlops.settings.section import Section

BSD_UNNAMED = "LicenseRef-BSD"
"""A package that says "BSD" and not which: all of that name ask for the notice alone."""
PERMISSIVE = (
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CNRI-Python",
    "ISC",
    BSD_UNNAMED,
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "MPL-2.0",
    "PSF-2.0",
    "Python-2.0",
    "TCL",
    "Unlicense",
    "Zlib",
)
"""They ask for a notice; MPL-2.0 besides for the source of its own files where you change them."""


class LicenceException(Section):
    """A package that is allowed though what it declares is not, or says nothing."""

    package: str = Field(min_length=1, description="Its name.")
    licence: str = Field(min_length=1, description="Under which licence it is used, as SPDX.")
    reason: str = Field(min_length=1, description="Why it may be used.")
    date: date


class LicencesSettings(Section):
    """Under which licences dependencies may be."""

    allowed: tuple[str, ...] = Field(
        default=PERMISSIVE, description="Ids of SPDX; an expression with AND needs all of its ids."
    )
    exceptions: tuple[LicenceException, ...] = Field(
        default=(),
        description="Packages that are allowed by name, each with package, licence, reason, date.",
    )
