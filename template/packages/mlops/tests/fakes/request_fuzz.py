"""Requests of all kinds, most of them damaged in some place; the same ones for the same seed."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fakes.tiny_version import FEATURES

_WORDS = ["", "1", "NaN", "null", "é", "\u2028", "a" * 300, "true", "0x10", "\x00", "🙂"]
_NUMBERS = [0, -0.0, 1, -1, 2**24 + 1, 2**63, 10**30, 10**60, 1e-320, 3.4028234e38, 3.5e38, 0.1]
_RAW = ["NaN", "Infinity", "-Infinity", "1e999", "01", "+1", ".5", "1.", "1_0", "0x1", "'a'", ""]
_NAMES = [feature["name"] for feature in FEATURES]


@dataclass(frozen=True)
class FuzzedRequest:
    """A body as it is sent, and whether nothing in it was damaged."""

    body: str
    sound: bool


def requests(seed: int, count: int) -> Iterator[FuzzedRequest]:
    """Yield so many requests for the tiny model; about every fourth is sound."""
    source = random.Random(seed)
    for _ in range(count):
        content: dict[str, Any] = {"data": [_row(source) for _ in range(source.randint(1, 4))]}
        if source.random() < 0.3:
            content["keys"] = [source.choice(["x", "", 7, 10**30]) for _ in content["data"]]
        body = json.dumps(content)
        if source.random() < 0.25:
            yield FuzzedRequest(_spaced(source, body), sound=True)
        else:
            for _ in range(source.randint(1, 2)):
                body = source.choice(_DAMAGES)(source, body)
            yield FuzzedRequest(body, sound=False)


def _row(source: random.Random) -> dict[str, Any]:
    row = {f["name"]: _value(source, nullable=bool(f["nullable"])) for f in FEATURES}
    return dict(source.sample(list(row.items()), len(row)))


def _value(source: random.Random, *, nullable: bool) -> Any:
    if nullable and source.random() < 0.3:
        return None
    return source.choice(
        [source.gauss(0, 1), source.randint(-(10**6), 10**6), source.uniform(-3e38, 3e38), 0, -0.0]
    )


def _spaced(source: random.Random, body: str) -> str:
    return body.replace(",", source.choice([",", " ,\n", ",\t", ",\r\n "]))


def _other_value(source: random.Random, body: str) -> str:
    content = json.loads(body)
    row = source.choice(content["data"])
    wrong: list[Any] = [*_WORDS, *_NUMBERS, True, False, None, [], [1], {}, {"a": 1}]
    row[source.choice(_NAMES)] = source.choice(wrong)
    return json.dumps(content)


def _other_fields(source: random.Random, body: str) -> str:
    content = json.loads(body)
    place = source.choice([content, *content["data"]])
    if source.random() < 0.5:
        place[source.choice([*_WORDS, "A", " a", "data"])] = source.choice(_NUMBERS)
    else:
        place.pop(source.choice(list(place)))
    return json.dumps(content)


def _other_rows(source: random.Random, body: str) -> str:
    content = json.loads(body)
    content["data"] = source.choice(
        [[], None, {}, "x", 1, content["data"][0], [content["data"]], [*content["data"], None]]
    )
    return json.dumps(content)


def _other_keys(source: random.Random, body: str) -> str:
    content = json.loads(body)
    wrong: list[Any] = [None, True, 1.5, [], {}, "x", 7]
    content["keys"] = [source.choice(wrong) for _ in range(source.randint(0, 4))]
    if source.random() < 0.2:
        content["keys"] = source.choice(wrong)
    return json.dumps(content)


def _repeated_key(source: random.Random, body: str) -> str:
    before, brace, row = body.rpartition(source.choice(["{", '{"data']))
    return f'{before}{{"{source.choice([*_NAMES, "data"])}": 1, {brace[1:]}{row}'


def _raw_number(source: random.Random, body: str) -> str:
    start = body.find(":", source.randrange(len(body))) + 1
    return f"{body[:start]} {source.choice(_RAW)}{source.choice(['', ', '])}{body[start:]}"


def _cut(source: random.Random, body: str) -> str:
    return body[: source.randrange(len(body))]


def _typing_error(source: random.Random, body: str) -> str:
    place = source.randrange(len(body))
    letter = source.choice('{}[]",:0-eE.\\ \x00é')
    return body[:place] + letter + body[place + source.randint(0, 1) :]


def _nested(source: random.Random, body: str) -> str:
    depth = source.choice([2, 50, 5000])
    return source.choice(["[", '{"data":']) * depth + body


def _whole(source: random.Random, _body: str) -> str:
    return source.choice(["", " ", "null", "[]", "1", '"x"', "{}", "\ufeff{}", "{'data': []}"])


def _damage_of_json(
    damage: Callable[[random.Random, str], str],
) -> Callable[[random.Random, str], str]:
    """Leave alone what an earlier damage has left of the JSON."""

    def careful(source: random.Random, body: str) -> str:
        try:
            return damage(source, body)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            return body

    return careful


_DAMAGES = [
    *map(_damage_of_json, (_other_value, _other_fields, _other_rows, _other_keys)),
    *map(_damage_of_json, (_repeated_key, _raw_number, _cut, _typing_error)),
    _nested,
    _whole,
]
