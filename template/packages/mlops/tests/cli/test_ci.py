"""What the pipeline's workflows ask for."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.bicep import FakeBicep, result
from fakes.cli import Command, Outputs
from mlops.ci.github import Approvals, Asked
from mlops.cli import ci
from mlops.errors import MlopsError, PlatformError, Refused
from mlops.files import read_json
from mlops.settings.project import Project


def test_a_rehearsal_asks_nobody_to_approve(
    mlops: Command, project: Project, outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.root / "conf" / "prod.yaml").write_text("approvals: {required: 2}\n")
    assert mlops("ci", "facts", "--environment", "prod") == 0
    assert outputs().items() >= {"level": "1", "platform": "local", "approvals": "0"}.items()
    monkeypatch.setenv("MLOPS_PLATFORM", "azure")
    monkeypatch.setitem(sys.modules, "azure", None)  # the job that asks installs no packages of it
    assert mlops("ci", "facts", "--environment", "prod") == 0
    assert outputs().items() >= {"platform": "azure", "approvals": "2"}.items()


def test_the_pipeline_is_told_the_names_in_azure(
    mlops: Command, project: Project, outputs: Outputs
) -> None:
    name = project.name
    assert mlops("ci", "facts", "--environment", "dev") == 0
    assert (outputs()["resource_group"], outputs()["endpoint"]) == (f"rg-{name}-dev", f"{name}-dev")
    (project.root / "conf" / "dev.yaml").write_text("azure: {resource_group: ours}\n")
    assert mlops("ci", "facts", "--environment", "dev") == 0
    assert outputs()["resource_group"] == "ours"


def test_the_comment_is_written(
    inside: tuple[Command, str],
) -> None:
    mlops, run_id = inside
    assert mlops("ci", "comment", "--run-id", run_id, "--output", "found.md") == 0
    assert "| metric | model | baseline |" in Path("found.md").read_text(encoding="utf-8")


@pytest.fixture
def in_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/model")
    monkeypatch.setenv("GITHUB_TOKEN", "x")


def kept_approvals(project: Project) -> dict[str, Any]:
    return read_json(project.state_dir / "releases" / "approvals.json", schema=1)


@pytest.mark.usefixtures("in_actions")
def test_approvals_are_shown_and_kept(
    mlops: Command,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = Asked({"run_attempt": 1}, Approvals(("ann", "bob"), ()))
    monkeypatch.setattr(ci, "ask_approvals", lambda *_: found)
    assert mlops("approvals", "--run-id", "1", "--json", "--model-version", "7") == 0
    assert json.loads(capsys.readouterr().out) == {"approved": ["ann", "bob"]}
    kept = kept_approvals(project)
    assert (kept["outcome"], kept["approved_by"]) == ("approved", ["ann", "bob"])
    assert (kept["environment"], kept["model_version"]) == ("prod", 7)


@pytest.mark.usefixtures("in_actions")
@pytest.mark.parametrize(
    ("error", "code", "outcome"),
    [(Refused("too few"), 1, "refused"), (PlatformError("no answer"), 3, "unknown")],
)
def test_approvals_that_are_missing_or_not_told_are_kept_as_such(
    mlops: Command,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    error: MlopsError,
    code: int,
    outcome: str,
) -> None:
    def ask(*_: object) -> Asked:
        if isinstance(error, Refused):
            return Asked({"run_attempt": 1}, Approvals(("ann",), ()), error)
        raise error

    monkeypatch.setattr(ci, "ask_approvals", ask)
    assert mlops("approvals", "--run-id", "1") == code
    kept = kept_approvals(project)
    assert (kept["outcome"], kept["reason"]) == (outcome, str(error))


def test_outside_of_actions_nobody_is_asked(
    mlops: Command, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("approvals", "--run-id", "1") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "this command runs in GitHub Actions" in said
    assert "by hand GITHUB_REPOSITORY=OWNER/NAME and GITHUB_TOKEN" in said
    assert not (project.state_dir / "releases").exists()


def test_an_attempt_is_handed_on(
    mlops: Command,
    outputs: Outputs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert mlops("ci", "attempt", "--run-id", "1") == 2
    assert "this command runs in GitHub Actions" in capsys.readouterr().err
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/model")
    monkeypatch.setenv("GITHUB_TOKEN", "x")
    monkeypatch.setattr(ci, "require_unasked", lambda *_: 3)
    assert mlops("ci", "attempt", "--run-id", "1") == 0
    assert outputs() == {"attempt": "3"}


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
    monkeypatch.setattr(ci, "find_previous_run", lambda *_: found)
    assert mlops("ci", "previous-run") == 0
    assert outputs() == {"run_id": handed_on}


@pytest.fixture
def repository(project: Project) -> Path:
    """The project with a first commit."""
    (project.root / "packages").mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=project.root, check=True)
    commit(project.root)
    return project.root


def commit(root: Path) -> None:
    """Commit all that changed, if anything did."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    subprocess.run(["git", "add", "--all"], cwd=root, check=True)
    command = ["git", *who, "commit", "--quiet", "--allow-empty", "--message", "a change"]
    subprocess.run(command, cwd=root, check=True)


def head(root: Path) -> str:
    """Return the present commit's hash."""
    command = ["git", "rev-parse", "HEAD"]
    return subprocess.check_output(command, cwd=root, text=True).strip()


@pytest.mark.parametrize(
    ("file", "concerned"), [("packages/new.py", True), ("conf/dev.yaml", False)]
)
def test_what_a_push_changed_is_told_to_the_job_and_as_json(
    mlops: Command,
    repository: Path,
    outputs: Outputs,
    capsys: pytest.CaptureFixture[str],
    file: str,
    concerned: bool,
) -> None:
    before = head(repository)
    (repository / file).write_text("a: 1\n")
    commit(repository)
    assert mlops("ci", "changed", "--before", before, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "machinery": concerned,
        "infrastructure": False,
        "model": True,
        "files": [file],
    }
    expected = {"machinery": str(concerned).lower(), "infrastructure": "false", "model": "true"}
    assert outputs() == expected


def test_what_a_push_changed_is_said_to_people_on_stderr_alone(
    mlops: Command, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("ci", "changed", "--before", head(repository)) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert (
        "0 files changed; none concerns the machinery, and infra/ has nothing to compile; "
        "a model is to be trained" in " ".join(said.err.split())
    )


def test_people_are_told_of_infra_too(
    mlops: Command, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "infra").mkdir()
    (repository / "infra" / "dev.bicepparam").touch()
    assert mlops("ci", "changed") == 0
    assert "the machinery's tests are to run, infra/ is to be compiled" in capsys.readouterr().err
    commit(repository)
    before = head(repository)
    for file, said in (
        ("README.md", "none concerns the machinery, none concerns infra/"),
        ("conf/dev.yaml", "none concerns the machinery, infra/ is to be compiled"),
    ):
        (repository / file).write_text("a: 1\n")
        commit(repository)
        assert mlops("ci", "changed", "--before", before) == 0
        assert said in capsys.readouterr().err


def test_after_a_change_of_documentation_alone_nothing_is_trained(
    mlops: Command, repository: Path, outputs: Outputs, capsys: pytest.CaptureFixture[str]
) -> None:
    before = head(repository)
    (repository / "README.md").write_text("a page\n")
    commit(repository)
    assert mlops("ci", "changed", "--before", before) == 0
    assert "documentation alone, so nothing is to be trained" in capsys.readouterr().err
    assert outputs()["model"] == "false"


@pytest.mark.usefixtures("repository")
def test_a_commit_that_is_not_known_is_named(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("ci", "changed", "--before", "12345678") == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "commit 12345678 is not at hand, so what changed is not known: the machinery's" in said


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("given", [(), ("--before", "0" * 40)])
def test_where_it_is_not_known_what_changed_the_tests_run(
    mlops: Command,
    outputs: Outputs,
    capsys: pytest.CaptureFixture[str],
    given: tuple[str, ...],
) -> None:
    assert mlops("ci", "changed", *given) == 0
    assert "not known: the machinery's tests are to run" in capsys.readouterr().err
    assert outputs() == {"machinery": "true", "infrastructure": "false", "model": "true"}
    assert mlops("ci", "changed", *given, "--json") == 0
    found = {"machinery": True, "infrastructure": False, "model": True, "files": None}
    assert json.loads(capsys.readouterr().out) == found


def test_outside_a_project_nothing_is_told(
    mlops: Command, tmp_path: Path, outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert mlops("ci", "changed") == 2
    with pytest.raises(FileNotFoundError):
        outputs()


def test_compiling_infra_needs_a_compiler_and_something_to_compile(
    mlops: Command,
    project: Project,
    outputs: Outputs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("BICEP", "")
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    assert mlops("ci", "bicep") == 2
    assert mlops("ci", "bicep", "--if-possible") == 0
    assert mlops("ci", "changed") == 0
    assert outputs()["infrastructure"] == "false"
    (project.root / "infra").mkdir()
    (project.root / "infra" / "dev.bicepparam").touch()
    assert mlops("ci", "changed") == 0
    assert outputs()["infrastructure"] == "true"
    assert mlops("ci", "bicep") == 4
    assert "there is no Bicep compiler here; `az bicep install" in capsys.readouterr().err
    assert mlops("ci", "bicep", "--if-possible", "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"compiler": None, "findings": None}
    assert "nothing was compiled: there is no Bicep compiler here" in said.err


def test_what_the_compiler_says_refuses_infra(
    mlops: Command,
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    compiler = FakeBicep(tmp_path / "bin")
    monkeypatch.setenv("BICEP", str(compiler.path))
    file = project.root / "infra" / "dev.bicepparam"
    file.parent.mkdir()
    file.touch()
    assert mlops("ci", "bicep", "--fetch", "--json") == 0, "the one that BICEP names is taken"
    assert json.loads(capsys.readouterr().out)["findings"] == []
    compiler.says(dev={"results": [result(file, "BCP037")]})
    for options in ((), ("--if-possible",)):
        assert mlops("ci", "bicep", *options) == 1
        assert "infra/dev.bicepparam:3: warning BCP037: it is wrong" in capsys.readouterr().err


def test_the_compiler_that_bicep_names_is_the_one_of_later_steps_too(
    mlops: Command,
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    compiler, path = FakeBicep(tmp_path / "bin"), tmp_path / "path"
    monkeypatch.setenv("GITHUB_PATH", str(path))
    (project.root / "infra").mkdir()
    (project.root / "infra" / "dev.bicepparam").touch()
    other = compiler.path.with_name("bicep-linux-x64")
    other.symlink_to(compiler.path)
    monkeypatch.setenv("BICEP", str(other))
    assert mlops("ci", "bicep") == 0, "here nothing follows that deploys"
    assert mlops("ci", "bicep", "--fetch") == 2
    assert "is not called bicep: az would not find it on PATH" in capsys.readouterr().err
    assert not path.exists()
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("BICEP", os.path.relpath(compiler.path))
    assert mlops("ci", "bicep", "--fetch") == 0
    told = Path(path.read_text().strip())
    assert told.is_absolute()
    assert told.samefile(compiler.folder)


def test_what_was_fetched_compiles_and_is_there_for_later_steps(
    mlops: Command, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = FakeBicep(tmp_path / "fetched")
    monkeypatch.delenv("BICEP", raising=False)
    monkeypatch.setenv("GITHUB_PATH", str(tmp_path / "path"))
    monkeypatch.setattr(ci, "fetch_compiler", lambda _: str(compiler.path))
    (project.root / "infra").mkdir()
    (project.root / "infra" / "dev.bicepparam").touch()
    assert mlops("ci", "bicep", "--fetch") == 0
    assert (tmp_path / "path").read_text() == f"{compiler.folder}\n"
    assert compiler.environment("dev")


DAY = '[tool.uv]\nexclude-newer = "2026-01-01"\n'


def test_the_day_moves_to_a_week_ago_and_for_one_package_to_today(
    mlops: Command, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project.root / "pyproject.toml"
    path.write_text(path.read_text(encoding="utf-8") + DAY, encoding="utf-8")
    before = datetime.now(UTC).date()
    assert mlops("ci", "dependencies") == 0
    assert "next: `uv lock --upgrade`" in " ".join(capsys.readouterr().err.split())
    assert mlops("ci", "dependencies", "--package", "idna") == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "next: `uv lock --upgrade-package idna`" in said
    after = datetime.now(UTC).date()
    found = tomllib.loads(path.read_text(encoding="utf-8"))["tool"]["uv"]
    week = timedelta(days=7)
    assert date.fromisoformat(found["exclude-newer"]) in {before - week, after - week}
    assert date.fromisoformat(found["exclude-newer-package"]["idna"]) in {before, after}
    assert mlops("ci", "dependencies", "--package", "a b") == 2


def test_a_deployment_that_goes_on_asks_for_another_sign_in(
    mlops: Command,
    project: Project,
    outputs: Outputs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    states = iter(['"Running"', '"Running"', '"Succeeded"', '"Succeeded"'])
    asked: list[Sequence[str]] = []

    def az(words: Sequence[str]) -> tuple[int, str, str]:
        asked.append(words)
        return 0, next(states), ""

    monkeypatch.setattr(ci, "run_az", az)
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    call = ("ci", "infra", "--environment", "dev", "--minutes", "0")
    assert mlops(*call, "--last") == 4
    assert "re-run this job" in capsys.readouterr().err
    states = iter(['"Running"', '"Running"'])
    assert mlops(*call) == 0
    assert outputs()["ended"] == "false"
    states = iter(['"Succeeded"'] * 3)
    assert mlops(*call, "--last") == 0
    assert outputs()["ended"] == "true"
    assert {word for words in asked for word in words} >= {
        f"rg-{project.name}-dev",
        "infra-dev-7-2",
    }


def test_without_az_nothing_is_deployed_and_it_says_so(
    mlops: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert mlops("ci", "infra", "--environment", "dev") == 3
    assert "install the Azure CLI" in capsys.readouterr().err
