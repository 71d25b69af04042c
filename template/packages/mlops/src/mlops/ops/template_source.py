"""Where the template is that the project was made from: `uvx copier update` has to find it."""

import re
from pathlib import Path

import yaml

from mlops.diagnosis import Diagnosis

ANSWERS = ".copier-answers.yml"
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:|[^/\\\s]+@[^/\\\s]+:")
"""How a URL begins, also a short one such as gh:, or a place that ssh reaches."""


def template_source(root: Path) -> list[Diagnosis]:
    """Tell whether updates will find the template; nothing where the project has no answers.

    A path that Copier was given relative to the folder where it was called leads nowhere from the
    project, and a folder of one machine is not on another one.
    """
    recorded = _recorded(root / ANSWERS)
    if not recorded:
        return []
    if _ELSEWHERE.match(recorded):
        return [Diagnosis("template", True, recorded)]
    path = Path(recorded).expanduser()
    if path.is_absolute() and path.is_dir():
        return [Diagnosis("template", True, recorded)]
    why = "is not on this machine" if path.is_absolute() else "is a relative path"
    remedy = (
        f"`uvx copier update` needs it: write the URL of the template's repository, or its whole "
        f"path, after _src_path in {ANSWERS}, and commit"
    )
    return [Diagnosis("template", False, f"{recorded} {why}", remedy, needed=False)]


def _recorded(answers: Path) -> str:
    """Return what Copier was told to copy, or nothing if that cannot be read."""
    try:
        content = yaml.safe_load(answers.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError):
        return ""
    found = content.get("_src_path") if isinstance(content, dict) else None
    return found if isinstance(found, str) else ""
