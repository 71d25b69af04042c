"""The features of all keys as of a day, ordered by key, in one Parquet file.

They are computed on one thread, so that the same data give the same bits each time, and checked
against the version's signature as they stream into the file. What does not fit in memory goes to
the disk.
"""

import glob
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import ibis
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from mlops.artifacts.scores import COLUMNS
from mlops.artifacts.signature import features_of, is_optional
from mlops.data.personal import guarded, personal_of
from mlops.errors import ConfigError, Refused
from mlops.features import Feature, Features, Kind
from mlops.settings.loading import LoadedSettings
from mlops.steps.prepare import features_until
from mlops.steps.typed_table import check_features, feature_kinds
from mlops.usecase.use_case import UseCase

_BATCH_ROWS = 100_000
_CODE = "let features.py return it, or score with a version that was trained with this features.py"


@dataclass
class _Nulls:
    """How many keys have null where the version answers none."""

    refused: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, table: pl.DataFrame) -> None:
        for name in self.refused:
            if found := table[name].null_count():
                self.counts[name] = self.counts.get(name, 0) + found


def write_features(
    rows: Path, target: Path, day: date, settings: LoadedSettings, signature: Mapping[str, Any]
) -> int:
    """Compute the features that a version asks for, and write them ordered by key.

    Args:
        rows: a Parquet file of raw rows that satisfy the contract.
        target: the Parquet file to write.
        day: the reference date; no row after it is seen.
        settings: the use case, and how much memory DuckDB may take.
        signature: the content of the version's signature.json.

    Returns:
        How many keys there are.

    Raises:
        ConfigError: features.py returned something that no model can use.
        Refused: what the signature asks is not there, or there is no key.
        MlopsError: features.py failed on data that no error may quote.
    """
    return guarded(
        lambda: _write_features(rows, target, day, settings, signature),
        "features.py",
        personal=personal_of(settings.use_case),
        show_values=settings.values.data.show_values,
        package=settings.use_case.folder,
    )


def _write_features(
    rows: Path, target: Path, day: date, settings: LoadedSettings, signature: Mapping[str, Any]
) -> int:
    use_case = settings.use_case
    require_key(use_case)
    connection = ibis.duckdb.connect(
        threads=1,
        memory_limit=f"{settings.values.score.memory_gb:g}GB",
        temp_directory=str(target.with_name("spilled")),
    )
    try:
        # For DuckDB every path is a pattern.
        data = connection.read_parquet(glob.escape(str(rows)), hive_partitioning=False)
        table = features_until(data, use_case, day)
        wanted = _columns(use_case.key, table.columns, signature)
        require_features(_kinds(table.select(wanted), use_case.key), signature)
        ordered = target.with_name("ordered.parquet")
        table.select(wanted).order_by(use_case.key).to_parquet(ordered)
    except duckdb.OutOfMemoryException as error:
        raise ConfigError(
            f"features.py needs more memory than score.memory_gb: "
            f"{settings.values.score.memory_gb:g} allows, for what cannot go to the disk",
            "set more in conf",
        ) from error
    finally:
        connection.disconnect()
    with pq.ParquetFile(ordered, memory_map=True) as file:
        batches = file.iter_batches(_BATCH_ROWS)
        written = _write(batches, target, use_case.key, signature)
    ordered.unlink()
    if not written:
        raise Refused(
            f"there is nothing to score: no {use_case.key} has a row until {day}",
            "name other data, or a later --reference-date",
        )
    return written


def require_key(use_case: UseCase) -> None:
    """Check that the key's name is none of those that stand beside it among predictions.

    Raises:
        ConfigError: it is.
    """
    if use_case.key in COLUMNS:
        raise ConfigError(
            f"KEY in contract.py is {use_case.key!r}, as a column of predictions is called",
            f"give the key another name than {', '.join(COLUMNS)}",
        )


def require_features(kinds: Mapping[str, Kind], signature: Mapping[str, Any]) -> None:
    """Check that a table has what a version asks for.

    Args:
        kinds: what each feature of the table is.
        signature: the content of the version's signature.json.

    Raises:
        Refused: a feature is missing that callers may not leave out, or is of another kind.
    """
    version = signature["model_version"]
    for described, feature in zip(signature["features"], features_of(signature), strict=True):
        found = kinds.get(feature.name)
        if found is None and not is_optional(described):
            raise Refused(
                f"features.py returns no {feature.name}, which version {version} asks for "
                f"(a {feature.kind})",
                _CODE,
            )
        unnamed = "kind" not in described and found is Kind.BOOLEAN
        if found not in (None, feature.kind) and not unnamed:
            raise Refused(
                f"features.py returns {feature.name} as a {found}, and version {version} asks for "
                f"a {feature.kind}",
                _CODE,
            )


def _columns(key: str, found: tuple[str, ...], signature: Mapping[str, Any]) -> list[str]:
    names = features_of(signature).names
    return [key, *(name for name in names if name in found and name != key)]


def _kinds(table: ibis.Table, key: str) -> dict[str, Kind]:
    """Return what each feature of a table is, without computing it."""
    empty = pl.DataFrame(pl.from_arrow(table.schema().to_pyarrow().empty_table()))
    return feature_kinds(empty, (key,)) if len(empty.columns) > 1 else {}


def _write(
    batches: Iterator[pa.RecordBatch], target: Path, key: str, signature: Mapping[str, Any]
) -> int:
    features = features_of(signature)
    nulls = _Nulls(tuple(each["name"] for each in signature["features"] if not each["nullable"]))
    writer: pq.ParquetWriter | None = None
    written, last = 0, None
    try:
        for batch in batches:
            typed = _typed(pl.DataFrame(pl.from_arrow(batch)), key, features)
            if typed.is_empty():
                continue
            if typed[key][0] == last:
                raise ConfigError(
                    f"features.py returned a null or repeated {key}", "return one row for each key"
                )
            last = typed[key][-1]
            nulls.add(typed)
            table = typed.to_arrow()
            if writer is None:
                writer = pq.ParquetWriter(target, table.schema)
            writer.write_table(table)
            written += typed.height
    finally:
        if writer is not None:
            writer.close()
    _require_no_nulls(nulls.counts, signature)
    return written


def _typed(table: pl.DataFrame, key: str, features: Features) -> pl.DataFrame:
    """Return the key and all features as they are stored, null where one was left out."""
    columns = check_features(table, key)
    absent = [each for each in features if each.name not in columns.columns]
    return columns.with_columns(
        pl.lit(None, dtype=_stored_type(each)).alias(each.name) for each in absent
    ).select(key, *features.names)


def _stored_type(feature: Feature) -> type[pl.DataType]:
    return pl.String if feature.kind is Kind.CATEGORY else pl.Float32


def _require_no_nulls(counts: Mapping[str, int], signature: Mapping[str, Any]) -> None:
    if counts:
        found = ", ".join(f"{name} of {count:,} keys" for name, count in counts.items())
        raise Refused(
            f"version {signature['model_version']} answers no null in what is null here: {found}",
            "let features.py fill it, or train a version whose model takes nulls",
        )
