"""The numbers of a model card: each is read under the name that it was written under.

A name that is not there is an error which says it: a card never shows a number of another name, and
no empty cell in the place of one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops.artifacts.documents import EVALUATION
from mlops.errors import ConfigError
from mlops.metrics import METRICS, decimal
from mlops.tasks import Target, Task

Name = str | int


@dataclass(frozen=True)
class Number:
    """A number of evaluation.json.

    Attributes:
        field: where it stands there, as a JSON pointer (RFC 6901).
        value: as it stands there; None where it was not computed.
        shown: as people read it.
    """

    field: str
    value: float | None
    shown: str

    def __str__(self) -> str:
        """Return what people read."""
        return self.shown


Cell = str | Number


@dataclass(frozen=True)
class Table:
    """A table of a card: its headings and its rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def value_of(evaluation: Mapping[str, Any], *path: Name) -> Any:
    """Return what stands under a name in evaluation.json.

    Raises:
        ConfigError: nothing does.
    """
    found: Any = evaluation
    for each in path:
        try:
            found = found[each]
        except (KeyError, IndexError, TypeError):
            name = ".".join(map(str, path))
            raise ConfigError(f"{EVALUATION.name} has no {name}", "train again") from None
    return found


def number(
    evaluation: Mapping[str, Any], *path: Name, whole: bool = False, absent: str = "not computed"
) -> Number:
    """Return a number of evaluation.json.

    Args:
        evaluation: its content.
        path: the names that lead to it.
        whole: whether it counts something.
        absent: what is shown of null.

    Raises:
        ConfigError: nothing stands there, or no number.
    """
    value = value_of(evaluation, *path)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ConfigError(f"{EVALUATION.name}: {'.'.join(map(str, path))} is no number")
    pointer = "".join(f"/{str(each).replace('~', '~0').replace('/', '~1')}" for each in path)
    shown = absent if value is None else f"{value:,}" if whole else decimal(value)
    return Number(pointer, value, shown)


_SIMPLEST = {
    Task.BINARY: "the mean label",
    Task.MULTICLASS: "the shares of classes",
    Task.REGRESSION: "the median label",
}
"""The answer that needs no model, the same one for every row."""


def metrics_table(evaluation: Mapping[str, Any]) -> Table:
    """Return the metrics of model, baseline and the simplest answer.

    Raises:
        ConfigError: a metric has a name that is not known, or is missing somewhere.
    """
    models = {"model": "model", "baseline": "baseline"}
    if "naive" in evaluation:
        models["naive"] = _SIMPLEST[Target.read(evaluation).task]
    names = list(value_of(evaluation, "model"))
    if unknown := [name for name in names if name not in METRICS]:
        raise ConfigError(
            f"{EVALUATION.name}: model.{unknown[0]} is no metric that is known", "train again"
        )
    rows = [(name, *(number(evaluation, model, name) for model in models)) for name in names]
    return Table(("metric", *models.values()), tuple(rows))


def slices_table(evaluation: Mapping[str, Any], metric: str) -> Table:
    """Return what each group shows: rows, the metric, its interval, the gap and its chance."""
    rows = [_group(evaluation, n, metric) for n in range(len(value_of(evaluation, "slices")))]
    if "slice_test" not in evaluation:  # of before groups were tested
        return Table(("slice", "value", "rows", metric), tuple(row[:4] for row in rows))
    columns = ("slice", "value", "rows", metric, "95 % from", "to", "gap", "p", "not assessed")
    return Table(columns, tuple(rows))


def _group(evaluation: Mapping[str, Any], n: int, metric: str) -> tuple[Cell, ...]:
    part = evaluation["slices"][n]
    at: tuple[Name, ...] = ("slices", n)
    value = number(evaluation, *at, "metrics", metric)
    head = (part["slice"], part["value"], number(evaluation, *at, "rows", whole=True), value)
    if "gap" not in part:
        return (*head, "", "", "", "", part.get("not_assessed") or "")
    ends: tuple[Cell, ...] = ("", "")
    if part["interval"] is not None:
        ends = tuple(number(evaluation, *at, "interval", end) for end in (0, 1))
    return (*head, *ends, number(evaluation, *at, "gap"), number(evaluation, *at, "p"), "")


def calibration_table(evaluation: Mapping[str, Any]) -> Table | None:
    """Return the bins of the calibration; None where there is none, as of a regression."""
    found = evaluation.get("calibration")
    if found is None:
        return None
    rows = []
    for n, each in enumerate(found["bins"]):
        at: tuple[Name, ...] = ("calibration", "bins", n)
        ends: tuple[Cell, ...] = ("", "")
        if each["interval"] is not None:
            ends = tuple(number(evaluation, *at, "interval", end) for end in (0, 1))
        shown = [number(evaluation, *at, name) for name in ("from", "to")]
        means = [
            number(evaluation, *at, name, absent="no row") for name in ("predicted", "observed")
        ]
        rows.append((*shown, number(evaluation, *at, "rows", whole=True), *means, *ends))
    columns = ("from", "to", "rows", "mean predicted", "observed", "95 % from", "to")
    return Table(columns, tuple(rows))


def importance_table(evaluation: Mapping[str, Any]) -> Table | None:
    """Return what shuffling each feature costs; None in evaluations of before it was kept."""
    found = evaluation.get("importance")
    if found is None:
        return None
    rows = [
        (name, number(evaluation, "importance", "features", name)) for name in found["features"]
    ]
    return Table(("feature", f"{found['unit']} when shuffled"), tuple(rows))


def cells(rows: Sequence[Sequence[Cell]]) -> list[tuple[str, ...]]:
    """Return rows as texts."""
    return [tuple(map(str, row)) for row in rows]
