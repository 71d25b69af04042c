"""Step 2: features, labels and the split into training part and holdout.

Features are computed from what was known at the cutoff, labels from what came after it: rows after
the cutoff are taken away before the use case's features function sees the table. Which entities are
held out depends on a hash of their key alone, so every model ever trained leaves the same ones out;
likewise which ones are used where `data.fraction` asks for a part of them.
"""

import glob
import hashlib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import polars as pl

from mlops.artifacts.data_source import read_source
from mlops.artifacts.documents import PREPARED, VALIDATION_RESULTS
from mlops.artifacts.prepared import (
    Prepared,
    holdout_file,
    train_file,
    write_description,
)
from mlops.artifacts.run_folder import ValidatedFolder
from mlops.errors import ConfigError, Refused
from mlops.files import file_sha256, new_folder
from mlops.settings.loading import LoadedSettings
from mlops.settings.sections import SplitSettings
from mlops.steps.optional_features import check_names
from mlops.steps.typed_table import (
    check_table,
    describe_features,
    encoded,
    feature_kinds,
    learn_target,
    require_learnable,
)
from mlops.usecase.use_case import LABEL, UseCase


def build_table(
    data: ibis.Table, use_case: UseCase, cutoff: date, reference_date: date
) -> pl.DataFrame:
    """Join features as of `cutoff` with the labels after it; one row an entity, ordered by key.

    Raises:
        ConfigError: the use case's functions did not return the columns they must.
    """
    features = features_until(data, use_case, cutoff)
    labels = use_case.labels(data, cutoff, reference_date)
    _require_columns("labels.py", labels, [use_case.key, LABEL])
    joined = features.inner_join(labels.select(use_case.key, LABEL), use_case.key)
    return pl.DataFrame(joined.order_by(use_case.key).to_polars())


def features_until(data: ibis.Table, use_case: UseCase, cutoff: date) -> ibis.Table:
    """Return the features as of `cutoff`, one row an entity: no row after that day is seen.

    Raises:
        ConfigError: features.py did not return the columns that it must.
    """
    column = use_case.date_column
    known = data if column is None else data.filter(data[column].cast("date") <= cutoff)
    features = use_case.features(known, cutoff)
    _require_columns("features.py", features, [use_case.key])
    if LABEL in features.columns:
        raise ConfigError(f"features.py returned a feature named {LABEL}", "give it another name")
    return features


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


def run(validated: Path, output: Path, settings: LoadedSettings) -> Prepared:
    """Prepare the data that `validate` passed and write the folder `output`.

    Raises:
        Refused: the data did not pass validation, or a part has too few kinds of labels.
        ConfigError: the use case returned unusable columns.
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
    joined = build_table(data, use_case, cutoff, reference_date)
    kinds = feature_kinds(joined, (use_case.key, LABEL))
    table = check_table(joined, use_case.key, use_case.task)
    optional = use_case.optional_features
    check_names(optional, kinds)
    table = table.filter(pl.Series(is_used(table[use_case.key], values.data.fraction)))
    held_out = pl.Series(is_held_out(table[use_case.key], values.split), dtype=pl.Boolean)
    train, holdout = table.filter(~held_out), table.filter(held_out)
    target = learn_target(train, use_case.task)
    parts = {"training part": train, "holdout": holdout}
    require_learnable(parts, target, _part_of(values.data.fraction))
    features = describe_features(train, holdout, kinds, optional, values.training)
    train, holdout = encoded(train, target), encoded(holdout, target)
    with new_folder(output, replaces=PREPARED.name) as new:
        train.write_parquet(train_file(new))
        holdout.write_parquet(holdout_file(new))
        prepared = Prepared(
            folder=output,
            key=use_case.key,
            features=features,
            target=target,
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


def _part_of(fraction: float) -> str:
    return "" if fraction == 1 else f" in the part that data.fraction: {fraction:g} takes of it"


def _require_columns(module: str, table: ibis.Table, columns: list[str]) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing:
        have = ", ".join(table.columns)
        raise ConfigError(f"{module} returned no column {', '.join(missing)} (it has: {have})")
