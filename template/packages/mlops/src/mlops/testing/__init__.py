"""Tests that hold for every use case: the team's own tests subclass them."""

import pytest

pytest.register_assert_rewrite("mlops.testing.use_case", "mlops.testing.model")

from mlops.testing.model import ModelContract  # noqa: E402 - after the line above
from mlops.testing.use_case import UseCaseContract  # noqa: E402

__all__ = ["ModelContract", "UseCaseContract"]
