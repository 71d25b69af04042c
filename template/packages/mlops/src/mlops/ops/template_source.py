"""Where the template is that the project was made from, and what the project records of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mlops.diagnosis import Diagnosis

ANSWERS = ".copier-answers.yml"
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:|[^/\\\s]+@[^/\\\s]+:")
"""How a URL begins, also a short one such as gh:, or a place that ssh reaches."""
_HOSTS = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}


@dataclass(frozen=True)
class Recorded:
    """What the project records of the template.

    Attributes:
        source: what Copier was told to copy; empty if that is not known.
        version: the template's version, as `git describe` names it; empty if that is not known.
        adopted: whether the repository was there before.
        kept: files that it had then, relative to its root.
    """

    source: str = ""
    version: str = ""
    adopted: bool = False
    kept: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Where git finds the template: the source without Copier's own abbreviations."""
        for short, host in _HOSTS.items():
            if self.source.startswith(short):
                return f"{host}{self.source.removeprefix(short)}"
        return self.source.removeprefix("git+")

    @property
    def is_elsewhere(self) -> bool:
        """Whether the template is on no disk of this machine."""
        return _ELSEWHERE.match(self.source) is not None


def recorded(root: Path) -> Recorded | None:
    """Return what a project records; None if it has no answers that can be read."""
    try:
        content = yaml.safe_load((root / ANSWERS).read_text(encoding="utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError):
        return None
    if not isinstance(content, dict):
        return None
    kept = content.get("kept")
    return Recorded(
        source=_text(content, "_src_path"),
        version=_text(content, "_commit"),
        adopted=content.get("adopted") is True,
        kept=tuple(str(each) for each in kept) if isinstance(kept, list) else (),
    )


def template_source(root: Path) -> list[Diagnosis]:
    """Tell whether updates will find the template; nothing where the project has no answers.

    A path that Copier was given relative to the folder where it was called leads nowhere from the
    project, and a folder of one machine is not on another one.
    """
    found = recorded(root)
    if found is None or not found.source:
        return []
    path = Path(found.source).expanduser()
    if found.is_elsewhere or (path.is_absolute() and path.is_dir()):
        return [Diagnosis("template", True, found.source)]
    why = "is not on this machine" if path.is_absolute() else "is a relative path"
    remedy = (
        f"`uvx copier update` needs it: write the URL of the template's repository, or its whole "
        f"path, after _src_path in {ANSWERS}, and commit"
    )
    return [Diagnosis("template", False, f"{found.source} {why}", remedy, needed=False)]


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    return value if isinstance(value, str) else ""
