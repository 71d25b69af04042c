"""The suppression list: keys that were forgotten, so that no later data bring them back.

It holds no key, but of each one HMAC-SHA-256 with a secret that lies outside the project: whoever
has the list alone can try no key (a plain hash of a customer's number is undone in minutes). Both
are deletable. Nothing but the reading of raw data, and the command that forgets, looks at them.
"""

import hmac
import os
import re
import secrets
import stat
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from mlops.artifacts.documents import Document
from mlops.errors import ConfigError
from mlops.features import normalised
from mlops.settings.loading import LoadedSettings

LIST_SCHEMA = 1
SECRET_SCHEMA = 1
_PURPOSE = b"mlops-forgotten-key-1\0"
_BYTES = 32
_WHOLE = re.compile(r"[+-]?[0-9]+")
_SEE = "docs/forget.md says what to do"


@dataclass(frozen=True)
class Secret:
    """What makes the list: its name, which computes nothing, and its bytes."""

    id: str
    value: bytes = field(repr=False)

    def digest(self, text: str) -> str:
        """Return the keyed hash of a key in its canonical form, as 64 hex digits."""
        return hmac.digest(self.value, _PURPOSE + text.encode(), "sha256").hex()


@dataclass(frozen=True)
class Entry:
    """One forgotten key: its keyed hash, by which secret, by which request and when."""

    hmac: str
    secret: str
    request: str
    time: str


def canonical(value: object, *, whole: bool) -> str:
    """Return a key as it is compared, whichever way it was typed or stored.

    Args:
        value: the key; a text loses blanks at its ends and is composed (Unicode NFC).
        whole: whether keys are whole numbers, so that 007 is 7.
    """
    text = normalised(str(value))
    if whole and _WHOLE.fullmatch(text):
        sign, digits = ("-" if text[0] == "-" else ""), text.lstrip("+-").lstrip("0")
        return f"{sign}{digits}" if digits else "0"
    return text


def among(values: pl.Series, is_one: Callable[[str], bool], *, whole: bool) -> pl.Series:
    """Return a mask of the values whose canonical form is one that is meant; null never is."""
    texts = values.cast(pl.String)
    distinct = texts.drop_nulls().unique().to_list()
    found = [text for text in distinct if is_one(canonical(text, whole=whole))]
    return texts.is_in(found).fill_null(value=False)


@dataclass(frozen=True)
class Suppression:
    """What reading raw data asks: whose rows are left out.

    Attributes:
        column: the column KEY.
        whole: whether keys are whole numbers.
        secret: makes the keyed hashes; None where the list is empty.
        hashes: the keyed hashes of the list.
    """

    column: str = ""
    whole: bool = False
    secret: Secret | None = None
    hashes: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Tell whether anybody's rows are left out."""
        return bool(self.hashes)

    def of(self, values: pl.Series) -> pl.Series:
        """Return a mask of the rows that are left out, by their keys."""
        return among(values, self._is_one, whole=self.whole)

    def _is_one(self, text: str) -> bool:
        return self.secret is not None and self.secret.digest(text) in self.hashes


NOBODY = Suppression()


def secret_file(settings: LoadedSettings) -> Path:
    """Return where the secret is, whether or not there is one.

    Raises:
        ConfigError: that is inside the project, where it would be kept with what it protects.
    """
    named = settings.values.forget.secret_file
    base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    usual = base / "mlops" / settings.model_name / "forget.json"
    path = usual if named is None else Path(named).expanduser()
    path = path if path.is_absolute() else settings.project.root / path
    if path.resolve().is_relative_to(settings.project.root.resolve()):
        raise ConfigError(
            f"forget.secret_file: {path} is inside the project", "name a file outside of it"
        )
    return path


def list_file(settings: LoadedSettings) -> Path:
    """Return where the suppression list is, whether or not there is one."""
    named = settings.values.forget.list_file
    if named is None:
        return settings.project.state_dir / "forget" / "list.json"
    return settings.project.root / Path(named).expanduser()


def read_secret(path: Path) -> Secret | None:
    """Return the secret of a file; None where there is no file.

    Raises:
        ConfigError: it cannot be read, is none, or others than its owner may read it.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror})", _SEE) from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise ConfigError(f"others than its owner may read {path}", f"chmod 600 {path}")
    content = _content(path, SECRET_SCHEMA)
    try:
        found = Secret(str(content["id"]), bytes.fromhex(content["secret"]))
    except (KeyError, TypeError, ValueError):
        raise ConfigError(f"{path} holds no secret", _SEE) from None
    if len(found.value) < _BYTES:
        raise ConfigError(f"the secret in {path} is shorter than {_BYTES} bytes", _SEE)
    return found


def make_secret(path: Path) -> Secret:
    """Draw a secret at random and write it for its owner alone."""
    made = Secret(secrets.token_hex(4), secrets.token_bytes(_BYTES))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = {"id": made.id, "secret": made.value.hex()}
    Document(path.name, SECRET_SCHEMA).write_private(path.parent, content)
    return made


def read_entries(path: Path) -> tuple[Entry, ...]:
    """Return the entries of a list; none where there is no list.

    Raises:
        ConfigError: it cannot be read or is damaged, so that nobody knows whom to leave out.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror})", _SEE) from None
    content = _content(path, LIST_SCHEMA)
    try:
        return tuple(Entry(**each) for each in content["entries"])
    except (KeyError, TypeError):
        raise ConfigError(f"{path} is no suppression list", _SEE) from None


def write_entries(path: Path, entries: Sequence[Entry]) -> None:
    """Write a list for its owner alone, in the order of the hashes, which tells no times."""
    rows = [vars(each) for each in sorted(entries, key=lambda each: each.hmac)]
    Document(path.name, LIST_SCHEMA).write_private(path.parent, {"entries": rows})


def ends_of(entry: Entry, settings: LoadedSettings) -> datetime | None:
    """Return until when an entry is to stay; None: as long as the list."""
    days = settings.values.forget.keep_days
    return None if days is None else datetime.fromisoformat(entry.time) + timedelta(days=days)


def ended_entries(settings: LoadedSettings, still_open: Collection[str]) -> tuple[Entry, ...]:
    """Return the entries whose time is over.

    Args:
        settings: name the list, and for how long.
        still_open: requests that are not done, whose entries stay in any case.

    Raises:
        ConfigError: the list cannot be read.
    """
    now, found = settings.clock(), []
    for entry in read_entries(list_file(settings)):
        end = ends_of(entry, settings)
        if end is not None and end <= now and entry.request not in still_open:
            found.append(entry)
    return tuple(found)


def drop_ended(settings: LoadedSettings, still_open: Collection[str]) -> int:
    """Drop the entries whose time is over, as `ended_entries` says; return how many those were."""
    ended = ended_entries(settings, still_open)
    if ended:
        path = list_file(settings)
        write_entries(path, [each for each in read_entries(path) if each not in ended])
    return len(ended)


def suppression_of(settings: LoadedSettings) -> Suppression:
    """Return what the project's list says to whoever reads raw data.

    Raises:
        ConfigError: there is a list, and it or its secret cannot be read: who was forgotten would
            come back.
    """
    path = list_file(settings)
    entries = read_entries(path)
    if not entries:
        return NOBODY
    secret = read_secret(secret_file(settings))
    if secret is None:
        raise ConfigError(
            f"{path} lists forgotten keys, and its secret {secret_file(settings)} is missing",
            f"restore it; {_SEE}",
        )
    if {each.secret for each in entries} != {secret.id}:
        raise ConfigError(f"{path} was made by another secret than {secret_file(settings)}", _SEE)
    hashes = frozenset(each.hmac for each in entries)
    return Suppression(settings.use_case.key, whole_keys(settings), secret, hashes)


def whole_keys(settings: LoadedSettings) -> bool:
    """Tell whether the contract's KEY is a whole number."""
    use_case = settings.use_case
    column = use_case.contract().to_schema().columns.get(use_case.key)
    if column is None:
        raise ConfigError(f"contract.py: KEY is {use_case.key!r}, which is no column of it")
    kind = column.dtype.type
    return bool((kind() if isinstance(kind, type) else kind).is_integer())


def _content(path: Path, schema: int) -> Mapping[str, Any]:
    try:
        return Document(path.name, schema).read(path.parent)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror})", _SEE) from None
