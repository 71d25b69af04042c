"""`mlops monitor` where Azure watches, too: its rules, and who is told by addresses in a key vault.

The command runs in a process of its own, with Microsoft's clients, on a project of the tests.
"""

import json
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure.ai.ml import MLClient
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
from fakes.project import write_project

from tests.support import MACHINERY, machinery_python, run
from tools.worktree import ROOT

from .emulator import ALWAYS, AzureEmulator

pytestmark = pytest.mark.azure
VAULT = "kva-tiny"
ALERTS = ("latency", "error-rate", "drift", "performance")
RULES = (*(f"alert-tiny-dev-{each}" for each in ALERTS), "log-cap-tiny-dev")
MARK = "mark-of-a-signature"


class Project:
    """A project that watches dev on the emulated Azure."""

    def __init__(self, root: Path, azure: AzureEmulator) -> None:
        self.root = root
        self.azure = azure
        project = write_project(root)
        azure_conf = {
            "subscription_id": azure.state.subscription,
            "resource_group": "rg-dev",
            "workspace": "mlw-dev",
            "registry": "mlr-shared",
            "log_analytics_workspace_id": azure.log_analytics_workspace,
            "insights_connection_string": azure.insights_connection_string,
            "alert_vault": VAULT,
        }
        with (project.root / "conf" / "base.yaml").open("a") as stream:
            yaml.safe_dump({"platform": "azure", "azure": azure_conf}, stream)
        facts = project.root / "pyproject.toml"
        facts.write_text(facts.read_text().replace("maturity_level = 1", "maturity_level = 2"))
        (root / "observability").mkdir()
        shutil.copy(ROOT / "template" / "observability" / "alerts.yaml", root / "observability")
        (root / "infra" / "modules").mkdir(parents=True)
        (root / "infra" / "modules" / "alerts.bicep").touch()

    def monitor(self, *flags: str, expect: int = 0, **settings: str) -> str:
        """Run the command; return all that it said."""
        environment = self.azure.variables | {"PYTHONPATH": str(MACHINERY / "tests")}
        command = (str(machinery_python()), "-m", "mlops", "monitor", "--environment", "dev")
        return run(
            *command, *flags, folder=self.root, env=environment | settings, expect=expect
        )


@pytest.fixture(scope="module")
def project(
    azure: AzureEmulator, dev: MLClient, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    return Project(tmp_path_factory.mktemp("watching") / "project", azure)


@pytest.fixture(autouse=True)
def _all_is_deployed(azure: AzureEmulator) -> None:
    azure.alert_rules.denied.clear()
    azure.alert_rules.deploy("rg-dev", *RULES)
    azure.vaults.denied.clear()
    azure.vaults.secrets = {VAULT: {}}
    azure.state.events.clear()


class TestRules:
    def test_all_are_on(self, project: Project, azure: AzureEmulator) -> None:
        assert "nothing serves" in project.monitor()
        asked = [call.path.rpartition("/")[2] for call in rule_calls(azure)]
        assert asked[-len(RULES) :] == list(RULES)

    def test_one_is_off(self, project: Project, azure: AzureEmulator) -> None:
        azure.alert_rules.deploy("rg-dev", RULES[1], enabled=False)
        said = project.monitor(expect=3)
        assert "the rule of error-rate in Azure Monitor: switched off" in said
        assert said.count("in Azure Monitor") == 1

    def test_one_is_missing(self, project: Project, azure: AzureEmulator) -> None:
        azure.alert_rules.remove("rg-dev", RULES[2])
        said = project.monitor(expect=3)
        assert "the rule of drift in Azure Monitor: not deployed; deploy infra/ again" in said

    def test_nobody_would_hear_of_the_daily_cap(
        self, project: Project, azure: AzureEmulator
    ) -> None:
        azure.alert_rules.deploy("rg-dev", "log-cap-tiny-dev", enabled=False)
        said = project.monitor(expect=3)
        assert "the rule of the logs' daily cap in Azure Monitor: switched off" in said

    def test_who_may_not_read_one(self, project: Project, azure: AzureEmulator) -> None:
        azure.alert_rules.denied.add(RULES[0])
        said = project.monitor(expect=3)
        assert "the rule of latency in Azure Monitor: not deployed, or who runs this may" in said
        assert said.count("in Azure Monitor") == 1

    def test_azure_does_not_tell(self, project: Project, azure: AzureEmulator) -> None:
        azure.fail("GET", "scheduledQueryRules/", status=503, times=ALWAYS)
        said = project.monitor(expect=3)
        assert "the rule of all in Azure Monitor: cannot be read: reading the alert rule" in said


def rule_calls(azure: AzureEmulator) -> list[Any]:
    return azure.called("GET", "/Microsoft.Insights/scheduledQueryRules/")


class Teams:
    """Who is told: a server that keeps what it was sent."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        told = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802
                told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(202)
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/hook?sig={MARK}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def teams() -> Iterator[Teams]:
    started = Teams()
    yield started
    started.stop()


def fail_requests(azure: AzureEmulator) -> None:
    """Let a server that is gone by now have failed in the last minutes."""
    moment = datetime.now(UTC) - timedelta(minutes=2)
    properties = {
        "source": "request",
        "row": "0",
        "endpoint": "tiny-dev",
        "deployment": "blue",
        "model_name": "tiny",
        "model_version": "1",
        "latency_ms": "5.0",
        "status": "500",
    }
    azure.state.events += [
        (
            (moment + timedelta(milliseconds=number)).isoformat(),
            "prediction",
            properties | {"inference_id": f"{number}"},
        )
        for number in range(120)
    ]


TELLS = {"MLOPS_ALERTS__RECEIVERS": '["teams"]'}


class TestAddresses:
    def test_who_is_told_of_an_alarm_is_read_from_the_vault_and_left_nowhere(
        self, project: Project, azure: AzureEmulator, teams: Teams
    ) -> None:
        azure.vaults.secrets[VAULT]["alerts-teams-webhook"] = teams.address
        fail_requests(azure)
        said = project.monitor("--act", expect=1, **TELLS)
        assert "notification: told of the alarm" in said
        (card,) = teams.heard
        assert "Failing requests" in json.dumps(card)
        (call,) = azure.called("GET", rf"{VAULT}\.vault\.azure\.net/secrets/")[-1:]
        assert (call.path.rstrip("/"), call.status) == ("/secrets/alerts-teams-webhook", 200)
        assert MARK not in said
        assert MARK not in json.dumps([str(each) for each in azure.state.events])
        for path in project.root.rglob("*"):
            assert not path.is_file() or MARK not in path.read_text(errors="replace"), path
        assert azure.refused_hosts == []
        assert azure.state.client_faults == []

    def test_the_environment_goes_first_and_the_vault_is_not_asked(
        self, project: Project, azure: AzureEmulator, teams: Teams
    ) -> None:
        before = len(azure.called("GET", "vault"))
        project.monitor("--act", **TELLS, ALERTS_TEAMS_WEBHOOK=teams.address)
        assert len(azure.called("GET", "vault")) == before

    def test_a_secret_that_is_missing(self, project: Project) -> None:
        said = project.monitor("--act", expect=3, **TELLS)
        assert (
            "ALERTS_TEAMS_WEBHOOK is not set, and reading the secret alerts-teams-webhook of the "
            f"key vault {VAULT}: there is none"
        ) in one_line(said)

    def test_a_role_that_is_missing(self, project: Project, azure: AzureEmulator) -> None:
        azure.vaults.denied.add(VAULT)
        said = project.monitor("--act", expect=3, **TELLS)
        assert f"a role is missing (give who runs this the role Key Vault Secrets User on {VAULT})" in (
            one_line(said)
        )

    def test_a_vault_that_does_not_answer(self, project: Project, azure: AzureEmulator) -> None:
        azure.fail("GET", "vault.azure.net/secrets", status=503, times=ALWAYS)
        said = project.monitor("--act", expect=3, **TELLS)
        assert f"reading the secret alerts-teams-webhook of the key vault {VAULT}: Azure failed" in (
            one_line(said)
        )


def one_line(text: str) -> str:
    return " ".join(text.split())


class TestTheEmulatedVault:
    """What Microsoft's client meets, as Microsoft's documents say."""

    def test_a_secret_comes_and_a_missing_one_does_not(self, azure: AzureEmulator) -> None:
        azure.vaults.secrets[VAULT]["alerts-pager-key"] = "0123"
        with vault() as client:
            assert client.get_secret("alerts-pager-key").value == "0123"
            with pytest.raises(HttpResponseError) as missing:
                client.get_secret("another")
        assert missing.value.status_code == 404
        first = azure.called("GET", r"vault\.azure\.net/secrets/alerts-pager-key")[0]
        assert first.status == 401, "the client asks for the challenge first"

    def test_who_lacks_a_role_is_told_so(self, azure: AzureEmulator) -> None:
        azure.vaults.denied.add(VAULT)
        with vault() as client, pytest.raises(HttpResponseError) as denied:
            client.get_secret("alerts-pager-key")
        assert denied.value.status_code == 403
        assert "ForbiddenByRbac" in str(denied.value)


def vault() -> Any:
    return SecretClient(f"https://{VAULT}.vault.azure.net", DefaultAzureCredential())
