"""What a check of a model's performance found: the document of it, and the flat rows kept of it.

.mlops/monitoring/<endpoint>/performance/<time>.json
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from mlops.artifacts.documents import Document
from mlops.artifacts.event_folders import documents_folder

CHECK = "performance"
SCHEMA = 1
REALISED, ESTIMATED = "realised", "estimated"


class Outcome(StrEnum):
    """How a check of performance ends."""

    OK = "ok"
    BELOW = "below"
    """Worse than the limit, whichever direction the metric has."""
    NOT_ENOUGH = "not enough"
    """Too few labelled predictions, no value or no limit: nothing can be said."""


@dataclass(frozen=True)
class Judged:
    """The version that was looked at, and what served it; `deployment` is None if nothing did."""

    environment: str
    endpoint: str
    deployment: str | None
    model_name: str
    model_version: int


@dataclass(frozen=True)
class Span:
    """From `start`, included, to `end`, excluded; in ISO 8601, UTC."""

    start: str
    end: str


@dataclass(frozen=True)
class Part:
    """The gate's metric on some of the rows: of a day or week, or of one value of a slice."""

    name: str
    rows: int
    value: float | None
    outcome: Outcome


@dataclass(frozen=True)
class LabelCounts:
    """What became of the labels.

    Attributes:
        source: where they are from; empty if none were named.
        by: `inference_id`, or `key` and day; empty if none were named.
        rows: how many there were.
        left_out: those that are no label of this model, by what is wrong with them.
        repeated: predictions whose label came more than once, the same each time.
        contradicting: predictions whose labels differ; the newest counts.
        unknown: labels of no prediction of the window.
        elsewhere: labels of predictions of other versions.
        immature: labels of predictions that are not mature yet.
        notes: what else is to be said, such as days that have no label yet.
    """

    source: str = ""
    by: str = ""
    rows: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    repeated: int = 0
    contradicting: int = 0
    unknown: int = 0
    elsewhere: int = 0
    immature: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PredictionCounts:
    """The events that were looked at.

    Attributes:
        mature: predictions of the version whose label is due, each counted once.
        immature: predictions of the version that are younger.
        failed: requests to the version that got no prediction.
        incomplete: events of the version from which its answer cannot be told.
        generated: events of rehearsals, which are left out.
        other_versions: how many events are of each other version.
        dropped: events that the servers themselves say they did not write.
        unread: what could not be read, with what is wrong.
    """

    mature: int
    immature: int
    failed: int
    incomplete: int
    generated: int
    other_versions: Mapping[str, int]
    dropped: int
    unread: Mapping[str, str]


@dataclass(frozen=True)
class Realised:
    """What labels say.

    Attributes:
        window: when the predictions were made.
        rows: predictions with a label.
        value: of the gate's metric.
        interval: the ends of its 95 % interval, or None.
        metrics: all metrics of the task.
        every: `day` or `week`: the length of a part of `over_time`, whose name is its first day.
        not_assessed: slices that cannot be computed of the events, with the reason.
    """

    window: Span
    rows: int
    value: float | None = None
    interval: tuple[float, float] | None = None
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    every: str = "day"
    over_time: tuple[Part, ...] = ()
    slices: tuple[Part, ...] = ()
    not_assessed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Estimated:
    """What the model's own confidence says, without any label.

    Attributes:
        window: when the predictions were made: the newest ones.
        rows: how many.
        metric: the gate's metric if it can be estimated, else accuracy; None: nothing is estimated.
        limit: of this metric.
        value: of this metric.
        outcome: of this metric; it decides nothing.
        metrics: all that can be estimated.
        calibration: `assumed`: probabilities are taken for what they say.
        on_labelled: the same estimate of the labelled predictions, beside which the realised value
            shows whether it can be believed.
        reason: why nothing is estimated.
    """

    window: Span
    rows: int
    metric: str | None = None
    limit: float | None = None
    value: float | None = None
    outcome: Outcome = Outcome.NOT_ENOUGH
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    calibration: str = "assumed"
    on_labelled: float | None = None
    slices: tuple[Part, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class PerformanceResult:
    """One check; `holdout` is what the version's own card says of each metric."""

    time: str
    judged: Judged
    outcome: Outcome
    reason: str
    metric: str
    lower_is_better: bool
    limits: Mapping[str, float]
    holdout: Mapping[str, float | None]
    min_rows: int
    delay_days: float
    labels: LabelCounts
    predictions: PredictionCounts
    realised: Realised
    estimated: Estimated

    @property
    def limit(self) -> float | None:
        """The limit of the gate's metric."""
        return self.limits.get(self.metric)

    @property
    def coverage(self) -> float | None:
        """The share of mature predictions that have a label; None where there is none of them."""
        mature = self.predictions.mature
        return self.realised.rows / mature if mature else None

    def to_dict(self) -> dict[str, Any]:
        """Return the content of the document."""
        content = {"check": CHECK, **asdict(self), **asdict(self.judged)}
        del content["judged"]
        return {"schema": SCHEMA, **content, "limit": self.limit, "coverage": self.coverage}

    def rows(self) -> list[dict[str, Any]]:
        """Return the flat rows: realised and estimated, of each the whole and then its slices."""
        realised = Part("", self.realised.rows, self.realised.value, self.outcome)
        found = list(self._kind(REALISED, self.metric, realised, self.realised))
        if self.estimated.metric is not None:
            estimated = self.estimated
            whole = Part("", estimated.rows, estimated.value, estimated.outcome)
            found += self._kind(ESTIMATED, self.estimated.metric, whole, self.estimated)
        return found

    def _kind(
        self, kind: str, metric: str, whole: Part, found: Realised | Estimated
    ) -> Iterator[dict[str, Any]]:
        for part in (whole, *found.slices):
            labelled = part.rows if kind == REALISED else 0
            yield {
                "check": CHECK,
                "time": self.time,
                **asdict(self.judged),
                "kind": kind,
                "slice": part.name or None,
                "metric": metric,
                "value": part.value,
                "limit": self.limits.get(metric),
                "outcome": part.outcome.value,
                "rows": part.rows,
                "labelled": labelled,
                "coverage": self.coverage if kind == REALISED and not part.name else None,
                "window_start": found.window.start,
                "window_end": found.window.end,
            }


def write_performance(state_dir: Path, result: PerformanceResult, name: str) -> Path:
    """Write the document of a check; return its path.

    Args:
        state_dir: the project's state folder.
        result: what was found.
        name: the name of its moment, see `time_name`.
    """
    folder = documents_folder(state_dir, result.judged.endpoint, CHECK)
    return Document(f"{name}.json", schema=SCHEMA).write(folder, result.to_dict())
