"""What was there between two looks is found as a look would have found it then."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from fakes.alerts import ALERTS, NOON, watched
from fakes.endpoint import FakeEndpoint
from fakes.queries import event, events
from mlops.monitoring.past_alarms import (
    LONGEST,
    PastAlarm,
    keep_look,
    look_back,
    past_alarms,
)
from mlops.monitoring.rules.evaluate import END, evaluate, evaluate_sliding, last_window
from mlops.platforms.base import NotObserved
from mlops.settings.loading import LoadedSettings
from mlops.window import Window, span_of

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def minute_of(
    minutes: float, count: int = 60, failed: int = 0, **values: Any
) -> list[dict[str, Any]]:
    """Return the requests of one minute that began so many minutes before noon."""
    sound: dict[str, Any] = {"endpoint": "tiny-prod", "deployment": "green", "model_version": 3}
    start = NOON - minutes * MINUTE
    return [
        {
            **event(**sound, row=0),
            "time": start + number * MINUTE / count,
            "status": 500 if number < failed else 200,
            **values,
        }
        for number in range(count)
    ]


def day(**bad: Any) -> list[dict[str, Any]]:
    """Return the requests of four hours, of which those of twenty minutes can be bad."""
    rows = []
    for minutes in range(1, 240):
        spike = 30 <= minutes < 50
        rows += minute_of(minutes, **(bad if spike else {}))
    return rows


SPIKE = day(failed=12)


def found(
    endpoint: FakeEndpoint, settings: LoadedSettings, *names: str, since: datetime = NOON - HOUR
) -> list[PastAlarm]:
    asked = [ALERTS[name] for name in names or ALERTS]
    return list(past_alarms(endpoint, settings, asked, since, NOON))


def test_a_spike_between_two_looks_is_found_with_its_time(settings: LoadedSettings) -> None:
    (alarm,) = found(watched(SPIKE), settings)
    assert (alarm.alert.id, alarm.deployment, alarm.model_version) == ("error-rate", "green", 3)
    assert (alarm.began, alarm.last) == (NOON - 45 * MINUTE, NOON - 25 * MINUTE)
    assert (alarm.value, alarm.windows, alarm.limit) == (0.2, 5, 0.05)
    assert "from 2026-06-30 11:15 to 2026-06-30 11:35 UTC, in 5 windows of 10m" in alarm.reason
    assert "at worst error_rate is 0.2 on 600 events" in alarm.reason


def test_slow_answers_are_found_too(settings: LoadedSettings) -> None:
    (alarm,) = found(watched(day(latency_ms=900.0)), settings)
    assert (alarm.alert.id, alarm.value) == ("latency", 900.0)
    assert (alarm.began, alarm.last) == (NOON - 45 * MINUTE, NOON - 25 * MINUTE)


def test_without_the_fault_nothing_is_found(settings: LoadedSettings) -> None:
    assert found(watched(day()), settings) == []


def test_what_the_last_look_saw_and_what_this_one_sees_is_not_of_the_past(
    settings: LoadedSettings,
) -> None:
    assert found(watched(SPIKE), settings, since=NOON - 25 * MINUTE) == []
    assert len(found(watched(SPIKE), settings, since=NOON - 26 * MINUTE)) == 1
    now = minute_of(2, 600, 300)
    assert found(watched(now), settings) == []


@pytest.mark.parametrize(("count", "alarms"), [(99, 0), (100, 1)])
def test_below_the_least_count_nothing_is_said(
    settings: LoadedSettings, count: int, alarms: int
) -> None:
    rows = minute_of(30, count, count)
    assert len(found(watched(rows), settings, "error-rate")) == alarms


@pytest.mark.parametrize("name", ["latency", "error-rate"])
@pytest.mark.parametrize("every", ["5m", "10m", "15m"])
@pytest.mark.parametrize("seconds", [0, 7, 299])
def test_each_window_is_answered_as_a_look_at_its_end_would_be(
    name: str, every: str, seconds: int
) -> None:
    random = pl.DataFrame({"n": range(3000)}).sample(1500, seed=seconds)["n"]
    rows = [
        event(
            endpoint="tiny-prod",
            deployment=("green", "blue", None)[n % 3],
            model_version=2 + n % 2,
            row=n % 5 // 4,
            status=500 if n % 7 == 0 else 200,
            latency_ms=None if n % 11 == 0 else float(n % 613),
            time=NOON - n * 4 * timedelta(seconds=1),
        )
        for n in random
        if n % 3 != 1 or n < 900  # one deployment has had requests for an hour only
    ]
    frames = {"prediction": events(*rows)}
    now = NOON + timedelta(seconds=seconds)
    alert = ALERTS[name].model_copy(update={"least": 1, "every": every})
    step = span_of(every)
    slid = evaluate_sliding(alert, frames, Window(now - 3 * HOUR, now), step)  # type: ignore[arg-type]
    ends = slid[END].unique().sort().to_list()
    assert ends[-1] == now
    assert len(ends) > 10
    end = now
    while end > now - 3 * HOUR:
        whole = evaluate(alert, frames, Window.last(last_window(alert), end))  # type: ignore[arg-type]
        part = slid.filter(pl.col(END) == end).drop(END)
        assert part.equals(whole), end
        end -= step


def test_the_first_look_looks_back_on_nothing_and_the_next_one_since_then(
    settings: LoadedSettings,
) -> None:
    endpoint, alerts = watched(SPIKE), list(ALERTS.values())
    assert look_back(endpoint, settings, alerts, NOON).alarms == ()
    assert keep_look(endpoint, settings, NOON - HOUR, "ok") == ""
    assert len(look_back(endpoint, settings, alerts, NOON).alarms) == 1
    keep_look(endpoint, settings, NOON - MINUTE, "ok")
    assert look_back(endpoint, settings, alerts, NOON).alarms == ()


def test_what_arrived_after_the_last_look_is_found_by_the_next_one(
    settings: LoadedSettings,
) -> None:
    """A log can be minutes late, and a window can be as short as the time between two of them."""
    late = [row for minutes in (62, 63, 64) for row in minute_of(minutes, latency_ms=900.0)]
    endpoint = watched(late)
    keep_look(endpoint, settings, NOON - HOUR, "not enough")
    (alarm,) = look_back(endpoint, settings, [ALERTS["latency"]], NOON).alarms
    assert alarm.last <= NOON - HOUR


def test_a_long_silence_is_looked_back_on_for_a_day(settings: LoadedSettings) -> None:
    assert timedelta(hours=24) == LONGEST
    asked: list[Window] = []
    endpoint = watched(SPIKE)
    read = endpoint.predictions

    def noted(window: Window) -> Any:
        asked.append(window)
        return read(window)

    endpoint.predictions = noted  # type: ignore[assignment, method-assign]
    keep_look(endpoint, settings, NOON - timedelta(days=9), "ok")
    assert len(look_back(endpoint, settings, list(ALERTS.values()), NOON).alarms) == 1
    assert asked == [Window(NOON - LONGEST - 10 * MINUTE, NOON)]


def test_what_cannot_be_read_is_said(
    settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, alerts = watched(SPIKE), list(ALERTS.values())
    keep_look(endpoint, settings, NOON - HOUR, "ok")

    def unseen(_window: Window) -> Any:
        raise NotObserved("Log Analytics answered 503")

    monkeypatch.setattr(endpoint, "predictions", unseen)
    assert "Log Analytics answered 503" in look_back(endpoint, settings, alerts, NOON).problem
    endpoint.unkept = "no space left"
    assert "no space left" in keep_look(endpoint, settings, NOON, "ok")
    assert "no space left" in look_back(endpoint, settings, alerts, NOON).problem


def test_rows_without_any_event_are_no_alarm(settings: LoadedSettings) -> None:
    endpoint = watched([])
    endpoint.events = replace(endpoint.events, rows=events().lazy())
    assert found(endpoint, settings) == []
