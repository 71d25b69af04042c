"""The picture of an A/B test: its lines are drawn from the numbers that they are labelled with."""

import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fakes.records import MIRROR_LOOK, RESULT, SHARE_LOOK
from mlops.release.ab_test.sequential import Evidence
from mlops.release.evidence_picture import draw


@pytest.fixture(scope="module")
def figure() -> Figure:
    return draw(RESULT)


def points(axis: Axes) -> dict[str, list[tuple[float, float]]]:
    """The points of each line that has a label."""
    found = {}
    for line in axis.get_lines():
        label = str(line.get_label())
        if not label.startswith("_"):
            x, y = (np.asarray(each, dtype=float) for each in (line.get_xdata(), line.get_ydata()))
            found[label] = [(float(a), round(float(b), 9)) for a, b in zip(x, y, strict=True)]
    return found


def levels(axis: Axes) -> set[float]:
    """The heights of the dashed lines."""
    dashed = [line for line in axis.get_lines() if line.get_linestyle() == "--"]
    return {float(np.asarray(line.get_ydata(), dtype=float)[0]) for line in dashed}


def test_each_part_says_what_it_shows(figure: Figure) -> None:
    assert [axis.get_title() for axis in figure.axes] == [
        "Evidence on errors",
        "Evidence on slow",
        "Rate of errors",
        "Rate of slow",
    ]
    assert figure.get_suptitle() == "green against blue: promote"


def test_evidence_is_drawn_with_its_limits(figure: Figure) -> None:
    errors, slow = figure.axes[:2]
    assert points(errors) == {
        "for promotion": [(1.23456, 1.5), (2.5, 1e9)],
        "for rejection": [(1.23456, 2.5), (2.5, 0.25)],
    }
    assert points(slow) == {
        "for promotion": [(1.23456, 3.5), (2.5, 31.0)],
        "for rejection": [(1.23456, 4.5), (2.5, 0.125)],
    }
    assert levels(errors) == levels(slow) == {25.0, 51.0}


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, 1e-3), (1e-3, 1e-3), (2e-3, 2e-3), (9e8, 9e8), (1e9, 1e9), (2e9, 1e9)],
)
def test_what_is_too_small_or_large_is_drawn_at_the_edge(value: float, shown: float) -> None:
    evidence = {"errors": Evidence(1, value, 1.0), "slow": Evidence(1, 1.0, 1.0)}
    drawn = draw(replace(RESULT, looks=(replace(SHARE_LOOK, evidence=evidence),)))
    assert points(drawn.axes[0])["for promotion"] == [(2.5, shown)]


def test_copies_and_callers_are_drawn_as_two_lines(figure: Figure) -> None:
    errors, slow = figure.axes[2:]
    assert points(errors) == {
        "blue": [(1.23456, round(100 / 90, 9)), (2.5, 1.0)],
        "copies to green": [(1.23456, 6.0)],
        "green": [(2.5, 2.5)],
    }
    assert points(slow) == {
        "blue": [(1.23456, round(200 / 90, 9)), (2.5, 6.0)],
        "copies to green": [(1.23456, 8.0)],
        "green": [(2.5, 3.5)],
    }


def test_no_requests_are_no_point() -> None:
    empty = replace(MIRROR_LOOK, copies=replace(MIRROR_LOOK.copies, requests=0))
    (point,) = points(draw(replace(RESULT, looks=(empty,))).axes[2])["copies to green"]
    assert math.isnan(point[1])


@pytest.mark.parametrize(("column", "margin"), [(0, 1.3), (1, 5.7)])
def test_the_margins_width_is_shown_in_percent(figure: Figure, column: int, margin: float) -> None:
    axis = figure.axes[2 + column]
    (band,) = axis.patches
    assert band.get_label() == "the margin's width"
    box = band.get_path().get_extents(band.get_patch_transform())
    assert (box.y0, box.y1) == (0, pytest.approx(margin))
    assert axis.get_ylim()[1] >= 1.5 * margin


def marks(axis: Axes) -> list[tuple[float, float]]:
    """Where it says from when on callers were answered."""
    return [text.xy for text in axis.texts if text.get_text() == " callers"]  # type: ignore[attr-defined]


def test_it_is_marked_from_when_on_callers_were_answered(figure: Figure) -> None:
    for axis in figure.axes:
        assert marks(axis) == [(2.5, 1)]
    for looks in ((SHARE_LOOK,), (MIRROR_LOOK,)):
        assert marks(draw(replace(RESULT, looks=looks)).axes[0]) == []
