"""Small, safe file operations: atomic writes, content hashes, JSON with a schema version."""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops.errors import ConfigError
from mlops.full_disk import writing

_CHUNK = 1 << 20
_CODE_DIGITS = 16


def write_text(path: Path, text: str, *, private: bool = False) -> None:
    """Write `text` to `path` so that a reader sees the old file or the new one, never a part.

    With `private`, only the owner may read the file (on POSIX systems).

    Raises:
        DiskFull: there is no room; the old file is as it was.
    """
    write_bytes(path, text.encode("utf-8"), private=private)


def write_bytes(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write `content` to `path` as `write_text` does a text.

    Raises:
        DiskFull: there is no room; the old file is as it was.
    """
    temporary = beside(path)
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            mode = 0o600 if private else 0o666
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, content: dict[str, Any], *, private: bool = False) -> None:
    """Write `content` atomically as indented JSON."""
    write_text(
        path, json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n", private=private
    )


def read_json(path: Path, *, schema: int, older: Sequence[int] = ()) -> dict[str, Any]:
    """Read a JSON object that says `schema`, or one of those before it that are still read.

    Raises:
        ConfigError: the file is missing, is not JSON or has another schema version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid JSON: {error}") from None
    found = content.get("schema") if isinstance(content, dict) else None
    if found not in (schema, *older):
        raise ConfigError(
            f"{path} has schema {found!r}, this version of the project reads schema {schema}"
        )
    return dict(content)


@contextlib.contextmanager
def new_folder(target: Path, *, replaces: str | None = None) -> Iterator[Path]:
    """Yield an empty folder that becomes `target` when the block succeeds.

    A `target` that is a mount, as an output folder in the cloud can be, is filled instead, since it
    cannot be replaced. If that is cut off, as when a cheap machine is withdrawn, the next attempt
    can replace what is there.

    Args:
        target: the folder to make.
        replaces: a file by which an older folder of the same kind is known; only such a folder, or
            an empty one, is replaced, and it stays until the new one is complete. "." replaces
            whatever is there.

    Raises:
        ConfigError: `target` holds something else.
        DiskFull: there is no room; what was there is as it was, unless it is a mount.
    """
    _refuse_to_replace(target, replaces)
    if target.is_mount():
        with writing(target), tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch)
            _fill(target, Path(scratch), replaces)
        return
    temporary, old = beside(target), beside(target)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
    try:
        with writing(target):
            yield temporary
        if target.exists():
            target.replace(old)
        try:
            temporary.replace(target)
        except BaseException:
            if old.exists():
                old.replace(target)
            raise
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    finally:
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)


def _fill(target: Path, source: Path, replaces: str | None) -> None:
    """Let `target` hold just what `source` holds; only contents are copied, no modes or times.

    The file by which such a folder is known is there from the first moment to the last.
    """
    known_by = replaces if replaces and (source / replaces).is_file() else None
    if known_by:
        shutil.copyfile(source / known_by, target / known_by)
    for old in target.iterdir():
        if old.name == known_by:
            continue
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink()
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir()
        elif path != source / (known_by or ""):
            shutil.copyfile(path, copy)


def _refuse_to_replace(target: Path, replaces: str | None) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise ConfigError(f"{target} is a file", "name a folder")
    if Path.cwd().is_relative_to(target.resolve()):
        raise ConfigError(f"{target} is the folder you are in, or holds it", "name another folder")
    empty = not any(target.iterdir())
    if not empty and (replaces is None or not (target / replaces).exists()):
        raise ConfigError(
            f"{target} holds other files, which would be lost", "name an empty folder"
        )


def beside(path: Path) -> Path:
    """Return a name in the same folder that nothing has yet, to write what takes its place."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file below a folder by its name there, in order of their paths."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}


def file_changes(found: Mapping[str, str], expected: Mapping[str, str]) -> dict[str, str]:
    """Return which files are others than expected, in order of their names.

    Args:
        found: the hash of each file that is there, by name.
        expected: the same of those that should be.

    Returns:
        `changed`, `removed` or `added` by the name of a file.
    """
    changes = {}
    for name in sorted({*found, *expected}):
        if name not in found:
            changes[name] = "removed"
        elif name not in expected:
            changes[name] = "added"
        elif found[name] != expected[name]:
            changes[name] = "changed"
    return changes


def code_files(folder: Path) -> list[str]:
    """Return the names of the files below a folder of code, sorted, without compiled ones."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


def code_hash(folder: Path) -> str:
    """Return a hash of the names and contents of a folder of code as 16 hex digits."""
    digest = hashlib.sha256()
    for name in code_files(folder):
        content = (folder / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:_CODE_DIGITS]
