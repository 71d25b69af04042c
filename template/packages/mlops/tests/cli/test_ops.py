"""The whole loop, and what the project and its machine are like."""

import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.cli import Command
from fakes.endpoint import FakeEndpoint
from mlops.clock import system_clock
from mlops.diagnosis import Diagnosis
from mlops.errors import PlatformError
from mlops.ops import doctor
from mlops.ops.doctor import show_diagnoses
from mlops.ops.status import collect_status
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.project import Project


def test_status_shows_runs_and_versions(
    inside: tuple[Command, str], capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, run_id = inside
    assert mlops("status", "--json") == 0
    before = json.loads(capsys.readouterr().out)
    assert [run["gate"] for run in before["runs"]] == ["not judged"]
    mlops("evaluate", "--run-id", run_id)
    mlops("register", "--run-id", run_id)
    capsys.readouterr()
    assert mlops("status", "--json") == 0
    after: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert after["runs"][0]["gate"] == "passed"
    assert [version["version"] for version in after["versions"]] == [1]
    assert after["endpoints"][0]["deployments"] == []
    assert mlops("status") == 0
    assert f" {run_id[:8]} " in capsys.readouterr().out
    assert mlops("evaluate", "--run-id", run_id[:8]) == 0


def test_an_empty_project_says_where_to_start(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("status") == 0
    assert "mlops run" in capsys.readouterr().err
    assert mlops("stop", "--all") == 0
    assert "dev, platform local: tiny-dev: nothing is deployed" in capsys.readouterr().err


def test_an_endpoint_that_cannot_be_read_hides_no_other(
    mlops: Command,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> bool:
        raise PlatformError("Azure cannot be reached")

    broken = FakeEndpoint()
    monkeypatch.setattr(broken, "exists", fail)
    monkeypatch.setattr(LocalPlatform, "endpoint", lambda _self, _name: broken)
    (found,) = collect_status(project, system_clock)["endpoints"]
    assert found["problem"] == "Azure cannot be reached"
    assert mlops("status") == 0
    said = capsys.readouterr()
    assert "dev: Azure cannot be reached" in said.out + said.err


def test_the_whole_loop_is_for_this_machine(
    mlops: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLOPS_PLATFORM", "azure")
    assert mlops("run") == 2
    assert "train, evaluate, register, share, release" in capsys.readouterr().err


def test_doctor_finds_what_is_wrong(
    mlops: Command, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("doctor") == 0
    (project.root / "conf" / "dev.yaml").write_text("gaet: 1\n")
    capsys.readouterr()
    assert mlops("doctor", "--json") == 1
    captured = capsys.readouterr()
    assert "conf/dev.yaml" in captured.err
    found = {check["name"]: check for check in json.loads(captured.out)["checks"]}
    assert "gaet" in found["conf/dev.yaml"]["found"]
    assert found["python"]["passed"]


def test_doctor_survives_a_use_case_that_cannot_be_read(
    mlops: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_folder: Path) -> None:
        raise SyntaxError("slices.py, line 3")

    monkeypatch.setattr(doctor, "find_stubs", fail)
    assert mlops("doctor", "--json") == 1
    found = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert found["use case"]["found"] == "SyntaxError: slices.py, line 3"
    assert found[".mlops"]["passed"]


def test_doctor_works_outside_a_project(
    mlops: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert mlops("doctor") == 1


def test_the_doctor_says_that_the_extra_is_missing(
    mlops: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("azure.ai.ml", "azure.ai", "azure"):
        monkeypatch.setitem(sys.modules, name, None)
    assert mlops("doctor", "--platform", "azure", "--json") == 1
    said = capsys.readouterr()
    checks = json.loads(said.out)["checks"]
    (packages,) = [each for each in checks if each["name"].startswith("azure: ")]
    assert not packages["passed"]
    assert packages["remedy"] == "run `uv sync --group azure`"
    assert "azure: packages" in said.err
    assert mlops("doctor", "--json") == 0
    names = [each["name"] for each in json.loads(capsys.readouterr().out)["checks"]]
    assert not [name for name in names if name.startswith("azure")]


Checks = Callable[..., dict[str, Any]]


@pytest.fixture
def failed_checks(mlops: Command, capsys: pytest.CaptureFixture[str]) -> Checks:
    """Run the doctor, who finds something needed missing; return all checks by name."""

    def call(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        assert mlops("doctor", "--json", *arguments) == 1
        return {each["name"]: each for each in json.loads(capsys.readouterr().out)["checks"]}

    return call


def test_an_environment_that_does_not_exist_is_no_pass(
    failed_checks: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = failed_checks("--platform", "azure", "--environment", "staging")["environment staging"]
    assert not found["passed"]
    assert "there is: dev" in found["found"]
    assert "--environment" in found["remedy"]
    monkeypatch.setenv("MLOPS_ENVIRONMENT", "staging")
    assert not failed_checks("--platform", "azure")["environment staging"]["passed"]


def test_settings_that_cannot_be_read_are_told_once(
    failed_checks: Checks, project: Project
) -> None:
    conf = project.root / "conf"
    (conf / "test.yaml").write_text("")
    (conf / "base.yaml").write_text("gaet: 1\n")
    found = failed_checks("--platform", "azure")
    wrong = [each for each in found.values() if "gaet" in each["found"]]
    assert [each["name"] for each in wrong] == ["settings"]
    assert not found["azure"]["passed"]
    assert found["azure"]["found"] == "not checked: the settings of dev cannot be read"


def test_remedies_stand_below_the_table_unbroken(capsys: pytest.CaptureFixture[str]) -> None:
    findings = [
        Diagnosis("signed in", False, "no", "sign in " * 20),
        Diagnosis("python", True, "3.12", ""),
        Diagnosis("git", False, "no", "install git"),
    ]
    show_diagnoses(findings)
    table, _, below = capsys.readouterr().out.partition("What to do:\n")
    assert below.splitlines() == [f"- signed in: {'sign in ' * 20}", "- git: install git"]
    assert "install" not in table


def test_ui_refuses_a_port_that_is_taken(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert mlops("ui", "--port", taken.getsockname()[1]) == 2
    assert "another program uses port" in capsys.readouterr().err
