"""The scoring script on models of each task, made, stored and asked as they are in a version."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from fakes.scoring_script import load_script
from mlops.artifacts.prepared import Prepared
from mlops.features import Feature, Features, Kind
from mlops.platforms.base import Answer
from mlops.release.smoke import bad_requests, explain_answer, good_requests
from mlops.steps.fit import fit_model
from mlops.steps.onnx_model import answers, convert, open_session
from mlops.steps.parity import raw_answers
from mlops.steps.register import build_probes, build_signature
from mlops.tasks import BINARY_TARGET, Target, Task

FEATURES = Features(
    (
        Feature("size", False, 1.0),
        Feature("new", False, True, kind=Kind.BOOLEAN),
        Feature(
            "colour", True, "red", optional=True, kind=Kind.CATEGORY, categories=("red", "blue")
        ),
    )
)
CLASSES = Target(Task.MULTICLASS, ("cat", "dog", "eel"))
AMOUNTS = Target(Task.REGRESSION, scale=3.0)
ROWS: list[dict[str, Any]] = [
    {"size": 1.0, "new": True, "colour": "red"},
    {"size": -1.0, "new": False, "colour": "blue"},
    {"size": 0.5, "new": 1, "colour": "pink"},
    {"size": 0.25, "new": 0, "colour": None},
    {"size": 0.25, "new": 0},
]


def frame() -> pl.DataFrame:
    """Return what the rows are to training."""
    return pl.DataFrame(
        {
            "size": [row["size"] for row in ROWS],
            "new": [float(row["new"]) for row in ROWS],
            "colour": [row.get("colour") for row in ROWS],
        }
    )


def fitted(target: Target) -> Any:
    """Return a model that looks at each code by itself."""
    random = np.random.default_rng(1)
    colour = random.integers(0, 4, 400)
    inputs = np.column_stack([random.normal(size=400), random.integers(0, 2, 400), colour])
    amount = 2 * inputs[:, 0] + inputs[:, 1] + np.array([3.0, -2.0, 1.0, -1.0])[colour]
    labels: dict[Task, Any] = {
        Task.BINARY: (amount > 0).astype(int),
        Task.MULTICLASS: np.digitize(amount, [-1, 1]),
        Task.REGRESSION: amount,
    }
    encoder = OneHotEncoder(
        categories=FEATURES.category_codes, handle_unknown="ignore", sparse_output=False
    )
    columns = ColumnTransformer([("c", encoder, FEATURES.categories)], remainder="passthrough")
    last = Ridge() if target.task is Task.REGRESSION else LogisticRegression()
    model = make_pipeline(columns, last)
    return fit_model(model, inputs.astype(np.float32), labels[target.task], target)


def write_version(folder: Path, target: Target) -> Any:
    """Write what a server reads of a version; return the model as scikit-learn knows it."""
    model = fitted(target)
    onnx = convert(model, len(FEATURES), target)
    (folder / "model.onnx").write_bytes(onnx)
    prepared = Prepared(folder, "k", FEATURES, "c", "r", "h", 9, {}, {}, "s", target=target)
    signature = build_signature("m", 4, 0.5, prepared, ["colour"])
    (folder / "signature.json").write_text(json.dumps(signature))
    rows = FEATURES.matrix(frame())
    probes = build_probes(rows, answers(open_session(onnx), rows, target), 1e-5, target)
    (folder / "probes.json").write_text(json.dumps(probes))
    return model


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script()


def asked(script: ModuleType, folder: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    model = script.load_model(folder)
    script.check_answers(model, folder)
    matrix = script.parse(json.dumps({"data": rows}), model.features).matrix
    found: dict[str, Any] = json.loads(json.dumps(script.score(model, matrix)))
    return found


@pytest.mark.parametrize("target", [BINARY_TARGET, CLASSES, AMOUNTS], ids=lambda t: t.task.value)
def test_it_answers_names_as_training_answers_them(
    script: ModuleType, tmp_path: Path, target: Target
) -> None:
    """Known, new and null categories, booleans as such and as 0 or 1, one left out."""
    model = write_version(tmp_path, target)
    found = asked(script, tmp_path, ROWS)
    expected = raw_answers(model, FEATURES.matrix(frame()), target)
    if target.task is Task.REGRESSION:
        assert found["predictions"] == pytest.approx(expected, abs=1e-5)
        assert "probabilities" not in found
    elif target.task is Task.MULTICLASS:
        assert found["predictions"] == [target.classes[i] for i in expected.argmax(axis=1)]
        for row, probabilities in zip(found["probabilities"], expected, strict=True):
            assert list(row) == list(target.classes)
            assert list(row.values()) == pytest.approx(probabilities, abs=1e-6)
        assert len({*found["predictions"]}) == 3
    else:
        assert found["probabilities"] == pytest.approx(expected, abs=1e-6)
        assert found["predictions"] == (expected >= 0.5).astype(int).tolist()
    assert found["model_version"] == 4
    assert len({*found["inference_id"]}) == len(ROWS)


@pytest.mark.parametrize("target", [BINARY_TARGET, CLASSES, AMOUNTS], ids=lambda t: t.task.value)
def test_its_answers_pass_the_smoke_test_and_what_is_wrong_does_not(
    script: ModuleType, tmp_path: Path, target: Target
) -> None:
    write_version(tmp_path, target)
    signature = json.loads((tmp_path / "signature.json").read_text())
    for _, _, row in good_requests(signature):
        found = asked(script, tmp_path, [row])
        assert explain_answer(Answer(200, found, 0.1), 1, 4, target) == ""
    wrong = asked(script, tmp_path, [ROWS[0]]) | {"predictions": ["no such thing"]}
    assert "predictions holds" in explain_answer(Answer(200, wrong, 0.1), 1, 4, target)


def test_every_bad_request_is_refused_with_its_word(script: ModuleType, tmp_path: Path) -> None:
    write_version(tmp_path, CLASSES)
    signature = json.loads((tmp_path / "signature.json").read_text())
    features = script.load_model(tmp_path).features
    kinds = []
    for kind, body, word in bad_requests(signature):
        with pytest.raises(script.BadRequest, match=word):
            script.parse(body, features)
        kinds.append(kind)
    assert {"number for a category", "number for a boolean", "text for a number"} <= {*kinds}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"colour": 3}, 'row 0: "colour" must be a text, not a number'),
        ({"colour": True}, 'row 0: "colour" must be a text, not true'),
        ({"colour": ["red"]}, 'row 0: "colour" must be a text, not a list'),
        ({"size": "red"}, 'row 0: "size" must be a number, not the text "red"'),
        ({"new": 2}, 'row 0: "new" must be true or false, not a number'),
        ({"new": "true"}, 'row 0: "new" must be true or false, not the text "true"'),
        ({"new": None}, 'row 0: "new" must not be null'),
    ],
)
def test_a_value_of_another_kind_is_explained(
    script: ModuleType, tmp_path: Path, row: dict[str, Any], said: str
) -> None:
    write_version(tmp_path, BINARY_TARGET)
    features = script.load_model(tmp_path).features
    with pytest.raises(script.BadRequest) as refusal:
        script.parse(json.dumps({"data": [ROWS[0] | row]}), features)
    assert str(refusal.value) == said


@pytest.mark.parametrize("target", [CLASSES, AMOUNTS], ids=lambda t: t.task.value)
def test_a_runtime_that_answers_otherwise_does_not_serve(
    script: ModuleType, tmp_path: Path, target: Target
) -> None:
    write_version(tmp_path, target)
    path = tmp_path / "probes.json"
    probes = json.loads(path.read_text())
    name = "probabilities" if target.task.classifies else "predictions"
    probes[name][2] = probes[name][1]
    path.write_text(json.dumps(probes))
    with pytest.raises(script.RefusedToStart, match="answers 1 of 5 probes otherwise"):
        script.check_answers(script.load_model(tmp_path), tmp_path)
