"""What the use case's functions return, as typed features and a label that a model can learn."""

from collections.abc import Collection, Mapping
from typing import Any

import polars as pl

from mlops.errors import ConfigError, Refused
from mlops.features import Feature, Features, Kind, learn_categories, normalised_texts
from mlops.settings.training import TrainingSettings
from mlops.tasks import MOST_CLASSES, Target, Task
from mlops.usecase.use_case import LABEL

_TEXTS = (pl.String, pl.Categorical, pl.Enum)


def feature_kinds(table: pl.DataFrame, others: Collection[str]) -> dict[str, Kind]:
    """Return what each feature of a joined table is, by its name.

    Args:
        table: features and label, one row an entity.
        others: the columns that are no features.

    Raises:
        ConfigError: there is none, or one is of a type that no model can use.
    """
    names = [name for name in table.columns if name not in others]
    if not names:
        raise ConfigError("features.py returned no feature column besides the key")
    return {name: _kind(name, table.schema[name]) for name in names}


def _kind(name: str, found: pl.DataType) -> Kind:
    if found == pl.Boolean:
        return Kind.BOOLEAN
    if found.base_type() in _TEXTS:
        return Kind.CATEGORY
    if found.is_numeric():
        return Kind.NUMBER
    raise ConfigError(
        f"the feature {name} is {found}",
        "features.py has to turn it into a number, a boolean or a text (a category)",
    )


def check_table(table: pl.DataFrame, key: str, task: Task = Task.BINARY) -> pl.DataFrame:
    """Return `table` with features and label in the types in which they are stored.

    Features are stored as `check_features` says. The label of a binary model is Int8, that of
    several classes String, that of a regression Float64.

    Raises:
        ConfigError: the use case's functions returned something that no model can use.
    """
    features = check_features(table.drop(LABEL), key, "features.py or labels.py")
    return features.with_columns(_label(table[LABEL], task))


def check_features(table: pl.DataFrame, key: str, source: str = "features.py") -> pl.DataFrame:
    """Return `table` with its features in the types in which they are stored.

    Numbers and booleans are Float32, categories String as they are compared.

    Args:
        table: the key and the features, one row an entity.
        key: the column that names the entity.
        source: the files that made the table, for messages.

    Raises:
        ConfigError: it holds something that no model can use.
    """
    kinds = feature_kinds(table, (key, LABEL))
    if table[key].null_count() or table[key].is_duplicated().any():
        raise ConfigError(
            f"{source} returned a null or repeated {key}", "return one row for each key"
        )
    features = [_stored(table[name], kind) for name, kind in kinds.items()]
    for values in features:
        if values.dtype == pl.Float32 and values.is_infinite().any():
            raise ConfigError(
                f"the feature {values.name} has infinite values, or some too large to use"
            )
    return pl.DataFrame([table[key], *features])


def _stored(values: pl.Series, kind: Kind) -> pl.Series:
    if kind is Kind.CATEGORY:
        return normalised_texts(values)
    return values.cast(pl.Float32).fill_nan(None)


def _label(values: pl.Series, task: Task) -> pl.Series:
    if values.null_count():
        raise ConfigError(
            "labels.py returned a label that is null", "leave out keys without a label"
        )
    if task is Task.BINARY:
        numbers = values.cast(pl.Float64, strict=False)
        if numbers.null_count() or not numbers.is_in([0.0, 1.0]).all():
            raise ConfigError(
                "labels.py returned a label that is neither 0 nor 1",
                'a binary model knows no other; TASK in model.py can be "multiclass" or '
                '"regression"',
            )
        return numbers.cast(pl.Int8)
    if task is Task.MULTICLASS:
        if not (values.dtype.base_type() in _TEXTS or values.dtype.is_integer()):
            raise ConfigError(
                f"labels.py returned labels that are {values.dtype}",
                "those of several classes are their names",
            )
        return normalised_texts(values)
    if not values.dtype.is_numeric():
        raise ConfigError(
            f"labels.py returned labels that are {values.dtype}",
            "those of a regression are numbers",
        )
    numbers = values.cast(pl.Float64)
    if not numbers.is_finite().all():
        raise ConfigError("labels.py returned a label that is infinite or not a number")
    return numbers


def describe_features(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    kinds: Mapping[str, Kind],
    optional: Collection[str],
    training: TrainingSettings,
) -> Features:
    """Return the features as the training part shows them, with the codes of their categories.

    Whether one was ever null is asked of both parts.
    """

    def described(name: str, kind: Kind) -> Feature:
        known = train[name]
        categories: tuple[str, ...] = ()
        if kind is Kind.CATEGORY:
            categories = learn_categories(
                known, most=training.max_categories, min_rows=training.min_category_rows
            )
        return Feature(
            name=name,
            has_nulls=known.null_count() + holdout[name].null_count() > 0,
            example=_typical(known, kind, categories),
            optional=name in optional,
            kind=kind,
            categories=categories,
        )

    return Features(tuple(described(name, kind) for name, kind in kinds.items()))


def _typical(values: pl.Series, kind: Kind, categories: tuple[str, ...]) -> float | bool | str:
    """Return the median in few digits, or what is the most frequent; 0 where all are null."""
    if kind is Kind.CATEGORY:
        return categories[0] if categories else ""
    median = values.quantile(0.5, "nearest") or 0.0
    return bool(median) if kind is Kind.BOOLEAN else float(f"{median:.6g}")


def learn_target(train: pl.DataFrame, task: Task) -> Target:
    """Return what is predicted, as the labels of the training part show it.

    Raises:
        Refused: they are too many classes, or so few that there is nothing to learn.
    """
    labels = train[LABEL]
    if task is Task.BINARY:
        return Target(task)
    if task is Task.REGRESSION:
        spread = labels.std()
        return Target(task, scale=float(spread) if isinstance(spread, float) and spread else 1.0)
    classes = tuple(labels.unique().sort().to_list())
    if len(classes) > MOST_CLASSES:
        raise Refused(
            f"labels.py returned {len(classes):,} classes in the training part",
            f"at most {MOST_CLASSES} are told apart; group the rare ones, or predict a number "
            '(TASK = "regression" in model.py)',
        )
    return Target(task, classes)


def require_learnable(parts: Mapping[str, pl.DataFrame], target: Target, share: str) -> None:
    """Check that both parts have labels that differ, and no class that the model cannot know.

    Args:
        parts: training part and holdout, by what they are called.
        target: what the training part shows.
        share: what is said of a part of the data that is used.

    Raises:
        Refused: they do not.
    """
    for name, part in parts.items():
        if part[LABEL].n_unique() < 2:
            raise Refused(_too_few(name, part.height, target.task, share))
    if target.task is not Task.MULTICLASS:
        return
    for name, part in parts.items():
        unknown = sorted(set(part[LABEL].unique()) - set(target.classes))
        if unknown:
            raise Refused(
                f"the {name} has the classes {', '.join(unknown)}, which the training part has "
                f"not: there is too little data of them{share}",
                "get more, or let labels.py group rare classes",
            )


def _too_few(name: str, rows: int, task: Task, share: str) -> str:
    asked = {
        Task.BINARY: "needs both labels, 0 and 1",
        Task.MULTICLASS: "needs two classes at least",
        Task.REGRESSION: "needs labels that differ",
    }[task]
    return (
        f"the {name} ({rows} rows) {asked}: there is too little data{share}, "
        "or labels.py finds only one kind"
    )


def encoded(part: pl.DataFrame, target: Target) -> pl.DataFrame:
    """Return a part in which the label of several classes is the position of its class (Int16)."""
    if target.task is not Task.MULTICLASS:
        return part
    positions: dict[Any, int] = {name: code for code, name in enumerate(target.classes)}
    return part.with_columns(
        pl.col(LABEL).replace_strict(positions, default=None, return_dtype=pl.Int16)
    )
