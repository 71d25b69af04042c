"""A run's model beside the champion: both scored on the same holdout, where that is fair."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.version_folder import VersionFolder, verify_version
from mlops.checks import shortened
from mlops.metrics import classification_metrics
from mlops.platforms.base import ModelVersion, Run
from mlops.steps.onnx_model import predict
from mlops.steps.scoring import matrix
from mlops.usecase.use_case import LABEL


@dataclass(frozen=True)
class Comparison:
    """Champion and challenger on the same holdout, both as ONNX, or why they cannot be compared."""

    version: int
    champion: Mapping[str, float | None]
    challenger: Mapping[str, float | None]
    problem: str | None = None


def compare(version: ModelVersion, run: Run) -> Comparison:
    """Score the champion and the run's model on the run's holdout, if that is fair."""
    verify_version(version.folder)
    champion, challenger = VersionFolder(version.folder), RunFolder(run.folder)
    signature = champion.signature()
    evaluation = challenger.evaluation.results()
    prepared = challenger.prepared()
    names = [feature["name"] for feature in signature["features"]]
    missing = sorted(set(names) - set(prepared.feature_names))
    if missing:
        problem = f"the champion needs features that are gone: {shortened(missing)}"
        return Comparison(version.version, {}, {}, problem)
    if not holdout_unseen(champion.lineage()["split"], prepared.split):
        problem = "the champion may have been trained on this holdout"
        return Comparison(version.version, {}, {}, problem)
    holdout = prepared.holdout()
    labels = holdout[LABEL].to_numpy()
    return Comparison(
        version.version,
        champion=classification_metrics(
            labels,
            predict(champion.onnx, matrix(holdout, names)),
            signature["decision_threshold"],
        ),
        challenger=classification_metrics(
            labels,
            predict(challenger.model.onnx, matrix(holdout, prepared.feature_names)),
            evaluation["decision_threshold"],
        ),
    )


def holdout_unseen(champion: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    """Tell whether the champion's split left out all rows that the current one holds out."""
    same_draw: bool = champion["salt"] == current["salt"] and champion["key"] == current["key"]
    covered: bool = champion["holdout_fraction"] >= current["holdout_fraction"]
    return same_draw and covered
