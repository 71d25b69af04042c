"""Step 4: measure model and baseline on the holdout, whole and slice by slice."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mlops.files import file_sha256, new_folder, write_json
from mlops.metrics import Labels, Probabilities, classification_metrics
from mlops.settings.loading import LoadedSettings
from mlops.steps.fit import BASELINE_FILE, MODEL_FILE, load_model, matrix
from mlops.steps.plots import write_plots
from mlops.steps.prepare import load_prepared
from mlops.usecase.use_case import LABEL

SCHEMA = 1
RESULTS_FILE = "evaluation.json"


def slice_metrics(
    holdout: pl.DataFrame,
    probabilities: Probabilities,
    threshold: float,
    slices: Mapping[str, pl.Expr],
) -> list[dict[str, Any]]:
    """Compute the metrics of every value of every slice, the largest first."""
    results = []
    for name, expression in slices.items():
        values = holdout.select(expression.cast(pl.String).fill_null("null")).to_series()
        for value in values.value_counts(sort=True)[values.name]:
            rows = (values == value).to_numpy()
            results.append(
                {
                    "slice": name,
                    "value": value,
                    "rows": int(rows.sum()),
                    "metrics": classification_metrics(
                        holdout[LABEL].to_numpy()[rows], probabilities[rows], threshold
                    ),
                }
            )
    return results


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
    """Evaluate on the holdout and write evaluation.json and plots to `output`."""
    prepared = load_prepared(prepared_folder)
    holdout = prepared.holdout()
    inputs = matrix(holdout, prepared.feature_names)
    labels = holdout[LABEL].to_numpy()
    threshold = settings.values.training.decision_threshold
    model = load_model(model_folder / MODEL_FILE)
    probabilities = model.predict_proba(inputs)[:, 1]
    baseline = load_model(model_folder / BASELINE_FILE).predict_proba(inputs)[:, 1]
    results = {
        "schema": SCHEMA,
        "model_sha256": file_sha256(model_folder / MODEL_FILE),
        "holdout_sha256": prepared.holdout_sha256,
        **evaluate(labels, probabilities, baseline, threshold),
        "slices": slice_metrics(holdout, probabilities, threshold, settings.use_case.slices()),
    }
    with new_folder(output, replaces=RESULTS_FILE) as new:
        write_json(new / RESULTS_FILE, results)
        write_plots(
            new,
            model,
            inputs,
            labels,
            {"model": probabilities, "baseline": baseline},
            threshold,
            prepared.feature_names,
        )
    return results
