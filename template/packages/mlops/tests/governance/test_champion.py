"""A champion on the holdout of a later run, where both were split in time."""

from collections.abc import Callable
from datetime import date, timedelta

import ibis
import polars as pl
import pytest

from fakes.project import TODAY
from fakes.tiny_use_case import features as features_module
from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.version_folder import VersionFolder
from mlops.governance.champion import compare
from mlops.governance.gate import Verdict, judge_run
from mlops.metrics import measured
from mlops.platforms.base import Run
from mlops.platforms.local.platform import LocalPlatform
from mlops.progress import silent
from mlops.settings.loading import LoadedSettings
from mlops.steps.onnx_model import predict
from mlops.steps.register import register_run
from mlops.tasks import BINARY_TARGET

Load = Callable[..., LoadedSettings]
Since = Callable[[date], None]
DAYS, GAP = 60, 3
FIRST, EARLIER = TODAY - timedelta(days=100), TODAY - timedelta(days=110)
SPLIT = {"by": "time", "date": "seen", "key": "plant", "gap_days": GAP}

pytestmark = pytest.mark.heavy


@pytest.fixture
def since(monkeypatch: pytest.MonkeyPatch) -> Since:
    """Let each machine have a date in the sixty days from one on, and a plant of its own."""
    plain = features_module.build_features

    def begin(first: date) -> None:
        def build_features(readings: ibis.Table, reference_date: date) -> ibis.Table:
            found = plain(readings, reference_date)
            number = found.machine.substr(1).cast("int64")
            seen = ibis.literal(first) + (number % DAYS).as_interval("D")
            return found.mutate(seen=seen, plant=number)

        monkeypatch.setattr(features_module, "build_features", build_features)

    return begin


def trained(settings: LoadedSettings) -> tuple[LocalPlatform, Run, Verdict]:
    platform = LocalPlatform(settings)
    run = platform.train(None, silent)
    return platform, run, judge_run(platform, run, settings)


@pytest.mark.slow
def test_a_later_run_is_compared_on_what_neither_was_trained_on(load: Load, since: Since) -> None:
    since(FIRST)
    platform, run, verdict = trained(load(split=SPLIT))
    assert (verdict.passed, verdict.champion_note) == (True, "")
    assert RunFolder(run.folder).prepared().feature_names == ["highest", "lowest", "count"]
    version = register_run(platform, run, platform.settings)
    folder = VersionFolder(version.folder)
    assert folder.lineage()["split"] == {
        "by": "time",
        "date": "seen",
        "holdout_fraction": 0.25,
        "key": "plant",
        "grouped": True,
        "first_holdout_day": (FIRST + timedelta(days=45)).isoformat(),
        "last_training_day": (FIRST + timedelta(days=42)).isoformat(),
        "gap_days": GAP,
        "rows_cut_away": 10,
        "dates": 15,
    }
    card = (version.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "Split in time: the holdout is the newest by seen, from" in card

    since(EARLIER)
    _platform, _run, refused = trained(load(split=SPLIT))
    failed = {check.name: check.asked for check in refused.checks if not check.passed}
    assert "25 of the holdout's 75 rows are later" in failed["f1 against champion 1"]

    lax = load(split=SPLIT, gate__min_slice_rows=25)
    _platform, later, verdict = trained(lax)
    assert verdict.passed
    assert "where neither was trained: 25 of the holdout's 75 rows" in verdict.champion_note
    found = compare(version, later, lax.values.gate)
    prepared = RunFolder(later.folder).prepared()
    fair = prepared.holdout().filter(pl.col("split.day") >= FIRST + timedelta(days=42 + GAP))
    assert fair.height == 25
    inputs, labels = prepared.features.matrix(fair), fair["label"].to_numpy()
    model = RunFolder(later.folder).model.onnx
    assert found.champion == measured(BINARY_TARGET, labels, predict(folder.onnx, inputs), 0.5)
    assert found.challenger == measured(BINARY_TARGET, labels, predict(model, inputs), 0.5)
