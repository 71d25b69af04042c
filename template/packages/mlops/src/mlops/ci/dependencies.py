"""The day up to which uv looks for packages: moved for all, or passed for one.

`exclude-newer` in `[tool.uv]` is a fixed day, so that a project resolves to the same versions today
and next year. What is newer comes in when the day is moved. A security fix that is younger gets an
entry of its own in `exclude-newer-package`, which goes once the day has caught up with it.
"""

import re
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from typing import Any

from mlops.errors import ConfigError

DAY = "exclude-newer"
PACKAGES = "exclude-newer-package"
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_TABLE = re.compile(r"^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*uv[ \t]*\][ \t]*(?:#.*)?$", re.MULTILINE)
_NEXT_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)
_DAY_LINE = re.compile(rf"^(?P<key>[ \t]*{DAY}[ \t]*=[ \t]*)(['\"])[^'\"\n]*\2", re.MULTILINE)
_PACKAGES_LINE = re.compile(
    rf"^(?P<key>[ \t]*{PACKAGES}[ \t]*=[ \t]*)\{{[^}}\n]*\}}(?P<rest>[^\n]*)(?P<end>\n|\Z)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Moved:
    """A pyproject.toml with another day in it.

    Attributes:
        text: the whole file.
        said: what was done, or why nothing was, as one sentence.
    """

    text: str
    said: str


def move_day(text: str, until: date) -> Moved:
    """Move the day of all packages forward, never back; drop entries that it has caught up with.

    Args:
        text: a pyproject.toml.
        until: the last day whose releases count.

    Raises:
        ConfigError: the file does not have a form in which this can be changed.
    """
    uv = _uv(text)
    now = uv.get(DAY)
    if _day(now) is None:
        return Moved(text, f"[tool.uv] has no fixed day ({DAY} = {now!r}): there is none to move")
    day = max(until, _day(now) or until)
    kept = {
        name: value
        for name, value in _packages(uv).items()
        if (passed := _day(value)) is None or passed > day
    }
    moved = _with_packages(_with_day(text, day), kept)
    _check(text, moved, {DAY: day.isoformat() if day != _day(now) else now, PACKAGES: kept})
    if moved == text:
        return Moved(text, f"the day stays {day}: it is not earlier than {until}")
    return Moved(moved, f"the day was {now} and is {day}")


def let_pass(text: str, package: str, until: date) -> Moved:
    """Let one package's releases count up to a day, and leave all else as it is.

    Args:
        text: a pyproject.toml.
        package: the package's name.
        until: the last day whose releases count.

    Raises:
        ConfigError: this is no name of a package, or the file does not have a form in which this
            can be changed.
    """
    if not _NAME.fullmatch(package):
        raise ConfigError(f"{package!r} is no name of a package", "give one name as on the index")
    name = re.sub(r"[-_.]+", "-", package).lower()
    uv = _uv(text)
    if (day := _day(uv.get(DAY))) is None or day >= until:
        return Moved(text, f"{name} needs no entry: its releases up to {until} count already")
    packages = _packages(uv) | {name: until.isoformat()}
    moved = _with_packages(text, packages)
    _check(text, moved, {PACKAGES: packages})
    return Moved(moved, f"releases of {name} count up to {until}; those of all others up to {day}")


def _uv(text: str) -> Mapping[str, Any]:
    try:
        found = tomllib.loads(text).get("tool", {}).get("uv", {})
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"pyproject.toml cannot be read: {error}") from error
    return found if isinstance(found, Mapping) else {}


def _packages(uv: Mapping[str, Any]) -> dict[str, Any]:
    found = uv.get(PACKAGES, {})
    return dict(found) if isinstance(found, Mapping) else {}


def _day(value: object) -> date | None:
    """Return the day that a setting names; a span, such as "7 days", or `false` names none."""
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d(T|$)", value):
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            return None
    return None


def _table(text: str) -> tuple[int, int]:
    """Return where the lines of [tool.uv] begin and end."""
    found = _TABLE.search(text)
    if found is None:
        raise _by_hand("[tool.uv] is not found")
    after = _NEXT_TABLE.search(text, found.end())
    return found.end(), after.start() if after else len(text)


def _with_day(text: str, day: date) -> str:
    start, end = _table(text)
    now = _day(_uv(text).get(DAY))
    if now == day:
        return text
    lines = _DAY_LINE.sub(rf'\g<key>"{day}"', text[start:end], count=1)
    return text[:start] + lines + text[end:]


def _with_packages(text: str, packages: Mapping[str, Any]) -> str:
    if packages == _packages(_uv(text)):
        return text
    start, end = _table(text)
    lines = text[start:end]
    values = ", ".join(f"{name} = {_toml(value)}" for name, value in packages.items())
    there = _PACKAGES_LINE.search(lines)
    if there and packages:
        new = f"{there['key']}{{ {values} }}{there['rest']}{there['end']}"
        lines = lines[: there.start()] + new + lines[there.end() :]
    elif there:
        lines = lines[: there.start()] + lines[there.end() :]
    elif day := _DAY_LINE.search(lines):
        newline = lines.find("\n", day.end())
        place = len(lines) if newline < 0 else newline
        lines = f"{lines[:place]}\n{PACKAGES} = {{ {values} }}{lines[place:]}"
    return text[:start] + lines + text[end:]


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


def _check(before: str, after: str, wanted: Mapping[str, Any]) -> None:
    """See that the file says what was meant, and of all else what it said before."""
    expected: dict[str, Any] = deepcopy(tomllib.loads(before))
    for key, value in wanted.items():
        if value == {}:
            expected["tool"]["uv"].pop(key, None)
        else:
            expected["tool"]["uv"][key] = value
    try:
        found = tomllib.loads(after)
    except tomllib.TOMLDecodeError as error:
        raise _by_hand(str(error)) from error
    if found != expected:
        raise _by_hand(f"{' or '.join(wanted)} does not stand there on a line of its own")


def _by_hand(reason: str) -> ConfigError:
    return ConfigError(
        f"the day in pyproject.toml cannot be changed here: {reason}",
        f"change {DAY} or {PACKAGES} in [tool.uv] by hand, then run `uv lock --upgrade`",
    )
