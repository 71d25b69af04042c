"""Step 4: measure model and baseline on the holdout, whole and slice by slice."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mlops.arrays import Labels, Matrix, Outputs
from mlops.artifacts.documents import EVALUATION
from mlops.artifacts.prepared import Prepared, load_prepared
from mlops.artifacts.run_folder import ModelFolder
from mlops.files import file_sha256, new_folder
from mlops.metrics import measured
from mlops.settings.loading import LoadedSettings
from mlops.steps.bootstrap import Answers, groups_of, intervals
from mlops.steps.calibration import calibration
from mlops.steps.choices import remarks, threshold_of
from mlops.steps.importance import importance
from mlops.steps.onnx_model import predict
from mlops.steps.optional_features import require_null_is_answered
from mlops.steps.parity import answered_nulls, described, measure, reference, require_parity
from mlops.steps.plots import write_plots
from mlops.steps.scoring import load_model
from mlops.steps.slices import Question, slice_results
from mlops.tasks import BINARY_TARGET, Target, Task
from mlops.usecase.use_case import LABEL


def evaluate(
    labels: Labels,
    model: Outputs,
    baseline: Outputs,
    threshold: float,
    target: Target = BINARY_TARGET,
    known: Labels | None = None,
) -> dict[str, Any]:
    """Compare the answers of model and baseline, see `Target.outputs`, with the labels.

    Args:
        labels: those of the holdout, shape (rows,).
        model: the model's answers.
        baseline: the baseline's.
        threshold: probability from which a binary prediction is 1.
        target: what is predicted.
        known: the labels of the training part, of which the simplest answer is made.
    """
    results = {
        "rows": len(labels),
        **_label_facts(labels, target),
        **({"decision_threshold": threshold} if target.task is Task.BINARY else {}),
        "model": measured(target, labels, model, threshold),
        "baseline": measured(target, labels, baseline, threshold),
    }
    if known is not None:
        naive = simplest_answer(known, len(labels), target)
        results["naive"] = measured(target, labels, naive, threshold)
    return results


def simplest_answer(known: Labels, rows: int, target: Target) -> Outputs:
    """Return the same answer for every row: how often each label was, or the median of numbers."""
    if target.task is Task.BINARY:
        return np.full(rows, np.mean(known))
    if target.task is Task.REGRESSION:
        return np.full(rows, np.median(known))
    shares = np.bincount(known.astype(int), minlength=len(target.classes)) / len(known)
    return np.tile(shares, (rows, 1))


def _label_facts(labels: Labels, target: Target) -> dict[str, Any]:
    if target.task is Task.BINARY:
        return {"positive_rate": float(np.mean(labels))}
    if target.task is Task.REGRESSION:
        middle = {"mean": np.mean(labels), "median": np.median(labels), "std": np.std(labels)}
        return {"labels": {name: float(value) for name, value in middle.items()}}
    counts = np.bincount(labels.astype(int), minlength=len(target.classes))
    return {"class_rows": dict(zip(target.classes, counts.tolist(), strict=True))}


def run(
    prepared_folder: Path, model_folder: Path, output: Path, settings: LoadedSettings
) -> dict[str, Any]:
    """Evaluate on the holdout and write evaluation.json and plots to `output`.

    What is measured of the model are the answers of its ONNX graph, which is what will serve;
    scikit-learn's are the reference of parity.

    Raises:
        Refused: the two do not answer alike, or the model or the baseline cannot answer a row.
        ConfigError: a slice cannot be computed of the features, or the threshold is to be chosen
            and was not.
    """
    prepared = load_prepared(prepared_folder)
    holdout = prepared.holdout()
    target, train = prepared.target, prepared.train()
    inputs = prepared.features.matrix(holdout)
    labels = holdout[LABEL].to_numpy()
    fitted = ModelFolder(model_folder)
    training = fitted.training()
    threshold = threshold_of(settings.values.training, training)
    model, onnx = load_model(fitted.model), fitted.onnx.read_bytes()
    outputs = predict(onnx, inputs, target)
    baseline = reference(load_model(fitted.baseline), inputs, "baseline", target)
    judged, simple = Answers(outputs, threshold), Answers(baseline, threshold)
    metric, groups = settings.values.gate.metric, groups_of(holdout)
    names = prepared.feature_names
    smallest = settings.values.gate.min_slice_rows
    asked = Question(metric, target, labels, judged, groups, smallest)
    results = {
        "model_sha256": file_sha256(fitted.model),
        "onnx_sha256": file_sha256(fitted.onnx),
        "holdout_sha256": prepared.holdout_sha256,
        **target.to_dict(),
        "parity": _parity(model, onnx, prepared, train, inputs, threshold, settings),
        **evaluate(labels, outputs, baseline, threshold, target, train[LABEL].to_numpy()),
        **remarks(training, settings.values.training),
        "intervals": intervals(metric, target, labels, judged, simple, groups),
        **slice_results(
            holdout.select(names), train.select(names), settings.use_case.slices(), asked
        ),
        "calibration": calibration(target, labels, outputs),
        "importance": importance(model, inputs, labels, names, target),
    }
    with new_folder(output, replaces=EVALUATION.name) as new:
        EVALUATION.write(new, results)
        write_plots(
            new,
            labels,
            {"model": outputs, "baseline": baseline},
            threshold,
            results["importance"],
            target,
        )
    return EVALUATION.with_schema(results)


def _parity(
    model: Any,
    onnx: bytes,
    prepared: Prepared,
    train: pl.DataFrame,
    holdout: Matrix,
    threshold: float,
    settings: LoadedSettings,
) -> dict[str, Any]:
    gate, target = settings.values.gate, prepared.target
    found = measure(
        model,
        onnx,
        prepared.features.matrix(train),
        holdout,
        threshold,
        prepared.features,
        target,
    )
    require_parity(
        found, model, target, tolerance=gate.parity_tolerance, max_load=gate.max_load_seconds
    )
    nullable = answered_nulls(prepared.features, found.null_gaps, gate.parity_tolerance)
    require_null_is_answered(prepared, nullable)
    return described(found, nullable)
