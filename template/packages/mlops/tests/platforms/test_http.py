"""What an endpoint's answer is taken for."""

from typing import Any

import pytest

from mlops.platforms.base import Answer
from mlops.platforms.http import predicts_as


@pytest.mark.parametrize(
    ("status", "body", "right"),
    [
        (200, {"model_version": 3}, True),
        (200, {"model_version": 2}, False),
        (200, {}, False),
        (200, "model_version 3", False),
        (500, {"model_version": 3}, False),
    ],
)
def test_only_an_answer_of_the_version_predicts_as_it(status: int, body: Any, right: bool) -> None:
    assert predicts_as(Answer(status, body, 0.1), 3) is right
