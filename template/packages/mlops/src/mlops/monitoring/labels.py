"""Labels that come later than the predictions that they are of: which count, and which joins which.

A label names its prediction by `inference_id`, or by the key and the day (UTC) on which it was
made. Of several predictions of one key on one day, and of an event that is there twice, the first
counts; of several labels of one prediction the newest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import polars as pl

from mlops.features import normalised_texts
from mlops.tasks import Target, Task
from mlops.usecase.use_case import LABEL

ORDER = "order"
"""The rank of a label: the newest has the highest."""
DAY = "day"
NAMES_SHOWN = 10
_DAY_OF = pl.col("time").dt.date().alias(DAY)
_BINARY_WORDS = {"0": 0.0, "1": 1.0, "0.0": 0.0, "1.0": 1.0, "false": 0.0, "true": 1.0}


class By(StrEnum):
    """What a label names its prediction by."""

    ID = "inference_id"
    KEY = "key"

    @property
    def columns(self) -> list[str]:
        """The columns that name a prediction."""
        return ["inference_id"] if self is By.ID else ["key", DAY]


@dataclass(frozen=True)
class Labels:
    """Labels as they came.

    Attributes:
        by: what names the prediction.
        rows: the columns of `by`, `label` (Float64: see `understood`) and `order`.
        count: how many came, with those that are left out.
        left_out: those that are no label of this model, by what is wrong with them.
        unknown: labels that were passed over before, as nothing was predicted of their keys.
        notes: what else is to be said.
    """

    by: By
    rows: pl.DataFrame
    count: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    unknown: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Understood:
    """Labels as a model's answers are measured against: null where one is none of its labels.

    Of several classes they are positions.
    """

    values: pl.Series
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class Joined:
    """Predictions with their labels.

    Attributes:
        mature: the predictions whose label is due, with `label`, null where it did not come.
        young: those whose label is not due yet.
        repeated: predictions whose label came more than once, the same each time.
        contradicting: predictions whose labels differ.
        unknown: labels of no prediction that is there.
        elsewhere: labels of predictions of other versions.
        immature: labels of young predictions.
    """

    mature: pl.DataFrame
    young: pl.DataFrame
    repeated: int = 0
    contradicting: int = 0
    unknown: int = 0
    elsewhere: int = 0
    immature: int = 0

    @property
    def labelled(self) -> pl.DataFrame:
        """The mature predictions that have a label."""
        return self.mature.filter(pl.col(LABEL).is_not_null())


def understood(values: pl.Series, target: Target, *, quote: bool = True) -> Understood:
    """Return labels as numbers, and count those that are none of the model's.

    Args:
        values: as they came: texts, numbers or booleans.
        target: what the version predicts.
        quote: whether names of unknown classes may be told.
    """
    null = values.is_null()
    counts = {"null": int(null.sum())}
    if target.task is Task.MULTICLASS:
        numbers, wrong = _positions(values, target.classes)
        counts |= _unknown_classes(wrong, quote=quote)
    elif target.task is Task.BINARY:
        numbers = _zero_or_one(values)
        counts["neither 0 nor 1"] = numbers.null_count() - counts["null"]
    else:
        plain = values.dtype.is_numeric()
        numbers = values.cast(pl.Float64) if plain else _nothing(values)
        counts["no number"] = numbers.null_count() - counts["null"]
        infinite = ~numbers.is_finite().fill_null(value=True)
        counts["not finite"] = int(infinite.sum())
        numbers = numbers.to_frame("n").select(pl.when(~infinite).then("n")).to_series()
    return Understood(numbers.alias(LABEL), {what: n for what, n in counts.items() if n})


def first_predictions(events: pl.DataFrame, by: By) -> pl.DataFrame:
    """Return each prediction once, the first one, in order of time.

    By key that is the first of a key on a day; what names no key stays as it is. The column `day`
    is added.
    """
    ordered = events.sort("time", "inference_id").with_columns(_DAY_OF)
    each = ordered.unique("inference_id", keep="first", maintain_order=True)
    if by is By.ID:
        return each
    named = pl.col("key").is_not_null()
    keyed = each.filter(named).unique(by.columns, keep="first", maintain_order=True)
    return pl.concat([keyed, each.filter(~named)]).sort("time", "inference_id")


def join(
    predictions: pl.DataFrame, labels: Labels, mature: pl.Expr, others: pl.DataFrame | None = None
) -> Joined:
    """Give each mature prediction its newest label.

    Args:
        predictions: as `first_predictions` returns them.
        labels: what came.
        mature: whether a prediction's label is due.
        others: events of other versions, whose labels are counted apart.
    """
    names = labels.by.columns
    found = (
        labels.rows.sort(ORDER)
        .group_by(names)
        .agg(
            pl.col(LABEL).last(),
            pl.len().alias("times"),
            pl.col(LABEL).n_unique().alias("different"),
        )
    )
    told = predictions.join(found, on=names, how="left", maintain_order="left")
    young = told.filter(~mature)
    rest = found.join(predictions, on=names, how="anti")
    with_day = None if others is None else others.with_columns(_DAY_OF)
    elsewhere = 0 if with_day is None else rest.join(with_day, on=names, how="semi").height
    return Joined(
        mature=told.filter(mature).drop("times", "different"),
        young=young.drop(LABEL, "times", "different"),
        repeated=told.filter(pl.col("times") > 1, pl.col("different") == 1).height,
        contradicting=told.filter(pl.col("different") > 1).height,
        unknown=labels.unknown + rest.height - elsewhere,
        elsewhere=elsewhere,
        immature=young.filter(pl.col(LABEL).is_not_null()).height,
    )


def unlabelled(predictions: pl.DataFrame, mature: pl.Expr) -> Joined:
    """Return predictions for which no labels were named."""
    none = pl.lit(None, dtype=pl.Float64).alias(LABEL)
    due = predictions.filter(mature).with_columns(none)
    return Joined(mature=due, young=predictions.filter(~mature))


def _zero_or_one(values: pl.Series) -> pl.Series:
    if values.dtype == pl.String:
        return (
            values.str.strip_chars()
            .str.to_lowercase()
            .replace_strict(_BINARY_WORDS, default=None, return_dtype=pl.Float64)
        )
    if values.dtype != pl.Boolean and not values.dtype.is_numeric():
        return _nothing(values)
    numbers = values.cast(pl.Float64).to_frame("n")
    return numbers.select(pl.when(pl.col("n").is_in([0.0, 1.0])).then("n")).to_series()


def _positions(values: pl.Series, classes: tuple[str, ...]) -> tuple[pl.Series, pl.Series]:
    """Return the positions of classes, and the names that are none of them."""
    if values.dtype.is_float():
        whole = values.cast(pl.Int64, strict=False)
        same = (whole.cast(pl.Float64) == values).fill_null(value=False)
        texts = whole.cast(pl.String)
        both = pl.DataFrame({"w": texts, "v": values.cast(pl.String), "same": same})
        names = both.select(pl.when("same").then("w").otherwise("v")).to_series()
    else:
        names = values.cast(pl.String)
    names = normalised_texts(names)
    known = {name: float(position) for position, name in enumerate(classes)}
    positions = names.replace_strict(known, default=None, return_dtype=pl.Float64)
    return positions, names.filter(names.is_not_null() & positions.is_null())


def _unknown_classes(wrong: pl.Series, *, quote: bool) -> dict[str, int]:
    what = "a class that the version lacks"
    if not quote:
        return {what: len(wrong)}
    counts = (
        wrong.alias("name")
        .value_counts(name="rows")
        .sort(["rows", "name"], descending=[True, False])
    )
    shown, rest = counts.head(NAMES_SHOWN), counts.slice(NAMES_SHOWN)
    named = {f"{what}: {name}": rows for name, rows in shown.iter_rows()}
    return {**named, f"{what}: another": int(rest["rows"].sum())}


def _nothing(values: pl.Series) -> pl.Series:
    return pl.repeat(None, len(values), dtype=pl.Float64, eager=True)


def left_out_in_words(left_out: Mapping[str, int]) -> Iterator[str]:
    """Yield for each kind of wrong label what it is and how often it came."""
    for what, rows in left_out.items():
        yield f"{rows:,} {what}"
