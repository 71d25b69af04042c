"""The recorded settings reach the commands of another commit, and those of this process do not."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.data.suppression import Secret, Suppression
from mlops.errors import Hold
from mlops.progress import silent
from mlops.reproduction.record import settings_again
from mlops.reproduction.training import Order, train_commit, variables_of
from mlops.settings.loading import load_settings
from mlops.settings.project import Project

UV = """\
#!/bin/sh
echo "$PWD|$MLOPS_TRAINING|$STATE_OF_MLOPS|$*" >> "$CALLS"
case "$*" in *"step {fails} "*) exit {code};; esac
"""
GIT = ("git", "-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
LINEAGE: dict[str, Any] = {
    "data": {"reference_date": "2024-06-30", "source": {"kind": "sample", "name": "size 300"}},
    "settings": {
        "environment": "dev",
        "azure.region": "x",
        "data.source": "sample",
        "data.folder": None,
        "data.sample.size": 300,
        "data.reference_date": None,
        "data.max_age_days": None,
        "split.salt": "s",
        "training.seed": 3,
        "params.depth": 1e-05,
        "gate.thresholds.f1": None,
        "endpoint.name": "e",
    },
}


def test_the_settings_that_training_reads_are_those_of_the_record() -> None:
    assert settings_again(LINEAGE) == {
        "data.source": "sample",
        "data.sample.size": 300,
        "data.reference_date": "2024-06-30",
        "data.max_age_days": None,
        "split.salt": "s",
        "training.seed": 3,
        "params.depth": 1e-05,
        "gate.thresholds.f1": None,
    }


def test_what_was_not_drawn_is_not_drawn_again() -> None:
    folder = {**LINEAGE["data"], "source": {"kind": "folder", "name": "data"}}
    again = settings_again({**LINEAGE, "data": folder})
    assert "data.sample.size" not in again
    assert "data.source" not in again


def test_settings_become_variables_that_load_as_they_were(project: Project) -> None:
    again = {
        "data.max_age_days": None,
        "data.reference_date": "2024-01-02",
        "data.ignore": ["old/*.csv"],
        "split.holdout_fraction": 0.25,
        "training.seed": 9,
        "gate.parity_tolerance": 1e-05,
    }
    variables = variables_of(again, {"MLOPS_TRAINING__SEED": "1", "PATH": "p"})
    assert variables["PATH"] == "p"
    assert "MLOPS_TRAINING__SEED" not in variables
    values = load_settings(project, variables=variables).values
    assert (values.data.max_age_days, str(values.data.reference_date)) == (None, "2024-01-02")
    assert values.data.ignore == ("old/*.csv",)
    assert (values.split.holdout_fraction, values.training.seed) == (0.25, 9)
    assert values.gate.parity_tolerance == 1e-05


@pytest.mark.skipif(os.name == "nt", reason="the pretended uv is a script of sh")
def test_a_commit_that_reads_rows_of_who_was_forgotten_is_no_repetition(
    commit: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv, calls = tmp_path / "uv", tmp_path / "calls"
    uv.write_text(UV.format(fails="none", code=0))
    uv.chmod(0o755)
    monkeypatch.setenv("UV", str(uv))
    monkeypatch.setenv("CALLS", str(calls))
    order = Order("dev", {}, None, tmp_path / "place")
    order.run.validated.path.mkdir(parents=True)
    pl.DataFrame({"who": ["a", "b"]}).write_parquet(order.run.validated.data)
    secret = Secret("s1", bytes(32))
    of_b, of_c = (
        Suppression("who", whole=False, secret=secret, hashes=frozenset([secret.digest(key)]))
        for key in ("b", "c")
    )
    with pytest.raises(Hold, match="reads rows of forgotten keys"):
        train_commit(order, *commit, silent, of_b)
    assert len(calls.read_text().splitlines()) == 1, "nothing is trained on them"
    train_commit(order, *commit, silent, of_c)


@pytest.fixture
def commit(tmp_path: Path) -> tuple[Path, str]:
    """A repository and its only commit."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "a").write_text("x")
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "x")):
        subprocess.run([*GIT, *arguments], cwd=root, check=True)
    found = subprocess.run([*GIT, "rev-parse", "HEAD"], cwd=root, check=True, capture_output=True)
    return root, found.stdout.decode().strip()


@pytest.mark.skipif(os.name == "nt", reason="the pretended uv is a script of sh")
@pytest.mark.parametrize(("fails", "steps"), [("none", 4), ("fit", 3)])
def test_the_steps_of_the_commit_are_called_in_a_folder_of_it(
    commit: tuple[Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fails: str,
    steps: int,
) -> None:
    uv, calls = tmp_path / "uv", tmp_path / "calls"
    uv.write_text(UV.format(fails=fails, code=3))
    uv.chmod(0o755)
    monkeypatch.setenv("UV", str(uv))
    monkeypatch.setenv("CALLS", str(calls))
    monkeypatch.setenv("MLOPS_TRAINING", "{seed: 1}")
    order = Order("dev", {"training.seed": 9}, tmp_path, tmp_path / "place")
    if fails == "none":
        train_commit(order, *commit, silent)
    else:
        with pytest.raises(Hold, match=r"`uv run mlops step fit` of commit .* exit code 3"):
            train_commit(order, *commit, silent)
    called = [line.split("|") for line in calls.read_text().splitlines()]
    begin = "run --locked --quiet mlops step"
    names = ["validate", "prepare", "fit", "evaluate"][:steps]
    for (folder, settings, state, said), name in zip(called, names, strict=True):
        assert said.startswith(f"{begin} {name} --environment dev")
        assert Path(folder) != commit[0]
        assert not Path(folder).exists(), "it is thrown away"
        assert json.loads(settings) == {"seed": 9}
        assert state == str(tmp_path / "place" / "state")
    assert f"--data-dir {tmp_path} --output" in called[0][-1]
