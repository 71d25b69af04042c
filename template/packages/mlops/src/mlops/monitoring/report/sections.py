"""What the page says of one endpoint, subject by subject."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mlops.artifacts.predictions import Predictions
from mlops.hints import typed
from mlops.monitoring.report import charts, series
from mlops.monitoring.report.content import Mark, Release, Section
from mlops.release.ab_test.looks import RATES
from mlops.window import Window

_TONES = {
    "promoted": "good",
    "unchanged": "plain",
    "switched": "plain",
    "hold": "open",
    "rejected": "bad",
    "failed": "bad",
    "rolled back": "bad",
}


def request_section(environment: str, found: Predictions, window: Window) -> Section:
    """Return traffic, latency and errors over time; one pass over the events."""
    import polars as pl

    every = series.bucket_of(window)
    parts = (series.traffic, series.latency, series.errors)
    traffic, latency, errors = pl.collect_all([part(found.rows, every) for part in parts])
    notes = tuple(
        [f"{found.dropped:,} events were dropped by the servers: what follows lacks them."]
        * bool(found.dropped)
        + [f"Not read: {name}: {why}." for name, why in found.unread.items()]
    )
    if traffic.is_empty():
        said = "No prediction was made in this time, or none was kept (telemetry.enabled in conf)."
        return Section("Requests", Mark("nothing seen", "open"), said, notes)
    name = f"{environment}-requests"
    shown = [charts.traffic_chart(traffic, f"{name}-traffic", window, every)]
    if not latency.is_empty():
        shown.append(charts.latency_chart(latency, f"{name}-latency", window, every))
    if not errors.is_empty():
        shown.append(charts.errors_chart(errors, f"{name}-errors", window, every))
    return Section("Requests", notes=notes, charts=tuple(shown))


def release_section(
    records: Sequence[Mapping[str, Any]], changes: Sequence[Mapping[str, Any]]
) -> Section:
    """Return releases, rollbacks and changes of traffic, the newest first.

    Args:
        records: what evidence.json of each release says.
        changes: what was kept of changes of traffic by hand.
    """
    rows = [(str(each["ended_at"]), _release(each)) for each in records]
    rows += [(str(each["time"]), _change(each)) for each in changes]
    rows.sort(key=lambda row: datetime.fromisoformat(row[0]), reverse=True)
    if not rows:
        return Section("Releases", empty=f"None yet on this machine: {typed('release')} makes one.")
    return Section("Releases", releases=tuple(release for _, release in rows))


def ab_section(environment: str, records: Sequence[Mapping[str, Any]]) -> Section:
    """Return the last A/B test with its evidence over time."""
    tests = [each for each in records if each.get("ab_test") and each["ab_test"]["looks"]]
    if not tests:
        return Section("Last A/B test", empty="No two versions were compared here yet.")
    last = max(tests, key=lambda each: datetime.fromisoformat(each["ended_at"]))
    test = last["ab_test"]
    tones = {"promote": "good", "hold": "open", "reject": "bad"}
    notes = [f"{test['candidate']} against {test['baseline']}: {test['reason']}."]
    if last.get("rehearsal"):
        notes.append(f"A rehearsal: {last['rehearsal']}.")
    shown = tuple(
        charts.evidence_chart(metric, test, f"{environment}-ab-{metric}") for metric in RATES
    )
    outcome = Mark(test["decision"], tones[test["decision"]])
    return Section("Last A/B test", outcome, notes=tuple(notes), charts=shown)


def _release(record: Mapping[str, Any]) -> Release:
    return Release(
        time=charts.moment(datetime.fromisoformat(record["ended_at"])),
        kind="rehearsal" if record.get("rehearsal") else "release",
        outcome=Mark(record["outcome"], _TONES.get(record["outcome"], "plain")),
        version=str(record["model_version"] or ""),
        reason=record["reason"],
        traffic=_shares(record["traffic_after"]),
    )


def _change(kept: Mapping[str, Any]) -> Release:
    return Release(
        time=charts.moment(datetime.fromisoformat(kept["time"])),
        kind=kept["kind"],
        outcome=Mark(kept["outcome"], _TONES.get(kept["outcome"], "plain")),
        version=str(kept["model_version"] or ""),
        reason="by hand",
        traffic=kept["traffic"],
    )


def _shares(traffic: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {share} %" for name, share in traffic.items() if share) or "none"
