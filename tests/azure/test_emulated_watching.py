"""`mlops monitor` where Azure watches, too: its rules, and who is told by addresses in a key vault.

Microsoft's clients ask, on a project of the tests: in a process of its own as a job runs it, or in
this one, which is quicker.
"""

import json
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from azure.ai.ml import MLClient
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
from fakes.project import write_project
from mlops.errors import ConfigError, PlatformError
from mlops.monitoring.alerting.receivers import Told, receivers_of
from mlops.platforms.azure.alert_rules import LOG_CAP, alert_rules
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.vault import kept_secret
from mlops.platforms.watching import RuleState
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.monitoring_sections import AlertSettings
from mlops.settings.project import find_project

from tests.support import MACHINERY, machinery_python, run
from tools.worktree import ROOT

from .emulator import ALWAYS, AzureEmulator

pytestmark = pytest.mark.azure
VAULT = "kva-tiny"
ALERTS = ("latency", "error-rate", "drift", "performance")
RULES = (*(f"alert-tiny-dev-{each}" for each in ALERTS), "log-cap-tiny-dev")
NAMES = (*ALERTS, LOG_CAP)
MARK = "mark-of-a-signature"
LACKS = (
    "ALERTS_TEAMS_WEBHOOK is not set, and reading the secret alerts-teams-webhook of the key vault "
    f"{VAULT}"
)


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

    def settings(self, **azure: str) -> LoadedSettings:
        """What is in force, with these settings of Azure besides."""
        overrides = {f"azure.{name}": value for name, value in azure.items()}
        return load_settings(find_project(self.root), "dev", overrides=overrides, variables={})

    def rules(self, **azure: str) -> dict[str, RuleState]:
        """Ask for the rules, in this process."""
        return alert_rules(AzureClients(self.settings(**azure)), ALERTS)

    def teams(self, **variables: str) -> Told:
        """Return who is told by Teams, as an environment has these variables."""
        told = AlertSettings(receivers=("teams",))
        kept = partial(kept_secret, AzureClients(self.settings()))
        (found,) = receivers_of(told, variables, kept)
        return found

    def command(self, *flags: str, expect: int = 0, **settings: str) -> str:
        """Run the command; return all that it said."""
        environment = self.azure.variables | {"PYTHONPATH": str(MACHINERY / "tests")}
        command = (str(machinery_python()), "-m", "mlops", "monitor", "--environment", "dev")
        return run(*command, *flags, folder=self.root, env=environment | settings, expect=expect)


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
    def test_a_command_ends_with_3_where_a_rule_is_off(
        self, project: Project, azure: AzureEmulator
    ) -> None:
        azure.alert_rules.deploy("rg-dev", RULES[1], enabled=False)
        said = project.command(expect=3)
        assert "the rule of error-rate in Azure Monitor: switched off; deploy infra/ again" in said
        assert said.count("in Azure Monitor") == 1
        azure.alert_rules.deploy("rg-dev", RULES[1])
        assert "nothing serves" in project.command()

    def test_all_are_on(self, project: Project, azure: AzureEmulator) -> None:
        assert project.rules() == dict.fromkeys(NAMES, RuleState.ON)
        asked = [call.path.rpartition("/")[2] for call in rule_calls(azure)]
        assert asked[-len(RULES) :] == list(RULES)

    @pytest.mark.parametrize(("rule", "what"), zip(RULES, NAMES, strict=True))
    def test_one_is_off_missing_or_not_to_be_read(
        self, project: Project, azure: AzureEmulator, rule: str, what: str
    ) -> None:
        rest = dict.fromkeys(NAMES, RuleState.ON)
        azure.alert_rules.deploy("rg-dev", rule, enabled=False)
        assert project.rules() == rest | {what: RuleState.OFF}
        azure.alert_rules.remove("rg-dev", rule)
        assert project.rules() == rest | {what: RuleState.MISSING}
        azure.alert_rules.denied.add(rule)
        assert project.rules() == rest | {what: RuleState.UNSEEN}

    def test_azure_does_not_tell(self, project: Project, azure: AzureEmulator) -> None:
        azure.fail("GET", "scheduledQueryRules/", status=503, times=ALWAYS)
        with pytest.raises(PlatformError, match="the alert rule alert-tiny-dev-latency"):
            project.rules()

    def test_a_group_that_is_not_there(self, project: Project) -> None:
        with pytest.raises(ConfigError, match="the alert rule alert-tiny-dev-latency"):
            project.rules(resource_group="rg-nowhere")

    def test_who_may_read_the_group_gets_a_list_of_the_same(self, azure: AzureEmulator) -> None:
        """As Microsoft's API has it; no command asks for it."""
        token = DefaultAzureCredential().get_token("https://management.azure.com/.default").token
        group = azure.state.group_id("rg-dev")
        answer = requests.get(
            f"https://management.azure.com{group}/providers/Microsoft.Insights/scheduledQueryRules",
            params={"api-version": "2023-12-01"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        assert [each["name"] for each in answer.json()["value"]] == list(RULES)


def rule_calls(azure: AzureEmulator) -> list[Any]:
    return azure.called("GET", "/Microsoft.Insights/scheduledQueryRules/")


class Teams:
    """Who is told: a server that keeps what it was sent."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        told = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
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
        said = project.command("--act", expect=1, **TELLS)
        assert "alarm: error-rate (error_rate is 1 on 120 events" in said
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
        self, project: Project, azure: AzureEmulator
    ) -> None:
        before = len(azure.called("GET", "vault"))
        assert project.teams(ALERTS_TEAMS_WEBHOOK="https://example.com/hook").problem == ""
        assert len(azure.called("GET", "vault")) == before

    def test_a_secret_that_is_missing(self, project: Project) -> None:
        assert project.teams().problem.startswith(f"{LACKS}: there is none (have it written by ")

    def test_a_role_that_is_missing(self, project: Project, azure: AzureEmulator) -> None:
        azure.vaults.denied.add(VAULT)
        assert project.teams().problem == (
            f"{LACKS}: a role is missing (give who runs this the role Key Vault Secrets User on "
            f"{VAULT})"
        )

    def test_a_vault_that_does_not_answer(self, project: Project, azure: AzureEmulator) -> None:
        azure.fail("GET", "vault.azure.net/secrets", status=503, times=ALWAYS)
        assert project.teams().problem.startswith(f"{LACKS}: Azure failed with 503")


class TestTheEmulatedVault:
    """What Microsoft's client meets, as Microsoft's documents say."""

    def test_a_secret_comes_and_a_missing_one_does_not(self, azure: AzureEmulator) -> None:
        azure.vaults.secrets[VAULT]["alerts-pager-key"] = "0123"
        with vault() as client:
            assert client.get_secret("alerts-pager-key").value == "0123"
            with pytest.raises(HttpResponseError) as missing:
                client.get_secret("another")
        assert missing.value.status_code == 404
        statuses = {each.status for each in azure.called("GET", r"vault\.azure\.net/secrets/")}
        assert 401 in statuses, "the first question is answered by a challenge"

    def test_who_lacks_a_role_is_told_so(self, azure: AzureEmulator) -> None:
        azure.vaults.denied.add(VAULT)
        with vault() as client, pytest.raises(HttpResponseError) as denied:
            client.get_secret("alerts-pager-key")
        assert denied.value.status_code == 403
        assert "ForbiddenByRbac" in str(denied.value)


def vault() -> Any:
    return SecretClient(f"https://{VAULT}.vault.azure.net", DefaultAzureCredential())
