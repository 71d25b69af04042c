"""What the workflows ask that watch a model and have it trained again."""

import json

import pytest

from fakes.candidates import candidate, committed
from fakes.cli import Command, Outputs
from mlops.settings.project import Project


def test_the_worst_code_is_told(
    mlops: Command, outputs: Outputs, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("ci", "worst", "drift=4", "monitor=1", "--json") == 0
    assert outputs() == {"code": "1"}
    assert json.loads(capsys.readouterr().out) == {"codes": {"drift": 4, "monitor": 1}, "worst": 1}
    assert mlops("ci", "worst") == 2


def test_the_commit_of_a_reviewed_candidate_is_told(
    mlops: Command,
    project: Project,
    outputs: Outputs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = candidate(commit=committed(project.root, "uv.lock"))
    assert mlops("ci", "candidate", "--manifest", asked.line()) == 1
    assert "from main alone" in capsys.readouterr().err
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    assert mlops("ci", "candidate", "--manifest", asked.line(), "--json") == 0
    assert outputs() == {"commit": asked.commit}
    assert json.loads(capsys.readouterr().out)["id"] == asked.id
    assert mlops("ci", "candidate", "--manifest", "{}") == 2
