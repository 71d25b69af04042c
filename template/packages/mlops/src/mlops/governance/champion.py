"""A run's model beside the champion: both scored on the same holdout, where that is fair."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.version_folder import VersionFolder, verify_version
from mlops.checks import shortened
from mlops.governance.unseen import unseen_rows
from mlops.metrics import classification_metrics
from mlops.platforms.base import ModelVersion, Run
from mlops.settings.sections import GateSettings
from mlops.steps.onnx_model import predict
from mlops.steps.scoring import matrix
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
    names = [feature["name"] for feature in signature["features"]]
    missing = sorted(set(names) - set(prepared.feature_names))
    if missing:
        problem = f"the champion needs features that are gone: {shortened(missing)}"
        return Comparison(version.version, {}, {}, problem)
    whole = prepared.holdout()
    unseen = unseen_rows(champion.lineage()["split"], prepared.split, whole, gate.min_slice_rows)
    if unseen.problem is not None:
        return Comparison(version.version, {}, {}, unseen.problem)
    holdout = whole.filter(unseen.rows)
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
        note=unseen.note,
    )
