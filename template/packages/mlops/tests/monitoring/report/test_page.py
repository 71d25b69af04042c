"""The page: what it says, and that nothing breaks out of it."""

import re
import warnings
from dataclasses import replace

import polars as pl
import pytest

from fakes.endpoint import FakeEndpoint
from fakes.watched import (
    MONTH,
    NOW,
    alert_states,
    busy_events,
    decisions,
    drift,
    performance,
    release,
)
from mlops.artifacts.predictions import Predictions, event_schema
from mlops.monitoring.alert_state import Outcome
from mlops.monitoring.report.alert_sections import alert_section, decision_section
from mlops.monitoring.report.collect import deployments_of
from mlops.monitoring.report.content import Page, Section, Serving
from mlops.monitoring.report.page import render, told
from mlops.monitoring.report.sections import (
    ab_section,
    drift_section,
    performance_section,
    release_section,
    request_section,
)
from mlops.platforms.lease_terms import WayBack

EVIL = '<script>alert("1")</script>'


def page(*sections: Section, url: str = "", problem: str = "") -> str:
    serving = Serving("prod", "tiny-prod", url, problem, sections=sections)
    return render(Page("Tiny", EVIL, "team", "t@example.com", NOW, MONTH, [serving]))


def test_a_busy_endpoint_is_shown_with_pictures_and_their_numbers() -> None:
    section = request_section("prod", busy_events(), MONTH)
    assert [chart.title for chart in section.charts] == ["Traffic", "Latency", "Errors"]
    assert section.notes == ("12 events were dropped by the servers: what follows lacks them.",)
    text = page(section)
    assert text.count("<svg role=") == 3
    assert "4,000 predictions from 2026-05-31 to 2026-06-30" in text
    assert "blue, version 1" in text


def test_what_a_rehearsal_generated_is_said() -> None:
    generated = busy_events(50).rows.with_columns(source=pl.lit("generated"))
    section = request_section("prod", Predictions(generated), MONTH)
    assert section.notes == ("A rehearsal generated 50 of these requests.",)


def test_the_worst_of_the_alerts_is_that_of_the_section() -> None:
    states = alert_states()
    section = alert_section("prod", states)
    assert section.outcome is not None
    assert (section.outcome.word, section.outcome.tone) == ("alarm", "bad")
    assert section.table is not None
    assert [row[2] for row in section.table.rows] == ["ok", "alarm", "not enough", "not serving"]
    text = page(section)
    assert "&lt;error-rate&gt; is 1" in text
    for outcomes, word in (
        ((Outcome.OK, Outcome.NOT_ENOUGH), "not enough"),
        ((Outcome.OK, Outcome.NOT_SERVING), "ok"),
        ((Outcome.NOT_ENOUGH, Outcome.UNREAD), "not read"),
    ):
        found = [
            replace(state, outcome=each) for state, each in zip(states, outcomes, strict=False)
        ]
        outcome = alert_section("prod", found).outcome
        assert outcome is not None
        assert outcome.word == word
    nothing = alert_section("prod", [])
    assert nothing.outcome is not None
    assert nothing.outcome.word == "nothing serves"


def test_what_was_done_stands_newest_first_and_not_without_end() -> None:
    section = decision_section(decisions(60))
    assert section.table is not None
    assert len(section.table.rows) == 50
    assert section.notes == ("And 10 before these.",)
    assert section.table.rows[0][0] > section.table.rows[-1][0]
    few = decision_section(decisions(3))
    assert few.table is not None
    assert [row[1] for row in few.table.rows] == ["incident", "rollback", "alert"]
    assert few.notes == ()
    assert decision_section([]).empty


def test_what_was_not_read_is_named() -> None:
    found = replace(busy_events(50), unread={"2026-06-01/a.jsonl": "it is no JSON"}, dropped=0)
    assert request_section("prod", found, MONTH).notes == (
        "Not read: 2026-06-01/a.jsonl: it is no JSON.",
    )


def test_without_events_nothing_seen_is_said_not_that_all_is_well() -> None:
    import polars as pl

    nothing = Predictions(pl.LazyFrame(schema=event_schema()))
    section = request_section("prod", nothing, MONTH)
    assert (section.outcome and section.outcome.word, section.charts) == ("nothing seen", ())
    assert "telemetry.enabled" in section.empty


def test_what_is_kept_as_the_way_back_says_until_when() -> None:
    endpoint = FakeEndpoint()
    endpoint.serve("blue", 1)
    endpoint.serve("green", 2, share=100)
    endpoint.kept_back = WayBack("blue", 1, NOW, withdraws=2)
    states = [row[3] for row in deployments_of(endpoint).rows]
    assert states == [f"healthy, kept until {NOW:%Y-%m-%d %H:%M} UTC", "healthy"]
    endpoint.dead.add("blue")
    assert deployments_of(endpoint).rows[0][3].startswith("not running, kept until")
    endpoint.kept_back = None
    assert [row[3] for row in deployments_of(endpoint).rows] == ["not running", "healthy"]


def test_releases_and_rollbacks_stand_newest_first() -> None:
    records = [release(20, "rejected"), release(10, "promoted"), release(1, "failed")]
    rolled = {
        "time": "2026-06-25T10:00:00+00:00",
        "kind": "rollback",
        "outcome": "rolled back",
        "model_version": 1,
        "traffic": "blue 100 %",
    }
    found = release_section(records, [rolled]).releases
    assert [(each.kind, each.outcome.word) for each in found] == [
        ("release", "failed"),
        ("rollback", "rolled back"),
        ("release", "promoted"),
        ("release", "rejected"),
    ]
    assert found[0].traffic == "green 100 %"
    assert found[1].reason == "outside a release, by hand or by an alert"


def test_the_last_ab_test_is_shown_with_its_evidence() -> None:
    records = [release(20, "rejected", tested=True), release(2, "promoted")]
    section = ab_section("prod", records)
    assert section.outcome is not None
    assert section.outcome.word == "promote"
    assert [chart.title for chart in section.charts] == ["Evidence on errors", "Evidence on slow"]
    assert ab_section("prod", records[1:]).empty


def test_it_asks_no_host_for_anything() -> None:
    text = page(
        request_section("prod", busy_events(), MONTH),
        ab_section("prod", [release(1, "promoted", tested=True)]),
    )
    assert re.findall(r"(?:src|href|action)=\"(?!#)", text) == []
    assert "default-src 'none'" in text
    assert set(re.findall(r"https?://[^\"'\s<]*", text)) <= {"http://www.w3.org/2000/svg"}
    assert "<script" not in text


@pytest.mark.parametrize("field", ["problem", "url"])
def test_no_text_becomes_markup(field: str) -> None:
    text = page(
        release_section([release(1, EVIL, reason=f"`{EVIL}`")], []),
        Section(EVIL, empty=EVIL, notes=(EVIL,)),
        **{field: EVIL},
    )
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 6


def test_ids_stand_once_and_all_that_is_referred_to_is_there() -> None:
    text = page(request_section("prod", busy_events(), MONTH), Section("Other"))
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    referred = re.findall(r'(?:url\(#|href="#|labelledby=")([^)"]+)', text)
    assert referred
    assert set(referred) <= set(ids)


def test_colours_are_the_page_s_own() -> None:
    svg = request_section("prod", busy_events(), MONTH).charts[0].svg
    assert "var(--series-0)" in svg
    assert "currentColor" in svg
    assert re.findall(r"#0[0-9a-f]{5}\b", svg) == []


def test_commands_are_marked_as_code() -> None:
    assert told("run `mlops <x>` now") == "run <code>mlops &lt;x&gt;</code> now"


def test_columns_that_moved_are_shown_at_once_and_the_others_on_request() -> None:
    section = drift_section("prod", drift().to_dict())
    assert section.outcome is not None
    assert (section.outcome.word, section.outcome.tone) == ("drift", "bad")
    assert [chart.title for chart in section.charts] == ["column_0", "column_1"]
    assert section.more_title == "Distributions of the 5 columns that did not move"
    assert section.more[-1].title == "the prediction"
    assert section.charts[1].numbers is not None
    assert section.charts[1].numbers.rows[0] == ("card", "70.0 %", "40.0 %")
    assert any("4,000 rows of version 1" in note for note in section.notes)
    text = page(section)
    assert text.count("<svg role=") == 7


def test_realised_and_estimated_performance_stand_apart() -> None:
    section = performance_section("prod", performance(), MONTH)
    assert section.outcome is not None
    assert (section.outcome.word, section.outcome.tone) == ("below", "bad")
    _, realised, estimated, of_slices = section.notes
    assert realised.startswith("Realised, by labels: f1 0.7200 on 2,880 labelled")
    assert "(72 % of those that are due), limit 0.7500" in realised
    assert estimated.startswith(
        "Estimated without labels, by the model's own confidence: f1 0.8200"
    )
    assert "cannot see that the world itself has changed" in estimated
    assert "not enough to tell" not in estimated
    few = performance()
    few["estimated"] |= {"rows": 1, "outcome": "not enough"}
    assert "f1 0.8200 on 1, not enough to tell" in performance_section("prod", few, MONTH).notes[2]
    assert section.table is not None
    assert of_slices == "Slices are shown, and the outcome is that of all together."
    assert section.table.rows[1] == ("country=FR", "12", "none", "not enough")
    assert section.charts[0].numbers is not None
    assert len(section.charts[0].numbers.rows) == 25


@pytest.mark.parametrize("delay", [0, 20, 60])
def test_the_picture_of_performance_reaches_back_to_the_first_late_label(delay: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as of a layout that has no room
        (chart,) = performance_section("prod", performance(delay), MONTH).charts
    width = float(re.findall(r'viewBox="0 0 ([0-9.]+)', chart.svg)[0])
    marks = [
        float(x) for x in re.findall(r'<use [^>]*x="([-0-9.]+)"[^>]*var\(--series-0\)', chart.svg)
    ]
    assert len(marks) == 25  # and the one of the legend
    assert 0 < min(marks) < 0.2 * width
    assert max(marks) < width
    assert max(marks) - min(marks) > 0.2 * width


def test_a_model_that_does_well_has_no_empty_sentence() -> None:
    section = performance_section("prod", performance(well=True), MONTH)
    assert section.outcome is not None
    assert (section.outcome.word, section.outcome.tone) == ("ok", "good")
    assert [note.split(" ")[0] for note in section.notes] == ["Realised,", "Estimated", "Slices"]


def test_an_estimate_that_has_no_reason_says_none() -> None:
    found = performance()
    found["estimated"] |= {"value": None, "reason": ""}
    found["realised"]["slices"] = []
    notes = performance_section("prod", found, MONTH).notes
    assert notes[-1] == "Estimated without labels: nothing."


@pytest.mark.parametrize(
    ("section", "command"),
    [
        (drift_section("prod", None), "drift --environment prod"),
        (performance_section("prod", None, MONTH), "feedback --environment prod"),
    ],
)
def test_what_was_never_checked_is_not_ok(section: Section, command: str) -> None:
    assert section.outcome is not None
    assert (section.outcome.word, section.outcome.tone) == ("not checked", "open")
    assert f"`uv run mlops {command}`" in section.empty
