"""What a page about a busy endpoint is made of: made-up events, releases, an A/B test."""

import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from fakes.alerts import ALERTS
from mlops.artifacts.drift_result import ColumnDrift, Distribution, DriftResult, Volume
from mlops.artifacts.drift_result import Outcome as DriftOutcome
from mlops.artifacts.performance_result import (
    Estimated,
    Judged,
    LabelCounts,
    Part,
    PerformanceResult,
    PredictionCounts,
    Realised,
    Span,
)
from mlops.artifacts.performance_result import Outcome as PerformanceOutcome
from mlops.artifacts.predictions import Predictions, event_schema
from mlops.monitoring.alert_state import AlertState, Outcome
from mlops.monitoring.decisions import Decision, Kind
from mlops.monitoring.report.alert_sections import alert_section, decision_section
from mlops.monitoring.report.content import Page, Serving, Table
from mlops.monitoring.report.page import render
from mlops.monitoring.report.sections import (
    ab_section,
    drift_section,
    performance_section,
    release_section,
    request_section,
)
from mlops.monitoring.rules.evaluate import last_window
from mlops.window import Window

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
MONTH = Window.last(timedelta(days=30), NOW)


def busy_events(rows: int = 4000, seed: int = 0) -> Predictions:
    """Events of a month: blue serves version 1, green takes over with version 2 and fails some."""
    random = np.random.default_rng(seed)
    seconds = np.sort(random.uniform(0, 30 * 86_400, rows))
    late = seconds > 20 * 86_400
    status = np.where(random.random(rows) < np.where(late, 0.03, 0.002), 500, 200)
    given = {
        "inference_id": [f"{n:032x}" for n in range(rows)],
        "time": [MONTH.start + timedelta(seconds=float(s)) for s in seconds],
        "source": ["request"] * rows,
        "endpoint": ["tiny-prod"] * rows,
        "deployment": np.where(late, "green", "blue").tolist(),
        "model_name": ["tiny"] * rows,
        "model_version": np.where(late, 2, 1).tolist(),
        "latency_ms": random.lognormal(2.0, 0.5, rows).tolist(),
        "status": status.tolist(),
        "value": random.random(rows).tolist(),
        "row": [0] * rows,
    }
    told = pl.LazyFrame(given, schema_overrides=_overrides(given))
    return Predictions(
        pl.concat([pl.LazyFrame(schema=event_schema()), told], how="diagonal"), dropped=12
    )


def _overrides(given: dict[str, Any]) -> dict[str, pl.DataType]:
    return {name: kind for name, kind in event_schema().items() if name in given}


def looks(count: int = 30) -> list[dict[str, Any]]:
    """The looks of an A/B test whose evidence grows."""
    arm = {"requests": 100, "errors": 0, "slow": 1}
    return [
        {
            "seconds": float(n),
            "phase": "mirror" if n < 8 else "share",
            "baseline": arm,
            "candidate": arm,
            "copies": arm,
            "evidence": {
                metric: {"blocks": n, "for_promotion": 1.2**n, "for_rejection": 0.9**n}
                for metric in ("errors", "slow")
            },
        }
        for n in range(count)
    ]


def release(days: float, outcome: str, *, tested: bool = False, **more: Any) -> dict[str, Any]:
    """What evidence.json says of a release so many days ago."""
    ab_test = {
        "decision": "promote",
        "reason": "no worse by more than the margins",
        "baseline": "blue",
        "candidate": "green",
        "limits": {"promote": 20.0, "reject": 40.0},
        "looks": looks(),
    }
    return {
        "endpoint": "tiny-prod",
        "candidate": "green",
        "outcome": outcome,
        "reason": "the candidate is <no> worse",
        "model_version": 2,
        "rehearsal": "",
        "traffic_after": {"green": 100, "blue": 0},
        "ended_at": (NOW - timedelta(days=days)).isoformat(),
        "ab_test": ab_test if tested else None,
        **more,
    }


def drift(columns: int = 6) -> DriftResult:
    """A check in which two columns moved."""
    moved = ("jensen_shannon", "wasserstein")
    shares = Distribution(("below 1", "1 to 2", "2 to 3", "above 3"), (0, 0.5, 0.5, 0), (0.1,) * 4)
    names = Distribution(("card", "cash", "all others"), (0.7, 0.3, 0.0), (0.4, 0.3, 0.3))
    found = [
        ColumnDrift(
            column=f"column_{n}",
            kind="category" if n == 1 else "number",
            rows=4000,
            psi=0.31 if n < 2 else 0.01,
            jensen_shannon=0.2 if n < 2 else 0.02,
            wasserstein=None if n == 1 else 0.4,
            measures=moved if n < 2 else (),
            outcome=DriftOutcome.DRIFT if n < 2 else DriftOutcome.OK,
            distribution=names if n == 1 else shares,
        )
        for n in range(columns)
    ]
    found.append(replace(found[-1], column="__prediction", kind="prediction"))
    return DriftResult(
        environment="prod",
        endpoint="tiny-prod",
        deployment="blue",
        model_name="tiny",
        model_version=1,
        time=NOW,
        window=MONTH,
        outcome=DriftOutcome.DRIFT,
        reason=f"2 of {len(found)} columns moved: column_0, column_1",
        volume=Volume(rows=4000, per_day=133.3),
        columns=tuple(found),
        remarks=("12 events were dropped before they were written",),
    )


def performance(delay: int = 0, *, well: bool = False) -> dict[str, Any]:
    """What the document of such a check says."""
    return performance_result(delay, well=well).to_dict()


def performance_result(delay: int = 0, *, well: bool = False) -> PerformanceResult:
    """A check by which a model fell below its limit, or did well; labels are so many days late."""
    span = Span(MONTH.start.isoformat(), MONTH.end.isoformat())
    first = date(2026, 6, 1) - timedelta(days=delay)
    fall = 0.001 if well else 0.01
    days = [
        Part(f"{first + timedelta(days=n)}", 120, 0.84 - fall * n, PerformanceOutcome.OK)
        for n in range(24)
    ]
    slices = (
        Part("country=DE", 900, 0.81, PerformanceOutcome.OK),
        Part("country=FR", 12, None, PerformanceOutcome.NOT_ENOUGH),
    )
    value = 0.82 if well else 0.72
    return PerformanceResult(
        time=NOW.isoformat(),
        judged=Judged("prod", "tiny-prod", "blue", "tiny", 1),
        outcome=PerformanceOutcome.OK if well else PerformanceOutcome.BELOW,
        reason="" if well else "f1 is 0.7200, and the gate asks for at least 0.7500",
        metric="f1",
        lower_is_better=False,
        limits={"f1": 0.75},
        holdout={"f1": 0.84},
        min_rows=100,
        delay_days=delay,
        labels=LabelCounts(rows=2880),
        predictions=PredictionCounts(4000, 0, 37, 0, 0, {}, 12, {}),
        realised=Realised(
            span, 2880, value, (value - 0.02, value + 0.02), over_time=tuple(days), slices=slices
        ),
        estimated=Estimated(span, 4000, "f1", 0.75, 0.82, PerformanceOutcome.OK),
    )


def alert_states() -> list[AlertState]:
    """How alerts stand of which one is an alarm."""
    states = []
    for number, (name, outcome) in enumerate(
        {
            "latency": Outcome.OK,
            "error-rate": Outcome.ALARM,
            "drift": Outcome.NOT_ENOUGH,
            "performance": Outcome.NOT_SERVING,
        }.items()
    ):
        window = Window.last(last_window(ALERTS[name]), NOW)
        reason = f"<{name}> is {number} on 412 events, an alarm where > 0.05"
        states.append(
            AlertState(ALERTS[name], outcome, reason, window, 0.05, "green", 2, 412, number)
        )
    return states


def decisions(count: int = 60) -> list[Decision]:
    """What was decided about them, oldest first."""
    kinds = (Kind.ALERT, Kind.ROLLBACK, Kind.INCIDENT, Kind.NOTIFICATION)
    return [
        Decision(
            time=NOW - timedelta(hours=count - n),
            kind=kinds[n % len(kinds)],
            cause="error-rate",
            outcome="rolled back" if n % len(kinds) == 1 else "fired",
            reason="error_rate is 0.12 on 412 events",
            environment="prod",
            endpoint="tiny-prod",
            model_name="tiny",
            deployment="green",
            model_version=2,
            subject=f"https://github.com/example/project/issues/{n}" if n % 2 else None,
        )
        for n in range(count)
    ]


def write_pages(folder: Path) -> None:
    """Write busy.html and empty.html, to be looked at in a browser."""
    changes = [
        {
            "time": (NOW - timedelta(days=3)).isoformat(),
            "kind": "rollback",
            "outcome": "rolled back",
            "model_version": 1,
            "traffic": "blue 100 %",
        }
    ]
    records = [
        release(10, "promoted", tested=True),
        release(20, "rejected", reason="errors: worse by more than the margin of 1 %"),
        release(25, "hold", rehearsal="generated requests"),
    ]
    rows = (("blue", "1", "100 %", "healthy", "0123456789"), ("green", "2", "0 %", "stopped", ""))
    deployments = Table(("deployment", "version", "traffic", "state", "commit"), rows)
    busy = Serving(
        "prod",
        "tiny-prod",
        "http://127.0.0.1:9/score",
        deployments=deployments,
        sections=(
            alert_section("prod", alert_states()),
            decision_section(decisions()),
            request_section("prod", busy_events(), MONTH),
            release_section(records, changes),
            ab_section("prod", records),
            drift_section("prod", drift().to_dict()),
            performance_section("prod", performance(), MONTH),
        ),
    )
    nothing = Predictions(pl.LazyFrame(schema=event_schema()))
    empty = Serving(
        "test",
        "tiny-test",
        sections=(
            alert_section("test", []),
            decision_section([]),
            request_section("test", nothing, MONTH),
            release_section([], []),
            ab_section("test", []),
            drift_section("test", None),
            performance_section("test", None, MONTH),
        ),
    )
    late = Serving(
        "late",
        "tiny-late",
        deployments=deployments,
        sections=(performance_section("late", performance(60, well=True), MONTH),),
    )
    broken = Serving("dev", "tiny-dev", problem="the endpoint does not answer")
    about = ("Tiny", "Predicts what a machine does next.", "Team", "team@example.com", NOW, MONTH)
    for name, serving in (("busy", [busy, late, empty, broken]), ("empty", [empty])):
        (folder / f"{name}.html").write_text(render(Page(*about, serving)), encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
