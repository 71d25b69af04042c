"""What is chosen or shown by cross-validation on the training part, before a model is fitted."""

from typing import TYPE_CHECKING, Any

from mlops.arrays import Labels
from mlops.artifacts.prepared import Prepared
from mlops.errors import ConfigError
from mlops.settings.training import BEST_F1, TrainingSettings
from mlops.steps.bootstrap import groups_of
from mlops.steps.cross_validation import (
    DEFAULT_FOLDS,
    OutOfFold,
    Serve,
    cross_validate,
    summary,
    training_folds,
)
from mlops.steps.threshold import best_f1, require_both
from mlops.usecase.use_case import LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl


def choose(
    training: TrainingSettings, prepared: Prepared, train: "pl.DataFrame", serve: Serve
) -> dict[str, Any]:
    """Return what training.json says of the choices; nothing where none is asked for.

    Args:
        training: what is asked for.
        prepared: how the data are split, and what is predicted.
        train: the training part.
        serve: makes a new model of features and labels.

    Raises:
        Refused: the training part is too small, or has too few rows of a label.
    """
    chosen = training.decision_threshold == BEST_F1
    if not chosen and not training.cross_validation:
        return {}
    labels = train[LABEL].to_numpy()
    if chosen:
        require_both(labels)
    count = training.cross_validation or DEFAULT_FOLDS
    found = out_of_fold(prepared, train, labels, serve, count)
    choices: dict[str, Any] = {}
    threshold = decided_by(training, found)
    if chosen:
        choices["threshold"] = {
            "value": threshold,
            "rule": BEST_F1,
            "folds": count,
            "rows": len(found.labels),
        }
    if training.cross_validation:
        choices["cross_validation"] = summary(found, prepared.target, threshold)
    return choices


def out_of_fold(
    prepared: Prepared, train: "pl.DataFrame", labels: Labels, serve: Serve, count: int
) -> OutOfFold:
    """Cross-validate on the training part.

    Raises:
        Refused: the training part is too small, or a fold's model cannot be fitted or served.
    """
    return cross_validate(
        serve,
        prepared.features.matrix(train),
        labels,
        training_folds(prepared, train, count),
        prepared.target,
        groups_of(train),
    )


def decided_by(training: TrainingSettings, found: OutOfFold) -> float:
    """Return the threshold that is set, or the one that a cross-validation chooses.

    Raises:
        Refused: too few rows of a label were measured.
    """
    if training.decision_threshold == BEST_F1:
        return best_f1(found.labels, found.outputs)
    return float(training.decision_threshold)


def remarks(fitted: "Mapping[str, Any]", training: TrainingSettings) -> dict[str, Any]:
    """Return what evaluation.json repeats of training.json: how its answers are to be read."""
    chosen = training.decision_threshold == BEST_F1
    return {
        "class_weights": fitted.get("class_weights", []),
        **({"threshold": fitted["threshold"]} if chosen else {}),
    }


def threshold_of(training: TrainingSettings, fitted: "Mapping[str, Any]") -> float:
    """Return the threshold by which a fitted model decides.

    Args:
        training: the settings in force.
        fitted: the content of training.json.

    Raises:
        ConfigError: it is to be chosen, and was not when the model was fitted.
    """
    if training.decision_threshold != BEST_F1:
        return float(training.decision_threshold)
    if "threshold" not in fitted:
        raise ConfigError(
            f"training.decision_threshold is {BEST_F1}, and this model was fitted without a choice",
            "fit it again",
        )
    return float(fitted["threshold"]["value"])
