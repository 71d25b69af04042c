"""What callers may leave out is null then: a model that answers no null there is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from mlops.artifacts.prepared import Prepared
from mlops.errors import Refused
from mlops.features import Feature, Features
from mlops.steps.optional_features import require_null_is_answered, require_null_is_taken

FEATURES = Features(
    (
        Feature("height", False, 1.5),
        Feature("width", False, 2.5, optional=True),
        Feature("depth", False, 0.5, optional=True),
    )
)
PREPARED = Prepared(Path(), "key", FEATURES, "c", "r", "h", 9, {}, {}, "s")
INPUTS = np.random.default_rng(1).normal(size=(40, 3)).astype(np.float32)
LABELS = (INPUTS[:, 0] > 0).astype(int)


@pytest.mark.parametrize(
    "model",
    [DecisionTreeClassifier(max_depth=2), make_pipeline(SimpleImputer(), LogisticRegression())],
)
def test_a_model_that_knows_nulls_may_have_optional_features(model: Any) -> None:
    require_null_is_taken(model.fit(INPUTS, LABELS), INPUTS, FEATURES)
    assert not np.isnan(INPUTS).any()


def test_a_model_that_takes_no_null_is_refused_by_the_names_of_the_features() -> None:
    with pytest.raises(Refused, match="leave out width, depth, which is null") as refusal:
        require_null_is_taken(LogisticRegression().fit(INPUTS, LABELS), INPUTS, FEATURES)
    assert "SimpleImputer" in refusal.value.remedy


@pytest.mark.parametrize("answered", [["height", "width"], ["height"]])
def test_a_graph_that_answers_no_null_is_refused(answered: list[str]) -> None:
    with pytest.raises(Refused, match="depth"):
        require_null_is_answered(PREPARED, answered)
    require_null_is_answered(PREPARED, ["width", "depth"])
