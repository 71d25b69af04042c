"""A line of the audit log says exactly one thing in exactly one way."""

import json
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from fakes.audit_lines import WHEN, a_log
from mlops.governance.audit.entry import Act, Actor, Entry, Phase, read_line


def line() -> str:
    return a_log(1).lines()[0]


def test_a_line_is_read_as_it_was_written() -> None:
    text = line()
    entry = read_line(text)
    assert (entry.number, entry.version, entry.actor.name) == (1, 1, "anna")
    assert entry.line() == text + "\n"
    assert entry.sha256 == entry.computed_hash()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        "no JSON",
        json.dumps(json.loads(line()), indent=1),
        line().replace('"number":1', '"number":1.0'),
        line().replace('"number":1', '"number":true'),
        line().replace('"act":"release"', '"act":"party"'),
        line().replace('"environment"', '"more":1,"environment"'),
        line().replace('"details":{', '"details":{"traffic":"3=all",').replace(",}", "}"),
        line().replace('"details":{', '"details":{"traffic":100,').replace(",}", "}"),
    ],
)
def test_nothing_else_is_a_line(text: str) -> None:
    with pytest.raises(ValueError, match="line of an audit log"):
        read_line(text)


OTHERS: list[dict[str, object]] = [
    {"number": 2},
    {"act_id": "x"},
    {"time": WHEN + timedelta(days=1)},
    {"act": Act.ROLLBACK},
    {"phase": Phase.INTENT},
    {"actor": Actor("ben", "person")},
    {"environment": "dev"},
    {"subject": {}},
    {"outcome": "failed"},
    {"reason": "because"},
    {"details": {"a": None}},
    {"previous": "1" * 64},
]


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: str(*other))
def test_every_field_is_in_the_hash(other: dict[str, object]) -> None:
    entry: Entry = read_line(line())
    assert replace(entry, **other).computed_hash() != entry.sha256  # type: ignore[arg-type]


def test_no_field_is_forgotten_there() -> None:
    assert {name for other in OTHERS for name in other} == {
        each.name for each in fields(Entry) if each.name != "sha256"
    }
