"""Step 2: features, labels and the split into training part and holdout.

Features are computed from what was known at the cutoff, labels from what came after it: rows after
the cutoff are taken away before the use case's features function sees the table. Which entities are
used and held out is found in split.py.
"""

import glob
from dataclasses import dataclass
from datetime import date
from pathlib import Path

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
from mlops.data.personal import guarded, personal_of
from mlops.errors import ConfigError, Refused
from mlops.features import Kind
from mlops.files import file_sha256, new_folder
from mlops.settings.loading import LoadedSettings
from mlops.steps import split
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
        ConfigError: the use case's functions did not return the columns they must, or a feature is
            called like a personal column.
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
    personal_of(use_case).require_other_names("features.py", "feature", features.columns)
    return features


def run(validated: Path, output: Path, settings: LoadedSettings) -> Prepared:
    """Prepare the data that `validate` passed and write the folder `output`.

    Raises:
        Refused: the data did not pass validation, or a part has too few kinds of labels.
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
    built = _built(data, settings, cutoff, reference_date)
    table, kinds, basis = built.table, built.kinds, built.basis
    optional = use_case.optional_features
    check_names(optional, kinds)
    used = pl.Series(split.is_used(table[use_case.key], values.data.fraction), dtype=pl.Boolean)
    table, basis = table.filter(used), basis.filter(used)
    parts = split.assign(basis, use_case.key, values.split)
    train, holdout = table.filter(parts.train), table.filter(parts.holdout)
    target = learn_target(train, use_case.task)
    named = {"training part": train, "holdout": holdout}
    require_learnable(named, target, _part_of(values.data.fraction))
    features = describe_features(train, holdout, kinds, optional, values.training)
    train, holdout = encoded(train, target), encoded(holdout, target)
    with new_folder(output, replaces=PREPARED.name) as new:
        parts.beside_train(train).write_parquet(train_file(new))
        parts.beside_holdout(holdout).write_parquet(holdout_file(new))
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
            data_days=results.get("days"),
            split=parts.description,
            rows={"train": train.height, "holdout": holdout.height},
            holdout_sha256=file_sha256(holdout_file(new)),
            source=read_source(results.get("source")).of_share(values.data.fraction),
        )
        write_description(prepared, new)
    return prepared


@dataclass(frozen=True)
class _Built:
    """The checked table, what its features are, and what it is split by."""

    table: pl.DataFrame
    kinds: dict[str, Kind]
    basis: pl.DataFrame


def _built(
    data: ibis.Table, settings: LoadedSettings, cutoff: date, reference_date: date
) -> _Built:
    """Build and check the table so that no error quotes what must not be shown of the data."""
    use_case, by = settings.use_case, settings.values.split
    personal = personal_of(use_case)

    def build() -> _Built:
        joined = build_table(data, use_case, cutoff, reference_date)
        basis = split.basis(joined, use_case.key, by)
        joined = joined.drop(split.columns(use_case.key, by))
        kinds = feature_kinds(joined, (use_case.key, LABEL))
        return _Built(check_table(joined, use_case.key, use_case.task), kinds, basis)

    if personal:
        personal.require_other_names("slices.py", "slice", use_case.slices())
    return guarded(
        build,
        "features.py or labels.py",
        personal=personal,
        show_values=settings.values.data.show_values,
        package=use_case.folder,
    )


def _part_of(fraction: float) -> str:
    return "" if fraction == 1 else f" in the part that data.fraction: {fraction:g} takes of it"


def _require_columns(module: str, table: ibis.Table, columns: list[str]) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing:
        have = ", ".join(table.columns)
        raise ConfigError(f"{module} returned no column {', '.join(missing)} (it has: {have})")
