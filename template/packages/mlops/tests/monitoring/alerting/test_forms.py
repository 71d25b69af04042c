"""What each receiver gets: complete, within its limits, and nothing in it is taken for markup."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mlops.errors import ConfigError, MlopsError, PlatformError
from mlops.monitoring.alerting.forms import pager, slack, teams
from mlops.monitoring.alerting.message import Message, News
from mlops.monitoring.alerting.receivers import VARIABLES, Told, receivers_of
from mlops.settings.monitoring_sections import AlertSettings

MESSAGE = Message(
    news=News.ALARM,
    key="tiny-prod/error-rate/green/3",
    title="Failing requests",
    tells="The server failed a larger share of requests than the limit.",
    severity="critical",
    environment="prod",
    endpoint="tiny-prod",
    subject="version 3 (green)",
    reason="error_rate is 0.2 on 100 events, an alarm where > 0.05",
    done=("rollback: rolled back: version 2 serves again",),
    time=datetime(2026, 6, 30, 12, tzinfo=UTC),
    url="https://github.com/example/project/actions/runs/7",
)
LONG = replace(
    MESSAGE, done=("x" * 5000,) * 90, reason="é" * 5000, tells="y" * 5000, title="z" * 900
)


def card(message: Message) -> dict[str, Any]:
    (attachment,) = teams(message)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    content: dict[str, Any] = attachment["content"]
    return content


def test_a_card_says_all_of_it() -> None:
    text = json.dumps(card(MESSAGE))
    for part in ("Failing requests at tiny-prod", "version 3 (green)", "0.2", "version 2 serves"):
        assert part in text
    assert card(MESSAGE)["actions"][0]["url"] == MESSAGE.url
    assert "actions" not in card(replace(MESSAGE, url=""))


@pytest.mark.parametrize(
    ("news", "heading", "colour"),
    [
        (News.ALARM, "Failing requests at tiny-prod", "attention"),
        (News.GOES_ON, "Still: Failing requests at tiny-prod", "attention"),
        (News.RESOLVED, "Resolved: Failing requests at tiny-prod", "good"),
    ],
)
def test_what_is_new_is_said_first(news: News, heading: str, colour: str) -> None:
    first = card(replace(MESSAGE, news=news))["body"][0]
    (shown,) = first["items"]
    assert (shown["text"], shown["color"]) == (heading, colour)
    assert slack(replace(MESSAGE, news=news))["blocks"][0]["text"]["text"] == heading


def test_the_longest_message_keeps_within_what_each_takes() -> None:
    assert len(json.dumps(teams(LONG)).encode()) < 20_000
    blocks = slack(LONG)["blocks"]
    assert len(blocks[0]["text"]["text"]) <= 150
    assert all(len(block["text"]["text"]) <= 3000 for block in blocks[1:] if "text" in block)
    event = pager(replace(LONG, key="k" * 300), "key")
    assert len(event["dedup_key"]) == 255
    assert len(event["payload"]["summary"]) <= 1024
    assert len(json.dumps(event).encode()) < 512_000
    assert "and 82 more" in json.dumps(teams(LONG))


def test_nothing_in_it_is_an_address_or_a_mention() -> None:
    hostile = replace(MESSAGE, reason="<!channel> [here](https://example.com) & more")
    assert "&lt;!channel&gt;" in json.dumps(slack(hostile))
    assert "<!channel>" not in json.dumps(slack(hostile))
    assert "[here]" not in json.dumps(teams(hostile))
    assert "(here)(https" in json.dumps(teams(hostile))


def test_a_pager_is_told_of_one_alarm_by_one_key_until_it_is_resolved() -> None:
    fired, still, resolved = (
        pager(replace(MESSAGE, news=news), "key")
        for news in (News.ALARM, News.GOES_ON, News.RESOLVED)
    )
    assert {each["dedup_key"] for each in (fired, still, resolved)} == {MESSAGE.key}
    actions = [each["event_action"] for each in (fired, still, resolved)]
    assert actions == ["trigger", "trigger", "resolve"]
    assert fired["payload"]["severity"] == "critical"
    assert fired["payload"]["class"] == "error-rate"
    assert "payload" not in resolved
    other = pager(replace(MESSAGE, key="k" * 299 + "a"), "key")["dedup_key"]
    assert other != pager(replace(MESSAGE, key="k" * 299 + "b"), "key")["dedup_key"]


@pytest.mark.parametrize(
    ("name", "secret", "problem"),
    [
        ("teams", "", "ALERTS_TEAMS_WEBHOOK is not set"),
        ("teams", "https://example.com/hook?sig=s", ""),
        ("slack", "http://127.0.0.1:5000/hook", ""),
        ("slack", "http://example.com/hook", "holds no address that begins https://"),
        ("slack", "T000/B000", "holds no address"),
        ("pager", "0123", ""),
        ("pager", "two words", "ALERTS_PAGER_KEY holds no key"),
    ],
)
def test_an_address_that_cannot_be_is_named_and_not_shown(
    name: Any, secret: str, problem: str
) -> None:
    found = Told(name, secret)
    assert problem in found.problem
    assert bool(found.problem) is bool(problem)
    assert not secret or secret not in f"{found.problem} {found!r}"
    if problem:
        assert found.tell(MESSAGE).reason == found.problem


def nothing_kept(_name: str) -> str | None:
    return None


def test_receivers_are_those_of_conf_with_the_addresses_of_the_environment() -> None:
    settings = AlertSettings(receivers=("slack", "pager", "slack"))
    variables = {VARIABLES["slack"]: " https://example.com/s\n", VARIABLES["teams"]: "unused"}
    found = receivers_of(settings, variables, nothing_kept)
    assert [(each.name, each.secret, each.problem) for each in found] == [
        ("slack", "https://example.com/s", ""),
        ("pager", "", "ALERTS_PAGER_KEY is not set"),
    ]


def test_an_address_that_is_not_in_the_environment_is_asked_for_where_secrets_are_kept() -> None:
    asked: list[str] = []

    def kept(name: str) -> str | None:
        asked.append(name)
        return {"alerts-teams-webhook": "https://example.com/t\n"}.get(name)

    variables = {VARIABLES["slack"]: "https://example.com/s", VARIABLES["teams"]: "  "}
    found = receivers_of(AlertSettings(receivers=("teams", "slack", "pager")), variables, kept)
    assert asked == [], "the way back waits for no vault"
    assert [(each.name, each.secret) for each in found] == [
        ("teams", "https://example.com/t"),
        ("slack", "https://example.com/s"),
        ("pager", ""),
    ]
    assert found[0].problem == ""
    assert asked == ["alerts-teams-webhook", "alerts-pager-key"], "each is asked for once"


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (ConfigError("a role is missing", "give it"), "a role is missing (give it)"),
        (PlatformError("the vault does not answer"), "the vault does not answer"),
    ],
)
def test_why_an_address_cannot_be_had_is_said_and_stops_nobody_else(
    error: MlopsError, problem: str
) -> None:
    def kept(_name: str) -> str | None:
        raise error

    variables = {VARIABLES["slack"]: "https://example.com/s"}
    teams, slack = receivers_of(AlertSettings(receivers=("teams", "slack")), variables, kept)
    assert teams.problem == f"ALERTS_TEAMS_WEBHOOK is not set, and {problem}"
    assert teams.tell(MESSAGE).reason == teams.problem
    assert slack.problem == ""
