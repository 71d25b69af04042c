"""What lies in the layers of an image, each a tar file: nothing that a layer holds is ever gone."""

import csv
import mmap
import posixpath
import tarfile
from collections.abc import Iterable
from pathlib import Path

_DELETED = ".wh."


def files(layers: Iterable[Path]) -> set[str]:
    """Return the paths of all files and links, without what only says that a file was deleted."""
    found: set[str] = set()
    for layer in layers:
        with tarfile.open(layer) as tar:
            found |= {member.name for member in tar if not member.isdir()}
    names = {name.removeprefix("./") for name in found}
    return {name for name in names if not posixpath.basename(name).startswith(_DELETED)}


def of_packages(layers: Iterable[Path]) -> set[str]:
    """Return the paths of the files that installed packages of Python say are theirs."""
    found: set[str] = set()
    for layer in layers:
        with tarfile.open(layer) as tar:
            for member in tar:
                if member.name.endswith(".dist-info/RECORD"):
                    content = tar.extractfile(member)
                    assert content
                    lines = content.read().decode().splitlines()
                    where = posixpath.dirname(posixpath.dirname(f"/{member.name}"))
                    found |= {posixpath.join(where, row[0]) for row in csv.reader(lines)}
    return {posixpath.normpath(path).lstrip("/") for path in found}


def holds(layer: Path, text: str) -> bool:
    """Return whether a text stands anywhere in a layer."""
    if not layer.stat().st_size:
        return False
    with layer.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(text.encode()) >= 0
