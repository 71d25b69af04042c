"""A model of LightGBM or XGBoost is stored in its library's own format, and no pickle with it."""

import io
import json
import pickle
import pickletools
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from lightgbm import LGBMClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from fakes.boosted import LIGHTGBM_FIXED, codes_data
from fakes.close_values import close_values
from fakes.project import write_project
from mlops.errors import ConfigError
from mlops.governance.gate import judge_run
from mlops.platforms.local.platform import LocalPlatform
from mlops.progress import silent
from mlops.settings.loading import load_settings
from mlops.steps.boosters import STORED_TYPES
from mlops.steps.fit import fit_model
from mlops.steps.register import register_run
from mlops.steps.scoring import load_model

FIXED: dict[str, Any] = {"n_estimators": 20, "random_state": 0}
LIGHT = LGBMClassifier(**LIGHTGBM_FIXED, **FIXED)
EXTREME = XGBClassifier(**FIXED)


def pickles(name: str, content: bytes) -> Iterator[str]:
    """Yield the names of the pickles in a file, whatever it is called and however deep they are."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        archive = zipfile.ZipFile(io.BytesIO(content))
        for member in archive.namelist():
            yield from pickles(f"{name}/{member}", archive.read(member))
    elif content.startswith(b"\x93NUMPY"):
        try:
            np.load(io.BytesIO(content), allow_pickle=False)
        except ValueError:
            yield name
    elif is_pickle(content):
        yield name


def is_pickle(content: bytes) -> bool:
    """Tell whether a pickle begins anywhere that a protocol is named, or at the start."""
    starts = [0]
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        mark, place = bytes([0x80, protocol]), -1
        while (place := content.find(mark, place + 1)) >= 0:
            starts.append(place)
    return any(_reads(content[start:]) for start in starts)


def _reads(content: bytes) -> bool:
    try:
        return sum(1 for _ in pickletools.genops(content)) > 2
    except ValueError:
        return False


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_found_where_it_hides(protocol: int) -> None:
    """What the test below rests on."""
    hidden = pickle.dumps({"a": [1, np.arange(3)]}, protocol=protocol)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.bin", hidden)
    objects = io.BytesIO()
    np.save(objects, np.array([{}], dtype=object), allow_pickle=True)
    assert list(pickles("file", hidden)) == ["file"]
    assert list(pickles("file", packed.getvalue())) == ["file/inner.bin"]
    assert list(pickles("file", objects.getvalue())) == ["file"]
    assert list(pickles("file", json.dumps({"a": [1.5, None]}).encode())) == []
    if protocol >= 2:
        assert list(pickles("file", b"text before " + hidden)) == ["file"]


@pytest.mark.heavy
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:invalid escape sequence")  # of texts read as if pickled
@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_no_file_of_a_version_holds_a_pickle(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = {"lightgbm": LIGHT, "xgboost": EXTREME}[name]
    pipeline = make_pipeline(StandardScaler(), model)
    monkeypatch.setattr("fakes.tiny_use_case.model.make_model", lambda _params, _seed: pipeline)
    platform = LocalPlatform(load_settings(write_project(tmp_path / "project"), variables={}))
    run = platform.run(platform.train(None, silent).run_id)
    judge_run(platform, run, platform.settings)
    folder = register_run(platform, run, platform.settings).folder
    logged = run.folder.parents[1] / "mlruns"
    files = [path for place in (folder, logged) for path in place.rglob("*") if path.is_file()]
    names = {path.name for path in files}
    assert {"model.onnx", "model.skops", "baseline.parquet", "lineage.json"} <= names
    found = [each for path in files for each in pickles(path.name, path.read_bytes())]
    assert found == []
    parity = json.loads((run.folder / "evaluation" / "evaluation.json").read_text())["parity"]
    assert parity["gap"] < 1e-6
    assert parity["flips"] == 0


@pytest.mark.parametrize(
    "model",
    [
        LIGHT,
        EXTREME,
        LGBMClassifier(categorical_feature=[0], **LIGHTGBM_FIXED, **FIXED),
        XGBClassifier(feature_types=["c", "q"], enable_categorical=True, **FIXED),
        make_pipeline(StandardScaler(), LIGHT),
        make_pipeline(StandardScaler(), EXTREME),
    ],
    ids=["light", "extreme", "light-codes", "extreme-codes", "light-pipeline", "extreme-pipeline"],
)
def test_what_is_read_answers_to_the_bit(model: Any, tmp_path: Path) -> None:
    inputs, labels = codes_data()
    fitted = fit_model(model, inputs, labels)
    path = tmp_path / "model.skops"
    skops.io.dump(fitted, path)
    rows = np.concatenate([inputs, np.full((1, 2), np.nan, np.float32)])
    assert (load_model(path).predict_proba(rows) == fitted.predict_proba(rows)).all()


def test_the_text_and_the_binary_json_of_the_libraries_are_what_is_stored(tmp_path: Path) -> None:
    inputs, labels = close_values()
    path = tmp_path / "model.skops"
    skops.io.dump(fit_model(LIGHT, inputs, labels), path)
    with zipfile.ZipFile(path) as archive:
        assert re.search(r"Tree=0\W+nnum_leaves=", archive.read("schema.json").decode())
    skops.io.dump(fit_model(EXTREME, inputs, labels), path)
    with zipfile.ZipFile(path) as archive:
        (binary,) = (each for each in archive.namelist() if each.endswith(".bin"))
        assert archive.read(binary).startswith(b"{L")
        assert b"learner" in archive.read(binary)
    assert set(skops.io.get_untrusted_types(file=path)) <= STORED_TYPES


def test_a_library_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.skops"
    skops.io.dump(fit_model(EXTREME, *close_values()), path)
    monkeypatch.setattr("mlops.steps.boosters.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="holds a model of xgboost, which is not installed") as no:
        load_model(path)
    assert "uv add" in no.value.remedy
