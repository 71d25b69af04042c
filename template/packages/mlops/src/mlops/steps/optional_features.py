"""Features that callers may leave out: each is null then, which the model has to answer."""

from collections.abc import Collection
from typing import Any

import numpy as np

from mlops.arrays import Matrix
from mlops.artifacts.prepared import Prepared
from mlops.errors import ConfigError, Refused
from mlops.features import Features, Kind


def check_names(optional: Collection[str], features: Collection[str]) -> None:
    """Check that what features.py declares optional are features.

    Raises:
        ConfigError: it names something else.
    """
    unknown = sorted(set(optional) - set(features))
    if unknown:
        raise ConfigError(
            f"OPTIONAL in features.py names {', '.join(unknown)}, which build_features does not "
            f"return (it returns {', '.join(features)})",
            "name features, or leave OPTIONAL out",
        )


def require_null_is_taken(model: Any, inputs: Matrix, features: Features) -> None:
    """Check that a fitted model predicts also where an optional feature is null.

    A category that is null has a code, so that every model predicts there.

    Args:
        model: the fitted estimator.
        inputs: rows of the training part, shape (rows, features).
        features: those of the columns.

    Raises:
        Refused: it does not.
    """
    refused = []
    for column, feature in enumerate(features):
        if feature.optional and feature.kind is not Kind.CATEGORY:
            row = inputs[:1].copy()
            row[:, column] = np.nan
            try:
                model.predict(row)
            except ValueError:
                refused.append(feature.name)
    if refused:
        raise _refusal(refused)


def require_null_is_answered(prepared: Prepared, answered: Collection[str]) -> None:
    """Check that the served model answers null in each optional feature.

    Args:
        prepared: the features.
        answered: for which of them it does.

    Raises:
        Refused: it does not.
    """
    refused = [f.name for f in prepared.features if f.optional and f.name not in answered]
    if refused:
        raise _refusal(refused)


def _refusal(names: Collection[str]) -> Refused:
    return Refused(
        f"OPTIONAL in features.py lets callers leave out {', '.join(names)}, which is null then, "
        "and the model answers no null there",
        "put a SimpleImputer before the model in model.py, or take a model that knows nulls",
    )
