"""Labels from raw data: the use case's labels.py, run once for each day on which was predicted.

What is predicted on a day was known until then: that day is the cutoff, and labels look at what
came after it, until the reference date whose cutoff it is.
"""

import glob
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import ibis
import polars as pl

from mlops.artifacts.data_source import FOLDER
from mlops.data.personal import guarded, personal_of
from mlops.data.source import Located
from mlops.errors import ConfigError
from mlops.monitoring.labels import DAY, ORDER, By, Labels, understood
from mlops.scoring.raw_data import AsOf, check_data
from mlops.settings.loading import LoadedSettings
from mlops.tasks import Target
from mlops.usecase.use_case import LABEL, UseCase

MOST_DAYS = 92
"""labels.py runs for so many days at most."""
_FARTHEST = 800
"""So many days after a cutoff its reference date is looked for."""


@dataclass(frozen=True)
class _Day:
    """A day of predictions, and the reference date at which its labels are complete."""

    cutoff: date
    reference: date


def labels_of_raw_data(
    folder: Path, keys: pl.DataFrame, target: Target, settings: LoadedSettings
) -> Labels:
    """Return the label of each prediction by key and day, as far as the data reach.

    Args:
        folder: the raw data, which must satisfy the contract.
        keys: `key` (String) and `day` of each prediction.
        target: what the version predicts.
        settings: the use case, and its parameters.

    Raises:
        Refused: the data break the contract.
        ConfigError: the predictions are of too many days, or labels.py lacks a column.
        MlopsError: labels.py failed on data that no error may quote.
    """
    days = sorted(keys[DAY].unique().to_list())
    if len(days) > MOST_DAYS:  # a window of so many days touches one more, where it begins
        raise ConfigError(
            f"there are predictions of {len(days)} days, and labels.py runs once for each of at "
            f"most {MOST_DAYS}",
            f"name a shorter window, such as --since {MOST_DAYS - 1}d",
        )
    use_case, today = settings.use_case, settings.clock().date()
    located = Located(folder, FOLDER, folder.name)
    checked = check_data(located, settings, AsOf(today, today, fresh=False))
    newest = _newest(checked.rows, use_case)
    known, notes = _known_days(days, newest, settings)
    notes += [f"left out {name}: {why}" for name, why in checked.left_out.items()]
    found = guarded(
        lambda: _run(checked.rows, keys, known, use_case),
        "labels.py",
        personal=personal_of(use_case),
        show_values=settings.values.data.show_values,
        package=use_case.folder,
    )
    values = understood(found[LABEL], target, quote=settings.values.data.show_values)
    rows = found.drop(LABEL).with_columns(values.values).drop_nulls(LABEL)
    unknown = int(found.filter(~pl.col("asked")).height)
    rows = rows.filter("asked").with_columns(pl.lit(0, dtype=pl.UInt32).alias(ORDER))
    return Labels(
        by=By.KEY,
        rows=rows.select(*By.KEY.columns, LABEL, ORDER),
        count=found.height,
        left_out=values.left_out,
        unknown=unknown,
        notes=tuple(notes),
    )


def reference_of(cutoff: date, use_case: UseCase, params: object) -> date | None:
    """Return the first reference date that has this cutoff, or None if none has."""
    for ahead in range(_FARTHEST):
        reference = cutoff + timedelta(days=ahead)
        if use_case.cutoff(reference, params) == cutoff:
            return reference
    return None


def _newest(rows: pl.DataFrame, use_case: UseCase) -> date | None:
    """Return the last day of the data; None where rows have no date."""
    if use_case.date_column is None:
        return None
    last = rows[use_case.date_column].cast(pl.Date).max()
    return last if isinstance(last, date) else None


def _known_days(
    days: list[date], newest: date | None, settings: LoadedSettings
) -> tuple[list[_Day], list[str]]:
    """Return the days whose labels are complete in the data, and what is to be said of others."""
    known: list[_Day] = []
    without, later = [], []
    for day in days:
        reference = reference_of(day, settings.use_case, settings.values.params)
        if reference is None:
            without.append(day)
        elif newest is not None and reference > newest:
            later.append(day)
        else:
            known.append(_Day(day, reference))
    notes = []
    if later:
        notes.append(
            f"the data end on {newest}: labels of {_some(later)} are not complete and left out"
        )
    if without:
        notes.append(f"label_cutoff has no reference date for {_some(without)}")
    return known, notes


def _some(days: list[date]) -> str:
    return f"{days[0]}" if len(days) == 1 else f"{len(days)} days from {days[0]} on"


def _run(
    rows: pl.DataFrame, keys: pl.DataFrame, days: list[_Day], use_case: UseCase
) -> pl.DataFrame:
    """Run labels.py for each day; `asked` says whether anything was predicted of the key."""
    schema: Mapping[str, pl.DataType] = {"key": pl.String(), DAY: pl.Date(), "asked": pl.Boolean()}
    found: list[pl.DataFrame] = []
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "rows.parquet"
        rows.write_parquet(path)
        # For DuckDB every path is a pattern.
        data = ibis.duckdb.connect().read_parquet(glob.escape(str(path)), hive_partitioning=False)
        for day in days:
            labels = _of_day(data, day, use_case)
            asked = keys.filter(pl.col(DAY) == day.cutoff)["key"]
            told = labels.with_columns(
                pl.col("key").is_in(asked.implode()).alias("asked"),
                pl.lit(day.cutoff, dtype=pl.Date).alias(DAY),
            )
            found.append(told)
    if not found:
        return pl.DataFrame(schema={**schema, LABEL: pl.Float64()})
    return pl.concat(found, how="vertical_relaxed").select(*schema, LABEL)


def _of_day(data: ibis.Table, day: _Day, use_case: UseCase) -> pl.DataFrame:
    """Return key and label; no row after the reference date is seen, as in training."""
    column = use_case.date_column
    if column is not None:
        data = data.filter(data[column].cast("date") <= day.reference)
    labels = use_case.labels(data, day.cutoff, day.reference)
    missing = [name for name in (use_case.key, LABEL) if name not in labels.columns]
    if missing:
        raise ConfigError(
            f"labels.py returned no column {', '.join(missing)} (it has: "
            f"{', '.join(labels.columns)})",
            "return the key and the label",
        )
    table = pl.DataFrame(labels.select(use_case.key, LABEL).to_polars())
    return table.select(pl.col(use_case.key).cast(pl.String).alias("key"), LABEL)
