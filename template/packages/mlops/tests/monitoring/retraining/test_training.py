"""Training a candidate: by the commands of its commit, with the project's own state and data."""

import json
import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fakes.candidates import candidate, committed
from fakes.project import with_level
from mlops.artifacts.candidate import FreshData, served_code, write_candidate
from mlops.errors import ConfigError, MlopsError, PlatformError, Refused
from mlops.monitoring.retraining.training import Trained, train_here
from mlops.progress import silent
from mlops.settings.loading import LoadedSettings
from mlops.settings.project import find_project

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the pretended uv is a shell script")

UV = """#!/bin/sh
echo "$PWD|$STATE_OF_MLOPS|$VIRTUAL_ENV$ALERTS_TEAMS_WEBHOOK$GH_TOKEN|$*" >> "$CALLS"
case "$5" in
  {fails}) printf '%s' '{printed}'; exit {code};;
  train) echo '{{"run_id": "run-7"}}';;
  register) echo '{{"version": 8}}';;
  *) echo '{{}}';;
esac
"""
VERDICT = json.dumps(
    {
        "checks": [
            {"name": "f1", "found": "0.2", "asked": "at least 0.75", "passed": False},
            {"name": "roc_auc", "found": "0.9", "asked": "at least 0.75", "passed": True},
        ]
    }
)


class Machine:
    """A project with a commit and another one after it, and a uv that only pretends."""

    def __init__(self, settings: LoadedSettings, folder: Path) -> None:
        self.project = with_level(settings.project, 3)
        root = self.project.root
        (root / ".gitignore").write_text(".mlops/\norders/\n")
        (root / "serving").mkdir()
        (root / "serving" / "score.py").write_text("old")
        self.commit = committed(root)
        (root / "serving" / "score.py").write_text("new")
        committed(root)
        self.settings = settings
        self.calls = folder / "calls"
        self.uv = folder / "uv"
        self.play()

    def play(self, fails: str = "none", code: int = 0, printed: str = "") -> None:
        self.uv.write_text(UV.format(fails=fails, code=code, printed=printed))
        self.uv.chmod(0o755)

    def train(self, **changed: Any) -> Trained:
        asked = candidate(commit=self.commit, **changed)
        manifest = write_candidate(self.project.state_dir, asked)
        return train_here(asked, manifest, self.settings, silent)

    def called(self) -> list[list[str]]:
        return [line.split("|") for line in self.calls.read_text().splitlines()]


@pytest.fixture
def machine(settings: LoadedSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(settings, tmp_path)
    monkeypatch.setenv("CALLS", str(made.calls))
    monkeypatch.setenv("UV", str(made.uv))
    for name in ("VIRTUAL_ENV", "ALERTS_TEAMS_WEBHOOK", "GH_TOKEN"):
        monkeypatch.setenv(name, "/another")
    return made


def test_it_runs_the_steps_of_the_pipeline_at_the_commit(machine: Machine) -> None:
    trained = machine.train()
    assert (trained.run_id, trained.model_version) == ("run-7", 8)
    manifest = machine.project.state_dir / "candidates" / candidate().id / "candidate.json"
    begin = "run --locked --quiet mlops"
    assert [said for *_, said in machine.called()] == [
        f"{begin} train --environment dev --json --candidate {manifest}",
        f"{begin} evaluate --environment dev --json --run-id run-7",
        f"{begin} register --environment dev --json --run-id run-7",
    ]
    for folder, state, kept, _ in machine.called():
        assert folder != str(machine.project.root)
        assert state == str(machine.project.state_dir)
        assert kept == "", "neither of this environment, nor a secret of who is told"


def test_the_scoring_code_is_that_of_the_commit(machine: Machine) -> None:
    trained = machine.train()
    assert trained.serving == served_code(machine.project.state_dir, candidate())
    assert (trained.serving / "score.py").read_text() == "old"


def test_a_folder_of_data_is_the_projects_own(machine: Machine) -> None:
    orders = machine.project.root / "orders"
    orders.mkdir()
    machine.train(data=FreshData(kind="folder", name="orders", reference_date=date(2026, 6, 30)))
    assert machine.called()[0][-1].endswith(f" --data-dir {orders}")


@pytest.mark.parametrize(
    ("fails", "code", "kind"),
    [
        ("train", 1, Refused),
        ("train", 2, ConfigError),
        ("evaluate", 3, PlatformError),
        ("register", 130, PlatformError),
    ],
)
def test_a_step_that_fails_ends_it(
    machine: Machine, fails: str, code: int, kind: type[MlopsError]
) -> None:
    machine.play(fails, code)
    with pytest.raises(
        kind, match=f"`uv run mlops {fails}` .* ended with exit code {code}$"
    ) as told:
        machine.train()
    assert type(told.value) is kind
    assert machine.called()[-1][-1].split()[4] == fails


def test_a_refusal_of_the_gate_says_which_checks_failed(machine: Machine) -> None:
    machine.play("evaluate", 1, VERDICT)
    with pytest.raises(
        Refused, match=r"^f1 is 0\.2, asked: at least 0\.75: `uv run mlops evaluate` .* code 1$"
    ):
        machine.train()


@pytest.mark.parametrize("printed", ["", "[]", "nonsense"])
def test_what_prints_no_result_has_failed(machine: Machine, printed: str) -> None:
    machine.play("train", 0, printed)
    with pytest.raises(PlatformError, match="printed no JSON object"):
        machine.train()
    machine.play("evaluate", 1, printed)
    with pytest.raises(Refused, match=r"exit code 1$"):
        machine.train()


def test_without_uv_it_says_so(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV")
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "uv" else which(name))
    with pytest.raises(ConfigError, match="uv is not installed"):
        machine.train()


def test_another_commit_finds_the_state_of_the_project(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = machine.project.root
    assert find_project(root).state_dir == root / ".mlops"
    monkeypatch.setenv("STATE_OF_MLOPS", str(tmp_path / "state"))
    assert find_project(root).state_dir == tmp_path / "state"
