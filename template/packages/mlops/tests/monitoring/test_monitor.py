"""Each alert fires on the rows of its fault, not without it, and not below its least count."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fakes.alerts import ALERTS, ENOUGH, NOON, check, requests, states, watched
from fakes.endpoint import FakeEndpoint
from fakes.queries import events
from mlops.errors import ConfigError
from mlops.monitoring.alert_state import NOTHING_SERVES, AlertState, Deed, Monitored, Outcome
from mlops.monitoring.decisions import Kind
from mlops.monitoring.monitor import evaluate_alerts
from mlops.monitoring.rules.shapes import Condition
from mlops.platforms.base import NotObserved
from mlops.settings.loading import LoadedSettings
from mlops.window import Window

FAULTS: dict[str, tuple[FakeEndpoint, FakeEndpoint]] = {
    "latency": (watched(requests(ENOUGH, 6, fault="slow")), watched(requests(ENOUGH))),
    "error-rate": (watched(requests(ENOUGH, 6, fault="failed")), watched(requests(ENOUGH))),
    "drift": (watched([], check("drift", "drift")), watched([], check("drift", "ok"))),
    "performance": (
        watched([], check("performance", "below")),
        watched([], check("performance", "ok")),
    ),
}
"""Of each alert rows with its fault, and the same without."""


def state_of(endpoint: FakeEndpoint, settings: LoadedSettings, name: str) -> AlertState:
    (found,) = states(endpoint, settings, name)
    return found


@pytest.mark.parametrize("name", ALERTS)
def test_it_fires_on_bad_rows_and_not_on_the_same_rows_without_the_fault(
    settings: LoadedSettings, name: str
) -> None:
    bad, sound = (state_of(each, settings, name) for each in FAULTS[name])
    assert (bad.outcome, sound.outcome) == (Outcome.ALARM, Outcome.OK)
    assert (bad.model_version, sound.model_version) == (3, 3)
    assert f"{bad.limit:g}" in bad.reason


@pytest.mark.parametrize(("name", "fault"), [("latency", "slow"), ("error-rate", "failed")])
def test_below_its_least_count_it_says_nothing_and_that_is_not_ok(
    settings: LoadedSettings, name: str, fault: str
) -> None:
    few = ENOUGH - 1
    for rows in (requests(few, few, fault=fault), requests(few)):
        found = state_of(watched(rows), settings, name)
        assert found.outcome is Outcome.NOT_ENOUGH
        assert "99 events in" in found.reason
        assert "100 are needed" in found.reason
    assert state_of(watched([]), settings, name).outcome is Outcome.NOT_ENOUGH


@pytest.mark.parametrize(
    ("name", "bad", "outcome"),
    [("error-rate", 5, Outcome.OK), ("error-rate", 6, Outcome.ALARM), ("latency", 5, Outcome.OK)],
)
def test_the_limit_itself_is_no_alarm(
    settings: LoadedSettings, name: str, bad: int, outcome: Outcome
) -> None:
    fault = {"latency": "slow", "error-rate": "failed"}[name]
    assert state_of(watched(requests(ENOUGH, bad, fault=fault)), settings, name).outcome is outcome


def test_a_limit_is_that_of_conf(load: Any) -> None:
    endpoint = watched(requests(ENOUGH, 6, fault="failed"))
    assert states(endpoint, load(alerts__error_rate=0.07), "error-rate")[0].outcome is Outcome.OK


@pytest.mark.parametrize(
    "rows",
    [
        requests(ENOUGH, ENOUGH, fault="refused"),
        [*requests(ENOUGH), *requests(50, 50, fault="failed", source="direct")],
        [*requests(ENOUGH), *requests(50, 50, fault="failed", source="generated")],
        [
            *requests(ENOUGH),
            *(
                {**each, "time": NOON - timedelta(minutes=11)}
                for each in requests(50, 50, fault="failed")
            ),
        ],
    ],
    ids=["mistakes of callers", "the commands' own", "a rehearsal's", "those of before"],
)
def test_what_is_no_failure_of_the_server_now_raises_no_alarm(
    settings: LoadedSettings, rows: list[dict[str, Any]]
) -> None:
    assert state_of(watched(rows), settings, "error-rate").outcome is Outcome.OK


def test_an_old_version_cannot_hide_a_new_one(settings: LoadedSettings) -> None:
    rows = [
        *requests(9 * ENOUGH, deployment="blue", model_version=2),
        *requests(ENOUGH, 20, fault="failed"),
    ]
    endpoint = watched(rows)
    endpoint.set_traffic({"blue": 90, "green": 10})
    found = {each.model_version: each.outcome for each in states(endpoint, settings, "error-rate")}
    assert found == {2: Outcome.OK, 3: Outcome.ALARM}


def test_a_version_that_answers_nobody_any_more_raises_no_alarm(settings: LoadedSettings) -> None:
    rows = [
        *requests(ENOUGH, ENOUGH, fault="failed", deployment="blue", model_version=2),
        *requests(ENOUGH),
    ]
    found = {
        each.model_version: each.outcome for each in states(watched(rows), settings, "error-rate")
    }
    assert found == {2: Outcome.NOT_SERVING, 3: Outcome.OK}


def test_evidence_of_another_version_is_none_of_the_one_that_serves(
    settings: LoadedSettings,
) -> None:
    endpoint = watched([], check("drift", "ok", model_version=2, deployment="blue"))
    found = {each.model_version: each for each in states(endpoint, settings, "drift")}
    assert found[2].outcome is Outcome.NOT_SERVING
    assert found[3].outcome is Outcome.NOT_ENOUGH
    assert "no check of version 3 in 24h" in found[3].reason


@pytest.mark.parametrize(
    ("name", "checks", "outcome", "reason"),
    [
        ("drift", [], Outcome.NOT_ENOUGH, "no check of version 3 in 24h: `uv run mlops drift`"),
        ("drift", [check("drift", "ok", 25 * 60)], Outcome.NOT_ENOUGH, "no check"),
        ("drift", [check("drift", "not enough")], Outcome.NOT_ENOUGH, "says not enough"),
        ("drift", [check("drift", "schema broken")], Outcome.ALARM, "found is 1 on 1 checks"),
        (
            "drift",
            [check("drift", "ok", column="a"), check("drift", "drift", column="a")],
            Outcome.NOT_ENOUGH,
            "",
        ),
        ("performance", [], Outcome.NOT_ENOUGH, "`uv run mlops feedback`"),
        # that of the look before, as the newest reaches Azure only after this look
        ("performance", [check("performance", "below", 75)], Outcome.ALARM, "below is 1"),
        ("performance", [check("performance", "ok", 75)], Outcome.OK, "below is 0"),
        ("performance", [check("performance", "below", 121)], Outcome.NOT_ENOUGH, "no check"),
        # below for an hour: so says the check before, too
        (
            "performance",
            [check("performance", "ok", 65), check("performance", "below", 5)],
            Outcome.OK,
            "below is 0.5",
        ),
        (
            "performance",
            [check("performance", "below", 65), check("performance", "below", 5)],
            Outcome.ALARM,
            "below is 1 on 2 checks",
        ),
        (
            "performance",
            [check("performance", "below"), check("performance", "ok", 30)],
            Outcome.OK,
            "below is 0.5",
        ),
        ("performance", [check("performance", "below", kind="estimated")], Outcome.NOT_ENOUGH, ""),
        (
            "performance",
            [check("performance", "below", slice="a=1"), check("performance", "ok")],
            Outcome.OK,
            "",
        ),
    ],
)
def test_a_check_that_is_missing_or_old_is_no_evidence(
    settings: LoadedSettings,
    name: str,
    checks: list[dict[str, Any]],
    outcome: Outcome,
    reason: str,
) -> None:
    found = state_of(watched([], *checks), settings, name)
    assert found.outcome is outcome
    assert reason in found.reason


def test_where_nothing_serves_only_what_there_is_evidence_for_is_told(
    settings: LoadedSettings,
) -> None:
    assert states(FakeEndpoint("tiny-prod"), settings) == []
    scored = FakeEndpoint("tiny-prod")
    scored.keep_checks([check("drift", "drift", deployment=None)])
    (found,) = states(scored, settings)
    assert (found.alert.id, found.outcome) == ("drift", Outcome.ALARM)


def test_a_deployment_with_a_small_share_that_leaves_no_event_is_no_all_clear(
    settings: LoadedSettings,
) -> None:
    """As one that crashed: the front answers in its place."""
    endpoint = watched(requests(ENOUGH))
    endpoint.set_traffic({"blue": 10, "green": 90})
    found = states(endpoint, settings, "latency")
    assert [(each.deployment, each.outcome) for each in found] == [
        ("green", Outcome.OK),
        ("blue", Outcome.NOT_ENOUGH),
    ]
    assert found[1].reason == "0 events in 5m, 100 are needed"


def test_events_that_cannot_be_read_are_no_all_clear(
    settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = watched(requests(ENOUGH), check("drift", "ok"))
    endpoint.events = replace(endpoint.events, unread={"blue.jsonl": "3 of its lines"})
    assert state_of(endpoint, settings, "latency").outcome is Outcome.NOT_ENOUGH
    endpoint.events = replace(endpoint.events, unread={}, dropped=7)
    found = state_of(endpoint, settings, "latency")
    assert (found.outcome, found.reason[:25]) == (Outcome.NOT_ENOUGH, "7 events were dropped bef")
    endpoint.events = replace(
        endpoint.events, rows=events(*requests(ENOUGH, 9, fault="slow")).lazy()
    )
    assert state_of(endpoint, settings, "latency").outcome is Outcome.ALARM

    def unseen(_window: Window, _features: Any = None) -> Any:
        raise NotObserved("Log Analytics answered 503")

    monkeypatch.setattr(endpoint, "predictions", unseen)
    outcomes = {each.alert.id: each.outcome for each in states(endpoint, settings)}
    assert outcomes["latency"] is outcomes["error-rate"] is Outcome.UNREAD
    assert outcomes["drift"] is Outcome.OK, "one source that cannot be read hides no other"


@pytest.mark.parametrize(
    ("where", "outcome"),
    [
        ([{"column": "source", "operator": "==", "value": "request"}], Outcome.OK),
        ([{"column": "source", "operator": "!=", "value": "score"}], Outcome.OK),
        ([{"column": "source", "operator": "in", "value": ["request", "x"]}], Outcome.OK),
        ([{"column": "source", "operator": "in", "value": ["score", "x"]}], Outcome.NOT_ENOUGH),
        ([{"column": "source", "operator": "!=", "value": "x"}], Outcome.NOT_ENOUGH),
        ([{"column": "source", "operator": "filled"}], Outcome.NOT_ENOUGH),
        ([], Outcome.NOT_ENOUGH),
    ],
)
def test_what_scoring_jobs_left_casts_doubt_on_alerts_alone_that_ask_for_it(
    settings: LoadedSettings, where: list[dict[str, Any]], outcome: Outcome
) -> None:
    endpoint = watched([*requests(ENOUGH), *requests(ENOUGH, source="score")])
    endpoint.events = replace(
        endpoint.events,
        unread={"score-1/part-00000.parquet": "it cannot be read"},
        of_scores=frozenset({"score-1/part-00000.parquet"}),
    )
    conditions = tuple(Condition.model_validate(each) for each in where)
    alert = ALERTS["latency"].model_copy(update={"where": conditions})
    (found,) = evaluate_alerts(endpoint, settings, [alert], NOON)
    assert found.outcome is outcome
    both = {**endpoint.events.unread, "2026-06-30/blue.jsonl": "3 of its lines are no events"}
    endpoint.events = replace(endpoint.events, unread=both)
    (found,) = evaluate_alerts(endpoint, settings, [alert], NOON)
    assert found.outcome is Outcome.NOT_ENOUGH


def test_events_of_all_alerts_are_read_once(
    settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = watched(requests(ENOUGH))
    asked: list[Window] = []
    read = endpoint.predictions

    def noted(window: Window) -> Any:
        asked.append(window)
        return read(window)

    monkeypatch.setattr(endpoint, "predictions", noted)
    states(endpoint, settings)
    assert asked == [Window.last(timedelta(minutes=10), NOON)]


def test_a_limit_that_is_null_is_refused(settings: LoadedSettings) -> None:
    values = settings.values.alerts.model_copy(update={"error_rate": None})
    without = replace(settings, values=settings.values.model_copy(update={"alerts": values}))
    with pytest.raises(ConfigError, match=r"alerts\.error_rate is null"):
        states(watched([]), without)


FAILED = Deed(Kind.NOTIFICATION, "latency", "failed", "it answered 500", "teams", failed=True)


@pytest.mark.parametrize(
    ("outcomes", "extra", "outcome", "code"),
    [
        (["ok", "alarm", "not enough", "not read"], {"deeds": (FAILED,)}, "alarm", 1),
        (["ok", "not enough", "not read"], {}, "failed", 3),
        (["ok", "not enough"], {"deeds": (FAILED,)}, "failed", 3),
        (["ok", "not enough"], {"rules": (("latency", "switched off"),)}, "failed", 3),
        (["ok", "not enough"], {}, "not enough", 4),
        (["ok", "not serving"], {"deeds": (replace(FAILED, failed=False),)}, "ok", 0),
        (["ok"], {"serves": False}, "ok", 0),
        ([], {"serves": False}, NOTHING_SERVES, 0),
        ([], {"serves": False, "deeds": (FAILED,)}, "failed", 3),
    ],
)
def test_what_is_worse_decides_how_the_command_ends(
    outcomes: list[str], extra: dict[str, Any], outcome: str, code: int
) -> None:
    window = Window.last(timedelta(minutes=5), NOON)
    found = [AlertState(ALERTS["latency"], Outcome(each), "", window, 5) for each in outcomes]
    monitored = Monitored(
        **{
            "environment": "prod",
            "endpoint": "tiny-prod",
            "time": NOON,
            "serves": True,
            "states": tuple(found),
            **extra,
        }
    )
    assert (monitored.outcome, monitored.exit_code) == (outcome, code)
    assert [each["outcome"] for each in monitored.to_dict()["alerts"]] == outcomes
