"""Under which licences the installed packages are, by what they declare, and which are allowed.

A package declares an SPDX expression (PEP 639), or as older ones do a text or trove classifiers.
What is bundled in a package, such as the libraries in wheels of numpy, does not stand there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from email.message import Message
from enum import StrEnum
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, cast

from mlops.errors import ConfigError
from mlops.settings.licences_section import BSD_UNNAMED, LicenceException, LicencesSettings

_LONGEST = 100
_OSI = "License :: OSI Approved :: "
CLASSIFIERS: Mapping[str, str] = {
    "Apache Software License": "Apache-2.0",
    "BSD License": BSD_UNNAMED,
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
}
"""Classifiers that say which licence, as ids of SPDX; any other is unknown."""
TEXTS: Mapping[str, str] = {
    "2-clause BSD": "BSD-2-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "Apache License, Version 2.0": "Apache-2.0",
    "MIT License": "MIT",
}
"""First lines of texts that say which licence, and are no ids of SPDX."""
SEEN = date(2026, 12, 1)
KNOWN = tuple(
    LicenceException(
        package=name,
        licence="MIT",
        reason="its metadata name no licence, the file LICENSE in the package is that of MIT",
        date=SEEN,
    )
    for name in ("huey", "sigstore-models", "skops")
)
"""What comes with the machinery and declares no licence; one that it declares later counts."""


class Standing(StrEnum):
    """How a package stands to what conf allows."""

    ALLOWED = "allowed"
    EXCEPTION = "exception"
    FORBIDDEN = "FORBIDDEN"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Judged:
    """One package and whether it may be used.

    Attributes:
        licence: an SPDX expression; of an unknown one what it says, shortened, or nothing.
        why: the reason and date of an exception.
    """

    package: str
    version: str
    licence: str
    standing: Standing
    why: str = ""

    @property
    def may(self) -> bool:
        """Whether it may be used."""
        return self.standing in (Standing.ALLOWED, Standing.EXCEPTION)


def judge_installed(
    settings: LicencesSettings, own: Iterable[str], paths: Sequence[Path] = ()
) -> list[Judged]:
    """Judge every installed package, in order of name.

    Args:
        settings: what conf allows.
        own: names of packages that are the project itself.
        paths: folders of packages; none: where this Python looks.

    Raises:
        ConfigError: conf allows something that is no licence of SPDX.
    """
    check_settings(settings)
    installed = distributions(path=[str(path) for path in paths]) if paths else distributions()
    found: dict[str, Judged] = {}
    mine = {_plain(name) for name in own}
    for each in installed:
        name = str(each.metadata["Name"])
        if _plain(name) not in mine:
            found.setdefault(_plain(name), judge(name, each.version, declared(each), settings))
    return [found[name] for name in sorted(found)]


def judge(name: str, version: str, licence: str, settings: LicencesSettings) -> Judged:
    """Judge one package by what it declares.

    Args:
        name: of the package.
        version: of the package.
        licence: what it declares; empty for nothing.
        settings: what conf allows.
    """
    tree = parsed(licence)
    for each in (*settings.exceptions, *(KNOWN if tree is None else ())):
        if _plain(each.package) == _plain(name):
            why = f"{each.reason} ({each.date.isoformat()})"
            return Judged(name, version, each.licence, Standing.EXCEPTION, why)
    if tree is None:
        return Judged(name, version, licence[:_LONGEST], Standing.UNKNOWN)
    allowed = Standing.ALLOWED if holds(tree, settings.allowed) else Standing.FORBIDDEN
    return Judged(name, version, str(tree), allowed)


def declared(distribution: Distribution) -> str:
    """Return what a package says of its licence, as SPDX where that can be told; else its words.

    Of several classifiers all count, as nothing says that one may choose.
    """
    metadata = cast(Message, distribution.metadata)
    expression = str(metadata.get("License-Expression") or "")
    if expression:
        return expression
    lines = str(metadata.get("License") or "").strip().splitlines()
    text = lines[0].strip()[:_LONGEST] if lines else ""
    if text in TEXTS or (len(lines) == 1 and parsed(text) is not None):
        return TEXTS.get(text, text)
    named = [
        each.removeprefix(_OSI)
        for each in metadata.get_all("Classifier") or []
        if each.startswith(_OSI)
    ]
    if named:
        return " AND ".join(CLASSIFIERS.get(each, each) for each in sorted(named))
    return text


def parsed(expression: str) -> Any | None:
    """Return the tree of an SPDX expression; None if it is none, or names an unknown licence."""
    from license_expression import ExpressionError

    licensing = _licensing()
    try:
        tree = licensing.parse(expression)
    except ExpressionError:
        return None
    if tree is None:
        return None
    unknown = licensing.unknown_license_keys(tree)
    return tree if all(key.startswith("LicenseRef-") for key in unknown) else None


def holds(tree: Any, allowed: Iterable[str]) -> bool:
    """Tell whether a licence may be used: AND needs all, OR needs one, WITH is kept whole."""
    among = set(allowed)
    kind = type(tree).__name__
    if kind == "AND":
        return all(holds(each, among) for each in tree.args)
    if kind == "OR":
        return any(holds(each, among) for each in tree.args)
    return str(tree) in among


def check_settings(settings: LicencesSettings) -> None:
    """Refuse what conf names and is no licence, as a slip there would allow or forbid nothing.

    Raises:
        ConfigError: so.
    """
    exceptions = (each.licence for each in settings.exceptions)
    for name in (*settings.allowed, *exceptions):
        if parsed(name) is None:
            raise ConfigError(
                f"licences: {name!r} is no licence of SPDX",
                "take its id from https://spdx.org/licenses",
            )


@cache
def _licensing() -> Any:
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
