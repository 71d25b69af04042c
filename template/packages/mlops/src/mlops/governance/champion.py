"""A run's model beside the champion: both scored on the same holdout, where that is fair."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.signature import features_of, target_of
from mlops.artifacts.version_folder import VersionFolder, verify_version
from mlops.checks import shortened
from mlops.features import Features, Kind
from mlops.metrics import measured
from mlops.platforms.base import ModelVersion, Run
from mlops.settings.sections import GateSettings
from mlops.steps.bootstrap import Answers, Interval, groups_of, resampled
from mlops.steps.onnx_model import predict
from mlops.tasks import Target
from mlops.usecase.use_case import LABEL


@dataclass(frozen=True)
class Comparison:
    """Champion and challenger on the same holdout, both as ONNX, or why they cannot be compared.

    `difference` are the ends of the 95 % interval of the challenger's `gate.metric` minus the
    champion's, both on the same resamples; None where it has none. It decides nothing.
    """

    version: int
    champion: Mapping[str, float | None]
    challenger: Mapping[str, float | None]
    problem: str | None = None
    difference: Interval | None = None


def compare(version: ModelVersion, run: Run, gate: GateSettings) -> Comparison:
    """Score the champion and the run's model on the run's holdout, if that is fair.

    Args:
        version: the champion.
        run: whose model is compared with it, and whose holdout is taken.
        gate: has the metric whose difference gets an interval.
    """
    verify_version(version.folder)
    champion, challenger = VersionFolder(version.folder), RunFolder(run.folder)
    signature = champion.signature()
    evaluation = challenger.evaluation.results()
    prepared = challenger.prepared()
    features, target = features_of(signature), target_of(signature)
    problem = _other_question(target, prepared.target) or _lacking(features, prepared.features)
    if problem:
        return Comparison(version.version, {}, {}, problem)
    if not holdout_unseen(champion.lineage()["split"], prepared.split):
        problem = "the champion may have been trained on this holdout"
        return Comparison(version.version, {}, {}, problem)
    holdout = prepared.holdout()
    labels = holdout[LABEL].to_numpy()
    theirs = Answers(
        predict(champion.onnx, features.matrix(holdout), target),
        signature.get("decision_threshold", 0.5),
    )
    ours = Answers(
        predict(challenger.model.onnx, prepared.features.matrix(holdout), prepared.target),
        evaluation.get("decision_threshold", 0.5),
    )
    drawn = resampled(gate.metric, target, labels, [ours, theirs], groups_of(holdout))
    return Comparison(
        version.version,
        champion=measured(target, labels, theirs.outputs, theirs.threshold),
        challenger=measured(target, labels, ours.outputs, ours.threshold),
        difference=None if drawn is None else drawn.difference(),
    )


def _other_question(champion: Target, current: Target) -> str:
    """Return why the answers of both are not about the same thing, or nothing."""
    if champion.task is not current.task:
        return f"the champion is a {champion.task} model"
    if champion.classes != current.classes:
        differing = sorted(set(champion.classes) ^ set(current.classes))
        return f"the champion knows other classes: {shortened(differing)}"
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


def holdout_unseen(champion: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    """Tell whether the champion's split left out all rows that the current one holds out."""
    same_draw: bool = champion["salt"] == current["salt"] and champion["key"] == current["key"]
    covered: bool = champion["holdout_fraction"] >= current["holdout_fraction"]
    return same_draw and covered
