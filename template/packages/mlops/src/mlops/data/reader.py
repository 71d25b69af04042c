"""Reads raw Parquet and CSV files into the types that a contract asks for.

CSV has no types, so its text is parsed. Parquet has them: a number may become a wider one and a
timestamp its date, every other difference is a finding.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from mlops.data.findings import ROWS_STORED, Finding, Row
from mlops.errors import ConfigError

SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True)
class RawFile:
    """One file's rows in the contract's types; columns that could not be read are left out.

    `unread` tells of a column that could be read in part where its values could not: there the
    frame has nulls.
    """

    name: str
    rows: int
    frame: pl.DataFrame
    findings: tuple[Finding, ...]
    unread: Mapping[str, pl.Series] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every value could be read."""
        return not self.findings


def list_files(folder: Path) -> tuple[list[Path], list[str]]:
    """Return the data files of a folder and its subfolders, and the names of other files.

    Hidden files and folders, and those that begin with an underscore, are passed over.

    Raises:
        ConfigError: the folder does not exist.
    """
    if not folder.is_dir():
        raise ConfigError(f"the data folder {folder} does not exist")
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    )
    data = [path for path in found if path.suffix.lower() in SUFFIXES]
    return data, [path.relative_to(folder).as_posix() for path in found if path not in data]


def read_file(
    path: Path, name: str, types: Mapping[str, pl.DataType], optional: Collection[str] = ()
) -> RawFile:
    """Read one file; whatever is wrong with it becomes a finding, nothing is raised.

    Args:
        path: the file.
        name: how findings call it.
        types: the columns to read and their types.
        optional: columns that are filled with nulls where the file lacks them.
    """
    kind = path.suffix.lower()
    if path.stat().st_size == 0:
        return _unreadable(name, "empty", "the file is empty")
    try:
        raw = (
            pl.read_csv(path, infer_schema=False)
            if kind == ".csv"
            else pl.read_parquet(path, hive_partitioning=False)
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        what = "CSV" if kind == ".csv" else "Parquet"
        reason = str(error).splitlines()[0]
        return _unreadable(name, "readable", f"this is not a readable {what} file ({reason})")
    if kind == ".csv" and raw.width == 1 and ";" in raw.columns[0]:
        return _unreadable(
            name, "readable", "the columns are separated by semicolons; commas are expected"
        )
    if raw.height == 0:
        return _unreadable(name, "rows", "there are no rows")

    findings: list[Finding] = []
    columns: list[pl.Series] = []
    unread: dict[str, pl.Series] = {}
    for column, target in types.items():
        if column not in raw.columns and column in optional:
            columns.append(pl.Series(column, [None] * raw.height, dtype=target))
            continue
        if column not in raw.columns:
            have = ", ".join(raw.columns)
            findings.append(
                Finding("column", f"the column is missing (have: {have})", name, column)
            )
            continue
        parsed = _parse(raw[column], target) if kind == ".csv" else _cast(raw[column], target)
        if parsed is None:
            findings.append(_wrong_type(name, raw[column], target, raw[column].is_not_null()))
            continue
        lost = raw[column].is_not_null() & parsed.is_null()
        if lost.any():
            findings.append(_wrong_type(name, raw[column], target, lost))
            unread[column] = lost
        columns.append(parsed)
    return RawFile(name, raw.height, pl.DataFrame(columns), tuple(findings), unread)


def offending_rows(name: str, values: pl.Series, mask: pl.Series) -> tuple[Row, ...]:
    """Return the rows of one file where `mask` holds, at most as many as are stored."""
    positions = mask.arg_true().head(ROWS_STORED)
    shown = values.gather(positions).to_list()
    return tuple(
        Row(name, int(position) + 1, "null" if value is None else str(value))
        for position, value in zip(positions.to_list(), shown, strict=True)
    )


def _unreadable(name: str, check: str, message: str) -> RawFile:
    return RawFile(name, 0, pl.DataFrame(), (Finding(check, message, name),))


def _wrong_type(name: str, values: pl.Series, target: pl.DataType, mask: pl.Series) -> Finding:
    count = int(mask.sum())
    found = "" if values.dtype == pl.String else f", the column holds {values.dtype}"
    return Finding(
        check="type",
        message=f"{count:,} {'value is' if count == 1 else 'values are'} no {target}{found}",
        file=name,
        column=values.name,
        count=count,
        rows=offending_rows(name, values, mask),
    )


def _parse(text: pl.Series, target: pl.DataType) -> pl.Series:
    """Parse CSV text; what cannot be parsed becomes null."""
    stripped = text.str.strip_chars()
    if target == pl.String:
        return text
    if target == pl.Date:
        return _parse_timestamp(stripped).cast(pl.Date)
    if isinstance(target, pl.Datetime):
        return _parse_timestamp(stripped).cast(target)
    if target == pl.Boolean:
        words = {"true": True, "false": False, "1": True, "0": False}
        return stripped.str.to_lowercase().replace_strict(
            words, default=None, return_dtype=pl.Boolean
        )
    return stripped.cast(target, strict=False)


def _parse_timestamp(text: pl.Series) -> pl.Series:
    frame = text.to_frame("text")
    day = pl.col("text").str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    moments = [
        pl.col("text").str.to_datetime(form, strict=False, time_unit="us")
        for form in ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f")
    ]
    return frame.select(pl.coalesce(day, *moments).alias(text.name)).to_series()


def _cast(values: pl.Series, target: pl.DataType) -> pl.Series | None:
    """Cast Parquet values; None if the types are too different, null where a value would change.

    A timestamp may become its date: that is what a contract with a date asks for.
    """
    source = values.dtype
    to_day = source in (pl.Date, pl.Datetime) and target in (pl.Date, pl.Datetime)
    to_text = target == pl.String and isinstance(source, pl.Categorical | pl.Enum)
    if source == target or to_day or to_text or source == pl.Null:
        return values.cast(target, strict=False)
    to_float = target.is_float() and source.is_numeric()
    if not to_float and not (target.is_integer() and source.is_integer()):
        return None
    cast = values.cast(target, strict=False)
    if source.is_float() or not to_float:
        return cast
    unchanged = cast.cast(source, strict=False) == values
    kept = cast.to_frame("x").select(pl.when(unchanged).then(pl.col("x"))).to_series()
    return kept.alias(values.name)
