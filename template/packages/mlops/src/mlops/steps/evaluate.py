"""Step 4: measure model and baseline on the holdout, whole and slice by slice."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mlops.arrays import Labels, Matrix, Probabilities
from mlops.artifacts.documents import EVALUATION
from mlops.artifacts.prepared import Prepared, load_prepared
from mlops.artifacts.run_folder import ModelFolder
from mlops.errors import ConfigError
from mlops.files import file_sha256, new_folder
from mlops.metrics import classification_metrics
from mlops.settings.loading import LoadedSettings
from mlops.steps.onnx_model import predict
from mlops.steps.optional_features import require_null_is_answered
from mlops.steps.parity import answered_nulls, described, measure, reference, require_parity
from mlops.steps.plots import write_plots
from mlops.steps.scoring import load_model, matrix
from mlops.usecase.use_case import LABEL


def slice_metrics(
    features: pl.DataFrame,
    labels: Labels,
    probabilities: Probabilities,
    threshold: float,
    slices: Mapping[str, pl.Expr],
) -> list[dict[str, Any]]:
    """Compute the metrics of every value of every slice, the largest first.

    Args:
        features: the holdout's, one row each.
        labels: 0 or 1, of shape (rows,).
        probabilities: of label 1, of shape (rows,).
        threshold: from which probability on a row counts as 1.
        slices: expressions over the features by the slices' names.

    Raises:
        ConfigError: a slice cannot be computed of the features.
    """
    results = []
    for name, expression in slices.items():
        values = _slice_values(features, name, expression)
        for value in values.value_counts(sort=True)[values.name]:
            rows = (values == value).to_numpy()
            results.append(
                {
                    "slice": name,
                    "value": value,
                    "rows": int(rows.sum()),
                    "metrics": classification_metrics(labels[rows], probabilities[rows], threshold),
                }
            )
    return results


def _slice_values(features: pl.DataFrame, name: str, expression: pl.Expr) -> pl.Series:
    try:
        found = features.select(expression.cast(pl.String).fill_null("null"))
    except pl.exceptions.PolarsError as error:
        problem = str(error).partition("\n")[0].partition("; ")[0]
        raise _no_slice(features, name, problem) from None
    if found.shape != (features.height, 1):
        counts = f"{found.height} rows and {found.width} columns"
        raise _no_slice(features, name, f"{counts}, not one value for each of {features.height}")
    return found.to_series()


def _no_slice(features: pl.DataFrame, name: str, problem: str) -> ConfigError:
    return ConfigError(
        f"slices.py: the slice {name} cannot be computed ({problem})",
        f"write it with the features that there are: {', '.join(features.columns)}",
    )


def evaluate(
    labels: Labels, model: Probabilities, baseline: Probabilities, threshold: float
) -> dict[str, Any]:
    """Compare the probabilities of model and baseline, both of shape (rows,), with the labels."""
    return {
        "rows": len(labels),
        "positive_rate": float(np.mean(labels)),
        "decision_threshold": threshold,
        "model": classification_metrics(labels, model, threshold),
        "baseline": classification_metrics(labels, baseline, threshold),
    }


def run(
    prepared_folder: Path, model_folder: Path, output: Path, settings: LoadedSettings
) -> dict[str, Any]:
    """Evaluate on the holdout and write evaluation.json and plots to `output`.

    What is measured of the model are the answers of its ONNX graph, which is what will serve;
    scikit-learn's are the reference of parity.

    Raises:
        Refused: the two do not answer alike, or the model or the baseline cannot answer a row.
        ConfigError: a slice cannot be computed of the features.
    """
    prepared = load_prepared(prepared_folder)
    holdout = prepared.holdout()
    inputs = matrix(holdout, prepared.feature_names)
    labels = holdout[LABEL].to_numpy()
    threshold = settings.values.training.decision_threshold
    fitted = ModelFolder(model_folder)
    model, onnx = load_model(fitted.model), fitted.onnx.read_bytes()
    probabilities = predict(onnx, inputs)
    baseline = reference(load_model(fitted.baseline), inputs, "baseline")
    results = {
        "model_sha256": file_sha256(fitted.model),
        "onnx_sha256": file_sha256(fitted.onnx),
        "holdout_sha256": prepared.holdout_sha256,
        "parity": _parity(model, onnx, prepared, inputs, settings),
        **evaluate(labels, probabilities, baseline, threshold),
        "slices": slice_metrics(
            holdout.select(prepared.feature_names),
            labels,
            probabilities,
            threshold,
            settings.use_case.slices(),
        ),
    }
    with new_folder(output, replaces=EVALUATION.name) as new:
        EVALUATION.write(new, results)
        write_plots(
            new,
            model,
            inputs,
            labels,
            {"model": probabilities, "baseline": baseline},
            threshold,
            prepared.feature_names,
        )
    return EVALUATION.with_schema(results)


def _parity(
    model: Any, onnx: bytes, prepared: Prepared, holdout: Matrix, settings: LoadedSettings
) -> dict[str, Any]:
    gate = settings.values.gate
    train = matrix(prepared.train(), prepared.feature_names)
    found = measure(model, onnx, train, holdout, settings.values.training.decision_threshold)
    require_parity(found, model, tolerance=gate.parity_tolerance, max_load=gate.max_load_seconds)
    nullable = answered_nulls(prepared.features, found.null_gaps, gate.parity_tolerance)
    require_null_is_answered(prepared, nullable)
    return described(found, nullable)
