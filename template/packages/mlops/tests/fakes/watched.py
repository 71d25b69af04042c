"""What a page about a busy endpoint is made of: made-up events, releases, an A/B test."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mlops.artifacts.predictions import Predictions, event_schema
from mlops.monitoring.report.content import Page, Serving, Table
from mlops.monitoring.report.page import render
from mlops.monitoring.report.sections import ab_section, release_section, request_section
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
        "outcome": outcome,
        "reason": "the candidate is <no> worse",
        "model_version": 2,
        "rehearsal": "",
        "traffic_after": {"green": 100, "blue": 0},
        "ended_at": (NOW - timedelta(days=days)).isoformat(),
        "ab_test": ab_test if tested else None,
        **more,
    }


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
            request_section("prod", busy_events(), MONTH),
            release_section(records, changes),
            ab_section("prod", records),
        ),
    )
    nothing = Predictions(pl.LazyFrame(schema=event_schema()))
    empty = Serving(
        "test",
        "tiny-test",
        sections=(
            request_section("test", nothing, MONTH),
            release_section([], []),
            ab_section("test", []),
        ),
    )
    broken = Serving("dev", "tiny-dev", problem="the endpoint does not answer")
    about = ("Tiny", "Predicts what a machine does next.", "Team", "team@example.com", NOW, MONTH)
    for name, serving in (("busy", [busy, empty, broken]), ("empty", [empty])):
        (folder / f"{name}.html").write_text(render(Page(*about, serving)), encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
