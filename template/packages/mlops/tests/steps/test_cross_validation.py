from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from fakes.features import numbers
from mlops.artifacts.prepared import Prepared
from mlops.errors import Refused
from mlops.metrics import measured
from mlops.steps.cross_validation import OutOfFold, cross_validate, summary, training_folds
from mlops.steps.fit import fit_model
from mlops.steps.onnx_model import convert, predict
from mlops.tasks import BINARY_TARGET, Target, Task

SPLIT = {"salt": "holdout", "holdout_fraction": 0.25, "key": "machine"}
REGRESSION = Target(Task.REGRESSION)


def prepared(folder: Path) -> Prepared:
    return Prepared(folder, "machine", numbers("a", "b"), "c", "r", "h", 9, SPLIT, {}, "s")


def table(rows: int, seed: int = 1) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, rows))
    label = (a + random.normal(size=rows) > 0.5).astype(np.int8)
    keys = [f"m{number:04}" for number in range(rows)]
    return pl.DataFrame({"machine": keys, "a": a, "b": b, "label": label})


def arrays(part: pl.DataFrame) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any]]:
    return part.select("a", "b").to_numpy().astype(np.float32), part["label"].to_numpy()


def serve(inputs: npt.NDArray[np.float32], labels: npt.NDArray[Any]) -> bytes:
    return convert(fit_model(LogisticRegression(), inputs, labels), inputs.shape[1])


def validated(folder: Path, part: pl.DataFrame, count: int = 4) -> OutOfFold:
    parts = training_folds(prepared(folder), part, count)
    return cross_validate(serve, *arrays(part), parts, BINARY_TARGET)


def test_each_entity_is_measured_once_by_a_model_that_did_not_see_it(tmp_path: Path) -> None:
    part = table(103)
    parts = training_folds(prepared(tmp_path), part, 4)
    measured_on = np.concatenate([measure for _, measure in parts])
    assert sorted(measured_on) == list(range(103))
    for fit, measure in parts:
        assert set(fit) | set(measure) == set(range(103))
        assert not set(fit) & set(measure)
        assert len(measure) in (25, 26)


def test_the_folds_do_not_depend_on_the_order_of_the_rows(tmp_path: Path) -> None:
    part = table(60)
    mixed = part.sample(fraction=1.0, shuffle=True, seed=3)
    first, second = (
        [set(each["machine"][measure.tolist()]) for _, measure in training_folds(p, each, 3)]
        for p, each in ((prepared(tmp_path), part), (prepared(tmp_path), mixed))
    )
    assert first == second


def test_what_is_measured_are_the_answers_of_each_folds_graph(tmp_path: Path) -> None:
    part = table(200)
    inputs, labels = arrays(part)
    parts = training_folds(prepared(tmp_path), part, 4)
    found = cross_validate(serve, inputs, labels, parts, BINARY_TARGET)
    fit, measure = parts[2]
    rows = found.fold == 2
    expected = predict(serve(inputs[fit], labels[fit]), inputs[measure])
    assert (found.outputs[rows] == expected).all()
    assert found.outputs.dtype == np.float32
    assert (found.labels[rows] == labels[measure]).all()


def test_a_fold_that_lacks_a_label_is_named(tmp_path: Path) -> None:
    part = table(40).with_columns(label=pl.Series([1] + [0] * 39, dtype=pl.Int8))
    with pytest.raises(Refused, match=r"fold \d of .* has no row with label 1 to fit on"):
        validated(tmp_path, part)


def test_too_few_entities_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="3 entities, too few for 4 folds"):
        validated(tmp_path, table(3))
    with pytest.raises(ValueError, match="at least 2"):
        training_folds(prepared(tmp_path), table(3), 1)


def test_the_summary_has_each_metric_with_its_interval_and_folds(tmp_path: Path) -> None:
    found = validated(tmp_path, table(400))
    said = summary(found, BINARY_TARGET, 0.5)
    expected = measured(BINARY_TARGET, found.labels, found.outputs, 0.5)
    assert (said["folds"], said["rows"], said["level"]) == (4, 400, 0.95)
    assert {name: each["value"] for name, each in said["metrics"].items()} == expected
    for name, each in said["metrics"].items():
        low, high = each["interval"]
        assert low < expected[name] < high, name
    rows = found.fold == 1
    first = measured(BINARY_TARGET, found.labels[rows], found.outputs[rows], 0.5)
    assert said["each_fold"][1] == first
    assert summary(found, BINARY_TARGET, 0.5) == said


def test_what_cannot_be_computed_has_neither_value_nor_interval(tmp_path: Path) -> None:
    said = summary(validated(tmp_path, table(100)), BINARY_TARGET, 1.0)
    assert said["metrics"]["precision"] == {"value": None, "interval": None}


def test_groups_come_along(tmp_path: Path) -> None:
    part = table(90)
    groups = np.arange(90) // 3
    parts = training_folds(prepared(tmp_path), part, 3)
    found = cross_validate(serve, *arrays(part), parts, BINARY_TARGET, groups)
    assert found.groups is not None
    order = np.concatenate([measure for _, measure in parts])
    assert (found.groups == groups[order]).all()


def test_numbers_are_cross_validated_as_well(tmp_path: Path) -> None:
    part = table(120).with_columns(label=pl.col("a") * 3.0 + pl.col("b"))
    inputs, labels = arrays(part)

    def serve_numbers(rows: npt.NDArray[np.float32], known: npt.NDArray[Any]) -> bytes:
        return convert(fit_model(LinearRegression(), rows, known, REGRESSION), 2, REGRESSION)

    parts = training_folds(prepared(tmp_path), part, 3)
    found = cross_validate(serve_numbers, inputs, labels, parts, REGRESSION)
    assert summary(found, REGRESSION, 0.5)["metrics"]["mae"]["value"] < 1e-4
