"""What the parameters of a fitted model say about its answers and its training.

Each is found in the model itself, however deep it is nested, and decides nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.steps.estimators import name_of, parts

AUTOMATIC_FROM = 10_000
"""HistGradientBoosting* stop early by themselves above so many rows, unless told otherwise."""


def class_weights(model: Any) -> tuple[str, ...]:
    """Return which parts of a model weigh classes, as one writes it in model.py.

    Weights shift probabilities: they are scores then, see docs/models.md.
    """
    found = [
        f"{name_of(part)}({name}={value!r})"
        for part in parts(model)
        for name, value in _parameters(part).items()
        if _weighs(name, value)
    ]
    return tuple(sorted(set(found)))


def _weighs(name: str, value: Any) -> bool:
    if name == "class_weight":
        if isinstance(value, Mapping):
            return any(weight != 1 for weight in value.values())
        return value is not None
    if name == "scale_pos_weight":
        return value is not None and value != 1
    return name in ("is_unbalance", "unbalance", "unbalanced_sets") and value in (True, "true")


def early_stopping(model: Any, rows: int) -> tuple[str, ...]:
    """Return a warning for each part of a fitted model that stops early by a split of its own.

    Args:
        model: a fitted estimator.
        rows: how many it was fitted on.
    """
    found = {name_of(part) for part in parts(model) if _stops(part, rows)}
    return tuple(
        f"{name} stops early by a random split of its own, blind to time and groups: "
        "early_stopping=False in model.py leaves that out (docs/models.md)"
        for name in sorted(found)
    )


def _stops(part: Any, rows: int) -> bool:
    asked = _parameters(part).get("early_stopping")
    if isinstance(asked, str) and asked == "auto":
        return rows > AUTOMATIC_FROM
    if isinstance(asked, bool):
        return asked
    halts = type(part).__name__.startswith("GradientBoosting")
    return halts and _parameters(part).get("n_iter_no_change") is not None


def _parameters(part: Any) -> dict[str, Any]:
    """Return a part's own parameters; trees and the like, which are no estimators, have none."""
    return dict(_own(part)) if hasattr(part, "get_params") else {}


def _own(part: Any) -> Iterator[tuple[str, Any]]:
    try:
        yield from part.get_params(deep=False).items()
    except (AttributeError, TypeError):
        return
