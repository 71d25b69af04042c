from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from mlops.steps.fit_remarks import AUTOMATIC_FROM, class_weights, early_stopping


class Boosted(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Takes the parameters of boosting libraries, as their own classifiers do."""

    def __init__(
        self, scale_pos_weight: float | None = None, is_unbalance: bool = False, **more: Any
    ) -> None:
        self.scale_pos_weight, self.is_unbalance, self.more = scale_pos_weight, is_unbalance, more

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        del deep
        return {"scale_pos_weight": self.scale_pos_weight, "is_unbalance": self.is_unbalance}


WEIGHED = LogisticRegression(class_weight="balanced")


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (WEIGHED, "LogisticRegression(class_weight='balanced')"),
        (
            RandomForestClassifier(class_weight="balanced_subsample"),
            "RandomForestClassifier(class_weight='balanced_subsample')",
        ),
        (
            HistGradientBoostingClassifier(class_weight={0: 1, 1: 5}),
            "HistGradientBoostingClassifier(class_weight={0: 1, 1: 5})",
        ),
        (SVC(class_weight={1: 3.0}, probability=True), "SVC(class_weight={1: 3.0})"),
        (Boosted(scale_pos_weight=4.0), "Boosted(scale_pos_weight=4.0)"),
        (Boosted(is_unbalance=True), "Boosted(is_unbalance=True)"),
    ],
)
def test_weights_are_found_and_named_as_one_writes_them(model: Any, named: str) -> None:
    assert class_weights(model) == (named,)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), WEIGHED),
        VotingClassifier([("a", LogisticRegression()), ("b", WEIGHED)]),
        StackingClassifier([("a", DecisionTreeClassifier())], final_estimator=WEIGHED),
        BaggingClassifier(WEIGHED),
        CalibratedClassifierCV(WEIGHED),
        make_pipeline(ColumnTransformer([("s", StandardScaler(), [0])]), WEIGHED),
    ],
)
def test_weights_are_found_however_deep_they_are(model: Any) -> None:
    assert class_weights(model) == ("LogisticRegression(class_weight='balanced')",)
    inputs = np.random.default_rng(1).normal(size=(60, 2)).astype(np.float32)
    fitted = model.fit(inputs, (inputs[:, 0] > 0).astype(int))
    assert class_weights(fitted) == ("LogisticRegression(class_weight='balanced')",)


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        HistGradientBoostingClassifier(class_weight={0: 1, 1: 1}),
        Boosted(scale_pos_weight=1),
        Boosted(),
        StandardScaler(),
    ],
)
def test_no_weights_are_seen_where_there_are_none(model: Any) -> None:
    assert class_weights(model) == ()


@pytest.mark.parametrize(
    ("model", "rows", "warned"),
    [
        (HistGradientBoostingClassifier(), AUTOMATIC_FROM + 1, True),
        (HistGradientBoostingClassifier(), AUTOMATIC_FROM, False),
        (HistGradientBoostingClassifier(early_stopping=True), 100, True),
        (HistGradientBoostingClassifier(early_stopping=False), 10**6, False),
        (make_pipeline(HistGradientBoostingClassifier()), 10**6, True),
        (GradientBoostingClassifier(n_iter_no_change=5), 100, True),
        (GradientBoostingClassifier(), 10**6, False),
        (SGDClassifier(loss="log_loss"), 10**6, False),
        (SGDClassifier(loss="log_loss", early_stopping=True), 100, True),
    ],
)
def test_early_stopping_by_a_random_split_is_warned_of(model: Any, rows: int, warned: bool) -> None:
    found = early_stopping(model, rows)
    assert len(found) == int(warned)
    if warned:
        assert "stops early by a random split of its own, blind to time and groups" in found[0]


def test_scikit_learn_stops_by_itself_just_above_that_many_rows() -> None:
    inputs = np.random.default_rng(1).normal(size=(AUTOMATIC_FROM + 1, 1)).astype(np.float32)
    labels = (inputs[:, 0] > 0).astype(int)
    for rows in (AUTOMATIC_FROM, AUTOMATIC_FROM + 1):
        model = HistGradientBoostingClassifier(max_iter=1).fit(inputs[:rows], labels[:rows])
        assert model.do_early_stopping_ == bool(early_stopping(model, rows))
