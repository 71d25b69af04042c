"""The files of a folder of raw data: what is read, what is refused, what is passed over by name.

Nothing is left out silently: a file that looks like data is read, refused, or named in
`data.ignore`.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from mlops.data.findings import Finding
from mlops.errors import ConfigError

PARQUET, CSV, ZIPPED_CSV = ".parquet", ".csv", ".csv.gz"
SUFFIXES = (PARQUET, CSV, ZIPPED_CSV)

_LOOK_LIKE_DATA = frozenset(
    (
        *(".parquet", ".parq", ".pq", ".pqt", ".csv", ".tsv", ".tab", ".psv", ".dsv"),
        *(".xls", ".xlsx", ".xlsm", ".xlsb", ".ods", ".jsonl", ".ndjson", ".avro", ".orc"),
        *(".arrow", ".feather", ".ipc", ".pkl", ".pickle", ".h5", ".hdf5", ".rds", ".rdata"),
        *(".sav", ".dta", ".sas7bdat", ".mdb", ".accdb", ".db", ".sqlite", ".duckdb"),
        *(".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".7z", ".tar", ".tgz"),
    )
)
_OF_COPIES = frozenset((".bak", ".old", ".orig", ".tmp", ".part", ".crdownload"))
_LITTER = frozenset(("thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store"))
"""What file managers leave in folders."""
_LOCK = "~$"
"""So begins the name of the file by which Office locks one that is open."""


@dataclass(frozen=True)
class Listing:
    """What a folder holds.

    Attributes:
        files: the data files by their names in the folder, in order.
        failures: what makes the folder unusable.
        warnings: what was passed over.
    """

    files: dict[str, Path]
    failures: tuple[Finding, ...]
    warnings: tuple[Finding, ...]


def list_files(folder: Path, ignore: Collection[str] = ()) -> Listing:
    """List the data files of a folder and its subfolders, links followed.

    Names that begin with a point or an underscore are passed over; a warning names those that hold
    data.

    Args:
        folder: the folder.
        ignore: patterns of names, relative to the folder, that are not to be read.

    Raises:
        ConfigError: the folder does not exist.
    """
    if not folder.is_dir():
        raise ConfigError(f"the data folder {folder} does not exist")
    files: dict[str, Path] = {}
    failures: list[Finding] = []
    warnings: list[Finding] = []
    read: dict[Path, str] = {}
    for found in _walk(folder, "", {folder.resolve()}):
        name = found.file if isinstance(found, Finding) else found[0]
        if any(fnmatchcase(name, pattern) for pattern in ignore):
            warnings.append(Finding("not_read", "this is not read (data.ignore)", name))
        elif isinstance(found, Finding):
            failures.append(found)
        elif why := _passed_over(path := found[1]):
            warnings.append(Finding("not_read", why, name))
        elif not name.lower().endswith(SUFFIXES):
            failures.append(Finding("files", _unknown_kind(), name))
        elif (same := read.setdefault(path.resolve(), name)) != name:
            failures.append(Finding("files", f"this is {same}, which is read already", name))
        else:
            files[name] = path
    return Listing(files, tuple(failures), tuple(warnings))


def _walk(folder: Path, prefix: str, above: set[Path]) -> Iterator[tuple[str, Path] | Finding]:
    """Yield name and path of files and of hidden folders with data, and what stands in the way."""
    try:
        entries = sorted(folder.iterdir(), key=lambda path: (path.is_symlink(), path.name))
    except OSError as error:
        yield Finding(
            "files", f"this folder cannot be opened ({error.strerror})", prefix.rstrip("/") or "."
        )
        return
    if any(path.name == "_delta_log" for path in entries):
        what = "this is a Delta table: its files alone also hold rows that were deleted"
        yield Finding("files", what, prefix.rstrip("/") or ".")
        return
    for path in entries:
        name = f"{prefix}{path.name}"
        if not path.exists():
            yield Finding("files", f"this link leads nowhere ({_target(path)})", name)
        elif not path.is_dir():
            if not _hidden(path.name) or _looks_like_data(path.name) or _is_litter(path.name):
                yield name, path
        elif _hidden(path.name):
            if _holds_data(path, above):
                yield name, path
        elif (real := path.resolve()) in above:
            yield Finding("files", "this link leads back to a folder that it is in", name)
        else:
            yield from _walk(path, f"{name}/", above | {real})


def _holds_data(folder: Path, above: set[Path]) -> bool:
    """Tell whether a folder that is not read holds data, or what nobody can look into."""
    if (real := folder.resolve()) in above:
        return False
    return any(
        isinstance(found, Finding) or found[1].is_dir() or _looks_like_data(found[1].name)
        for found in _walk(folder, "", above | {real})
    )


def _passed_over(path: Path) -> str:
    """Return why a file or a hidden folder is not read, to be told in a warning; empty if it is."""
    kind = "folder" if path.is_dir() else "file"
    if _is_litter(path.name):
        return "this file was not read: a file manager or Office made it"
    if kind == "file" and not _looks_like_data(path.name):
        return "this file was not read"
    if _hidden(path.name):
        return f"this {kind} was not read, as its name begins with . or _"
    return ""


def _hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def _is_litter(name: str) -> bool:
    return name.lower() in _LITTER or name.startswith(_LOCK)


def _looks_like_data(name: str) -> bool:
    """Tell it by the last suffix, after those of a copy; a compressed file may hold data."""
    suffixes = [each for each in Path(name.lower()).suffixes if each not in _OF_COPIES]
    return not _is_litter(name) and not _LOOK_LIKE_DATA.isdisjoint(suffixes[-1:])


def _unknown_kind() -> str:
    known = f"{', '.join(SUFFIXES[:-1])} and {SUFFIXES[-1]}"
    return f"this looks like data and is not read: {known} are (data.ignore leaves it out)"


def _target(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return "it cannot be followed"
