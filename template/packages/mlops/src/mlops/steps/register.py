"""Step 5: one immutable, relocatable folder for a model that passed the gate."""

import shutil
from pathlib import Path
from typing import Any

from mlops.errors import ConfigError, Refused
from mlops.files import file_hashes, file_sha256, new_folder, read_json, write_json, write_text
from mlops.governance.gate import require_passed
from mlops.governance.lineage import build_lineage
from mlops.governance.model_card import build_card, render_card
from mlops.monitoring.baseline import drift_baseline
from mlops.platforms.base import ModelVersion, Platform, Run
from mlops.settings.loading import LoadedSettings
from mlops.steps.fit import load_model, matrix
from mlops.steps.onnx_model import convert, parity_gap, predict
from mlops.steps.prepare import HOLDOUT_FILE, Prepared, load_prepared

SIGNATURE_SCHEMA = 1
PACKAGE_SCHEMA = 1
PACKAGE_FILE = "package.json"
ONNX_FILE = "model.onnx"
BASELINE_FILE = "baseline.parquet"


def register_run(platform: Platform, run: Run, settings: LoadedSettings) -> ModelVersion:
    """Register the model of a run that passed the gate; it is packaged first unless it was.

    Raises:
        Refused: there is no passing verdict on this very model, ONNX does not give the same
            probabilities as scikit-learn, or the package was changed.
        ConfigError: the run came here without its data and was not packaged before.
    """
    verdict = require_passed(run)
    return platform.register(
        run, lambda folder, version: _build(folder, version, run, verdict, settings)
    )


def package_run(run: Run, settings: LoadedSettings) -> Path:
    """Make what of a version needs the run's data: the ONNX model, checked, and the baseline.

    After this the run can be registered on a machine that does not have the data.

    Returns:
        The folder `package/` of the run.

    Raises:
        Refused: there is no passing verdict on this very model, or ONNX does not give the same
            probabilities as scikit-learn.
        ConfigError: the run's data are not on this machine.
    """
    verdict = require_passed(run)
    prepared = load_prepared(run.folder / "prepared")
    if not (prepared.folder / HOLDOUT_FILE).is_file():
        raise ConfigError(
            f"the data of run {run.run_id} are not on this machine: run "
            f"`mlops package --run-id {run.run_id}` where it was trained, and bring the result"
        )
    model = load_model(run.folder / "model" / "model.skops")
    onnx = convert(model, len(prepared.features))
    gap = parity_gap(model, onnx, matrix(prepared.holdout(), prepared.feature_names))
    _require_parity(gap, settings)
    train = prepared.train()
    probabilities = predict(onnx, matrix(train, prepared.feature_names))
    with new_folder(run.folder / "package", replaces="package.json") as folder:
        (folder / ONNX_FILE).write_bytes(onnx)
        drift_baseline(train, prepared.feature_names, probabilities).write_parquet(
            folder / BASELINE_FILE
        )
        description = {
            "schema": PACKAGE_SCHEMA,
            "model_sha256": verdict["model_sha256"],
            "parity_gap": gap,
            "files": file_hashes(folder),
        }
        write_json(folder / PACKAGE_FILE, description)
    return run.folder / "package"


def build_signature(
    name: str, version: int, threshold: float, prepared: Prepared
) -> dict[str, Any]:
    """Return the content of `signature.json`: what the scoring server accepts and answers."""
    return {
        "schema": SIGNATURE_SCHEMA,
        "model_name": name,
        "model_version": version,
        "decision_threshold": threshold,
        "features": [
            {"name": f.name, "nullable": f.nullable, "example": f.example}
            for f in prepared.features
        ],
    }


def _build(
    folder: Path, version: int, run: Run, verdict: dict[str, Any], settings: LoadedSettings
) -> None:
    package, gap = _packaged(run, verdict, settings)
    prepared = load_prepared(run.folder / "prepared")
    evaluation = read_json(run.folder / "evaluation" / "evaluation.json", schema=1)
    training = read_json(run.folder / "model" / "training.json", schema=1)

    for name in (ONNX_FILE, BASELINE_FILE):
        shutil.copyfile(package / name, folder / name)
    shutil.copyfile(run.folder / "model" / "model.skops", folder / "model.skops")
    name = settings.model_name
    signature = build_signature(name, version, evaluation["decision_threshold"], prepared)
    write_json(folder / "signature.json", signature)
    (folder / "plots").mkdir()
    for plot in (run.folder / "evaluation").glob("*.png"):
        shutil.copyfile(plot, folder / "plots" / plot.name)

    lineage = build_lineage(
        model={"name": name, "version": version},
        run_id=run.run_id,
        prepared=read_json(run.folder / "prepared" / "prepared.json", schema=1),
        training=training,
        verdict=verdict,
    )
    facts = settings.project.facts
    card = build_card(
        title=facts.title,
        description=facts.description,
        team=facts.team,
        contact=facts.contact,
        metric=settings.values.gate.metric,
        features=signature["features"],
        evaluation=evaluation,
        lineage=lineage,
        parity_gap=gap,
    )
    write_json(folder / "card.json", card)
    write_text(folder / "MODEL_CARD.md", render_card(card))
    write_json(folder / "lineage.json", {**lineage, "files": file_hashes(folder)})


def _packaged(run: Run, verdict: dict[str, Any], settings: LoadedSettings) -> tuple[Path, float]:
    """Return the run's package and its parity gap; make it if there is none of this model."""
    folder = run.folder / "package"
    path = folder / PACKAGE_FILE
    if (
        not path.is_file()
        or read_json(path, schema=PACKAGE_SCHEMA)["model_sha256"] != verdict["model_sha256"]
    ):
        package_run(run, settings)
    description = read_json(path, schema=PACKAGE_SCHEMA)
    for name, expected in description["files"].items():
        if not (folder / name).is_file() or file_sha256(folder / name) != expected:
            raise Refused(f"run {run.run_id}: package/{name} was changed: package the run again")
    gap = float(description["parity_gap"])
    _require_parity(gap, settings)
    return folder, gap


def _require_parity(gap: float, settings: LoadedSettings) -> None:
    tolerance = settings.values.gate.parity_tolerance
    if not gap <= tolerance:
        raise Refused(
            f"ONNX and scikit-learn differ by {gap:.2e} on the holdout "
            f"(gate.parity_tolerance allows {tolerance:.0e}): the served model would not be the "
            "one that was judged"
        )
