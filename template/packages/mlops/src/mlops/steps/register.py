"""Step 5: one immutable, relocatable folder for a model that passed the gate."""

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mlops.arrays import Matrix, Outputs
from mlops.artifacts.documents import CARD, LINEAGE, PACKAGE, PREPARED, PROBES, SIGNATURE
from mlops.artifacts.prepared import Prepared
from mlops.artifacts.run_folder import PackageFolder, RunFolder
from mlops.artifacts.version_folder import IMPORTANCE_PLOT, QUALITY_PLOT, VersionFolder
from mlops.ci.job import run_url
from mlops.errors import ConfigError, Refused
from mlops.features import Feature, Kind
from mlops.files import file_hashes, file_sha256, new_folder, write_text
from mlops.governance.audit.entry import Act
from mlops.governance.audit.record import recorded
from mlops.governance.card_page import render_page
from mlops.governance.gate import require_passed
from mlops.governance.holdout_looks import count_looks
from mlops.governance.human_part import read_human_part
from mlops.governance.lineage import build_lineage
from mlops.governance.model_card import build_card, render_card
from mlops.hints import typed
from mlops.monitoring.baseline import drift_baseline
from mlops.platforms.base import ModelVersion, Platform, Run
from mlops.settings.loading import LoadedSettings
from mlops.signing.policy import sign_version, signs
from mlops.steps.onnx_model import answers, open_session
from mlops.steps.parity import require_gap
from mlops.steps.probes import server_probes
from mlops.steps.scoring import load_model
from mlops.tasks import BINARY_TARGET, Target, Task


def register_run(platform: Platform, run: Run, settings: LoadedSettings) -> ModelVersion:
    """Register the model of a run that passed the gate; it is packaged first unless it was.

    Raises:
        Refused: there is no passing verdict on this very model, what it allows of a difference
            between ONNX and scikit-learn was made less since, or the package was changed.
        ConfigError: the run came here without its data and was not packaged before, a file of its
            evaluation is missing or lacks what the card shows, or the human part is no card.
    """
    verdict = require_passed(run, settings.project.state_dir)
    looks = count_looks(platform.runs(), verdict["holdout_sha256"])
    with recorded(platform, settings, Act.REGISTER, {"run_id": run.run_id}) as recording:
        found = platform.register(
            run,
            lambda folder, version: _build(
                folder, version, run, verdict, looks, platform, settings
            ),
        )
        recording.subject["version"] = found.version
        recording.details["model_sha256"] = verdict["model_sha256"]
    return found


def package_run(run: Run, settings: LoadedSettings) -> Path:
    """Make what of a version needs the run's data: the server's probes and the baseline.

    After this the run can be registered on a machine that does not have the data.

    Returns:
        The folder `package/` of the run.

    Raises:
        Refused: there is no passing verdict on this very model.
        ConfigError: the run's data are not on this machine.
    """
    verdict = require_passed(run, settings.project.state_dir)
    source = RunFolder(run.folder)
    prepared = source.prepared()
    if not prepared.holdout_file.is_file():
        raise ConfigError(
            f"the data of run {run.run_id} are not on this machine",
            f"run {typed(f'package --run-id {run.run_id}')} where it was trained, and bring "
            "the result",
        )
    parity = source.evaluation.results()["parity"]
    model, train = load_model(source.model.model), prepared.train()
    features, target = prepared.features, prepared.target
    inputs = features.matrix(train)
    nullable = np.isin(prepared.feature_names, parity["nullable"])
    rows = server_probes(model, inputs, nullable, features)
    session = open_session(source.model.onnx)
    tolerance = settings.values.gate.parity_tolerance
    with new_folder(source.package.path, replaces=PACKAGE.name) as folder:
        package = PackageFolder(folder)
        shutil.copyfile(source.model.onnx, package.onnx)
        probes = build_probes(rows, answers(session, rows, target), tolerance, target)
        PROBES.write(folder, probes)
        outputs = answers(session, inputs, target)
        drift_baseline(train, features, outputs, target).write_parquet(package.drift_baseline)
        description = {
            "model_sha256": verdict["model_sha256"],
            "parity_gap": parity["gap"],
            "nullable": parity["nullable"],
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
    target = prepared.target
    content = {
        "model_name": name,
        "model_version": version,
        **target.to_dict(),
        **({"decision_threshold": threshold} if target.task is Task.BINARY else {}),
        "features": [
            _described(feature, feature.name in nullable) for feature in prepared.features
        ],
    }
    return SIGNATURE.with_schema(content)


def _described(feature: Feature, nullable: bool) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": feature.name,
        "kind": feature.kind.value,
        "nullable": nullable,
        "optional": feature.optional,
        "example": feature.example,
    }
    if feature.kind is Kind.CATEGORY:
        described["categories"] = list(feature.categories)
    return described


def build_probes(
    rows: Matrix, outputs: Outputs, tolerance: float, target: Target = BINARY_TARGET
) -> dict[str, Any]:
    """Return the content of `probes.json`: what a server must answer before it serves.

    Args:
        rows: float32 features, shape (rows, features); NaN is written as null.
        outputs: the judged model's answers, see `Target.outputs`.
        tolerance: how far a server's answer may be from them; of a regression, in standard
            deviations of the label, or in parts of an answer that is larger than one.
        target: what is predicted.
    """
    answer = "probabilities" if target.task.classifies else "predictions"
    content = {
        "tolerance": tolerance * target.scale,
        **({} if target.task.classifies else {"relative_tolerance": tolerance}),
        "rows": [[None if np.isnan(x) else float(x) for x in row] for row in rows],
        answer: outputs.astype(float).tolist(),
    }
    return PROBES.with_schema(content)


def _build(
    folder: Path,
    version: int,
    run: Run,
    verdict: dict[str, Any],
    looks: int,
    platform: Platform,
    settings: LoadedSettings,
) -> None:
    package = _packaged(run, verdict, settings)
    description = package.description()
    source, target = RunFolder(run.folder), VersionFolder(folder)
    evaluation = source.evaluation.results()

    shutil.copyfile(package.onnx, target.onnx)
    shutil.copyfile(package.probes, target.probes)
    shutil.copyfile(package.drift_baseline, target.drift_baseline)
    shutil.copyfile(source.model.model, target.skops)
    name = settings.model_name
    threshold = evaluation.get("decision_threshold", 0.5)
    nullable = description["nullable"]
    signature = build_signature(name, version, threshold, source.prepared(), nullable)
    SIGNATURE.write(folder, signature)
    _copy_plots(source, target)
    lineage = build_lineage(
        model={"name": name, "version": version},
        run_id=run.run_id,
        prepared=PREPARED.read(source.prepared_path),
        training=source.model.training(),
        verdict=verdict,
        created_at=settings.clock(),
        candidate=source.candidate(),
        pipeline=run_url(),
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
        holdout_looks=looks,
        human=read_human_part(settings.project.root),
        drift_baseline={
            "file": target.drift_baseline.name,
            "sha256": file_sha256(target.drift_baseline),
        },
    )
    CARD.write(folder, card)
    write_text(target.model_card, render_card(card))
    write_text(target.card_page, render_page(card, target.plots / QUALITY_PLOT))
    sealed = {"seal": target.seal.name} if signs(settings) else {}
    LINEAGE.write(folder, {**lineage, "files": file_hashes(folder), **sealed})
    sign_version(folder, settings, platform.signing_key)


def _copy_plots(source: RunFolder, target: VersionFolder) -> None:
    target.plots.mkdir()
    for plot in source.evaluation.plots():
        shutil.copyfile(plot, target.plots / plot.name)
    for shown in (QUALITY_PLOT, IMPORTANCE_PLOT):
        if not (target.plots / shown).is_file():
            said = f"{shown} of the evaluation is missing, which the model card shows"
            raise ConfigError(said, "train again")


def _packaged(run: Run, verdict: dict[str, Any], settings: LoadedSettings) -> PackageFolder:
    """Return the run's package; make it if there is none of this model."""
    package = RunFolder(run.folder).package
    if not package.exists() or not _holds(package, verdict):
        package_run(run, settings)
    description = package.description()
    for name, expected in description["files"].items():
        path = package.path / name
        if not path.is_file() or file_sha256(path) != expected:
            raise Refused(f"run {run.run_id}: package/{name} was changed", "package the run again")
    tolerance, gap = settings.values.gate.parity_tolerance, float(description["parity_gap"])
    target = RunFolder(run.folder).prepared().target
    require_gap(gap, tolerance, "the probes of its package", target=target)
    return package


def _holds(package: PackageFolder, verdict: Mapping[str, Any]) -> bool:
    """Tell whether a package is one of the model that was judged, with the server's probes."""
    description = package.description()
    files = description["files"]
    same_model = description["model_sha256"] == verdict["model_sha256"]
    same_onnx = files.get(package.onnx.name) == verdict["onnx_sha256"]
    return same_model and same_onnx and package.probes.name in files
