"""What people see of a release while it runs, and when it has ended."""

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from fakes.records import MIRROR_LOOK, RECORD, RESULT, SETTINGS, SHARE_LOOK
from mlops.release.display import ReleaseView, show_record
from mlops.release.evidence import Record

Tables = dict[str, tuple[Sequence[str], Sequence[Sequence[object]]]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Tables:
    """The tables that were shown, by their titles."""
    found: Tables = {}

    def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        found[title] = columns, rows

    monkeypatch.setattr("mlops.release.display.show_table", show)
    return found


def test_the_end_is_shown_with_each_value_under_its_name(shown: Tables) -> None:
    show_record(RECORD)
    (_, rows), (columns, numbers) = shown.values()
    assert list(shown) == ["Release at tiny-prod", "A/B test: rates and e-values"]
    assert rows == [
        ("outcome", "promoted"),
        ("why", "it is as good"),
        ("compared", "blue version 9, green version 10"),
        ("traffic now", "green 98 %, red 2 %"),
        ("warning", RECORD.warning),
        ("callers", "d must be sent"),
        ("breaking, since", "they are told"),
        ("a rehearsal", "generated requests"),
        ("before callers", "green first got 50 copies of requests: errors 6.00 %, slow 8.00 %"),
    ]
    assert columns == ("", "blue", "green", "promote ≥ 25", "reject ≥ 51")
    assert numbers == [
        ("requests", "1,000", "200", "", ""),
        ("errors", "1.00 %", "2.50 %", "over a million", "0.25"),
        ("slow", "6.00 %", "3.50 %", "31", "0.12"),
    ]


def test_the_end_without_an_ab_test_is_shown_without_one(shown: Tables) -> None:
    record = Record("e", "blue", {"blue": 1}, "failed", "it broke", {}, {}, kind="A/B test")
    show_record(record)
    show_record(replace(RECORD, endpoint="f", ab_test=replace(RESULT, looks=())))
    assert list(shown) == ["A/B test at e", "Release at f"]
    assert shown["A/B test at e"][1] == [
        ("outcome", "failed"),
        ("why", "it broke"),
        ("deployed", "blue version 1"),
        ("traffic now", "none"),
    ]


def test_the_display_shows_traffic_and_evidence() -> None:
    view = ReleaseView(SETTINGS)
    screen = Console(width=120, record=True, file=io.StringIO())
    view.report("green answers 11 % of the requests")
    screen.print(view)
    assert "baseline" not in screen.export_text(clear=False)
    view.watch(SHARE_LOOK, {"blue": 89, "green": 11}, {})
    screen.print(view)
    text = screen.export_text()
    for words in ("answers 11 %", "blue 89 %", "green 11 %", "callers' requests, 2 s"):
        assert words in text
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines()]
    assert ["requests", "1,000", "200", "", ""] in cells
    assert ["errors", "1.00 %", "2.50 %", "over a million", "0.25"] in cells
    assert ["slow", "6.00 %", "3.50 %", "31", "0.12"] in cells
    unwrapped = " ".join(text.split())
    # the limits are those of the settings: 1 / 0.04, and 2 / 0.04 for one of two metrics
    assert "baseline ┃ candidate ┃ promote ≥ 25 ┃ reject ≥ 50" in unwrapped
    assert "the candidate first got 50 copies of requests: errors 6.00 %, slow 8.00 %" in unwrapped


def test_the_display_shows_copies_while_there_are_no_callers() -> None:
    view = ReleaseView(SETTINGS)
    screen = Console(width=120, record=True, file=io.StringIO())
    view.watch(MIRROR_LOOK, {"blue": 100, "green": 0}, {"green": 21})
    screen.print(view)
    text = screen.export_text()
    assert "copies of requests, 1 s" in text
    assert "blue 100 %  green 0 %  + copies of 21 % to green" in text


def test_a_line_says_each_number_of_what_it_is() -> None:
    view = ReleaseView(SETTINGS)
    assert view.sentence() == ""
    view.watch(SHARE_LOOK, {}, {})
    assert view.sentence() == (
        "2 s, 200 requests; e-values: errors: over a million for promotion, 0.25 for rejection; "
        "slow: 31 for promotion, 0.12 for rejection"
    )
    view.watch(MIRROR_LOOK, {}, {})
    assert view.sentence() == (
        "1 s, 50 copies; e-values: errors: 1.5 for promotion, 2.5 for rejection; "
        "slow: 3.5 for promotion, 4.5 for rejection"
    )


def test_where_nothing_can_be_drawn_lines_come_every_five_seconds() -> None:
    lines: list[str] = []
    view = ReleaseView(SETTINGS, lines.append)
    for seconds in (4.999, 5.0, 9.999, 10.0, 11.0):
        view.watch(replace(SHARE_LOOK, seconds=seconds), {"blue": 89, "green": 11}, {})
    assert [line.partition(",")[0] for line in lines] == ["5 s", "10 s"]
