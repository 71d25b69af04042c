"""Step 2: features, labels and the split into training part and holdout.

Features are computed from what was known at the cutoff, labels from what came after it: rows after
the cutoff are taken away before the use case's features function sees the table. Which entities are
held out depends on a hash of their key alone, so every model ever trained leaves the same ones out;
likewise which ones are used where `data.fraction` asks for a part of them.
"""

import glob
import hashlib
from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import polars as pl

from mlops.artifacts.data_source import read_source
from mlops.artifacts.documents import PREPARED, VALIDATION_RESULTS
from mlops.artifacts.prepared import (
    Feature,
    Prepared,
    holdout_file,
    train_file,
    write_description,
)
from mlops.artifacts.run_folder import ValidatedFolder
from mlops.data.personal import guarded, personal_of
from mlops.errors import ConfigError, Refused
from mlops.files import file_sha256, new_folder
from mlops.settings.loading import LoadedSettings
from mlops.settings.sections import SplitSettings
from mlops.steps.optional_features import check_names
from mlops.usecase.use_case import LABEL, UseCase


def build_table(
    data: ibis.Table, use_case: UseCase, cutoff: date, reference_date: date
) -> pl.DataFrame:
    """Join features as of `cutoff` with the labels after it; one row an entity, ordered by key.

    Raises:
        ConfigError: the use case's functions did not return the columns they must, or a feature is
            called like a personal column.
    """
    column = use_case.date_column
    known = data if column is None else data.filter(data[column].cast("date") <= cutoff)
    features = use_case.features(known, cutoff)
    labels = use_case.labels(data, cutoff, reference_date)
    _require_columns("features.py", features, [use_case.key])
    _require_columns("labels.py", labels, [use_case.key, LABEL])
    if LABEL in features.columns:
        raise ConfigError(f"features.py returned a feature named {LABEL}", "give it another name")
    personal_of(use_case).require_other_names("features.py", "feature", features.columns)
    joined = features.inner_join(labels.select(use_case.key, LABEL), use_case.key)
    return pl.DataFrame(joined.order_by(use_case.key).to_polars())


def is_held_out(keys: Iterable[Any], split: SplitSettings) -> list[bool]:
    """Tell for each key whether it belongs to the holdout; the same key always does or never."""
    return _below(keys, split.holdout_fraction, salt=split.salt, purpose=b"")


def is_used(keys: Iterable[Any], fraction: float) -> list[bool]:
    """Tell for each key whether it belongs to a share of the entities.

    The same key always does or never, and what is in a small share is in every larger one. The
    share does not depend on the holdout: it takes the same part of it as of the training part.
    """
    return _below(keys, fraction, salt="", purpose=b"data.fraction")


def _below(keys: Iterable[Any], share: float, *, salt: str, purpose: bytes) -> list[bool]:
    limit = int(share * 2**64)
    hashes = (
        hashlib.blake2b(f"{salt}|{key}".encode(), digest_size=8, person=purpose) for key in keys
    )
    return [int.from_bytes(found.digest()) < limit for found in hashes]


def check_table(table: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return `table` with Float32 features and an Int8 label, or say what is wrong with it.

    Raises:
        ConfigError: the use case's functions returned something that no model can use.
    """
    names = [name for name in table.columns if name not in (key, LABEL)]
    if not names:
        raise ConfigError("features.py returned no feature column besides the key")
    if table[key].null_count() or table[key].is_duplicated().any():
        raise ConfigError(
            f"features.py or labels.py returned a null or repeated {key}",
            "both have to return one row for each key",
        )
    for name in names:
        kind = table.schema[name]
        if not (kind.is_numeric() or kind == pl.Boolean):
            raise ConfigError(
                f"the feature {name} is {kind}", "features.py has to turn it into a number"
            )
    table = table.with_columns(pl.col(LABEL).cast(pl.Float64, strict=False))
    if not table[LABEL].is_in([0.0, 1.0]).all() or table[LABEL].null_count():
        raise ConfigError("labels.py returned a label that is neither 0 nor 1")
    features = [pl.col(name).cast(pl.Float32).fill_nan(None) for name in names]
    result = table.select(key, *features, pl.col(LABEL).cast(pl.Int8))
    for name in names:
        if result[name].is_infinite().any():
            raise ConfigError(f"the feature {name} has infinite values, or some too large to use")
    return result


def run(validated: Path, output: Path, settings: LoadedSettings) -> Prepared:
    """Prepare the data that `validate` passed and write the folder `output`.

    Raises:
        Refused: the data did not pass validation, or a part has only one class.
        ConfigError: the use case returned unusable columns, or a slice is called like a personal
            one.
        MlopsError: features.py or labels.py failed on data that no error may quote.
    """
    folder = ValidatedFolder(validated)
    results = folder.results()
    if not results["passed"]:
        raise Refused(f"{validated / VALIDATION_RESULTS.name}: the data did not pass validation")
    use_case, values = settings.use_case, settings.values
    reference_date = date.fromisoformat(results["reference_date"])
    cutoff = use_case.cutoff(reference_date, values.params)
    # For DuckDB every path is a pattern.
    data = ibis.duckdb.connect().read_parquet(
        glob.escape(str(folder.data)), hive_partitioning=False
    )
    table = _built(data, settings, cutoff, reference_date)
    optional = use_case.optional_features
    check_names(optional, [name for name in table.columns if name not in (use_case.key, LABEL)])
    table = table.filter(pl.Series(is_used(table[use_case.key], values.data.fraction)))
    held_out = pl.Series(is_held_out(table[use_case.key], values.split), dtype=pl.Boolean)
    train, holdout = table.filter(~held_out), table.filter(held_out)
    for name, part in (("training part", train), ("holdout", holdout)):
        if part[LABEL].n_unique() < 2:
            raise Refused(
                f"the {name} ({part.height} rows) needs both labels, 0 and 1: "
                f"there is too little data{_part_of(values.data.fraction)}, "
                "or labels.py finds only one kind"
            )
    with new_folder(output, replaces=PREPARED.name) as new:
        train.write_parquet(train_file(new))
        holdout.write_parquet(holdout_file(new))
        prepared = Prepared(
            folder=output,
            key=use_case.key,
            features=_describe(train, holdout, use_case.key, optional),
            cutoff=cutoff.isoformat(),
            reference_date=reference_date.isoformat(),
            data_hash=results["data_hash"],
            data_hash_schema=results.get("data_hash_schema", 1),
            data_rows=results["rows"],
            split={**values.split.model_dump(), "key": use_case.key},
            rows={"train": train.height, "holdout": holdout.height},
            holdout_sha256=file_sha256(holdout_file(new)),
            source=read_source(results.get("source")).of_share(values.data.fraction),
        )
        write_description(prepared, new)
    return prepared


def _built(
    data: ibis.Table, settings: LoadedSettings, cutoff: date, reference_date: date
) -> pl.DataFrame:
    """Build and check the table so that no error quotes what must not be shown of the data."""
    use_case = settings.use_case
    personal = personal_of(use_case)
    if personal:
        personal.require_other_names("slices.py", "slice", use_case.slices())
    return guarded(
        lambda: check_table(build_table(data, use_case, cutoff, reference_date), use_case.key),
        "features.py or labels.py",
        personal=personal,
        show_values=settings.values.data.show_values,
        package=use_case.folder,
    )


def _part_of(fraction: float) -> str:
    return "" if fraction == 1 else f" in the part that data.fraction: {fraction:g} takes of it"


def _typical(values: pl.Series) -> float:
    """Return the median in few digits; 0 where all are null."""
    return float(f"{values.quantile(0.5, 'nearest') or 0.0:.6g}")


def _require_columns(module: str, table: ibis.Table, columns: list[str]) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing:
        have = ", ".join(table.columns)
        raise ConfigError(f"{module} returned no column {', '.join(missing)} (it has: {have})")


def _describe(
    train: pl.DataFrame, holdout: pl.DataFrame, key: str, optional: Collection[str]
) -> tuple[Feature, ...]:
    names = [name for name in train.columns if name not in (key, LABEL)]
    return tuple(
        Feature(
            name=name,
            has_nulls=train[name].null_count() + holdout[name].null_count() > 0,
            example=_typical(train[name]),
            optional=name in optional,
        )
        for name in names
    )
