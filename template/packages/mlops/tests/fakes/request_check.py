"""The scoring script beside another reader of JSON, which says what a request must become."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
from pydantic_core import from_json

from fakes.request_fuzz import FuzzedRequest
from fakes.scoring_script import load_script
from fakes.tiny_version import FEATURES, write_version

LARGEST = float(np.finfo(np.float32).max)
LONGEST_SENTENCE = 300
_NAMES = [feature["name"] for feature in FEATURES]
_NULLABLE = {feature["name"] for feature in FEATURES if feature["nullable"]}


class Response:
    """Stands in for the inference server's own response class."""

    def __init__(self, message: Any, status_code: int, json_str: bool = False) -> None:
        assert json_str
        self.status_code = status_code
        self.body = json.loads(json.dumps(message))


class Scorer:
    """The scoring script with the tiny model loaded from a folder that it fills."""

    def __init__(self, folder: Path) -> None:
        server = ModuleType("aml_response")
        server.AMLResponse = Response  # type: ignore[attr-defined]
        sys.modules["azureml_inference_server_http.api.aml_response"] = server
        self._script: Any = load_script()
        self._model = self._script.load_model(write_version(folder / "version"))

    def check(self, request: FuzzedRequest) -> Literal["answered", "refused"]:
        """Send a request; return what became of it, which is what had to become of it."""
        self._script._model = self._model
        wanted = as_it_is(request.body)
        answer = self._script.run(request.body)
        if isinstance(answer, Response):
            assert answer.status_code == 400
            assert 10 < len(answer.body["error"]) < LONGEST_SENTENCE
            assert wanted is None, request
            assert not request.sound, request
            return "refused"
        assert wanted is not None, request
        assert len(answer["predictions"]) == len(wanted)
        assert answer.get("keys") == from_json(request.body).get("keys")
        found = self._script.parse(request.body, self._model.features).matrix
        np.testing.assert_array_equal(found, np.array(wanted, dtype=np.float32))
        return "answered"


def as_it_is(body: str) -> list[list[float]] | None:
    """Return the rows of a request, or None if it must be refused."""
    try:
        content = from_json(body, allow_inf_nan=False)
        if _repeats_a_key(json.loads(body, object_pairs_hook=tuple)):
            return None
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.keys() | {"keys"} != {"data", "keys"}:
        return None
    rows = content["data"]
    if not isinstance(rows, list) or not rows or not all(map(_is_row, rows)):
        return None
    keys = content.get("keys", ["x"] * len(rows))
    if type(keys) is not list or len(keys) != len(rows):
        return None
    if not all(type(key) in (str, int) for key in keys):
        return None
    return [[np.nan if row[name] is None else row[name] for name in _NAMES] for row in rows]


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, dict) and sorted(row) == _NAMES and all(map(_is_value, row, row.values()))
    )


def _is_value(name: str, value: Any) -> bool:
    if value is None:
        return name in _NULLABLE
    return type(value) in (int, float) and -LARGEST <= value <= LARGEST


def _repeats_a_key(content: Any) -> bool:
    """Tell whether an object, here a tuple of pairs, has a key twice."""
    if isinstance(content, tuple):
        names = [name for name, _ in content]
        return len(set(names)) < len(names) or any(_repeats_a_key(each) for _, each in content)
    return isinstance(content, list) and any(map(_repeats_a_key, content))
