"""Late labels: how good the version that serves turned out to be."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.ci.job import summarise
from mlops.cli.options import environment_option, json_option, settings_for, since_option
from mlops.console import emit, progress, show, show_table
from mlops.errors import Hold, Refused
from mlops.metrics import METRICS, decimal
from mlops.platforms import open_platform

if TYPE_CHECKING:
    from mlops.artifacts.performance_result import Part, PerformanceResult, Span

Table = tuple[str, Sequence[str], list[tuple[object, ...]]]
ASSUMED = (
    "estimated: from the model's own confidence, without labels. It assumes calibrated "
    "probabilities, and cannot see that the same features have come to mean something else."
)
_SHOWN = 12
"""So many slices are shown; the document has all."""


@click.command()
@click.argument("labels", type=click.Path(path_type=Path), required=False)
@since_option
@environment_option
@json_option
def feedback(
    labels: Path | None, since: timedelta | None, environment: str | None, as_json: bool
) -> None:
    """Judge the version that serves by labels that came later; exit 1 if it is below the limit.

    LABELS is a file (Parquet or CSV) with the column label, and inference_id or the key and date;
    or a folder of raw data, over which labels.py runs. Default: feedback.source of conf.

    The window of --since (default: feedback.days) ends where labels are due, feedback.delay_days
    ago. Exit 4 if there are too few labels to say anything.
    """
    from mlops.artifacts.performance_result import Outcome
    from mlops.monitoring.feedback import Request, check_performance, source_of

    settings = settings_for(environment)
    span = since or timedelta(days=settings.values.feedback.days)
    request = Request(source_of(settings, labels), span)
    with progress("checking the performance") as report:
        checked = check_performance(open_platform(settings), settings, request, report)
    result = checked.result
    for title, columns, rows in tables(result):
        if as_json:
            summarise(title, columns, rows)
        else:
            show_table(title, columns, rows)
    summarise("What to know of it", ("note",), [(line,) for line in remarks(result)])
    if as_json:
        emit({**result.to_dict(), "document": str(checked.document)})
    else:
        for line in remarks(result):
            show(line)
        click.echo(checked.document)
    if result.outcome is Outcome.BELOW:
        raise Refused(result.reason, "train on newer data, or roll back if a release made it worse")
    if result.outcome is Outcome.NOT_ENOUGH:
        raise Hold(
            f"not enough to judge version {result.judged.model_version}: {result.reason}",
            "docs/feedback.md says what a check needs, such as more labels or a longer --since",
        )


def tables(result: "PerformanceResult") -> Iterator[Table]:
    """Yield what is shown: the whole, the metrics, the window in parts, the slices."""
    judged = result.judged
    title = f"Performance of version {judged.model_version} at {judged.endpoint}"
    yield title, ("", ""), [("outcome", result.outcome.value), *_facts(result)]
    if metrics := list(_metrics(result)):
        yield "Metrics", ("metric", "realised", "estimated", "holdout", "limit"), metrics
    realised = result.realised
    if realised.over_time:
        rows = [_row(part, part.name) for part in realised.over_time]
        head = (realised.every, "labelled", result.metric, "")
        yield f"Realised, {realised.every} by {realised.every}", head, rows
    if realised.slices:
        rows = [_row(part, part.name) for part in realised.slices[:_SHOWN]]
        yield "Realised in slices", ("slice", "labelled", result.metric, ""), rows


def remarks(result: "PerformanceResult") -> Iterator[str]:
    """Yield what a reader must know beside the tables."""
    realised, labels, seen = result.realised, result.labels, result.predictions
    if len(realised.slices) > _SHOWN:
        yield f"{len(realised.slices) - _SHOWN} more slices are in the document alone"
    for name, why in realised.not_assessed.items():
        yield f"slice {name}: not assessed, {why}"
    yield from (f"labels: {note}" for note in labels.notes)
    yield from (f"not read: {name}: {why}" for name, why in seen.unread.items())
    if result.estimated.reason:
        yield f"estimated: not estimated, {result.estimated.reason}"
    else:
        yield ASSUMED


def _facts(result: "PerformanceResult") -> Iterator[tuple[object, ...]]:
    realised, labels, seen = result.realised, result.labels, result.predictions
    if result.reason:
        yield "why", result.reason
    yield result.metric, _value(result)
    if result.estimated.metric is not None:
        yield "estimated", _estimate(result)
    if result.coverage is not None:
        share = f"{realised.rows:,} of {seen.mature:,} mature predictions"
        yield "labelled", f"{share} ({100 * result.coverage:.1f} %)"
    yield "made", _days(realised.window)
    if labels.source:
        yield "labels", f"{labels.rows:,} of {labels.source}"
    for what, count in _odd(result).items():
        if count:
            yield what, f"{count:,}"
    for version, count in seen.other_versions.items():
        yield f"events of version {version}", f"{count:,}, left out"


def _odd(result: "PerformanceResult") -> dict[str, int]:
    labels, seen = result.labels, result.predictions
    return {
        "labels of no prediction": labels.unknown,
        "labels of other versions": labels.elsewhere,
        "labels not due yet": labels.immature,
        "labels that contradict": labels.contradicting,
        "labels that repeat": labels.repeated,
        **{f"labels: {what}": count for what, count in labels.left_out.items()},
        "predictions not mature": seen.immature,
        "failed requests": seen.failed,
        "incomplete events": seen.incomplete,
        "made by rehearsals": seen.generated,
        "events not written": seen.dropped,
    }


def _value(result: "PerformanceResult") -> str:
    realised = result.realised
    if realised.value is None:
        return decimal(None)
    text = decimal(realised.value)
    if realised.interval:
        text += f", 95 % interval {' to '.join(map(decimal, realised.interval))}"
    return text


def _estimate(result: "PerformanceResult") -> str:
    found = result.estimated
    text = f"{found.metric} {decimal(found.value)} of the newest {found.rows:,}"
    if found.outcome.value == "not enough":
        text += ", not enough to tell"
    if found.on_labelled is not None and found.metric == result.metric:
        text += f" ({decimal(found.on_labelled)} of the labelled)"
    return text


def _metrics(result: "PerformanceResult") -> Iterator[tuple[object, ...]]:
    guessed = result.estimated.metrics
    for name in {**result.realised.metrics, **guessed, **result.limits}:
        limit = result.limits.get(name)
        words = "at most" if METRICS[name].lower_is_better else "at least"
        yield (
            f"{name} *" if name == result.metric else name,
            decimal(result.realised.metrics.get(name), "-"),
            decimal(guessed.get(name), "-"),
            decimal(result.holdout.get(name), "-"),
            "" if limit is None else f"{words} {limit:.4g}",
        )


def _row(part: "Part", name: str) -> tuple[object, ...]:
    return name, f"{part.rows:,}", decimal(part.value, "-"), part.outcome.value


def _days(window: "Span") -> str:
    return f"{window.start[:16].replace('T', ' ')} to {window.end[:16].replace('T', ' ')} (UTC)"
