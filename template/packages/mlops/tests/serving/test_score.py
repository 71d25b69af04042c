"""The scoring script: its contract with clients and with the inference server."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from fakes.scoring_script import load_script
from fakes.tiny_version import ROW, SERVED_FILES, tiny_probability, told, write_version
from mlops.artifacts.documents import PROBES, SIGNATURE
from mlops.artifacts.version_folder import SERVED_VARIABLE, verify_version
from mlops.steps.onnx_model import convert


class Response:
    """Stands in for the inference server's own response class."""

    def __init__(self, message: Any, status_code: int, json_str: bool = False) -> None:
        self.status_code = status_code
        self.body = json.loads(json.dumps(message)) if json_str else message


def tell(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Tell the server that the files of a folder, as they are now, are to be served."""
    for name, value in told(folder).items():
        monkeypatch.setenv(name, value)


def rewrite(folder: Path, name: str, **changes: Any) -> None:
    content = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**content, **changes}))


@pytest.fixture(scope="module")
def score() -> ModuleType:
    return load_script()


@pytest.fixture
def started(score: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    folder = write_version(tmp_path / "version", version=7)
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(folder))
    tell(monkeypatch, folder)
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


def test_keys_come_back_as_they_came_and_decide_nothing(started: ModuleType) -> None:
    rows = [ROW, {**ROW, "a": -2.0}, ROW]
    usual = started.run(json.dumps({"data": rows}))
    keys = ["é", 10**30, "é"]
    answer = started.run(json.dumps({"keys": keys, "data": rows}))
    assert answer.pop("keys") == keys
    ids = answer.pop("inference_id"), usual.pop("inference_id")
    assert len({*ids[0], *ids[1]}) == 6
    assert answer == usual


def test_the_threshold_of_the_signature_decides(
    started: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite(tmp_path / "version", "signature.json", decision_threshold=0.99)
    tell(monkeypatch, tmp_path / "version")
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
        ('{"data": [{"a": 1, "b": 1}], "keys": 5}', '"keys" must be a list, one a row, not a n'),
        ('{"data": [{"a": 1, "b": 1}], "keys": null}', '"keys" must be a list, one a row, not n'),
        ('{"data": [{"a": 1, "b": 1}], "keys": []}', '"keys" must have one entry a row: 1 of'),
        ('{"data": [{"a": 1, "b": 1}], "keys": [1, 2]}', "1 of them, not 2"),
        ('{"data": [{"a": 1, "b": 1}], "keys": [1.5]}', 'row 0: what "keys" has for it must be'),
        ('{"data": [{"a": 1, "b": 1}], "keys": [true]}', "a text or a whole number, not true"),
        ('{"data": [{"a": 1, "b": 1}], "keys": [null]}', "a text or a whole number, not null"),
        ('{"data": [{"a": 1, "b": 1}], "keys": [["x"]]}', "a text or a whole number, not a list"),
        ('{"keys": ["x"]}', 'lacks the field "data"'),
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
    request = score.parse('{"data": [{"b": null, "a": 1}, {"a": 3.4028234e38, "b": 4}]}', features)
    matrix = request.matrix
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
    raw = '{"data": [{"a": 1}, {"a": 2, "b": null}, {"a": 3, "b": 4}]}'
    matrix = score.parse(raw, features).matrix
    np.testing.assert_array_equal(matrix, np.array([[1, np.nan], [2, np.nan], [3, 4]], np.float32))
    for raw, said in (
        ('{"data": [{"b": 1}]}', 'row 0: the field "a" is missing'),
        ('{"data": [{"a": 1, "c": 1}]}', 'row 0: unknown field "c"'),
    ):
        with pytest.raises(score.BadRequest, match=said):
            score.parse(raw, features)


def test_the_signature_says_what_may_be_left_out(
    started: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "version" / "signature.json"
    content = json.loads(path.read_text())
    content["features"][2]["optional"] = True
    path.write_text(json.dumps(content))
    tell(monkeypatch, path.parent)
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


def test_the_model_is_found_in_the_folder_or_anywhere_below(
    score: ModuleType, tmp_path: Path
) -> None:
    folder = write_version(tmp_path / "mount" / "inner" / "version")
    for place in (folder, folder.parent, tmp_path / "mount", tmp_path):
        assert score.find_model(place) == folder
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="found 0"):
        score.find_model(tmp_path / "empty")
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
    [("schema", 3, "schema 3"), ("features", [], "takes 3 features")],
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


@pytest.mark.parametrize("name", SERVED_FILES)
def test_a_file_that_is_not_the_one_deployed_is_not_served(
    started: ModuleType, tmp_path: Path, name: str
) -> None:
    """Tried: a registry whose model.onnx had been replaced by another version's was promoted."""
    path = tmp_path / "version" / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(started.RefusedToStart, match=rf"{name} is not the file that was deployed"):
        started.init()
    expected = told(path.parent)[SERVED_VARIABLE]
    path.unlink()
    with pytest.raises(started.RefusedToStart, match=f"{name}.* SHA-256 is missing"):
        started.check_files(path.parent, expected)


def test_a_server_that_was_told_nothing_does_not_start(
    started: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SERVED_VARIABLE)
    with pytest.raises(started.RefusedToStart, match=f"{SERVED_VARIABLE} does not say"):
        started.init()
    monkeypatch.setenv(SERVED_VARIABLE, "{}")
    with pytest.raises(started.RefusedToStart, match="does not say"):
        started.init()


def test_script_and_commands_speak_of_the_same_files(score: ModuleType, tmp_path: Path) -> None:
    assert score.SERVED_VARIABLE == SERVED_VARIABLE
    assert PROBES.name == score.PROBES
    assert PROBES.schema == score.PROBES_SCHEMA
    assert (*SIGNATURE.older, SIGNATURE.schema) == score.SIGNATURE_SCHEMAS
    folder = write_version(tmp_path / "version")
    score.check_files(folder, verify_version(folder).told()[SERVED_VARIABLE])


def test_a_server_of_ones_own_is_told_the_files_that_the_lineage_names(
    started: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/serving.md says it."""
    files = json.loads((tmp_path / "version" / "lineage.json").read_text(encoding="utf-8"))["files"]
    monkeypatch.setenv("SERVED_FILES_SHA256", json.dumps(files))
    started.init()


class Complement:
    """ONNX Runtime 1.26, which answers 1 - p for some trees; see its issue 28557."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def get_inputs(self) -> Any:
        return self._session.get_inputs()

    def run(self, outputs: Any, inputs: Any) -> list[Any]:
        return [1 - self._session.run(outputs, inputs)[0]]


def test_a_runtime_that_answers_the_complement_does_not_serve(
    started: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = started.ort.InferenceSession
    monkeypatch.setattr(
        started.ort, "InferenceSession", lambda *args, **named: Complement(right(*args, **named))
    )
    with pytest.raises(started.RefusedToStart, match=r"answers 2 of 3 probes otherwise.*by up to"):
        started.init()


def test_a_probe_without_a_number_for_an_answer_is_not_passed(
    started: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite(tmp_path / "version", "probes.json", probabilities=[float("nan")] * 3)
    tell(monkeypatch, tmp_path / "version")
    with pytest.raises(started.RefusedToStart, match="3 of 3 probes"):
        started.init()


def test_a_version_from_before_there_were_probes_is_served(
    started: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "version" / "probes.json").unlink()
    lineage = json.loads((tmp_path / "version" / "lineage.json").read_text())
    del lineage["files"]["probes.json"]
    (tmp_path / "version" / "lineage.json").write_text(json.dumps(lineage))
    monkeypatch.setenv(
        SERVED_VARIABLE, verify_version(tmp_path / "version").told()[SERVED_VARIABLE]
    )
    started.init()
    assert started.run(json.dumps({"data": [ROW]}))["model_version"] == 7


def test_a_row_is_answered_alone_as_among_others(score: ModuleType) -> None:
    """ONNX Runtime multiplies a single row with a matrix otherwise than several."""
    random = np.random.default_rng(0)
    inputs = random.normal(0, 1, (64, 40)).astype(np.float32)
    labels = (inputs @ random.normal(0, 1, 40) > 0).astype(int)
    onnx = convert(LogisticRegression(C=0.01).fit(inputs, labels), 40)
    session = score.ort.InferenceSession(onnx)
    model = score.Model(session, features=(), decision_threshold=0.5, version=1)
    together = score.predict(model, inputs)
    alone = [float(score.predict(model, inputs[row : row + 1])[0]) for row in range(64)]
    assert alone == together.tolist()
    single = [float(session.run(None, {"features": inputs[r : r + 1]})[1][0, 1]) for r in range(64)]
    assert single != together.tolist()
