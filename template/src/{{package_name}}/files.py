"""Small, safe file operations: atomic writes, content hashes, JSON with a schema version."""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import ConfigError

_CHUNK = 1 << 20


def write_text(path: Path, text: str, *, private: bool = False) -> None:
    """Write `text` to `path` so that a reader sees the old file or the new one, never a part.

    With `private`, only the owner may read the file (on POSIX systems).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        Path(temporary).chmod(0o600 if private else 0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, content: dict[str, Any], *, private: bool = False) -> None:
    """Write `content` atomically as indented JSON."""
    write_text(
        path, json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n", private=private
    )


def read_json(path: Path, *, schema: int) -> dict[str, Any]:
    """Read a JSON object that says `schema`.

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
    if found != schema:
        raise ConfigError(
            f"{path} has schema {found!r}, this version of the project reads schema {schema}"
        )
    return dict(content)


@contextlib.contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes `target` when the block succeeds, replacing an old one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        yield temporary
        temporary.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        temporary.replace(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
