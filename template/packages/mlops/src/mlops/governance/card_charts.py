"""The pictures of a card's page as SVG, drawn of the numbers that its tables show.

They are small enough to be written by hand, and follow the page's colours, light or dark.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from mlops.metrics import decimal

_WIDTH, _VALUES, _ROW, _SIZE = 360, 60, 38, 300
_LONGEST = 48


@dataclass(frozen=True)
class Bar:
    """One line of a picture: what it is called, its value, and the ends of its interval if any."""

    label: str
    value: float
    interval: tuple[float, float] | None = None


def slices_chart(evaluation: Mapping[str, Any], metric: str) -> Markup | None:
    """Draw the metric of each assessed group with its interval, and of all rows as a line."""
    bars = [
        Bar(f"{part['slice']}: {part['value']}", part["metrics"][metric], _ends(part["interval"]))
        for part in evaluation["slices"]
        if "gap" in part and len(part["of"]) == 1
    ]
    if not bars:
        return None
    overall = evaluation["slice_test"]["of_all_rows"]
    said = ", ".join(f"{bar.label} {decimal(bar.value)}" for bar in bars)
    return _dots(bars, f"{metric} of groups: {said}. Of all rows {decimal(overall)}.", overall)


def importance_chart(evaluation: Mapping[str, Any]) -> Markup | None:
    """Draw what shuffling each feature costs; None where it was not kept."""
    found = evaluation.get("importance")
    if found is None:
        return None
    bars = [Bar(name, value) for name, value in found["features"].items()]
    said = ", ".join(f"{bar.label} {decimal(bar.value)}" for bar in bars)
    return _dots(bars, f"{found['unit']} when a feature is shuffled: {said}.", 0.0)


def calibration_chart(evaluation: Mapping[str, Any]) -> Markup | None:
    """Draw what happened against what was predicted, bin by bin; None where there are no bins."""
    found = evaluation.get("calibration")
    if found is None:
        return None
    bins = [each for each in found["bins"] if each["rows"]]
    said = ", ".join(
        f"predicted {decimal(each['predicted'])}, observed {decimal(each['observed'])} "
        f"in {each['rows']} rows"
        for each in bins
    )
    left, side = 40, _SIZE - 60

    def across(value: float) -> str:
        return f"{left + side * value:.1f}"

    def up(value: float) -> str:
        return f"{10 + side * (1 - value):.1f}"

    parts = [_line(across(0), up(0), across(1), up(1), "var(--faint)", dashed=True)]
    for tick in (0.0, 0.5, 1.0):
        parts.append(_text(across(tick), str(side + 28), f"{tick:g}", "middle"))
        parts.append(_text(str(left - 6), up(tick), f"{tick:g}", "end"))
    parts.append(_text(across(0.5), str(side + 45), "predicted", "middle"))
    parts.append(_line(across(0), up(0), across(1), up(0), "var(--faint)"))
    parts.append(_line(across(0), up(0), across(0), up(1), "var(--faint)"))
    for each in bins:
        low, high = each["interval"]
        x = across(each["predicted"])
        parts.append(_line(x, up(low), x, up(high), "var(--series-0)"))
        parts.append(_dot(x, up(each["observed"])))
    return _svg(_SIZE, _SIZE, f"Calibration: {said}.", parts)


def _dots(bars: Sequence[Bar], summary: str, line: float) -> Markup:
    ends = [line] + [end for bar in bars for end in (bar.value, *(bar.interval or ()))]
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0
    wide = _WIDTH - _VALUES - 16

    def across(value: float) -> str:
        return f"{8 + wide * (value - low) / span:.1f}"

    height = _ROW * len(bars) + 4
    parts = [_line(across(line), "0", across(line), str(height), "var(--faint)", dashed=True)]
    for n, bar in enumerate(bars):
        y = str(_ROW * n + 30)
        label = bar.label if len(bar.label) <= _LONGEST else f"{bar.label[: _LONGEST - 1]}…"
        parts.append(_text("0", str(_ROW * n + 12), label, "start"))
        start, end = bar.interval or (line, bar.value)
        parts.append(_line(across(start), y, across(end), y, "var(--series-0)"))
        parts.append(_dot(across(bar.value), y))
        parts.append(_text(str(_WIDTH - 2), y, decimal(bar.value), "end"))
    return _svg(_WIDTH, height, summary, parts)


def _ends(interval: Sequence[float] | None) -> tuple[float, float] | None:
    return None if interval is None else (interval[0], interval[1])


def _svg(width: int, height: int, summary: str, parts: Sequence[Markup]) -> Markup:
    head = Markup('<svg role="img" aria-label="{}" viewBox="0 0 {} {}">').format(
        summary, width, height
    )
    return head + Markup("").join(parts) + Markup("</svg>")


def _line(x1: str, y1: str, x2: str, y2: str, colour: str, *, dashed: bool = False) -> Markup:
    return Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="{}"{}/>').format(
        x1,
        y1,
        x2,
        y2,
        colour,
        "1" if dashed else "2",
        Markup(' stroke-dasharray="4 3"') if dashed else "",
    )


def _dot(x: str, y: str) -> Markup:
    return Markup('<circle cx="{}" cy="{}" r="4" fill="var(--series-0)"/>').format(x, y)


def _text(x: str, y: str, text: str, anchor: str) -> Markup:
    return Markup(
        '<text x="{}" y="{}" text-anchor="{}" dominant-baseline="central" font-size="12" '
        'fill="currentColor">{}</text>'
    ).format(x, y, anchor, escape(text))
