"""The scoring script: its contract with clients and with the inference server."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from fakes.scoring_script import load_script
from fakes.tiny_version import ROW, tiny_probability, write_version


class Response:
    """Stands in for the inference server's own response class."""

    def __init__(self, message: Any, status_code: int, json_str: bool = False) -> None:
        self.status_code = status_code
        self.body = json.loads(json.dumps(message)) if json_str else message


@pytest.fixture(scope="module")
def score() -> ModuleType:
    return load_script()


@pytest.fixture
def started(score: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    write_version(tmp_path / "version", version=7)
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(tmp_path / "version"))
    server = ModuleType("aml_response")
    server.AMLResponse = Response  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "azureml_inference_server_http.api.aml_response", server)
    score.init()
    return score


@pytest.fixture
def features(score: ModuleType) -> list[Any]:
    return [score.Feature("a", False), score.Feature("b", True)]


def test_a_batch_is_answered_row_by_row(started: ModuleType) -> None:
    rows = [{"a": 2.0, "b": -1, "c": None}, {"c": 0.5, "b": 3.0, "a": -2.0}]
    answer = started.run(json.dumps({"data": rows}))
    assert answer["predictions"] == [1, 0]
    assert answer["model_version"] == 7
    assert len(set(answer["inference_id"])) == 2
    expected = [tiny_probability(2, -1, None), tiny_probability(-2, 3, 0.5)]
    assert answer["probabilities"] == pytest.approx(expected, abs=1e-5)
    json.dumps(answer, allow_nan=False)


def test_the_threshold_of_the_signature_decides(started: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "version" / "signature.json"
    content = json.loads(path.read_text())
    content["decision_threshold"] = 0.99
    path.write_text(json.dumps(content))
    started.init()
    answer = started.run(json.dumps({"data": [ROW]}))
    assert 0.5 < answer["probabilities"][0] < 0.99
    assert answer["predictions"] == [0]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ('{"data": [{"a": NaN, "b": 1}]}', "NaN is not a JSON number"),
        ('{"data": [{"a": -Infinity, "b": 1}]}', "-Infinity is not a JSON number"),
        ('{"data": [{"a": ' + "1" * 5000 + ', "b": 1}]}', "not valid JSON"),
        ("\ufeff{}", "not valid JSON"),
        ('{"data": [], "data": [{"a": 1, "b": 1}]}', 'the field "data" stands twice'),
        ('{"data": [{"a": 1, "b": 1, "a": 2}]}', 'row 0: the field "a" stands twice'),
        (
            '{"data": [{"a": 1, "b": 1}, {"a": 1, "\\u0061": 1}]}',
            'row 1: the field "a" stands twice',
        ),
        ('{"data": [{"a": 1, "z": 1, "z": 1}]}', 'row 0: the field "z" stands twice'),
        ("[]", "must be an object"),
        ("null", "must be an object"),
        ("{}", 'lacks the field "data"'),
        ('{"data": [{"a": 1, "b": 1}], "columns": []}', 'unknown field "columns"'),
        ('{"data": {"a": 1, "b": 1}}', '"data" must be a list of rows, not an object'),
        ('{"data": "a"}', '"data" must be a list of rows, not the text "a"'),
        ('{"data": []}', '"data" is empty'),
        ('{"data": [[1, 2]]}', "row 0: must be an object of features, not a list"),
        ('{"data": [{"a": 1, "b": 1}, 5]}', "row 1: must be an object of features, not a number"),
        ('{"data": [{"b": 1}]}', 'row 0: the field "a" is missing'),
        ('{"data": [{"a": 1}]}', 'row 0: the field "b" is missing'),
        ('{"data": [{"a": 1, "b": 1}, {"a": 1, "b": 1, "z": 1}]}', 'row 1: unknown field "z"'),
        ('{"data": [{"a": 1, "z": 1}]}', 'row 0: the field "b" is missing'),
        ('{"data": [{"a": "1", "b": 1}]}', 'row 0: "a" must be a number, not the text "1"'),
        ('{"data": [{"a": true, "b": 1}]}', 'row 0: "a" must be a number, not true'),
        ('{"data": [{"a": [1], "b": 1}]}', 'row 0: "a" must be a number, not a list'),
        ('{"data": [{"a": {}, "b": 1}]}', 'row 0: "a" must be a number, not an object'),
        ('{"data": [{"a": null, "b": 1}]}', 'row 0: "a" must not be null'),
        ('{"data": [{"a": 1e39, "b": 1}]}', 'row 0: "a" is too large'),
        ('{"data": [{"a": 1, "b": -1e999}]}', 'row 0: "b" is too large'),
        ('{"data": [{"a": 1' + "0" * 400 + ', "b": 1}]}', 'row 0: "a" is too large'),
    ],
)
def test_bad_input_is_explained(
    score: ModuleType, features: list[Any], raw: str, said: str
) -> None:
    with pytest.raises(score.BadRequest) as refusal:
        score.parse(raw, features)
    assert said in str(refusal.value)
    assert len(str(refusal.value)) < 200


def test_rows_become_columns_in_the_order_of_the_signature(
    score: ModuleType, features: list[Any]
) -> None:
    matrix = score.parse('{"data": [{"b": null, "a": 1}, {"a": 3.4028234e38, "b": 4}]}', features)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, np.array([[1, np.nan], [3.4028234e38, 4]], np.float32))


@pytest.mark.parametrize(
    ("header", "value", "said"),
    [
        ("Content-Type", "application/x-www-form-urlencoded", "is a form"),
        ("content-type", "Multipart/Form-Data; boundary=x", "is a form"),
        ("Content-Encoding", "gzip", 'is encoded ("gzip")'),
        ("Content-Encoding", "deflate", 'is encoded ("deflate")'),
    ],
)
def test_a_body_that_came_otherwise_than_it_was_sent_is_explained(
    started: ModuleType, header: str, value: str, said: str
) -> None:
    answer = started.run(json.dumps({"data": [ROW]}), {"Host": "x", header: value})
    assert answer.status_code == 400
    assert said in answer.body["error"]


@pytest.mark.parametrize("value", ["application/json; charset=utf-8", "text/plain", ""])
def test_other_headers_are_let_be(started: ModuleType, value: str) -> None:
    headers = {"Content-Type": value, "Content-Encoding": "identity"}
    answer = started.run(json.dumps({"data": [ROW]}), request_headers=headers)
    assert answer["model_version"] == 7


def test_what_may_be_left_out_is_null_then(score: ModuleType) -> None:
    features = [score.Feature("a", False), score.Feature("b", True, True)]
    matrix = score.parse('{"data": [{"a": 1}, {"a": 2, "b": null}, {"a": 3, "b": 4}]}', features)
    np.testing.assert_array_equal(matrix, np.array([[1, np.nan], [2, np.nan], [3, 4]], np.float32))
    for raw, said in (
        ('{"data": [{"b": 1}]}', 'row 0: the field "a" is missing'),
        ('{"data": [{"a": 1, "c": 1}]}', 'row 0: unknown field "c"'),
    ):
        with pytest.raises(score.BadRequest, match=said):
            score.parse(raw, features)


def test_the_signature_says_what_may_be_left_out(started: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "version" / "signature.json"
    content = json.loads(path.read_text())
    content["features"][2]["optional"] = True
    path.write_text(json.dumps(content))
    started.init()
    answer = started.run(json.dumps({"data": [{"a": 1.0, "b": 2.0}]}))
    assert answer["probabilities"] == pytest.approx([tiny_probability(1, 2, None)], abs=1e-5)


def test_a_refusal_is_a_400_and_echoes_little(started: ModuleType) -> None:
    answer = started.run(json.dumps({"data": [{**ROW, "x" * 10_000: 1}]}))
    assert answer.status_code == 400
    assert answer.body["error"].startswith('row 0: unknown field "xxx')
    assert len(answer.body["error"]) < 200


@pytest.mark.parametrize("part", ["parse", "score"])
def test_a_failure_of_ours_is_not_blamed_on_the_client(
    started: ModuleType, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def broken(*_arguments: Any) -> Any:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(started, part, broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        started.run(json.dumps({"data": [ROW]}))


def test_a_probability_that_is_no_number_is_not_answered(
    started: ModuleType,
) -> None:
    class Session:
        def get_inputs(self) -> list[Any]:
            return [type("Input", (), {"name": "features"})]

        def run(self, _outputs: Any, _inputs: Any) -> list[Any]:
            return [np.array([[np.nan, np.nan]])]

    model = started.Model(Session(), (), 0.5, 1)
    with pytest.raises(RuntimeError, match="not a number"):
        started.score(model, np.zeros((1, 1), np.float32))


def test_the_model_is_found_in_the_folder_or_one_below(score: ModuleType, tmp_path: Path) -> None:
    folder = write_version(tmp_path / "mount" / "version")
    assert score.find_model(folder) == folder
    assert score.find_model(tmp_path / "mount") == folder
    with pytest.raises(FileNotFoundError, match="found 0"):
        score.find_model(tmp_path)
    write_version(tmp_path / "mount" / "another")
    with pytest.raises(FileNotFoundError, match="found 2"):
        score.find_model(tmp_path / "mount")


def test_init_says_that_the_model_folder_is_not_set(
    score: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZUREML_MODEL_DIR", raising=False)
    with pytest.raises(RuntimeError, match="AZUREML_MODEL_DIR"):
        score.init()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("schema", 2, "schema 2"), ("features", [], "takes 3 features")],
)
def test_a_signature_that_does_not_fit_is_refused_at_the_start(
    score: ModuleType, tmp_path: Path, field: str, value: Any, said: str
) -> None:
    folder = write_version(tmp_path / "version")
    content = json.loads((folder / "signature.json").read_text())
    content[field] = value
    (folder / "signature.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=said):
        score.load_model(folder)
