"""What the page says of one endpoint, subject by subject."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mlops.artifacts.predictions import GENERATED, Predictions
from mlops.hints import typed
from mlops.metrics import decimal
from mlops.monitoring.report import charts, series
from mlops.monitoring.report.content import Chart, Mark, Release, Section, Table
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

    window, every = series.seen_window(found.rows, window)
    parts = (series.traffic, series.latency, series.errors)
    generated = found.rows.select((pl.col("source") == GENERATED).sum())
    traffic, latency, errors, made = pl.collect_all(
        [*(part(found.rows, every) for part in parts), generated]
    )
    told = {
        f"A rehearsal generated {made.item():,} of these requests.": made.item(),
        f"{found.dropped:,} events were dropped by the servers: what follows lacks them.": (
            found.dropped
        ),
    }
    unread = [f"Not read: {name}: {why}." for name, why in found.unread.items()]
    notes = (*(words for words, holds in told.items() if holds), *unread)
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
    records: Sequence[Mapping[str, Any]],
    changes: Sequence[Mapping[str, Any]],
    unread: Sequence[str] = (),
) -> Section:
    """Return releases, rollbacks and changes of traffic, the newest first.

    Args:
        records: what evidence.json of each release says.
        changes: what was kept of changes of traffic outside a release.
        unread: what could not be read, with the reason.
    """
    notes = tuple(f"Not read: {each}." for each in unread)
    rows = [(str(each["ended_at"]), _release(each)) for each in records]
    rows += [(str(each["time"]), _change(each)) for each in changes]
    rows.sort(key=lambda row: datetime.fromisoformat(row[0]), reverse=True)
    if not rows:
        return Section("Releases", empty=f"None yet: {typed('release')} makes one.", notes=notes)
    return Section("Releases", notes=notes, releases=tuple(release for _, release in rows))


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
        reason="outside a release, by hand or by an alert",
        traffic=kept["traffic"],
    )


def _shares(traffic: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {share} %" for name, share in traffic.items() if share) or "none"


def drift_section(environment: str, found: Mapping[str, Any] | None) -> Section:
    """Return the newest check for drift, with both distributions of each column.

    Args:
        environment: whose endpoint it is of.
        found: the content of its document, or None.
    """
    if found is None:
        said = f"No check yet: {typed(f'drift --environment {environment}')} makes one."
        return Section("Drift", Mark("not checked", "open"), said)
    tones = {"ok": "good", "drift": "bad", "not enough": "open", "schema broken": "bad"}
    rows: list[tuple[str, ...]] = []
    shown: list[Chart] = []
    more: list[Chart] = []
    for n, column in enumerate(found["columns"]):
        rows.append(
            (
                _name(column),
                column["kind"],
                column["outcome"],
                *(_decimal(column[name]) for name in ("psi", "jensen_shannon", "wasserstein")),
                f"{100 * column['missing']:.1f} %",
            )
        )
        if column["distribution"]:
            chart = _distribution(column, f"{environment}-drift-{n}")
            (more if column["outcome"] == "ok" else shown).append(chart)
    columns = ("column", "kind", "outcome", "PSI", "Jensen-Shannon", "Wasserstein", "missing")
    return Section(
        "Drift",
        Mark(found["outcome"], tones[found["outcome"]]),
        notes=(
            *_sentences(found["reason"]),
            f"Checked on {_day(found['time'])}: {found['volume']['rows']:,} rows of version "
            f"{found['model_version']} from {_day(found['window_start'])} to "
            f"{_day(found['window_end'])}, against its own training data.",
            *_sentences(*found["remarks"]),
        ),
        table=Table(columns, tuple(rows)) if rows else None,
        charts=tuple(shown),
        more_title=f"Distributions of the {len(more)} columns that did not move",
        more=tuple(more),
    )


def performance_section(
    environment: str, found: Mapping[str, Any] | None, window: Window
) -> Section:
    """Return what late labels said of the model, and apart what it expects of itself.

    Args:
        environment: whose endpoint it is of.
        found: the content of the newest check's document, or None.
        window: the time that pictures show.
    """
    if found is None:
        said = f"No labels yet: {typed(f'feedback --environment {environment}')} joins them."
        return Section("Performance", Mark("not checked", "open"), said)
    tones = {"ok": "good", "below": "bad", "not enough": "open"}
    realised, estimated = found["realised"], found["estimated"]
    points = [
        (datetime.fromisoformat(part["name"]).replace(tzinfo=window.start.tzinfo), part["value"])
        for part in realised["over_time"]
        if part["value"] is not None
    ]
    guessed = []
    if estimated["metric"] == found["metric"] and estimated["value"] is not None:
        guessed = [(datetime.fromisoformat(estimated["window"]["end"]), estimated["value"])]
    shown: tuple[Chart, ...] = ()
    if points or guessed:
        name = f"{environment}-performance"
        shown = (
            charts.performance_chart(
                found["metric"], found["limit"], points, guessed, name, window
            ),
        )
    slices = [
        (part["name"], f"{part['rows']:,}", _decimal(part["value"]), part["outcome"])
        for part in realised["slices"]
    ]
    coverage = "none" if found["coverage"] is None else f"{100 * found['coverage']:.0f} %"
    return Section(
        "Performance",
        Mark(found["outcome"], tones[found["outcome"]]),
        notes=(
            *_sentences(found["reason"]),
            f"Realised, by labels: {found['metric']} {_decimal(realised['value'])} on "
            f"{realised['rows']:,} labelled predictions of version {found['model_version']} "
            f"({coverage} of those that are due), limit {_decimal(found['limit'])}.",
            _estimate(estimated),
            *(("Slices are shown, and the outcome is that of all together.",) if slices else ()),
        ),
        table=Table(("slice", "rows", found["metric"], "outcome"), tuple(slices))
        if slices
        else None,
        charts=shown,
    )


def _sentences(*said: str) -> tuple[str, ...]:
    """Return what documents say in words; a reason is empty where all is well."""
    return tuple(f"{each}." for each in said if each)


def _estimate(found: Mapping[str, Any]) -> str:
    if found["metric"] is None or found["value"] is None:
        why = f" ({found['reason']})" if found["reason"] else ""
        return f"Estimated without labels: nothing{why}."
    too_few = ", not enough to tell" if found["outcome"] == "not enough" else ""
    return (
        f"Estimated without labels, by the model's own confidence: {found['metric']} "
        f"{_decimal(found['value'])} on {found['rows']:,}{too_few}. It cannot see that the world "
        "itself has changed."
    )


def _distribution(column: Mapping[str, Any], name: str) -> Chart:
    shares = column["distribution"]
    if moved := ", ".join(column["measures"]):
        summary = f"{_name(column)}: {column['outcome']}, by {moved.replace('_', ' ')}"
    else:
        summary = f"{_name(column)}: {column['outcome']}"
    return charts.shares_chart(
        _name(column), summary, name, shares["labels"], shares["baseline"], shares["window"]
    )


def _name(column: Mapping[str, Any]) -> str:
    return "the prediction" if column["kind"] == "prediction" else str(column["column"])


def _decimal(value: float | None) -> str:
    return decimal(value, absent="none")


def _day(time: str) -> str:
    return charts.moment(datetime.fromisoformat(time))
