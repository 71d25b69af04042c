"""The pictures of the page, each with its numbers beside it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from mlops.metrics import decimal
from mlops.monitoring.report.content import Chart, Table
from mlops.monitoring.report.svg import INK, SERIES, inline, new_figure, styled
from mlops.release.ab_test.looks import number
from mlops.window import Window

if TYPE_CHECKING:
    import polars as pl

_DAY = timedelta(days=1)  # the unit of Matplotlib's axis of time
_LEGEND_COLUMNS = 3
_LONGEST_LABEL = 18
_LEAST_EVIDENCE, _MOST_EVIDENCE = 1e-3, 1e9
_ROW_INCHES = 0.3


def moment(time: datetime) -> str:
    """Return a time as the page writes it, in UTC."""
    return f"{time:%Y-%m-%d %H:%M}"


def traffic_chart(found: "pl.DataFrame", name: str, window: Window, every: timedelta) -> Chart:
    """Draw what each deployment predicted over time, stacked.

    Args:
        found: what `series.traffic` says.
        name: no other picture of the page has it.
        window: the time that is shown.
        every: the length of a part.
    """
    import polars as pl

    keys = found.select("deployment", "version").unique(maintain_order=True).rows()
    labels = [f"{deployment}, version {version}" for deployment, version in keys]
    total = int(found["predictions"].sum())
    summary = f"{total:,} predictions {_within(window)}: " + ", ".join(
        f"{label} {_count(found, key):,}" for label, key in zip(labels, keys, strict=True)
    )
    with styled():
        figure = new_figure()
        axis = figure.subplots()
        below: dict[datetime, int] = {}
        for n, key in enumerate(keys):
            part = found.filter((pl.col("deployment") == key[0]) & (pl.col("version") == key[1]))
            times, counts = part["time"].to_list(), part["predictions"].to_list()
            axis.bar(
                times,
                counts,
                width=0.9 * (every / _DAY),
                align="edge",
                bottom=[below.get(time, 0) for time in times],
                color=SERIES[n % len(SERIES)],
                label=labels[n],
            )
            for time, count in zip(times, counts, strict=True):
                below[time] = below.get(time, 0) + count
        axis.set_ylabel(f"predictions {_per(every)}")
        _over_time(axis, window)
        _legend(figure, len(keys))
        svg = inline(figure, name, summary)
    rows = tuple(
        (moment(time), deployment, str(version), f"{count:,}")
        for time, deployment, version, count in found.rows()
    )
    table = Table(("from (UTC)", "deployment", "version", "predictions"), rows)
    return Chart("Traffic", summary, svg, table)


def latency_chart(found: "pl.DataFrame", name: str, window: Window, every: timedelta) -> Chart:
    """Draw the latency of answers over time, see `series.latency`."""
    worst = max(found["p95"].to_list())
    summary = f"Latency {_within(window)}: the 95th percentile was {worst:.3g} ms at most"
    with styled():
        figure = new_figure()
        axis = figure.subplots()
        middle = [time + every / 2 for time in found["time"].to_list()]
        for n, column in enumerate(("p50", "p95", "p99")):
            axis.plot(middle, found[column].to_list(), marker=".", color=SERIES[n], label=column)
        axis.set_ylabel("milliseconds")
        axis.set_ylim(bottom=0)
        _over_time(axis, window)
        _legend(figure, 3)
        svg = inline(figure, name, summary)
    rows = tuple(
        (moment(time), *(f"{value:.1f}" for value in values), f"{count:,}")
        for time, *values, count in found.rows()
    )
    return Chart(
        "Latency", summary, svg, Table(("from (UTC)", "p50", "p95", "p99", "requests"), rows)
    )


def errors_chart(found: "pl.DataFrame", name: str, window: Window, every: timedelta) -> Chart:
    """Draw the share of requests that failed over time, see `series.errors`."""
    import polars as pl

    failed, total = int(found["failed"].sum()), int(found["requests"].sum())
    summary = f"{failed:,} of {total:,} requests failed {_within(window)}"
    with styled():
        figure = new_figure()
        axis = figure.subplots()
        versions = found["version"].unique().sort().to_list()
        for n, version in enumerate(versions):
            part = found.filter(pl.col("version") == version)
            middle = [time + every / 2 for time in part["time"].to_list()]
            percent = [100 * share for share in part["errors"].to_list()]
            colour = SERIES[n % len(SERIES)]
            axis.plot(middle, percent, marker=".", color=colour, label=f"version {version}")
        axis.set_ylabel("% that failed")
        axis.set_ylim(0, max(1.0, 1.1 * axis.get_ylim()[1]))
        _over_time(axis, window)
        _legend(figure, len(versions))
        svg = inline(figure, name, summary)
    rows = tuple(
        (moment(time), str(version), f"{100 * share:.2f} %", f"{bad:,}", f"{count:,}")
        for time, version, share, bad, count in found.rows()
    )
    columns = ("from (UTC)", "version", "failed", "requests that failed", "requests")
    return Chart("Errors", summary, svg, Table(columns, rows))


def shares_chart(
    title: str,
    summary: str,
    name: str,
    labels: Sequence[str],
    baseline: Sequence[float],
    window: Sequence[float],
) -> Chart:
    """Draw two distributions side by side: of training, and of the window.

    Args:
        title: the column.
        summary: what is to be seen.
        name: no other picture of the page has it.
        labels: the parts: ranges of numbers, or categories.
        baseline: the share of each part in training, 0 to 1.
        window: its share in the window.
    """
    with styled():
        figure = new_figure(_ROW_INCHES * (len(labels) + 3))
        axis = figure.subplots()
        places = range(len(labels))
        for shift, shares, colour, label in (
            (-0.2, baseline, SERIES[5], "training"),
            (0.2, window, SERIES[0], "this window"),
        ):
            percent = [100 * share for share in shares]
            axis.barh([place + shift for place in places], percent, 0.38, color=colour, label=label)
        axis.set_yticks(list(places), [_short(label) for label in labels])
        axis.invert_yaxis()
        axis.grid(visible=False, axis="y")
        axis.grid(visible=True, axis="x")
        axis.set_xlabel("% of rows")
        _legend(figure, 2)
        svg = inline(figure, name, summary)
    rows = tuple(
        (label, f"{100 * before:.1f} %", f"{100 * now:.1f} %")
        for label, before, now in zip(labels, baseline, window, strict=True)
    )
    return Chart(title, summary, svg, Table(("", "training", "this window"), rows))


def performance_chart(
    metric: str,
    limit: float | None,
    realised: Sequence[tuple[datetime, float]],
    estimated: Sequence[tuple[datetime, float]],
    name: str,
    window: Window,
) -> Chart:
    """Draw what labels said of the model over time, and apart what it expects of itself.

    Args:
        metric: its name.
        limit: that of the gate, if there is one.
        realised: times and values from labels.
        estimated: times and values without labels.
        name: no other picture of the page has it.
        window: that of the page; where labels come late the picture begins before it, with the
            first of them.
    """
    window = Window(min((time for time, _ in realised), default=window.start), window.end)
    told = f"{metric}, realised: {_last(realised)}; estimated without labels: {_last(estimated)}"
    summary = told if limit is None else f"{told}; limit {decimal(limit)}"
    with styled():
        figure = new_figure()
        axis = figure.subplots()
        for points, colour, line, label in (
            (realised, SERIES[0], "-", "realised"),
            (estimated, SERIES[1], ":", "estimated"),
        ):
            if points:
                times, values = zip(*points, strict=True)
                drawn = axis.plot(times, values, line, marker="o", color=colour, label=label)
                # the estimate is of the window's end: half of its mark is beyond the edge
                drawn[0].set_clip_on(points is not estimated)
        if limit is not None:
            axis.axhline(limit, color=INK, linestyle="--", linewidth=1, label="limit")
        axis.set_ylabel(metric)
        _over_time(axis, window)
        _legend(figure, 3)
        svg = inline(figure, name, summary)
    rows = tuple(
        (moment(time), kind, decimal(value))
        for kind, points in (("realised", realised), ("estimated", estimated))
        for time, value in points
    )
    return Chart("Performance over time", summary, svg, Table(("time (UTC)", "kind", metric), rows))


def evidence_chart(metric: str, ab_test: Mapping[str, Any], name: str) -> Chart:
    """Draw the evidence of an A/B test over time, as e-values.

    Args:
        metric: `errors` or `slow`.
        ab_test: what evidence.json says of the test.
        name: no other picture of the page has it.
    """
    looks, limits = ab_test["looks"], ab_test["limits"]
    seconds = [look["seconds"] for look in looks]
    last = looks[-1]["evidence"][metric]
    summary = (
        f"Evidence on {metric} after {seconds[-1]:.0f} s: {number(last['for_promotion'])} for "
        f"promotion, which takes {limits['promote']:.0f}; {number(last['for_rejection'])} for "
        f"rejection, which takes {limits['reject']:.0f}"
    )
    with styled():
        figure = new_figure()
        axis = figure.subplots()
        for key, limit, colour, label in (
            ("for_promotion", limits["promote"], SERIES[0], "for promotion"),
            ("for_rejection", limits["reject"], SERIES[4], "for rejection"),
        ):
            values = [look["evidence"][metric][key] for look in looks]
            shown = [min(max(value, _LEAST_EVIDENCE), _MOST_EVIDENCE) for value in values]
            axis.plot(seconds, shown, marker=".", color=colour, label=label)
            axis.axhline(limit, color=colour, linestyle="--", linewidth=1)
        axis.set(yscale="log", xlabel="seconds", ylabel="e-value (dashed: limit)")
        _legend(figure, 2)
        svg = inline(figure, name, summary)
    rows = tuple(
        (
            f"{look['seconds']:.0f}",
            look["phase"],
            number(look["evidence"][metric]["for_promotion"]),
            number(look["evidence"][metric]["for_rejection"]),
        )
        for look in looks
    )
    columns = ("seconds", "phase", "for promotion", "for rejection")
    return Chart(f"Evidence on {metric}", summary, svg, Table(columns, rows))


def _last(points: Sequence[tuple[datetime, float]]) -> str:
    return f"{decimal(points[-1][1])} on {points[-1][0]:%Y-%m-%d}" if points else "none"


def _count(found: "pl.DataFrame", key: tuple[str, int]) -> int:
    import polars as pl

    mine = (pl.col("deployment") == key[0]) & (pl.col("version") == key[1])
    return int(found.filter(mine)["predictions"].sum())


def _per(every: timedelta) -> str:
    return {
        timedelta(minutes=1): "a minute",
        timedelta(minutes=10): "in 10 minutes",
        timedelta(hours=1): "an hour",
        timedelta(days=1): "a day",
        timedelta(days=7): "a week",
    }[every]


def _within(window: Window) -> str:
    if window.days < 3:
        return f"from {moment(window.start)} to {moment(window.end)}"
    last = window.end - timedelta(microseconds=1)
    return f"from {window.start:%Y-%m-%d} to {last:%Y-%m-%d}"


def _over_time(axis: Axes, window: Window) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=6)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axis.set_xlim(window.start, window.end)  # type: ignore[arg-type]  # Matplotlib takes dates


def _legend(figure: Figure, entries: int) -> None:
    figure.legend(loc="outside upper left", ncols=min(entries, _LEGEND_COLUMNS))


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
