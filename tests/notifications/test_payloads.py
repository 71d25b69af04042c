"""What Teams and Slack are told is what their own makers' schemas and models take."""

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mlops.monitoring.alerting.forms import CARD_VERSION, slack, teams
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from tests import npm
from tests.notifications.known import MESSAGES, PLAIN, packages

SCRIPT = Path(__file__).with_name("adaptive_cards.mjs")


def card_of(payload: dict[str, Any]) -> dict[str, Any]:
    (attachment,) = payload["attachments"]
    content: dict[str, Any] = attachment["content"]
    return content


CARDS = {name: card_of(teams(message)) for name, message in MESSAGES.items()}


def changed(*path: Any, **values: Any) -> dict[str, Any]:
    """Return the plain card with other values at a place; None takes one away."""
    card = copy.deepcopy(CARDS["an alarm"])
    place: Any = card
    for part in path:
        place = place[part]
    for name, value in values.items():
        if value is None:
            del place[name]
        else:
            place[name] = value
    return card


FAULTS = {
    "an element that there is not": changed("body", 1, type="TextBlok"),
    "a style that there is not": changed("body", 0, style="alarming"),
    "a colour that there is not": changed("body", 0, "items", 0, color="red"),
    "an action without an address": changed("actions", 0, url=None),
    "an element of a newer version": changed("body", 1, type="Table"),
    "no version": changed(version=None),
}


@pytest.fixture(scope="module")
def microsoft() -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Microsoft's schema, and what its renderer finds wrong with each card."""
    cards = CARDS | FAULTS
    done = subprocess.run(
        [str(npm.NODE), str(SCRIPT), *map(str, packages())],
        input=json.dumps(list(cards.values())),
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        check=True,
    )
    said = json.loads(done.stdout)
    return said["schema"], dict(zip(cards, said["findings"], strict=True))


def refused(schema: dict[str, Any], card: dict[str, Any]) -> bool:
    return not jsonschema.Draft6Validator(schema).is_valid(card)


@pytest.mark.parametrize("name", CARDS)
def test_a_card_is_what_the_schema_and_the_renderer_take(
    microsoft: tuple[dict[str, Any], dict[str, list[str]]], name: str
) -> None:
    schema, findings = microsoft
    jsonschema.Draft6Validator(schema).validate(CARDS[name])
    assert findings[name] == []
    assert CARDS[name]["version"] == CARD_VERSION == "1.4"
    assert len(json.dumps(teams(MESSAGES[name])).encode()) < 20_000


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_card_is_noticed(
    microsoft: tuple[dict[str, Any], dict[str, list[str]]], fault: str
) -> None:
    schema, findings = microsoft
    assert refused(schema, FAULTS[fault]) or findings[fault]


def validate(told: dict[str, Any]) -> Block:
    block = Block.parse(told)
    assert block is not None
    block.validate_json()
    return block


@pytest.mark.parametrize("name", MESSAGES)
def test_slack_s_own_models_take_its_blocks_as_they_are(name: str) -> None:
    payload = slack(MESSAGES[name])
    for told in payload["blocks"]:
        block = validate(told)
        assert json.loads(json.dumps(block.to_dict())) == told
    assert len(payload["blocks"]) <= 50
    assert 0 < len(payload["text"]) <= 4000


@pytest.mark.parametrize(
    ("number", "values"),
    [
        (0, {"text": {"type": "plain_text", "text": "x" * 151}}),
        (1, {"text": {"type": "mrkdwn", "text": "x" * 3001}}),
        (2, {"fields": [{"type": "mrkdwn", "text": "x"}] * 11}),
        (1, {"text": None}),
    ],
)
def test_a_fault_of_a_block_is_noticed(number: int, values: dict[str, Any]) -> None:
    told = slack(PLAIN)["blocks"][number] | values
    told = {name: value for name, value in told.items() if value is not None}
    with pytest.raises(SlackObjectFormationError):
        validate(told)
