"""The commands that only the pipeline or the one who sets it up calls."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops.ci import github as ci_github
from mlops.ci.github import Approvals
from mlops.cli import main as cli
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.project import Project

Command = Callable[..., int]


@pytest.fixture
def mlops(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command and return its exit code."""

    def call(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["mlops", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return int(end.value.code or 0)

    return call


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, str]]:
    """Return what later steps of the job would see."""
    path = tmp_path / "outputs"
    monkeypatch.setenv("GITHUB_OUTPUT", str(path))

    def read() -> dict[str, str]:
        lines = path.read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    return read


Outputs = Callable[[], dict[str, str]]


def test_a_rehearsal_asks_nobody_to_approve(
    mlops: Command, project: Project, outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    (project.root / "conf" / "prod.yaml").write_text("approvals: {required: 2}\n")
    assert mlops("ci", "facts", "--environment", "prod") == 0
    assert outputs().items() >= {"level": "1", "platform": "local", "approvals": "0"}.items()


def test_the_pipeline_is_told_the_names_in_azure(
    mlops: Command, project: Project, outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    name = project.name
    assert mlops("ci", "facts", "--environment", "dev") == 0
    assert (outputs()["resource_group"], outputs()["endpoint"]) == (f"rg-{name}-dev", f"{name}-dev")
    (project.root / "conf" / "dev.yaml").write_text("azure: {resource_group: ours}\n")
    assert mlops("ci", "facts", "--environment", "dev") == 0
    assert outputs()["resource_group"] == "ours"


def test_package_then_register_names_both_versions(
    trained: tuple[LocalPlatform, str],
    mlops: Command,
    outputs: Outputs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    platform, run_id = trained
    root = platform.settings.project.root
    monkeypatch.chdir(root)
    assert mlops("package", "--run-id", run_id) == 1
    assert mlops("evaluate", "--run-id", run_id) == 0
    capsys.readouterr()
    assert mlops("package", "--run-id", run_id) == 0
    assert Path(capsys.readouterr().out.strip()).name == "package"
    assert mlops("register", "--run-id", run_id) == 0
    assert outputs()["model_version"] == "1"
    assert outputs()["previous_version"] == ""


def test_the_comment_is_written(
    trained: tuple[LocalPlatform, str], mlops: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform, run_id = trained
    root = platform.settings.project.root
    monkeypatch.chdir(root)
    assert mlops("ci", "comment", "--run-id", run_id, "--output", "found.md") == 0
    assert "| metric | model | baseline |" in (root / "found.md").read_text(encoding="utf-8")


def test_approvals_are_shown(
    mlops: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("approvals", "--run-id", "1") == 2
    assert "this command runs in GitHub Actions" in capsys.readouterr().err
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/model")
    monkeypatch.setenv("GITHUB_TOKEN", "x")
    found = Approvals(("ann", "bob"), ())
    monkeypatch.setattr(ci_github, "require_approvals", lambda *_: found)
    assert mlops("approvals", "--run-id", "1", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"approved": ["ann", "bob"]}


@pytest.mark.parametrize(("found", "handed_on"), [(7, "7"), (None, "")])
def test_the_run_before_is_handed_on(
    mlops: Command,
    outputs: Outputs,
    monkeypatch: pytest.MonkeyPatch,
    found: int | None,
    handed_on: str,
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/model")
    monkeypatch.setenv("GITHUB_TOKEN", "x")
    monkeypatch.setattr(ci_github, "previous_run", lambda *_: found)
    assert mlops("ci", "previous-run") == 0
    assert outputs() == {"run_id": handed_on}


def test_the_setup_is_printed(
    mlops: Command,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project.root)
    assert mlops("setup", "github") == 0
    said = capsys.readouterr()
    assert said.out.startswith("gh api --silent --method PUT")
    assert "nothing was done" in said.err
    assert "gh variable set AZURE_CLIENT_ID" in said.err  # without infra/ there is no file to name
    assert mlops("setup", "github", "--variable", "MLOPS_PLATFORM") == 2
