"""Step 5: one immutable, relocatable folder for a model that passed the gate."""

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from mlops.artifacts.documents import CARD, LINEAGE, PACKAGE, PREPARED, SIGNATURE
from mlops.artifacts.prepared import Prepared
from mlops.artifacts.run_folder import PackageFolder, RunFolder
from mlops.artifacts.version_folder import VersionFolder
from mlops.errors import ConfigError, Refused
from mlops.files import file_hashes, file_sha256, new_folder, write_text
from mlops.governance.gate import require_passed
from mlops.governance.lineage import build_lineage
from mlops.governance.model_card import build_card, render_card
from mlops.monitoring.baseline import drift_baseline
from mlops.platforms.base import ModelVersion, Platform, Run
from mlops.settings.loading import LoadedSettings
from mlops.steps.onnx_model import convert, null_gaps, parity_gap, predict
from mlops.steps.optional_features import require_null_is_answered
from mlops.steps.scoring import load_model, matrix

NULL_ROWS = 200
"""On so many rows of the holdout each feature is tried as null."""


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
    source = RunFolder(run.folder)
    prepared = source.prepared()
    if not prepared.holdout_file.is_file():
        raise ConfigError(
            f"the data of run {run.run_id} are not on this machine",
            f"run `mlops package --run-id {run.run_id}` where it was trained, and bring the result",
        )
    model = load_model(source.model.model)
    onnx = convert(model, len(prepared.features))
    holdout = matrix(prepared.holdout(), prepared.feature_names)
    gap = parity_gap(model, onnx, holdout)
    _require_parity(gap, settings)
    nullable = _nullable(prepared, null_gaps(model, onnx, holdout[:NULL_ROWS]), settings)
    require_null_is_answered(prepared, nullable)
    train = prepared.train()
    probabilities = predict(onnx, matrix(train, prepared.feature_names))
    with new_folder(source.package.path, replaces=PACKAGE.name) as folder:
        package = PackageFolder(folder)
        package.onnx.write_bytes(onnx)
        drift_baseline(train, prepared.feature_names, probabilities).write_parquet(
            package.drift_baseline
        )
        description = {
            "model_sha256": verdict["model_sha256"],
            "parity_gap": gap,
            "nullable": nullable,
            "files": file_hashes(folder),
        }
        PACKAGE.write(folder, description)
    return source.package.path


def build_signature(
    name: str, version: int, threshold: float, prepared: Prepared, nullable: Collection[str]
) -> dict[str, Any]:
    """Return the content of `signature.json`: what the scoring server accepts and answers.

    `nullable` names the features for which the model answers null.
    """
    content = {
        "model_name": name,
        "model_version": version,
        "decision_threshold": threshold,
        "features": [
            {
                "name": f.name,
                "nullable": f.name in nullable,
                "optional": f.optional,
                "example": f.example,
            }
            for f in prepared.features
        ],
    }
    return SIGNATURE.with_schema(content)


def _build(
    folder: Path, version: int, run: Run, verdict: dict[str, Any], settings: LoadedSettings
) -> None:
    package = _packaged(run, verdict, settings)
    description = package.description()
    source, target = RunFolder(run.folder), VersionFolder(folder)
    evaluation = source.evaluation.results()

    shutil.copyfile(package.onnx, target.onnx)
    shutil.copyfile(package.drift_baseline, target.drift_baseline)
    shutil.copyfile(source.model.model, target.skops)
    name = settings.model_name
    threshold = evaluation["decision_threshold"]
    nullable = description["nullable"]
    signature = build_signature(name, version, threshold, source.prepared(), nullable)
    SIGNATURE.write(folder, signature)
    target.plots.mkdir()
    for plot in source.evaluation.plots():
        shutil.copyfile(plot, target.plots / plot.name)

    lineage = build_lineage(
        model={"name": name, "version": version},
        run_id=run.run_id,
        prepared=PREPARED.read(source.prepared_path),
        training=source.model.training(),
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
        parity_gap=description["parity_gap"],
    )
    CARD.write(folder, card)
    write_text(target.model_card, render_card(card))
    LINEAGE.write(folder, {**lineage, "files": file_hashes(folder)})


def _packaged(run: Run, verdict: dict[str, Any], settings: LoadedSettings) -> PackageFolder:
    """Return the run's package; make it if there is none of this model."""
    package = RunFolder(run.folder).package
    if not package.exists() or package.description()["model_sha256"] != verdict["model_sha256"]:
        package_run(run, settings)
    description = package.description()
    for name, expected in description["files"].items():
        path = package.path / name
        if not path.is_file() or file_sha256(path) != expected:
            raise Refused(f"run {run.run_id}: package/{name} was changed", "package the run again")
    _require_parity(float(description["parity_gap"]), settings)
    return package


def _nullable(
    prepared: Prepared, gaps: Sequence[float | None], settings: LoadedSettings
) -> list[str]:
    """Return the features for which the served model answers null as the judged one does.

    It follows from the kind of model alone, so that versions do not differ in it by chance: where
    scikit-learn takes a null, and ONNX answers every such null alike.

    Raises:
        Refused: the data hold nulls in another one.
    """
    tolerance = settings.values.gate.parity_tolerance
    pairs = list(zip(prepared.features, gaps, strict=True))
    taken = [(f.name, gap) for f, gap in pairs if gap is not None]
    answered = [name for name, _ in taken] if all(gap <= tolerance for _, gap in taken) else []
    wrong = [f.name for f, _ in pairs if f.has_nulls and f.name not in answered]
    if wrong:
        raise Refused(
            f"the model is trained on nulls in {', '.join(wrong)}, and ONNX answers them otherwise "
            "than scikit-learn: the served model would not be the one that was judged",
            "fill them in features.py, or in model.py by a SimpleImputer before the model",
        )
    return answered


def _require_parity(gap: float, settings: LoadedSettings) -> None:
    tolerance = settings.values.gate.parity_tolerance
    if not gap <= tolerance:
        raise Refused(
            f"ONNX and scikit-learn differ by {gap:.2e} on the holdout "
            f"(gate.parity_tolerance allows {tolerance:.0e}): the served model would not be the "
            "one that was judged"
        )
