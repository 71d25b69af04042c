"""Step 3: fit the model and the baseline that it has to beat."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import skops.io

from mlops.errors import Refused
from mlops.files import file_sha256, new_folder, write_json
from mlops.governance.lineage import environment_state
from mlops.settings.loading import LoadedSettings, flatten
from mlops.steps.prepare import load_prepared
from mlops.usecase.use_case import LABEL

SCHEMA = 1
MODEL_FILE = "model.skops"
BASELINE_FILE = "baseline.skops"
DESCRIPTION_FILE = "training.json"

_TRUSTED_MODULES = ("sklearn.", "numpy.")

Matrix = npt.NDArray[np.float32]


def matrix(frame: pl.DataFrame, features: list[str]) -> Matrix:
    """Return the features as float32, shape (rows, features); null becomes NaN."""
    return frame.select(pl.col(features).cast(pl.Float32).fill_null(float("nan"))).to_numpy()


def load_model(path: Path) -> Any:
    """Read a scikit-learn model from a skops file, which runs no code of the file's own.

    Raises:
        Refused: the file holds types from outside scikit-learn and NumPy.
    """
    unknown = skops.io.get_untrusted_types(file=path)
    foreign = [name for name in unknown if not name.startswith(_TRUSTED_MODULES)]
    if foreign:
        raise Refused(f"{path} holds types that are not trusted: {', '.join(foreign)}")
    return skops.io.load(path, trusted=unknown)


def run(
    prepared_folder: Path, output: Path, settings: LoadedSettings, git: Mapping[str, Any]
) -> dict[str, Any]:
    """Fit on the training part and write model, baseline and description to `output`.

    Args:
        prepared_folder: what `prepare` wrote.
        output: the folder to write.
        settings: seed and parameters.
        git: commit, branch and dirty flag of the code that is running.
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
    baseline = settings.use_case.baseline(seed).fit(inputs, labels)
    with new_folder(output, replaces=DESCRIPTION_FILE) as new:
        skops.io.dump(model, new / MODEL_FILE)
        skops.io.dump(baseline, new / BASELINE_FILE)
        description = {
            "schema": SCHEMA,
            "model_type": _type_name(model),
            "baseline_type": _type_name(baseline),
            "model_sha256": file_sha256(new / MODEL_FILE),
            "params": params.model_dump(mode="json"),
            "seed": seed,
            "rows": train.height,
            "seconds": round(seconds, 3),
            "types": skops.io.get_untrusted_types(file=new / MODEL_FILE),
            "git": dict(git),
            "environment": environment_state(settings.project.root),
            "settings": flatten(settings.values),
        }
        write_json(new / DESCRIPTION_FILE, description)
    return description


def _type_name(model: Any) -> str:
    steps = getattr(model, "steps", None)
    return type(steps[-1][1] if steps else model).__name__
