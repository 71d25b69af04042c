"""The branch of the audit log on the command line: its exit codes, and what they say."""

import json
from pathlib import Path

import pytest

from fakes.audit_remote import Remote, anchor_of, git, left
from fakes.cli import Command
from mlops.ops.audit_branch import publish
from mlops.settings.project import Project


@pytest.fixture
def remote(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    """The project's remote."""
    monkeypatch.setattr(publish, "WAITS", ())
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.com")
    remote = Remote.make(tmp_path / "remote.git")
    remote.connect(project.root)
    return remote


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    left(tmp_path / "collected", "train-dev", range(1, 3))
    return tmp_path / "collected"


def test_a_run_is_published_and_read_again(
    mlops: Command,
    remote: Remote,
    collected: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = tmp_path / "page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    assert mlops("audit", "publish", "--collected", collected, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["added"], found["known"], found["lines"]) == (2, 0, 2)
    assert remote.tags() == ["refs/tags/audit/2"]
    assert found["head"] in page.read_text(), "the page of the run is a witness"
    assert mlops("audit", "verify", "--branch", "audit") == 0
    assert "the branch audit of origin: 2 lines, whole" in " ".join(capsys.readouterr().err.split())
    assert mlops("audit", "show", "--branch", "audit", "--json", "--model-version", 2) == 0
    (entry,) = json.loads(capsys.readouterr().out)["entries"]
    assert entry["details"]["origin_job"] == "train-dev"
    assert mlops("audit", "export", "--branch", "audit", "--csv", tmp_path / "log.csv") == 0
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 3
    assert mlops("audit", "show", "--branch", "audit", "--serves") == 4
    assert mlops("audit", "verify") == 4, "the log of this machine is another one"


def test_no_log_and_no_branch_are_exit_4(mlops: Command, remote: Remote, tmp_path: Path) -> None:
    assert remote.tags() == []
    assert mlops("audit", "publish", "--collected", tmp_path / "nothing") == 4
    for command in (("verify",), ("show",), ("export", "--csv", "log.csv")):
        assert mlops("audit", *command, "--branch", "audit") == 4


def test_a_broken_log_is_exit_1_and_so_is_a_broken_branch(
    mlops: Command, remote: Remote, collected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    anchor_of(collected, "train-dev").unlink()
    assert mlops("audit", "publish", "--collected", collected) == 1
    assert "audit-train-dev-1 is broken" in " ".join(capsys.readouterr().err.split())
    assert mlops("audit", "verify", "--branch", "audit") == 0
    remote.delete("refs/heads/audit")
    assert mlops("audit", "verify", "--branch", "audit") == 1
    assert mlops("audit", "accept", "--branch", "audit", "--reason", "it was deleted") == 0
    assert mlops("audit", "verify", "--branch", "audit") == 0


def test_a_refusal_is_exit_3_and_says_how_to_go_on(
    mlops: Command, remote: Remote, collected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    remote.refuse()
    assert mlops("audit", "publish", "--collected", collected) == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "this branch is closed" in said
    assert "nothing is lost" in said
    assert "audit publish --collected" in said


def test_no_remote_is_exit_2(mlops: Command, project: Project, collected: Path) -> None:
    git(project.root, "init", "--quiet")
    assert mlops("audit", "publish", "--collected", collected) == 2
    assert mlops("audit", "verify", "--branch", "audit") == 2
    assert mlops("audit", "verify", "--branch", "no/such name") == 2
