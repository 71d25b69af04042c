"""What a check for drift found: a document for people and pages, and flat rows that are kept.

.mlops/monitoring/<endpoint>/drift/<time>.json
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from mlops.artifacts.event_folders import documents_folder
from mlops.artifacts.evidence_folder import time_name
from mlops.files import write_json
from mlops.window import Window

CHECK = "drift"
SCHEMA = 1


class Outcome(StrEnum):
    """How a check, or the check of one column, ended."""

    OK = "ok"
    DRIFT = "drift"
    NOT_ENOUGH = "not enough"
    SCHEMA_BROKEN = "schema broken"

    @property
    def exit_code(self) -> int:
        """That of the command."""
        return {"ok": 0, "drift": 1, "not enough": 4, "schema broken": 1}[self.value]


@dataclass(frozen=True)
class NewCategory:
    """A name that has no code of its own, and the share of the present values that it has."""

    name: str
    rows: int
    share: float


@dataclass(frozen=True)
class Distribution:
    """The shares of present values, 0 to 1, in training and in the window, part by part."""

    labels: tuple[str, ...]
    baseline: tuple[float, ...]
    window: tuple[float, ...]


@dataclass(frozen=True)
class ColumnDrift:
    """How one column of a window looks beside the baseline.

    Attributes:
        column: its name; `__prediction` is what the model answered.
        kind: number, boolean, category or prediction.
        rows: those in which it is present.
        psi: population stability index.
        jensen_shannon: Jensen-Shannon distance, base 2.
        wasserstein: Wasserstein distance in standard deviations; null of categories and of what was
            constant in training.
        missing, missing_baseline: the share of missing values, now and in training.
        unknown, unknown_baseline: of categories, the share of names without a code of their own.
        new_categories: the most frequent of these, each by itself more than all such of training.
        vanished: names with a code of their own of which there were to be some, and are none.
        p_value: how often chance alone would let any column of the check differ at least so much;
            null where no measure is beyond its limit.
        measures: those that are beyond their limit and beyond chance.
        outcome: ok, drift or schema broken.
        reason: what is wrong with its schema; else empty.
        distribution: its values for a picture; null where there are none.
    """

    column: str
    kind: str
    rows: int
    psi: float | None = None
    jensen_shannon: float | None = None
    wasserstein: float | None = None
    missing: float = 0.0
    missing_baseline: float = 0.0
    unknown: float | None = None
    unknown_baseline: float | None = None
    new_categories: tuple[NewCategory, ...] = ()
    vanished: tuple[str, ...] = ()
    p_value: float | None = None
    measures: tuple[str, ...] = ()
    outcome: Outcome = Outcome.OK
    reason: str = ""
    distribution: Distribution | None = None

    def kept(self) -> dict[str, Any]:
        """Return what of it is kept beside the endpoint."""
        names = ("column", "kind", "psi", "jensen_shannon", "wasserstein", "missing")
        values = asdict(self)
        return {
            **{name: values[name] for name in (*names, "missing_baseline", "p_value")},
            "outcome": self.outcome.value,
        }


@dataclass(frozen=True)
class Volume:
    """How many events there are, and what they are of.

    Attributes:
        rows: those that the version that serves answered.
        per_day: of these, by the days of the window.
        failures: requests to this version that were not answered.
        failure_share: of all requests to it; null without any.
        other_versions: events of other versions, which are left out.
        generated: events of rehearsals, which are left out.
        without_features: answered rows that hold no feature.
        dropped: events that servers could not write.
        unread: files or answers that could not be read, with what is wrong.
    """

    rows: int
    per_day: float
    failures: int = 0
    failure_share: float | None = None
    other_versions: int = 0
    generated: int = 0
    without_features: int = 0
    dropped: int = 0
    unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DriftResult:
    """A whole check.

    Attributes:
        environment, endpoint, deployment: where.
        model_name, model_version: what serves there, and whose baseline was compared with.
        time: when it was looked at.
        window: of which events.
        outcome: of the whole.
        reason: a sentence.
        volume: how many events there are.
        columns: of features in the order of the signature, then the prediction.
        limits: the settings that were in force.
        tests: among how many the chance of being wrong was shared out.
        remarks: what a reader must know besides.
    """

    environment: str
    endpoint: str
    deployment: str | None
    model_name: str
    model_version: int
    time: datetime
    window: Window
    outcome: Outcome
    reason: str
    volume: Volume
    columns: tuple[ColumnDrift, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    tests: int = 0
    remarks: tuple[str, ...] = ()

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The columns that are not ok."""
        return tuple(each for each in self.columns if each.outcome is not Outcome.OK)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of its document."""
        content = asdict(self)
        window = content.pop("window")
        content["time"] = self.time.isoformat()
        times = {f"window_{name}": moment.isoformat() for name, moment in window.items()}
        return {"schema": SCHEMA, "check": CHECK, **times, **content}

    def kept(self) -> list[dict[str, Any]]:
        """Return the flat rows that are kept: one of the whole, then one a column."""
        common = {
            "check": CHECK,
            "time": self.time.isoformat(),
            "environment": self.environment,
            "endpoint": self.endpoint,
            "deployment": self.deployment,
            "model_name": self.model_name,
            "model_version": self.model_version,
            "window_start": self.window.start.isoformat(),
            "window_end": self.window.end.isoformat(),
            "rows": self.volume.rows,
        }
        whole = {
            "column": None,
            "drifted_columns": len(self.drifted),
            "columns": len(self.columns),
            "outcome": self.outcome.value,
        }
        return [{**common, **row} for row in (whole, *(each.kept() for each in self.columns))]


def write_drift(state_dir: Path, result: DriftResult) -> Path:
    """Write the document of a result, whole; return its path."""
    folder = documents_folder(state_dir, result.endpoint, CHECK)
    path = folder / f"{time_name(result.time)}.json"
    write_json(path, result.to_dict())
    return path
