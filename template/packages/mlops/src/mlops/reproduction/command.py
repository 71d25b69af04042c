"""Train a version again and compare: data, metrics, predictions."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mlops.artifacts.data_source import FOLDER, SAMPLE, read_source
from mlops.artifacts.documents import said
from mlops.artifacts.forgotten import Forgetting, data_changed_by, read_requests
from mlops.artifacts.prepared import read_table
from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.signature import features_of, target_of
from mlops.artifacts.version_folder import VersionFolder, verify_version
from mlops.data.findings import stored_sentence
from mlops.data.fingerprint import matches
from mlops.data.suppression import suppression_of
from mlops.errors import ConfigError, Hold, MlopsError, Refused
from mlops.governance.champion import incomparable
from mlops.monitoring.retraining.commit import require_code
from mlops.progress import Report
from mlops.reproduction.agreement import (
    Agreement,
    FoundData,
    RecordedData,
    Word,
    causes,
    code_agreement,
    data_agreement,
    metrics_agreement,
    predictions_agreement,
    surroundings_agreement,
    verdict,
)
from mlops.reproduction.record import Record, read_record
from mlops.reproduction.training import Order, suppressing, train_commit, train_here
from mlops.settings.loading import LoadedSettings
from mlops.steps.onnx_model import predict

_DATA_DIR = "name a folder that holds them with --data-dir"


@dataclass(frozen=True)
class Reproduction:
    """What came of training a version again.

    Attributes:
        version: its number.
        by: whose code trained, in words.
        agreements: data hash, metrics and predictions, which decide.
        circumstances: what it ran with, which may explain a difference.
    """

    version: int
    by: str
    agreements: tuple[Agreement, ...]
    circumstances: tuple[Agreement, ...]

    @property
    def word(self) -> Word:
        """One word for all that decides."""
        return verdict(self.agreements)

    @property
    def causes(self) -> tuple[str, ...]:
        """What may be why it does not agree."""
        return causes(self.agreements, self.circumstances)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON content."""
        return {
            "model_version": self.version,
            "outcome": self.word.value,
            "trained_by": self.by,
            "agreements": [each.to_dict() for each in self.agreements],
            "circumstances": [each.to_dict() for each in self.circumstances],
            "possible_causes": list(self.causes),
        }


def reproduce(
    folder: Path,
    settings: LoadedSettings,
    report: Report,
    data_dir: Path | None = None,
    *,
    here: bool = False,
) -> Reproduction:
    """Train a version again from its record and compare what comes out.

    Args:
        folder: of the version.
        settings: name the project and the clock.
        report: receives lines about the progress.
        data_dir: where its data are; None: where its lineage says.
        here: train by the code and packages that run now, not by those of its commit.

    Raises:
        Hold: it cannot be trained again, so nothing can be compared.
        ConfigError: the folder is no version, or the data folder does not exist.
        PlatformError: git does not check its commit out.
        Refused: the folder's files are not those that were registered.
    """
    record = read_record(folder)
    verify_version(folder)
    root = settings.project.root
    if not here:
        _require_code(root, record)
    data = data_of(record, root, data_dir)
    with tempfile.TemporaryDirectory(prefix="mlops-reproduce-") as place:
        order = Order(record.environment, record.settings, data, Path(place))
        if here:
            _train_here(order, settings, report)
            by = "the code that is here"
        else:
            known = suppressing(settings) if record.knows_list else {}
            asked = replace(order, settings={**order.settings, **known})
            train_commit(asked, root, record.commit, report, suppression_of(settings))
            by = f"the code and packages of commit {record.commit[:12]}"
        report("comparing")
        requests = read_requests(settings.project.state_dir)
        return compared(record, VersionFolder(folder), order.run, by, requests)


def data_of(record: Record, root: Path, data_dir: Path | None) -> Path | None:
    """Return the folder of the data that a version was made of; None: its sample is drawn again.

    Raises:
        Hold: they are not on this machine.
        ConfigError: `data_dir` does not exist.
    """
    source = record.source
    if data_dir is not None:
        if not data_dir.is_dir():
            raise ConfigError(f"--data-dir: the folder {data_dir} does not exist")
        return data_dir
    if source.kind == SAMPLE:
        return None
    if source.kind != FOLDER:
        what = f"{source.kind} {source.name}".strip()
        raise Hold(f"the data of version {record.version} are not here: {what}", _DATA_DIR)
    folder = root / source.name
    if not folder.is_dir():
        raise Hold(f"the data of version {record.version} are not here: {folder}", _DATA_DIR)
    return folder


def compared(
    record: Record,
    version: VersionFolder,
    run: RunFolder,
    by: str,
    requests: Sequence[Forgetting] = (),
) -> Reproduction:
    """Compare a version with the run that trained it again, as far as that came.

    Args:
        record: of the version.
        version: its folder.
        run: that trained it again.
        by: whose code trained, in words.
        requests: of deletion, oldest first, which may have changed the data.
    """
    found_data = _found_data(record, run)
    data = data_agreement(
        RecordedData(record.data_hash, record.data_rows, record.source.files),
        found_data,
        data_changed_by(requests, record.data_hash, found_data.hash),
    )
    trained = data.word is not Word.NOT_COMPARABLE
    training = run.model.training() if trained else {}
    found = said(run.evaluation.results(), "model") if trained else None
    predictions = (
        _predictions(version, run)
        if trained
        else predictions_agreement(0, None, "there is no model that predicts")
    )
    circumstances: tuple[Agreement, ...] = ()
    if trained:
        commit = code_agreement(
            record.commit,
            str(said(training, "git", "commit") or ""),
            recorded_dirty=record.dirty,
            dirty=bool(said(training, "git", "dirty")),
        )
        around = surroundings_agreement(record.surroundings, training["environment"])
        circumstances = (commit, *around)
    agreements = (data, metrics_agreement(record.metrics, found), predictions)
    return Reproduction(record.version, by, agreements, circumstances)


def _require_code(root: Path, record: Record) -> None:
    try:
        require_code(root, record.version, record.commit, dirty=record.dirty)
    except ConfigError as error:
        raise Hold(
            error.message,
            "--here trains by the code that is here and says in what it differs",
        ) from None


def _train_here(order: Order, settings: LoadedSettings, report: Report) -> None:
    try:
        train_here(order, settings, report)
    except Refused as error:
        raise Hold(f"it could not be trained again: {error.message}", error.remedy) from error


def _found_data(record: Record, run: RunFolder) -> FoundData:
    results = run.validated.results()
    if not results["passed"]:
        first = stored_sentence(results["failures"][0], values=False)
        more = len(results["failures"]) - 1
        return FoundData(
            "", False, results["rows"], {}, first + (f" and {more:,} more" if more else "")
        )
    table, schema = read_table(run.validated.data), record.data_hash_schema
    source = read_source(results.get("source"))
    is_recorded = (
        results["data_hash"] == record.data_hash
        if results.get("data_hash_schema", 1) == schema
        else matches(table, record.data_hash, schema)
    )
    return FoundData(str(results["data_hash"]), is_recorded, results["rows"], source.files)


def _predictions(version: VersionFolder, run: RunFolder) -> Agreement:
    """Let both models answer the holdout of the repetition."""
    signature, prepared = version.signature(), run.prepared()
    features, target = features_of(signature), target_of(signature)
    why_not = incomparable(features, target, prepared.features, prepared.target)
    if why_not:
        return predictions_agreement(0, None, why_not.replace("the champion", "the version"))
    try:
        holdout = prepared.holdout()
        theirs = predict(version.onnx, features.matrix(holdout), target)
        ours = predict(run.model.onnx, prepared.features.matrix(holdout), prepared.target)
    except MlopsError as error:
        return predictions_agreement(0, None, error.message)
    gap = float(np.max(np.abs(theirs - ours), initial=0.0)) / target.scale
    return predictions_agreement(len(holdout), gap)
