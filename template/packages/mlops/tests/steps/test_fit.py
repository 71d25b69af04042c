import json
from pathlib import Path

import polars as pl
import pytest
import skops.io

from fakes.features import numbers
from mlops.errors import Refused
from mlops.files import file_sha256
from mlops.platforms.local.platform import LocalPlatform
from mlops.steps.scoring import load_model


class Foreign:
    """A type from outside scikit-learn and NumPy."""

    def __init__(self) -> None:
        self.value = 1


def test_types_from_elsewhere_are_not_loaded(tmp_path: Path) -> None:
    skops.io.dump(Foreign(), tmp_path / "model.skops")
    with pytest.raises(Refused, match="Foreign"):
        load_model(tmp_path / "model.skops")


def test_nulls_become_nan_in_the_order_of_the_features() -> None:
    found = numbers("b", "a").matrix(pl.DataFrame({"a": [1.0, None], "b": [3, 4]}))
    assert found.dtype == "float32"
    assert found[0].tolist() == [3.0, 1.0]
    assert found[1][0] == 4.0
    assert found[1][1] != found[1][1]


def test_the_description_names_the_model_file(trained: tuple[LocalPlatform, str]) -> None:
    platform, run_id = trained
    folder = platform.run(run_id).folder / "model"
    description = json.loads((folder / "training.json").read_text())
    assert description["model_sha256"] == file_sha256(folder / "model.skops")
    assert description["model_type"] == "DecisionTreeClassifier"
    assert description["baseline_type"] == "LogisticRegression"
    assert load_model(folder / "model.skops").get_depth() <= 3
