"""Files that are whole or not there, whatever ends the process or the machine.

A file is written beside its place, brought to the disk, renamed, and its folder brought to the
disk; a line that is appended is brought to the disk before anybody counts on it.
"""

import os
from pathlib import Path

UNFINISHED = ".tmp"
"""How the name of a file ends that is not yet in its place."""


def unfinished(path: Path) -> Path:
    """Return where a file is written before it is in its place."""
    return path.with_name(path.name + UNFINISHED)


def put_in_place(path: Path) -> None:
    """Bring what was written to `unfinished(path)` to the disk and rename it."""
    written = unfinished(path)
    with written.open("rb+") as stream:
        os.fsync(stream.fileno())
    written.replace(path)
    sync_folder(path.parent)


def append_line(path: Path, line: str) -> None:
    """Append a line, on the disk when this returns."""
    with path.open("a", encoding="utf-8", newline="\n") as stream:
        stream.write(line + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk; Windows does so by itself, and lets nobody ask."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
