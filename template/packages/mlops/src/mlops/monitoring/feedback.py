"""A check of a model's performance: events of the version that serves, and the labels of then.

Labels are due `feedback.delay_days` after a prediction. What is judged are the predictions of the
window that ends there; what is estimated without labels are those of the window that ends now.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import polars as pl

from mlops.artifacts import documents
from mlops.artifacts.evidence_folder import time_name
from mlops.artifacts.performance_result import (
    Judged,
    LabelCounts,
    Outcome,
    PerformanceResult,
    PredictionCounts,
    write_performance,
)
from mlops.artifacts.predictions import ANSWERED, GENERATED, Predictions
from mlops.artifacts.signature import features_of, target_of
from mlops.artifacts.version_folder import VersionFolder, source_of_lineage
from mlops.data.source import shown_path
from mlops.data.suppression import suppression_of
from mlops.errors import ConfigError
from mlops.metrics import METRICS
from mlops.monitoring.label_file import KeyColumn, read_labels
from mlops.monitoring.labels import By, Joined, Labels, first_predictions, join, unlabelled
from mlops.monitoring.performance import (
    Asked,
    estimated,
    is_complete,
    realised,
    reason_of,
)
from mlops.monitoring.raw_labels import labels_of_raw_data
from mlops.monitoring.serving import watched_version
from mlops.platforms.base import Endpoint, Platform
from mlops.progress import Report
from mlops.scoring.served import named_version
from mlops.settings.loading import LoadedSettings
from mlops.steps.validate import asked_columns
from mlops.window import Window

NO_LABELS = "no labels are named"
_NAME_THEM = "name a file or folder, or set feedback.source in conf"


@dataclass(frozen=True)
class Request:
    """What a check looks at.

    Attributes:
        source: a file of labels, or a folder of raw data over which labels.py runs; None: there
            are no labels, and the performance is estimated alone.
        span: how much of the predictions is judged.
    """

    source: Path | None
    span: timedelta


@dataclass(frozen=True)
class Checked:
    """What was found, and the document that says it."""

    result: PerformanceResult
    document: Path


@dataclass(frozen=True)
class _Events:
    """The complete events of one version, and whose the others are."""

    rows: pl.DataFrame
    failed: int
    incomplete: int
    generated: int
    others: pl.DataFrame

    @property
    def other_versions(self) -> dict[str, int]:
        """How many events are of each other version."""
        counts = self.others["model_version"].value_counts(sort=True)
        return {str(version): rows for version, rows in counts.iter_rows()}


def source_of(settings: LoadedSettings, named: Path | None) -> Path | None:
    """Return the labels that a command names, else those that conf names.

    Raises:
        ConfigError: there is no such file or folder.
    """
    configured = settings.values.feedback.source
    if named is None and configured is None:
        return None
    path = named if named is not None else settings.project.root / str(configured)
    if not path.exists():
        asked = "LABELS" if named is not None else "feedback.source"
        raise ConfigError(f"{asked}: {path} does not exist", _NAME_THEM)
    return path


def check_performance(
    platform: Platform, settings: LoadedSettings, request: Request, report: Report
) -> Checked:
    """Judge the version that serves by its late labels, and keep what was found.

    Raises:
        Hold: nothing serves here, and nothing was scored.
        ConfigError: labels are by key and events name none, or a file or setting is wrong.
        Refused: the version's files were altered, or labels cannot be read.
        NotObserved: the events cannot be read for now.
    """
    now, values = settings.clock(), settings.values
    endpoint = platform.endpoint(settings.endpoint_name)
    newest = _whole_days(Window.last(request.span, now))
    due = _whole_days(Window.last(request.span, now - _delay(settings)))
    report("reading the predictions")
    judged = _judged(endpoint, settings, Window(due.start, now))
    folder = VersionFolder(named_version(platform, judged.model_version).version.folder)
    asked = _asked(folder, settings)
    needed = asked.features if asked.slices else None
    known = endpoint.predictions(Window(due.start, now), needed)
    events = _events(known, judged, asked)
    report("joining the labels")
    labels, problem = _labels(request, events.rows, asked, settings, due)
    joined = _joined(events, labels, due)
    report("measuring")
    found = realised(joined.labelled, asked, due)
    outcome = asked.outcome(asked.metric, found.value, found.rows, asked.min_rows)
    reason = problem or reason_of(found, asked, joined.mature.height)
    if outcome is Outcome.OK and known.unread:
        outcome, reason = Outcome.NOT_ENOUGH, _unread(known, asked)
    result = PerformanceResult(
        time=now.isoformat(),
        judged=judged,
        outcome=outcome,
        reason=reason,
        metric=asked.metric,
        lower_is_better=METRICS[asked.metric].lower_is_better,
        limits=asked.limits,
        holdout=_holdout(folder),
        min_rows=asked.min_rows,
        delay_days=values.feedback.delay_days,
        labels=_label_counts(request, labels, joined, settings),
        predictions=_prediction_counts(known, events, joined),
        realised=found,
        estimated=estimated(_within(events.rows, newest), joined.labelled, asked, newest),
    )
    endpoint.keep_checks(result.rows())
    return Checked(result, write_performance(settings.project.state_dir, result, time_name(now)))


def _unread(known: Predictions, asked: Asked) -> str:
    words = f"{len(known.unread)} files of events could not be read"
    return f"{words}, and {asked.metric} is within its limit in the others"


def _delay(settings: LoadedSettings) -> timedelta:
    return timedelta(days=settings.values.feedback.delay_days)


def _whole_days(window: Window) -> Window:
    """Return a window of a day or more from the beginning of its first day on, in UTC."""
    if window.days < 1:
        return window
    start = window.start.replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(start, window.end)


def _judged(endpoint: Endpoint, settings: LoadedSettings, window: Window) -> Judged:
    """Return the version that serves; where nothing does, the one that `mlops score` took last.

    Raises:
        Hold: there is none of both.
    """
    found = watched_version(endpoint, window)
    return Judged(
        settings.values.environment,
        endpoint.name,
        found.deployment,
        settings.model_name,
        found.model_version,
    )


def _asked(folder: VersionFolder, settings: LoadedSettings) -> Asked:
    signature, values = folder.signature(), settings.values
    source = source_of_lineage(folder.lineage())
    return Asked(
        target=target_of(signature),
        features=features_of(signature),
        threshold=float(signature.get("decision_threshold", 0.5)),
        metric=values.gate.metric,
        limits=values.gate.limits(made_up=source.made_up),
        min_rows=values.feedback.min_rows,
        min_slice_rows=values.gate.min_slice_rows,
        slices=settings.use_case.slices(),
    )


def _holdout(folder: VersionFolder) -> Mapping[str, float | None]:
    """Return what the version's card says of each metric; nothing where it has no card."""
    if not (folder.path / documents.CARD.name).is_file():
        return {}
    measured: dict[str, float | None] = folder.card()["evaluation"]["model"]
    return measured


def _events(known: Predictions, judged: Judged, asked: Asked) -> _Events:
    ours = pl.col("model_version").eq_missing(judged.model_version)
    answered = (pl.col("status") == ANSWERED) & pl.col("prediction").is_not_null()
    generated = pl.col("source") == GENERATED
    others, rows, of_rehearsals = pl.collect_all(
        [
            known.rows.filter(~ours & ~generated).select(
                "inference_id", "key", "time", "model_version"
            ),
            known.rows.filter(ours & ~generated),
            known.rows.select(generated.sum()),
        ]
    )
    predictions = rows.filter(answered)
    complete = predictions.filter(is_complete(asked.target))
    return _Events(
        rows=complete,
        failed=rows.filter((pl.col("row") == 0) & ~answered).height,
        incomplete=predictions.height - complete.height,
        generated=int(of_rehearsals.item()),
        others=others,
    )


def _labels(
    request: Request, events: pl.DataFrame, asked: Asked, settings: LoadedSettings, due: Window
) -> tuple[Labels | None, str]:
    """Return the labels, and why nothing can come of them, or an empty text.

    Raises:
        ConfigError: they are by key, and events are written without.
    """
    if request.source is None:
        return None, f"{NO_LABELS} ({_NAME_THEM})"
    by_day = request.source.is_dir()
    keyless = not events.is_empty() and events["key"].null_count() == events.height
    problem = _without_keys(settings) if by_day and keyless else ""
    if by_day:
        mature = first_predictions(events, By.KEY).filter(pl.col("time") < due.end)
        keys = mature.drop_nulls("key").select(By.KEY.columns)
        return labels_of_raw_data(request.source, keys, asked.target, settings), problem
    quote = settings.values.data.show_values
    labels = read_labels(request.source, _key(settings), asked.target, quote=quote)
    if labels.by is By.KEY and keyless:
        problem = _without_keys(settings)
    return labels, problem


def _without_keys(settings: LoadedSettings) -> str:
    """Return why labels by key join nothing, where telemetry writes keys by now.

    Raises:
        ConfigError: it does not.
    """
    key = settings.use_case.key
    if not settings.values.telemetry.keys:
        raise ConfigError(
            f"labels are by {key}, and the events of predictions name none",
            "set telemetry.keys: true in conf for the predictions to come, or give labels by "
            "inference_id",
        )
    return (
        f"labels are by {key}, and the events of this window name none: they were made before "
        "telemetry.keys was true, or callers send no keys"
    )


def _key(settings: LoadedSettings) -> KeyColumn:
    columns = asked_columns(settings.use_case.contract().to_schema())
    key = settings.use_case.key
    return KeyColumn(key, columns[key].kind, suppression_of(settings))


def _joined(events: _Events, labels: Labels | None, due: Window) -> Joined:
    mature = pl.col("time") < due.end
    if labels is None:
        return unlabelled(first_predictions(events.rows, By.ID), mature)
    return join(first_predictions(events.rows, labels.by), labels, mature, events.others)


def _within(events: pl.DataFrame, window: Window) -> pl.DataFrame:
    return first_predictions(events, By.ID).filter(pl.col("time") >= window.start)


def _label_counts(
    request: Request, labels: Labels | None, joined: Joined, settings: LoadedSettings
) -> LabelCounts:
    if labels is None or request.source is None:
        return LabelCounts()
    return LabelCounts(
        source=shown_path(request.source, settings),
        by=labels.by.value,
        rows=labels.count,
        left_out=labels.left_out,
        repeated=joined.repeated,
        contradicting=joined.contradicting,
        unknown=joined.unknown,
        elsewhere=joined.elsewhere,
        immature=joined.immature,
        notes=labels.notes,
    )


def _prediction_counts(known: Predictions, events: _Events, joined: Joined) -> PredictionCounts:
    return PredictionCounts(
        mature=joined.mature.height,
        immature=joined.young.height,
        failed=events.failed,
        incomplete=events.incomplete,
        generated=events.generated,
        other_versions=events.other_versions,
        dropped=known.dropped,
        unread=known.unread,
    )
