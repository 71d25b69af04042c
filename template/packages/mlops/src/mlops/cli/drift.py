"""Compare what a model is asked about with what it was trained on."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from mlops.ci.job import set_output
from mlops.cli.options import environment_option, json_option, settings_for, since_option
from mlops.console import emit, progress, show, show_table
from mlops.errors import Hold, MlopsError, Refused
from mlops.platforms import open_platform

if TYPE_CHECKING:
    from mlops.artifacts.drift_result import ColumnDrift, DriftResult

_HEAD = ("column", "PSI", "JS", "Wasser.", "missing", "chance", "")
_SAID_OF_COLUMNS = 5
_REMEDIES = {
    "drift": "docs/drift.md says how to read it and what to do",
    "schema broken": "docs/drift.md says what a broken schema can mean",
    "not enough": "look at more days with --since, or wait for more requests",
}


@click.command()
@since_option
@click.option(
    "--report",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write Evidently's own report, an HTML page, on a sample of the events.",
)
@environment_option
@json_option
def drift(
    since: timedelta | None, page: Path | None, environment: str | None, as_json: bool
) -> None:
    """Compare the newest predictions with the training data of what serves; exit 1 on drift."""
    from mlops.monitoring.drift_command import check_drift
    from mlops.monitoring.evidently_report import require_evidently, write_report

    if page:
        require_evidently()
    settings = settings_for(environment)
    with progress("drift") as report:
        checked = check_drift(open_platform(settings), settings, since, report)
    result = checked.result
    set_output("outcome", result.outcome.value)
    if as_json:
        emit(result.to_dict())
    _show(result)
    show(f"all of it: {checked.file}")
    if page:
        try:
            with progress("drift") as report:
                report("writing Evidently's report")
                write_report(checked.reference, checked.predictions, page)
        except Hold as nothing:
            show(f"no report: {nothing.message}", style="yellow")
    if refusal := _refusal(result):
        raise refusal


def _refusal(result: "DriftResult") -> MlopsError | None:
    """Return the error by which a check ends that is not ok."""
    kinds = {0: None, 1: Refused, 4: Hold}
    kind = kinds[result.outcome.exit_code]
    remedy = _REMEDIES.get(result.outcome.value, "")
    return kind(f"{result.outcome.value}: {result.reason}", remedy) if kind else None


def _show(result: "DriftResult") -> None:
    volume, window = result.volume, result.window
    failed = "none" if volume.failure_share is None else f"{100 * volume.failure_share:.2g} %"
    rows = [
        ("outcome", result.outcome.value),
        ("version", f"{result.model_version} ({result.deployment or 'only scored'})"),
        ("window", f"{window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC"),
        ("answered", f"{volume.rows:,} rows, {volume.per_day:,.0f} a day"),
        ("failed", f"{volume.failures:,} rows" + (f", {failed}" if volume.failures else "")),
    ]
    show_table(f"Drift at {result.endpoint}", ("", ""), rows)
    if result.columns:
        limits = result.limits
        shown = sorted(result.columns, key=lambda each: each.outcome.value == "ok")
        title = (
            f"Columns beside training (limits {limits['psi']:g}, {limits['jensen_shannon']:g}, "
            f"{limits['wasserstein']:g}, chance {limits['alpha']:g})"
        )
        show_table(title, _HEAD, [_row(each) for each in shown])
    for column in result.drifted:
        if words := _names(column):
            show(f"{column.column}: {words}")
    for remark in result.remarks:
        show(f"note: {remark}", style="yellow")


def _row(column: "ColumnDrift") -> tuple[object, ...]:
    moved = column.outcome.value != "ok"
    before, now = (f"{100 * each:.0f}" for each in (column.missing_baseline, column.missing))
    return (
        column.column,
        _number(column.psi),
        _number(column.jensen_shannon),
        _number(column.wasserstein),
        f"{now} %" if now == before else f"{before} → {now} %",
        "" if column.p_value is None else _chance(column.p_value),
        Text(column.outcome.value, style="bold red" if moved else "green"),
    )


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 100 else f"{value:.2g}"


def _chance(p_value: float) -> str:
    return f"{p_value:.3f}" if p_value >= 0.001 else "< 0.001"


def _names(column: "ColumnDrift") -> str:
    """Return which names came and went, if it is a category."""
    new = [f"{each.name!r} ({100 * each.share:.1f} %)" for each in column.new_categories]
    told = {"new": new, "vanished": [repr(name) for name in column.vanished]}
    return ", ".join(
        f"{word} {', '.join(names[:_SAID_OF_COLUMNS])}"
        + (f" and {len(names) - _SAID_OF_COLUMNS} more" if len(names) > _SAID_OF_COLUMNS else "")
        for word, names in told.items()
        if names
    )
