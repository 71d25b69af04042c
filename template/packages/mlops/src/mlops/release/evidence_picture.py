"""What an A/B test found, as a picture."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mlops.release.ab_test.decision import AbResult
from mlops.release.ab_test.looks import RATES, Arm, Look, Phase, number

_COLOURS = {"baseline": "#8a8886", "candidate": "#0f6cbd", "limit": "#a4262c"}
_SMALLEST_SHOWN = 1e-3
_LARGEST_SHOWN = 1e9


def write_png(result: AbResult, path: Path) -> None:
    """Draw it into a file."""
    FigureCanvasAgg(draw(result)).print_png(path)


def draw(result: AbResult) -> Figure:
    """Draw the e-values over time with their limits, and the rates of both deployments."""
    figure = Figure(figsize=(11, 7), layout="constrained")
    axes = figure.subplots(2, len(RATES), sharex=True)
    for column, metric in enumerate(RATES):
        _draw_evidence(axes[0, column], result, metric)
        _draw_rates(axes[1, column], result, metric)
    figure.suptitle(f"{result.candidate} against {result.baseline}: {result.decision}")
    return figure


def _draw_evidence(axis: Axes, result: AbResult, metric: str) -> None:
    seconds = [look.seconds for look in result.looks]
    for name, colour, limit, label in (
        ("worse", _COLOURS["candidate"], result.limits.promote, "for promotion"),
        ("not_worse", _COLOURS["limit"], result.limits.reject, "for rejection"),
    ):
        values = [getattr(look.evidence[metric], name) for look in result.looks]
        shown = [min(max(value, _SMALLEST_SHOWN), _LARGEST_SHOWN) for value in values]
        axis.plot(seconds, shown, color=colour, marker=".", label=label)
        axis.axhline(limit, color=colour, linestyle="--", linewidth=1)
        axis.annotate(
            number(limit), (0, limit), xycoords=("axes fraction", "data"), color=colour, va="bottom"
        )
    _mark_share(axis, result)
    axis.set(title=f"Evidence on {metric}", ylabel="e-value (dashed: limit)", yscale="log")
    axis.legend()


def _draw_rates(axis: Axes, result: AbResult, metric: str) -> None:
    candidate, copies = result.candidate, f"copies to {result.candidate}"
    for label, colour, line, points in (
        (result.baseline, "baseline", "-", [(look, look.baseline) for look in result.looks]),
        (copies, "candidate", ":", _of_phase(result, "mirror")),
        (candidate, "candidate", "-", _of_phase(result, "share")),
    ):
        rates = [arm.rate(metric) for _, arm in points]
        percent = [float("nan") if rate is None else 100 * rate for rate in rates]
        seconds = [look.seconds for look, _ in points]
        axis.plot(seconds, percent, color=_COLOURS[colour], linestyle=line, marker=".", label=label)
    axis.set(title=f"Rate of {metric}", xlabel="seconds", ylabel="% of requests")
    margin = 100 * getattr(result.settings.margins, metric)
    axis.set_ylim(0, max(axis.get_ylim()[1], 1.5 * margin))
    axis.axhspan(0, margin, color=_COLOURS["baseline"], alpha=0.1, label="the margin's width")
    _mark_share(axis, result)
    axis.legend()


def _mark_share(axis: Axes, result: AbResult) -> None:
    """Mark where callers begin to be answered and what copies showed counts no more for it."""
    if (share := _of_phase(result, "share")) and len(share) < len(result.looks):
        axis.axvline(share[0][0].seconds, color=_COLOURS["baseline"], linewidth=1, linestyle=":")
        axis.annotate(
            " callers",
            (share[0][0].seconds, 1),
            xycoords=("data", "axes fraction"),
            color=_COLOURS["baseline"],
            va="top",
        )


def _of_phase(result: AbResult, phase: Phase) -> list[tuple[Look, Arm]]:
    return [(look, look.compared) for look in result.looks if look.phase == phase]
