"""Commands of the platform azure: what they do on this machine, and without the extra."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fakes.endpoint import FakeEndpoint
from mlops.cli import main as cli
from mlops.errors import ConfigError, MlopsError, PlatformError
from mlops.ops import run as loop
from mlops.ops.doctor import Finding, show_findings
from mlops.ops.status import collect_status
from mlops.platforms.local.platform import LocalPlatform
from mlops.release.deploy import remove_all
from mlops.release.rehearsal import require_local
from mlops.settings.loading import load_settings
from mlops.settings.project import Project


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(project.root)
    return project


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(cli.mlops, arguments)


@pytest.mark.usefixtures("here")
def test_on_this_machine_there_is_nothing_to_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalPlatform, "version", lambda _self, _number: None)
    done = invoke("share", "--model-version", "1")
    assert done.exit_code == 0
    assert "nothing to share" in done.output
    done = invoke("share", "--model-version", "1", "--json")
    assert json.loads(done.stdout) == {"model_version": 1, "id": None}


@pytest.mark.usefixtures("here")
def test_a_version_that_is_not_there_cannot_be_shared() -> None:
    done = invoke("share", "--model-version", "7")
    assert isinstance(done.exception, MlopsError)
    assert "has no version 7" in str(done.exception)


@pytest.mark.usefixtures("here")
def test_on_this_machine_there_are_no_data_to_register(tmp_path: Path) -> None:
    done = invoke("data", "register", "--data-dir", str(tmp_path), "--name", "transactions")
    assert done.exit_code == 0
    assert "nothing to register" in done.output
    done = invoke("data", "register", "--data-dir", str(tmp_path), "--name", "a/b")
    assert "--name" in str(done.exception)


@pytest.mark.usefixtures("here")
def test_on_this_machine_there_are_no_datastores() -> None:
    path = "azureml://datastores/lake/paths/transactions"
    done = invoke("data", "register", "--path", path, "--name", "transactions")
    assert isinstance(done.exception, ConfigError)
    assert "which has no datastores: set MLOPS_PLATFORM=azure" in str(done.exception)


@pytest.mark.parametrize("given", [(), ("--path", "azureml://…", "--data-dir", ".")])
@pytest.mark.usefixtures("here")
def test_data_to_register_are_named_in_one_way(given: tuple[str, ...]) -> None:
    done = invoke("data", "register", "--name", "transactions", *given)
    assert "either --data-dir or --path" in str(done.exception)


@pytest.mark.usefixtures("here")
def test_the_doctor_says_that_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("azure.ai.ml", "azure.ai", "azure"):
        monkeypatch.setitem(sys.modules, name, None)
    done = invoke("doctor", "--platform", "azure", "--json")
    checks = json.loads(done.stdout)["checks"]
    (packages,) = [each for each in checks if each["name"].startswith("azure: ")]
    assert not packages["passed"]
    assert "uv sync --group azure" in packages["found"] + packages["remedy"]
    assert "azure: packages" in str(done.exception)
    names = [each["name"] for each in json.loads(invoke("doctor", "--json").stdout)["checks"]]
    assert not [name for name in names if name.startswith("azure")]


def checks(*arguments: str) -> dict[str, Any]:
    shown = json.loads(invoke("doctor", "--json", *arguments).stdout)["checks"]
    return {each["name"]: each for each in shown}


@pytest.mark.usefixtures("here")
def test_an_environment_that_does_not_exist_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    done = invoke("doctor", "--platform", "azure", "--environment", "staging")
    assert isinstance(done.exception, MlopsError)
    found = checks("--platform", "azure", "--environment", "staging")["environment staging"]
    assert not found["passed"]
    assert "there is: dev" in found["found"]
    assert "--environment" in found["remedy"]
    monkeypatch.setenv("MLOPS_ENVIRONMENT", "staging")
    assert not checks("--platform", "azure")["environment staging"]["passed"]


def test_settings_that_cannot_be_read_are_told_once(here: Project) -> None:
    conf = here.root / "conf"
    (conf / "test.yaml").write_text("")
    (conf / "base.yaml").write_text("gaet: 1\n")
    found = checks("--platform", "azure")
    wrong = [each for each in found.values() if "gaet" in each["found"]]
    assert [each["name"] for each in wrong] == ["settings"]
    assert not found["azure"]["passed"]
    assert found["azure"]["found"] == "not checked: the settings of dev cannot be read"


@pytest.mark.usefixtures("here")
def test_remedies_stand_below_the_table_unbroken() -> None:
    findings = [
        Finding("signed in", False, "no", "sign in " * 20),
        Finding("python", True, "3.12", ""),
        Finding("git", False, "no", "install git"),
    ]
    runner = CliRunner()
    with runner.isolation() as (out, *_):
        show_findings(findings)
        shown = out.getvalue().decode()
    table, _, below = shown.partition("What to do:\n")
    assert below.splitlines() == [f"- signed in: {'sign in ' * 20}", "- git: install git"]
    assert "install" not in table


def test_the_loop_and_rehearsals_are_for_this_machine(here: Project) -> None:
    settings = load_settings(here, overrides={"platform": "azure"}, variables={})
    with pytest.raises(ConfigError, match="train, evaluate, register, share, release"):
        loop.run_loop(settings, None)
    with pytest.raises(ConfigError, match="leave --rehearsal out"):
        require_local(settings)


def test_removing_all_leaves_nothing_that_costs() -> None:
    endpoint = FakeEndpoint()
    endpoint.serve("blue", 1, share=100)
    endpoint.serve("green", 2)
    endpoint.set_mirror("green", 10)
    remove_all(endpoint)
    assert endpoint.serving == {}


def test_an_endpoint_that_cannot_be_read_hides_no_other(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> bool:
        raise PlatformError("Azure cannot be reached")

    broken = FakeEndpoint()
    monkeypatch.setattr(broken, "exists", fail)
    monkeypatch.setattr(LocalPlatform, "endpoint", lambda _self, _name: broken)
    (found,) = collect_status(here)["endpoints"]
    assert found["problem"] == "Azure cannot be reached"
    done = invoke("status")
    assert done.exit_code == 0
    assert "dev: Azure cannot be reached" in done.output
