"""A run, and the gate that judges it."""

import json
from pathlib import Path

import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from fakes.candidates import candidate, committed
from fakes.cli import Command
from fakes.project import TODAY
from fakes.tiny_use_case import model
from mlops.artifacts.candidate import FreshData, write_candidate
from mlops.artifacts.run_folder import RunFolder


def test_train_prints_the_run_id(
    inside: tuple[Command, str], raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, first = inside
    assert mlops("train", "--data-dir", raw) == 0
    run_id = capsys.readouterr().out.strip()
    assert run_id.isalnum()
    assert run_id != first
    assert mlops("train", "--data-dir", raw, "--json") == 0
    assert json.loads(capsys.readouterr().out)["evaluation"]["model"]["f1"] > 0.75


def test_train_shows_cross_validated_metrics_if_asked_and_what_it_is_warned_of(
    inside: tuple[Command, str],
    raw: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stopping(_params: object, seed: int) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(early_stopping=True, max_iter=5, random_state=seed)

    mlops, _ = inside
    monkeypatch.setattr(model, "make_model", stopping)
    monkeypatch.setenv("MLOPS_TRAINING__CROSS_VALIDATION", "3")
    monkeypatch.setenv("COLUMNS", "80")
    assert mlops("train", "--data-dir", raw) == 0
    said = capsys.readouterr().err
    assert "Cross-validated on the training part (3 folds, " in said
    assert said.index("Cross-validated") < said.index("Metrics on the holdout")
    assert "95 % interval" in said
    assert "warning: HistGradientBoostingClassifier stops early by a random split" in said
    assert max(len(line) for line in said.splitlines() if line[:1] in "┏┃┡│└") <= 80


def test_the_f1_option_leaves_the_other_thresholds_in_force(
    inside: tuple[Command, str], capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, run_id = inside
    assert mlops("evaluate", "--run-id", run_id, "--threshold-f1", "0.1", "--json") == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    asked = {check["name"]: check["asked"] for check in checks}
    assert asked["f1"] == "at least 0.1000"
    assert asked["roc_auc"] == "at least 0.7500"


def test_any_limit_can_be_overridden_and_may_refuse(
    inside: tuple[Command, str], capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, run_id = inside
    limits = ("--threshold", "brier=0", "--threshold", "f1=0.1")
    assert mlops("evaluate", "--run-id", run_id, *limits, "--json") == 1
    checks = {each["name"]: each for each in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["brier"]["asked"] == "at most 0.0000"
    assert [name for name, check in checks.items() if not check["passed"]] == ["brier"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("mae=30", "mae is no metric of a binary model"),
        ("mae", "'mae' is not METRIC=LIMIT"),
        ("f1=high", "'f1=high' is not METRIC=LIMIT"),
        ("no_such=1", "no_such"),
        ("f1=nan", "f1"),
        ("f1=2", "f1"),
        ("=1", "gate.thresholds"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(
    inside: tuple[Command, str], capsys: pytest.CaptureFixture[str], given: str, words: str
) -> None:
    mlops, run_id = inside
    assert mlops("evaluate", "--run-id", run_id, "--threshold", given) == 2
    assert words in capsys.readouterr().err


def test_a_candidate_is_trained_on_all_data_at_its_commit_alone(
    inside: tuple[Command, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mlops, _ = inside
    root = Path.cwd()
    (root / ".gitignore").write_text(".mlops/\n")
    asked = candidate(commit=committed(root), data=FreshData(kind="sample", reference_date=TODAY))
    manifest = write_candidate(root / ".mlops", asked)
    monkeypatch.setenv("MLOPS_DATA__FRACTION", "0.5")
    assert mlops("train", "--candidate", manifest, "--json") == 0
    run = RunFolder(Path(json.loads(capsys.readouterr().out)["folder"]))
    assert run.candidate() == asked
    assert run.prepared().source.fraction == 1.0
    (root / "later.txt").write_text("")
    committed(root)
    assert mlops("train", "--candidate", manifest) == 1
    assert "check out its commit" in capsys.readouterr().err
