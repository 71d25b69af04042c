"""Reads a file of labels: Parquet or CSV, by the reader of the project's data.

Its columns: `label`, and `inference_id`, or KEY and `date`; where there is `labelled_at`, a moment
with its time zone, the newest label is the one that it says, else the one that stands last.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from mlops.data.csv_file import read_csv
from mlops.data.csv_layout import Unreadable
from mlops.data.folder import PARQUET, SUFFIXES
from mlops.data.reader import Column, RawFile, read_file
from mlops.data.suppression import NOBODY, Suppression
from mlops.errors import ConfigError, Refused
from mlops.monitoring.labels import DAY, ORDER, By, Labels, understood
from mlops.tasks import Target, Task
from mlops.usecase.use_case import LABEL

DATE = "date"
LABELLED_AT = "labelled_at"
_MOMENT = pl.Datetime("us", "UTC")
_FORM = f"a file of labels has {LABEL}, and inference_id or the key and {DATE}"


@dataclass(frozen=True)
class KeyColumn:
    """The use case's KEY: its name, its type in the contract, and whose labels are left out."""

    name: str
    kind: pl.DataType
    suppression: Suppression = NOBODY


def read_labels(path: Path, key: KeyColumn, target: Target, *, quote: bool = True) -> Labels:
    """Read a file of labels.

    Args:
        path: the file.
        key: what entities are named by.
        target: what the version predicts.
        quote: whether messages may tell values of the file.

    Raises:
        ConfigError: it is no such file, or a column is missing.
        Refused: it cannot be read.
    """
    if not path.name.lower().endswith(SUFFIXES):
        raise ConfigError(f"{path} is none of {', '.join(SUFFIXES)}", _FORM)
    found = _header(path)
    by = _by(path, found, key) if found else By.ID
    wanted = _wanted(by, found, key, target)
    file = read_file(path, path.name, wanted, suppression=key.suppression)
    _require_columns(path, file, wanted, quote=quote)
    return _labels(file, by, key, target, quote=quote)


def _header(path: Path) -> dict[str, pl.DataType]:
    """Return the columns with their types, texts in a CSV; empty where it cannot be read."""
    try:
        if path.name.lower().endswith(PARQUET):
            return dict(pl.read_parquet_schema(path))
        return dict.fromkeys(read_csv(path, ()).header, pl.String())
    except (pl.exceptions.PolarsError, Unreadable, OSError, ValueError):
        return {}  # the reader says what is wrong with it


def _by(path: Path, found: dict[str, pl.DataType], key: KeyColumn) -> By:
    if LABEL not in found:
        raise ConfigError(f"{path} has no column {LABEL} (it has: {', '.join(found)})", _FORM)
    if By.ID.value in found:
        return By.ID
    missing = [name for name in (key.name, DATE) if name not in found]
    if missing:
        raise ConfigError(
            f"{path} has neither inference_id nor {' and '.join(missing)} "
            f"(it has: {', '.join(found)})",
            _FORM,
        )
    return By.KEY


def _wanted(
    by: By, found: dict[str, pl.DataType], key: KeyColumn, target: Target
) -> dict[str, Column]:
    names: dict[str, pl.DataType] = (
        {By.ID.value: pl.String()} if by is By.ID else {key.name: key.kind, DATE: pl.Date()}
    )
    moments = {LABELLED_AT: Column(_MOMENT)} if LABELLED_AT in found else {}
    return {
        **{name: Column(kind) for name, kind in names.items()},
        LABEL: Column(_label_type(found.get(LABEL, pl.String()), target)),
        **moments,
    }


def _label_type(found: pl.DataType, target: Target) -> pl.DataType:
    """Return the type to read labels in: their own, and numbers where a text may be one."""
    if found == pl.String:
        return pl.Float64() if target.task is Task.REGRESSION else pl.String()
    if isinstance(found, pl.Decimal):
        return pl.Float64()
    if found == pl.Boolean or found.is_numeric():
        return found
    return pl.String()


def _require_columns(path: Path, file: RawFile, wanted: dict[str, Column], *, quote: bool) -> None:
    """Check that each column could be read, at least in part.

    Raises:
        Refused: it could not.
    """
    missing = [name for name in wanted if name not in file.frame.columns]
    if missing:
        sentences = [
            each.sentence(values=quote)
            for each in file.findings
            if each.column is None or each.column in missing
        ]
        raise Refused("\n  ".join([f"the labels of {path} are refused:", *sentences]), _FORM)


def _labels(file: RawFile, by: By, key: KeyColumn, target: Target, *, quote: bool) -> Labels:
    frame = file.frame
    found = understood(frame[LABEL], target, quote=quote)
    left_out = dict(found.left_out)
    if file.forgotten:
        left_out["of forgotten keys"] = file.forgotten
    if (unread := file.unread.get(LABEL)) is not None:
        wrong = int(unread.sum())
        nulls = left_out.pop("null", 0) - wrong
        left_out |= {"no number": wrong} | ({"null": nulls} if nulls else {})
    table = frame.drop(LABEL).with_columns(found.values)
    names = {By.ID.value: By.ID.value} if by is By.ID else {key.name: "key", DATE: DAY}
    table = table.rename(names).with_columns(_rank(table).alias(ORDER))
    usable = table.drop_nulls(LABEL)
    named = usable.drop_nulls(by.columns)
    if nameless := usable.height - named.height:
        left_out[f"without {' and '.join(names)}"] = nameless
    if by is By.KEY:
        named = named.with_columns(pl.col("key").cast(pl.String))
    return Labels(
        by, named.select(*by.columns, LABEL, ORDER), frame.height + file.forgotten, left_out
    )


def _rank(table: pl.DataFrame) -> pl.Series:
    """Return the order in which labels came: by `labelled_at` where it says it, then by place."""
    rows = table.with_row_index("place")
    by = [name for name in (LABELLED_AT, "place") if name in rows.columns]
    ordered = rows.sort(by, nulls_last=False).with_row_index("rank")
    return ordered.sort("place")["rank"]
