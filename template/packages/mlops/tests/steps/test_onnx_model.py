import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier

from mlops.errors import Refused
from mlops.steps.onnx_model import convert, parity_gap, predict


class Own(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator that skl2onnx does not know."""

    classes_ = np.array([0, 1])


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
