"""What remains of a release can be read, and looked at."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlops.checks import Check
from mlops.release.ab_test.decision import AbResult, limits_of
from mlops.release.ab_test.looks import Arm, Look
from mlops.release.ab_test.sequential import Evidence
from mlops.release.display import ReleaseView
from mlops.release.evidence import Record, ab_columns, ab_rows, draw, write_evidence
from mlops.release.smoke import SmokeResult
from mlops.settings.sections import AbTestSettings

SETTINGS = AbTestSettings()
MOMENT = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)


def look(seconds: float, requests: int, worse: float, phase: Any = "share") -> Look:
    evidence = Evidence(requests, worse, 0.5)
    arms = Arm(9 * requests, 9, 0), Arm(requests, 1, 2), Arm(50, 2, 1)
    return Look(seconds, phase, *arms, {"errors": evidence, "slow": evidence})


@pytest.fixture
def record() -> Record:
    looks = (look(1, 0, 1.0, "mirror"), look(2, 100, float("inf")))
    result = AbResult("blue", "green", "promote", "good", limits_of(SETTINGS), SETTINGS, looks)
    return Record(
        endpoint="tiny-prod",
        candidate="green",
        versions={"blue": 9, "green": 10},
        outcome="promoted",
        reason="it is as good",
        traffic_before={"blue": 100, "green": 0},
        traffic_after={"green": 100},
        rehearsal="generated requests",
        smoke=SmokeResult("tiny-prod", (Check("a | b", "1", "1", True),)),
        ab_test=result,
    )


def test_evidence_is_json_a_page_and_a_picture(tmp_path: Path, record: Record) -> None:
    folder = write_evidence(tmp_path, record, MOMENT)
    assert folder.parent == tmp_path / "releases" / "tiny-prod"

    def refuse(constant: str) -> Any:
        raise AssertionError(constant)

    content = json.loads((folder / "evidence.json").read_text(), parse_constant=refuse)
    assert (content["schema"], content["outcome"]) == (1, "promoted")
    assert content["ab_test"]["looks"][-1]["candidate"] == {"requests": 100, "errors": 1, "slow": 2}
    assert content["ab_test"]["looks"][-1]["copies"] == {"requests": 50, "errors": 2, "slow": 1}
    page = (folder / "evidence.md").read_text()
    for words in (
        "# tiny-prod: promoted",
        "- green: version 10",
        "A rehearsal: generated requests",
        "| requests | 900 | 100 |",
        "| errors | 1.00 % | 1.00 % | over a million | 0.5 |",
        "green first got 50 copies of requests: errors 4.00 %, slow 2.00 %.",
        "no answer within 2000 ms",
        "![E-values and rates over time](evidence.png)",
        "a \\| b",
    ):
        assert words in page
    assert (folder / "evidence.png").read_bytes().startswith(b"\x89PNG")


def test_a_release_without_ab_test_has_no_picture(tmp_path: Path) -> None:
    record = Record("e", "blue", {"blue": 1}, "failed", "it broke", {}, {}, candidate_log="why")
    folder = write_evidence(tmp_path, record)
    assert {path.name for path in folder.iterdir()} == {
        "evidence.json",
        "evidence.md",
        "candidate.log",
    }
    assert "candidate.log" in (folder / "evidence.md").read_text()


def test_the_picture_shows_evidence_and_rates_of_each_metric(record: Record) -> None:
    assert record.ab_test
    titles = [axis.get_title() for axis in draw(record.ab_test).axes]
    assert titles == [
        "Evidence on errors",
        "Evidence on slow",
        "Rate of errors",
        "Rate of slow",
    ]


def test_copies_and_callers_are_drawn_as_two_lines(record: Record) -> None:
    assert record.ab_test
    rates = draw(record.ab_test).axes[2]
    lines = {line.get_label(): list(line.get_xdata()) for line in rates.get_lines()[:3]}
    assert lines == {"blue": [1, 2], "copies to green": [1], "green": [2]}


def test_a_table_says_whether_it_shows_copies_or_callers() -> None:
    during, after = look(1, 100, 1.0, "mirror"), look(2, 100, 1.0)
    limits = limits_of(SETTINGS)
    assert ab_columns("blue", "green", limits, during)[1:3] == ("blue", "copies to green")
    assert ab_rows(during)[0] == ("requests", "900", "50", "", "")
    assert ab_rows(during)[1][:3] == ("errors", "1.00 %", "4.00 %")
    assert ab_columns("blue", "green", limits, after)[1:3] == ("blue", "green")
    assert ab_rows(after)[0] == ("requests", "900", "100", "", "")


def test_the_display_shows_traffic_and_evidence() -> None:
    from rich.console import Console

    view = ReleaseView(SETTINGS)
    screen = Console(width=120, record=True, file=io.StringIO())
    view.report("green answers 10 % of the requests")
    screen.print(view)
    assert "baseline" not in screen.export_text(clear=False)
    view.watch(look(3, 100, 7.0), {"blue": 90, "green": 10}, {})
    screen.print(view)
    shown = screen.export_text()
    for words in ("answers 10 %", "blue 90 %", "green 10 %", "requests, 3 s", "promote ≥ 20"):
        assert words in shown
    unwrapped = " ".join(shown.split())
    assert "the candidate first got 50 copies of requests: errors 4.00 %, slow 2.00 %" in unwrapped
    view.watch(look(2, 100, 7.0, "mirror"), {"blue": 100}, {"green": 20})
    assert "2 s, 50 copies" in view.sentence()


def test_where_nothing_can_be_drawn_lines_come_now_and_then() -> None:
    lines: list[str] = []
    view = ReleaseView(SETTINGS, lines.append)
    for second in range(12):
        view.watch(look(second, 100, 7.0), {"blue": 90, "green": 10}, {})
    assert [line.partition(",")[0] for line in lines] == ["5 s", "10 s"]
    assert "errors: 7 for promotion, 0.5 for rejection" in lines[0]
