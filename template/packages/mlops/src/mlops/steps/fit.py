"""Step 3: fit the model and the baseline that it has to beat."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import skops.io

from mlops.arrays import Labels, Matrix
from mlops.artifacts.documents import TRAINING
from mlops.artifacts.prepared import load_prepared
from mlops.artifacts.run_folder import ModelFolder
from mlops.errors import Refused
from mlops.files import file_sha256, new_folder
from mlops.settings.loading import LoadedSettings
from mlops.steps.boosters import fit_errors, fitting, require_codes
from mlops.steps.estimators import name_of
from mlops.steps.float32_model import settle
from mlops.steps.onnx_model import convert
from mlops.steps.optional_features import require_null_is_taken
from mlops.steps.provenance import effective_settings, environment_state
from mlops.steps.servable import require_answers, require_servable
from mlops.tasks import BINARY_TARGET, Target
from mlops.usecase.use_case import LABEL


def run(
    prepared_folder: Path, output: Path, settings: LoadedSettings, git: Mapping[str, Any]
) -> dict[str, Any]:
    """Fit on the training part and write model, baseline and description to `output`.

    Args:
        prepared_folder: what `prepare` wrote.
        output: the folder to write.
        settings: seed and parameters.
        git: commit, branch and dirty flag of the code that is running.

    Raises:
        Refused: the model takes no null in a feature that callers may leave out.
    """
    prepared = load_prepared(prepared_folder)
    train = prepared.train()
    features, target = prepared.features, prepared.target
    inputs = features.matrix(train)
    labels = train[LABEL].to_numpy()
    seed = settings.values.training.seed
    params = settings.values.params
    started = time.monotonic()
    model = fit_model(settings.use_case.model(params, seed, features), inputs, labels, target)
    seconds = time.monotonic() - started
    require_null_is_taken(model, inputs, features)
    baseline = fit_baseline(settings.use_case.baseline(seed, features), inputs, labels, target)
    onnx = convert(model, inputs.shape[1], target)
    with new_folder(output, replaces=TRAINING.name) as new:
        folder = ModelFolder(new)
        skops.io.dump(model, folder.model)
        skops.io.dump(baseline, folder.baseline)
        folder.onnx.write_bytes(onnx)
        description = {
            "task": target.task.value,
            "model_type": name_of(model),
            "baseline_type": name_of(baseline),
            "model_sha256": file_sha256(folder.model),
            "params": params.model_dump(mode="json"),
            "seed": seed,
            "rows": train.height,
            "seconds": round(seconds, 3),
            "types": skops.io.get_untrusted_types(file=folder.model),
            "git": dict(git),
            "environment": environment_state(settings.project.root),
            "settings": effective_settings(settings.values, prepared.source),
        }
        TRAINING.write(new, description)
    return TRAINING.with_schema(description)


def fit_model(model: Any, inputs: Matrix, labels: Labels, target: Target = BINARY_TARGET) -> Any:
    """Fit a model and settle its numbers to float32, so that it is served as it is judged.

    Args:
        model: the unfitted estimator of model.py.
        inputs: the training part's features, shape (rows, features).
        labels: its labels, shape (rows,).
        target: what is predicted.

    Raises:
        Refused: it does not answer what the task asks, is not served as it is judged, or cannot be
            fitted.
    """
    require_servable(model)
    require_codes(model, inputs)
    return settle(_fitted(model, inputs, labels, target, "model"))


def fit_baseline(
    baseline: Any, inputs: Matrix, labels: Labels, target: Target = BINARY_TARGET
) -> Any:
    """Fit the baseline, which is never served.

    Raises:
        Refused: it does not answer what the task asks, or cannot be fitted.
    """
    return _fitted(baseline, inputs, labels, target, "baseline")


def _fitted(model: Any, inputs: Matrix, labels: Labels, target: Target, role: str) -> Any:
    try:
        with fitting():
            fitted = model.fit(inputs, labels)
    except fit_errors() as error:
        first = str(error).strip().partition("\n")[0].rstrip(".")
        remedy = "mend it in model.py"
        if np.isnan(inputs).any():
            remedy = "if it takes no nulls: fill them in features.py, or by a SimpleImputer before"
        raise Refused(f"the {role} ({name_of(model)}) cannot be fitted: {first}", remedy) from error
    require_answers(fitted, role, target)
    return fitted
