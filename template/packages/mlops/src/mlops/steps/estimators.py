"""What a scikit-learn model is made of, however deep it is nested."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np


def parts(model: Any) -> Iterator[Any]:
    """Yield a model, fitted or not, and every estimator and tree in it, each once.

    Pipelines, column transformers, ensembles, stacks, calibration and searches all keep what they
    are made of in their attributes, alone or in lists, pairs, arrays and dictionaries.
    """
    yield from _parts(model, set())


def _parts(value: Any, seen: set[int]) -> Iterator[Any]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple) or (
        isinstance(value, np.ndarray) and value.dtype.kind == "O"
    ):
        for each in value:
            yield from _parts(each, seen)
    elif _is_part(value) and id(value) not in seen:
        seen.add(id(value))
        yield value
        for each in vars(value).values():
            yield from _parts(each, seen)


def _is_part(value: Any) -> bool:
    from sklearn.base import BaseEstimator

    if isinstance(value, type) or not hasattr(value, "__dict__"):
        return False
    return isinstance(value, BaseEstimator) or type(value).__module__.startswith("sklearn.")


def name_of(model: Any) -> str:
    """Return the kind of an estimator; of a pipeline that of its last step."""
    steps = getattr(model, "steps", None)
    return type(steps[-1][1] if steps else model).__name__
