"""A key's rows in the lines of a data collector."""

import json
from typing import Any

import pytest

from mlops.forgetting.collected import without_rows
from mlops.forgetting.needle import Needle

KEY = "m00017"
NEEDLE = Needle(KEY, "machine", whole=False)


def line(*rows: Any, **more: Any) -> bytes:
    return json.dumps({"specversion": "1.0", "data": [*rows], **more}).encode() + b"\n"


def row(number: int, **more: Any) -> dict[str, Any]:
    return {"inference_id": f"id{number}", "features": '{"a": 0.1}', **more}


def test_a_line_of_the_key_s_rows_alone_goes_and_one_of_several_keeps_the_others() -> None:
    content = line(row(1), row(2), time="now") + line(row(3)) + line(row(4)) + line(row(1))
    rows, rest = without_rows(content, NEEDLE, {"id1", "id3"})
    assert rows == 3
    assert rest == line(row(2), time="now") + line(row(4))


def test_without_a_row_of_it_not_a_byte_changes() -> None:
    content = b'{"data":[{"inference_id":"id9"}]}\r\ncut off {\n{"no": "data"}\n[1]\n{"data":["x"]}'
    assert without_rows(content, NEEDLE, {"id1"}) == (0, content)
    rows, rest = without_rows(content + b"\n" + line(row(1)), NEEDLE, {"id1"})
    assert (rows, rest) == (1, content + b"\n")


@pytest.mark.parametrize("name", ["key", "machine"])
def test_a_row_that_names_the_key_itself_goes_too(name: str) -> None:
    assert without_rows(line(row(1, **{name: f" {KEY}"}), row(2)), NEEDLE, ()) == (1, line(row(2)))
    assert without_rows(line(row(1, **{name: None})), NEEDLE, ())[0] == 0


def test_a_whole_number_is_the_key_however_it_is_written() -> None:
    needle = Needle("7", "customer", whole=True)
    rows, rest = without_rows(line({"key": 7}, {"key": "007"}, {"key": 70}), needle, ())
    assert (rows, rest) == (2, line({"key": 70}))
