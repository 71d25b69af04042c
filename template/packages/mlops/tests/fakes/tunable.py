"""The tiny use case with parameters to tune and a search space."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from sklearn.tree import DecisionTreeClassifier

from fakes.tiny_use_case import model
from mlops.usecase.use_case import UseCase


class Params(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    depth: int = Field(default=1, ge=1, le=10)
    smallest_leaf: float = Field(default=0.1, gt=0, lt=0.5)
    criterion: str = "gini"


def make_model(params: Params, seed: int) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(
        max_depth=params.depth,
        min_samples_leaf=params.smallest_leaf,
        criterion=params.criterion,
        random_state=seed,
    )


def search_space(trial: Any) -> dict[str, Any]:
    return {
        "depth": trial.suggest_int("depth", 1, 6),
        "smallest_leaf": trial.suggest_float("smallest_leaf", 0.001, 0.3, log=True),
        "criterion": trial.suggest_categorical("criterion", ["gini", "entropy"]),
    }


def make_tunable(
    monkeypatch: pytest.MonkeyPatch, space: Callable[[Any], Any] | None = search_space
) -> None:
    """Let the tiny use case have parameters, and a search space unless it is None."""
    monkeypatch.setattr(UseCase, "params_type", lambda _use_case: Params)
    monkeypatch.setattr(model, "make_model", make_model)
    if space is not None:
        monkeypatch.setattr(model, "search_space", space, raising=False)
