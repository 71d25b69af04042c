"""Step 3: fit the model and the baseline that it has to beat."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import skops.io

from mlops.artifacts.documents import TRAINING
from mlops.artifacts.prepared import load_prepared
from mlops.artifacts.run_folder import ModelFolder
from mlops.files import file_sha256, new_folder
from mlops.settings.loading import LoadedSettings, flatten
from mlops.steps.optional_features import require_null_is_taken
from mlops.steps.provenance import environment_state
from mlops.steps.scoring import matrix
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
    inputs = matrix(train, prepared.feature_names)
    labels = train[LABEL].to_numpy()
    seed = settings.values.training.seed
    params = settings.values.params
    started = time.monotonic()
    model = settings.use_case.model(params, seed).fit(inputs, labels)
    seconds = time.monotonic() - started
    require_null_is_taken(model, inputs, prepared)
    baseline = settings.use_case.baseline(seed).fit(inputs, labels)
    with new_folder(output, replaces=TRAINING.name) as new:
        folder = ModelFolder(new)
        skops.io.dump(model, folder.model)
        skops.io.dump(baseline, folder.baseline)
        description = {
            "model_type": _type_name(model),
            "baseline_type": _type_name(baseline),
            "model_sha256": file_sha256(folder.model),
            "params": params.model_dump(mode="json"),
            "seed": seed,
            "rows": train.height,
            "seconds": round(seconds, 3),
            "types": skops.io.get_untrusted_types(file=folder.model),
            "git": dict(git),
            "environment": environment_state(settings.project.root),
            "settings": flatten(settings.values),
        }
        TRAINING.write(new, description)
    return TRAINING.with_schema(description)


def _type_name(model: Any) -> str:
    steps = getattr(model, "steps", None)
    return type(steps[-1][1] if steps else model).__name__
