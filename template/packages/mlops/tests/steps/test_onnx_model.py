from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from fakes.features import unnamed
from mlops.errors import Refused
from mlops.steps.onnx_model import convert, open_session, predict
from mlops.steps.parity import null_gaps, parity_gap


class Own(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator that skl2onnx does not know."""

    classes_ = np.array([0, 1])

    def predict_proba(self, inputs: np.ndarray) -> np.ndarray:
        return np.full((len(inputs), 2), 0.5)


def data() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(500, 3)).astype(np.float32)
    inputs[::9, 1] = np.nan
    return inputs, (inputs[:, 0] ** 2 + random.normal(size=500) > 1).astype(int)


def test_onnx_gives_the_same_probabilities() -> None:
    inputs, labels = data()
    model = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(inputs, labels)
    onnx = convert(model, 3)
    assert predict(onnx, inputs).shape == (500,)
    assert parity_gap(model, onnx, inputs) < 1e-6


def test_another_model_shows_in_the_gap() -> None:
    inputs, labels = data()
    model = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(inputs, labels)
    other = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(inputs, 1 - labels)
    assert parity_gap(other, convert(model, 3), inputs) > 0.1


def test_an_estimator_without_a_converter_is_refused() -> None:
    with pytest.raises(Refused, match="cannot be converted to ONNX"):
        convert(Own(), 3)


FOREST = RandomForestClassifier(20, random_state=0)


@pytest.mark.parametrize("nulls_in_training", [True, False])
@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_depth=6, random_state=0),
        FOREST,
        ExtraTreesClassifier(20, random_state=0),
        BaggingClassifier(DecisionTreeClassifier(), n_estimators=5, random_state=0),
        VotingClassifier([("a", FOREST), ("b", FOREST)], voting="soft", flatten_transform=False),
        make_pipeline(StandardScaler(), FOREST),
        HistGradientBoostingClassifier(max_iter=20, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_null_goes_where_scikit_learn_sends_it(model: Any, nulls_in_training: bool) -> None:
    """Seen in the wild: two of three answers of a forest flipped on a null."""
    inputs, labels = data()
    fitted = model.fit(inputs if nulls_in_training else np.nan_to_num(inputs), labels)
    onnx = convert(fitted, 3)
    assert parity_gap(fitted, onnx, inputs) < 1e-6
    gaps = null_gaps(fitted, open_session(onnx), inputs, unnamed(3))
    assert [gap is not None and gap < 1e-6 for gap in gaps] == [True] * 3


def test_a_null_that_scikit_learn_refuses_is_none() -> None:
    inputs, labels = data()
    known = np.nan_to_num(inputs)
    linear = LogisticRegression().fit(known, labels)
    assert null_gaps(linear, open_session(convert(linear, 3)), known, unnamed(3)) == [None] * 3
    filled = ColumnTransformer([("a", SimpleImputer(), [1]), ("b", "passthrough", [0, 2])])
    partly = make_pipeline(filled, LogisticRegression()).fit(known, labels)
    gaps = null_gaps(partly, open_session(convert(partly, 3)), known, unnamed(3))
    assert (gaps[0], gaps[2]) == (None, None)
    assert gaps[1] is not None


def test_null_routing_that_cannot_be_written_shows_in_the_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mlops.steps.onnx_model.route_nulls", lambda *_: None)
    inputs, labels = data()
    forest = RandomForestClassifier(20, random_state=0).fit(np.nan_to_num(inputs), labels)
    gaps = null_gaps(forest, open_session(convert(forest, 3)), inputs, unnamed(3))
    assert max(gap or 0 for gap in gaps) > 0.1
