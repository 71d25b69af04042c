"""A run's model beside the champion: both scored on the same holdout, where that is fair."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.signature import features_of, target_of
from mlops.artifacts.version_folder import VersionFolder, verify_version
from mlops.checks import shortened
from mlops.features import Features, Kind
from mlops.governance.unseen import unseen_rows
from mlops.metrics import measured
from mlops.platforms.base import ModelVersion, Run
from mlops.settings.sections import GateSettings
from mlops.steps.onnx_model import predict
from mlops.tasks import Target
from mlops.usecase.use_case import LABEL


@dataclass(frozen=True)
class Comparison:
    """Champion and challenger on the same rows, both as ONNX, or why they cannot be compared.

    `note` says which rows, if they are not all of the holdout.
    """

    version: int
    champion: Mapping[str, float | None]
    challenger: Mapping[str, float | None]
    problem: str | None = None
    note: str = ""


def compare(version: ModelVersion, run: Run, gate: GateSettings) -> Comparison:
    """Score the champion and the run's model on the run's holdout, where that is fair.

    Args:
        version: the champion.
        run: whose model is compared with it, and whose holdout is taken.
        gate: has the rows that a part of the holdout needs.
    """
    verify_version(version.folder)
    champion, challenger = VersionFolder(version.folder), RunFolder(run.folder)
    signature = champion.signature()
    evaluation = challenger.evaluation.results()
    prepared = challenger.prepared()
    features, target = features_of(signature), target_of(signature)
    problem = incomparable(features, target, prepared.features, prepared.target)
    if problem:
        return Comparison(version.version, {}, {}, problem)
    whole = prepared.holdout()
    unseen = unseen_rows(champion.lineage()["split"], prepared.split, whole, gate.min_slice_rows)
    if unseen.problem is not None:
        return Comparison(version.version, {}, {}, unseen.problem)
    holdout = whole.filter(unseen.rows)
    labels = holdout[LABEL].to_numpy()
    return Comparison(
        version.version,
        champion=measured(
            target,
            labels,
            predict(champion.onnx, features.matrix(holdout), target),
            signature.get("decision_threshold", 0.5),
        ),
        challenger=measured(
            prepared.target,
            labels,
            predict(challenger.model.onnx, prepared.features.matrix(holdout), prepared.target),
            evaluation.get("decision_threshold", 0.5),
        ),
        note=unseen.note,
    )


def incomparable(
    features: Features, target: Target, current_features: Features, current: Target
) -> str:
    """Return why a champion cannot be asked what the current model is asked, or nothing.

    Args:
        features: those of the champion.
        target: what the champion predicts.
        current_features: those of the current model.
        current: what the current model predicts.
    """
    return _other_question(target, current) or _lacking(features, current_features)


def _other_question(champion: Target, current: Target) -> str:
    """Return why the answers of both are not about the same thing, or nothing."""
    if champion.task is not current.task:
        return f"the champion is a {champion.task} model"
    differing = sorted(set(champion.classes) ^ set(current.classes))
    if differing:
        return f"the champion knows other classes: {shortened(differing)}"
    if champion.classes != current.classes:
        return "the champion has its classes in another order"
    return ""


def _lacking(champion: Features, current: Features) -> str:
    """Return why the champion cannot answer the rows of this holdout, or nothing."""
    missing = sorted(set(champion.names) - set(current.names))
    if missing:
        return f"the champion needs features that are gone: {shortened(missing)}"
    kinds = {feature.name: feature.kind for feature in current}
    texts = Kind.CATEGORY
    changed = [f.name for f in champion if (f.kind is texts) != (kinds[f.name] is texts)]
    return f"the champion takes {shortened(changed)} as another kind" if changed else ""
