"""The emulator of Azure, driven by Microsoft's own clients."""

import socket
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.ai.ml import MLClient
from azure.ai.ml.entities import (
    ManagedOnlineEndpoint,
    Model,
)
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity import (
    AzurePipelinesCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    DefaultAzureCredential,
)
from azure.storage.blob import ContainerClient

from tools.worktree import ROOT

from .clients import client, deploy, make_endpoint, route, score
from .emulator import ALWAYS, AzureEmulator, azurite, bindings, logs
from .emulator.errors import AzureError

pytestmark = pytest.mark.azure

ARM_SCOPE = "https://management.azure.com/.default"


class TestSigningIn:
    def test_by_a_secret(self, azure: AzureEmulator) -> None:
        assert DefaultAzureCredential().get_token(ARM_SCOPE).token

    def test_a_wrong_secret_is_refused(self, azure: AzureEmulator) -> None:
        wrong = ClientSecretCredential(azure.state.tenant, azure.identity.client, "wrong")
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            wrong.get_token(ARM_SCOPE)

    def test_by_an_assertion_of_github(self, azure: AzureEmulator) -> None:
        assert by_github(azure).get_token(ARM_SCOPE).token

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"assertion_seconds": -1}, "AADSTS700024"),
            ({"subject": "repo:other/project:environment:dev"}, "AADSTS700213"),
        ],
    )
    def test_a_bad_assertion_is_refused(
        self,
        azure: AzureEmulator,
        change: dict[str, Any],
        code: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for name, value in change.items():
            monkeypatch.setattr(azure.identity, name, value)
        with pytest.raises(ClientAuthenticationError, match=code):
            by_github(azure).get_token(ARM_SCOPE)

    def test_by_azure_devops(self, azure: AzureEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
        given = azure.azure_devops_variables
        monkeypatch.setenv("SYSTEM_OIDCREQUESTURI", given["SYSTEM_OIDCREQUESTURI"])
        credential = AzurePipelinesCredential(
            tenant_id=azure.state.tenant,
            client_id=azure.identity.client,
            service_connection_id=given["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"],
            system_access_token=given["SYSTEM_ACCESSTOKEN"],
        )
        assert credential.get_token(ARM_SCOPE).token

    def test_a_token_for_something_else_opens_nothing(self, azure: AzureEmulator) -> None:
        token = DefaultAzureCredential().get_token("https://storage.azure.com/.default").token
        url = f"https://management.azure.com/subscriptions/{azure.state.subscription}"
        answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert answer.status_code == 401
        assert requests.get(url, timeout=10).status_code == 401


def by_github(azure: AzureEmulator) -> ClientAssertionCredential:
    """Return a credential that asks as a job of GitHub Actions does."""
    given = azure.github_variables

    def fetch() -> str:
        answer = requests.get(
            given["ACTIONS_ID_TOKEN_REQUEST_URL"],
            params={"audience": "api://AzureADTokenExchange"},
            headers={"Authorization": f"Bearer {given['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"},
            timeout=10,
        )
        return str(answer.json()["value"])

    return ClientAssertionCredential(given["AZURE_TENANT_ID"], given["AZURE_CLIENT_ID"], fetch)


class TestNetwork:
    def test_other_hosts_are_refused_and_noted(self, azure: AzureEmulator) -> None:
        with pytest.raises(requests.exceptions.ProxyError):
            requests.get("https://packages.example.org/simple", timeout=10)
        with pytest.raises(requests.exceptions.ProxyError):
            requests.get("https://management.azure.com.example.com", timeout=10)
        assert requests.get("http://example.com", timeout=10).status_code == 403
        assert azure.refused_hosts[-3:] == [
            "packages.example.org",
            "management.azure.com.example.com",
            "http://example.com/",
        ]


class TestResources:
    def test_what_does_not_exist_says_so(self, azure: AzureEmulator, dev: MLClient) -> None:
        with pytest.raises(ResourceNotFoundError, match="mlw-none"):
            dev.workspaces.get("mlw-none")
        elsewhere = MLClient(DefaultAzureCredential(), azure.state.subscription, "rg-none", "x")
        with pytest.raises(ResourceNotFoundError, match="ResourceGroupNotFound"):
            elsewhere.workspaces.get("mlw-dev")
        nowhere = MLClient(DefaultAzureCredential(), "0" * 8, "rg-dev", "mlw-dev")
        with pytest.raises(ResourceNotFoundError, match="SubscriptionNotFound"):
            nowhere.workspaces.get("mlw-dev")

    def test_computes(self, dev: MLClient) -> None:
        assert [each.name for each in dev.compute.list()] == ["cpu-dev"]
        with pytest.raises(ResourceNotFoundError):
            dev.compute.get("gpu")

    def test_a_body_against_the_contract_is_refused_and_noted(
        self, azure: AzureEmulator, dev: MLClient
    ) -> None:
        path = f"{azure.state.group_id('rg-dev')}/providers/Microsoft.MachineLearningServices"
        url = f"https://management.azure.com{path}/workspaces/mlw-dev/onlineEndpoints/other"
        token = DefaultAzureCredential().get_token(ARM_SCOPE).token
        body: Any = {"location": "westeurope", "properties": {"authMode": "Password", "trafic": {}}}
        answer = requests.put(
            url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10
        )
        assert answer.status_code == 400
        said = azure.state.client_faults.pop()
        assert said == answer.json()["error"]["message"]
        assert "properties.authMode, 'Password', is none of" in said
        assert "properties.trafic is not known" in said


class TestStorage:
    """By default only who signs in opens a workspace's files, as the infrastructure makes it."""

    def test_no_key_is_handed_out(
        self, azure: AzureEmulator, dev: MLClient, models: list[str]
    ) -> None:
        assert dev.datastores.get_default().credentials.type == "None"
        assert azure.called("POST", "/listSecrets$") == []
        token = DefaultAzureCredential().get_token(ARM_SCOPE).token
        datastore = dev.datastores.get_default().id
        url = f"https://management.azure.com{datastore}/listSecrets"
        answer = requests.post(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert answer.status_code == 400
        assert "No secrets for credentials of type None" in answer.json()["error"]["message"]
        assert "No secrets" in azure.state.client_faults.pop()

    def test_who_does_not_sign_in_sees_nothing(
        self, azure: AzureEmulator, dev: MLClient, models: list[str]
    ) -> None:
        url = container_url(dev)
        assert [*ContainerClient.from_container_url(url, DefaultAzureCredential()).list_blobs()]
        key = b64encode(b"some key").decode()
        for credential in (None, {"account_name": azurite.KEYLESS, "account_key": key}):
            closed = ContainerClient.from_container_url(url, credential, retry_total=0)
            with pytest.raises(HttpResponseError, match=r"[Aa]uthenticat"):
                [*closed.list_blobs()]

    def test_an_expired_token_opens_neither_files_nor_resources(
        self, azure: AzureEmulator, dev: MLClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(azure.identity, "token_seconds", -1)
        secret = (azure.state.tenant, azure.identity.client, azure.identity.secret)
        expired = ClientSecretCredential(*secret)
        files = ContainerClient.from_container_url(container_url(dev), expired, retry_total=0)
        with pytest.raises(HttpResponseError, match="failed to authenticate"):
            [*files.list_blobs()]
        url = f"https://management.azure.com/subscriptions/{azure.state.subscription}"
        token = ClientSecretCredential(*secret).get_token(ARM_SCOPE).token
        answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "ExpiredAuthenticationToken"

    def test_a_workspace_with_keys_hands_them_out(
        self, azure: AzureEmulator, tmp_path: Path
    ) -> None:
        azure.add_workspace("mlw-keyed", "rg-keyed", storage_keys=True)
        keyed = client(azure, "keyed")
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "file.txt").write_text("by a key")
        keyed.models.create_or_update(Model(name="keyed", version="1", path=tmp_path / "in"))
        keyed.models.download("keyed", "1", str(tmp_path / "out"))
        assert next((tmp_path / "out").rglob("file.txt")).read_text() == "by a key"
        asked = azure.called("POST", "/mlw-keyed/datastores/workspaceblobstore/listSecrets$")
        assert [call.status for call in asked] == [200, 200]


def container_url(to: MLClient) -> str:
    """Return the address of the files of a workspace."""
    store = to.datastores.get_default()
    return f"https://{store.account_name}.blob.core.windows.net/{store.container_name}"


class TestModels:
    def test_files_and_tags_come_back(
        self, dev: MLClient, models: list[str], tmp_path: Path
    ) -> None:
        dev.models.download("model", "2", str(tmp_path))
        found = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert [path.read_text() for path in found] == ["two"]
        assert [each.version for each in dev.models.list("model")] == ["3", "2", "1"]
        assert dev.models.get("model", "2").tags == {"run_id": "run-2"}

    def test_a_version_keeps_its_files(
        self, dev: MLClient, models: list[str], tmp_path: Path
    ) -> None:
        (tmp_path / "version.txt").write_text("other")
        with pytest.raises(Exception, match=r"already linked|cannot be updated"):
            dev.models.create_or_update(Model(name="model", version="1", path=tmp_path))

    def test_shared_to_a_registry_and_deployed_elsewhere(
        self,
        dev: MLClient,
        test: MLClient,
        registry: MLClient,
        models: list[str],
        environments: None,
        tmp_path: Path,
    ) -> None:
        share = {"share_with_name": "model", "share_with_version": "1"}
        dev.models.share("model", "1", **share, registry_name="mlr-shared")
        registry.models.download("model", "1", str(tmp_path))
        found = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert [path.read_text() for path in found] == ["one"]
        with pytest.raises(Exception, match="already exists in registry"):
            dev.models.share("model", "1", **share, registry_name="mlr-shared")
        make_endpoint(test, "elsewhere")
        shared = "azureml://registries/mlr-shared/models/model/versions/1"
        assert deploy(test, "elsewhere", "blue", shared).model == shared
        answer = score(test, "elsewhere", **{"azureml-model-deployment": "blue"})
        assert answer.json()["version"] == "one"

    def test_uploaded_into_a_registry(self, registry: MLClient, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "file.txt").write_text("direct")
        registry.models.create_or_update(Model(name="direct", version="1", path=tmp_path / "in"))
        registry.models.download("direct", "1", str(tmp_path / "out"))
        assert [p.read_text() for p in (tmp_path / "out").rglob("*.txt")] == ["direct"]

    def test_a_version_is_a_number(self, dev: MLClient, registry: MLClient, tmp_path: Path) -> None:
        (tmp_path / "file.txt").write_text("one")
        for to in (dev, registry):
            with pytest.raises(HttpResponseError, match="must be a number"):
                to.models.create_or_update(Model(name="words", version="1-prod", path=tmp_path))

    def test_a_removed_registry(self, azure: AzureEmulator, dev: MLClient) -> None:
        azure.remove(azure.add_registry("mlr-gone", "rg-shared"))
        with pytest.raises(HttpResponseError, match="RegistryNotFound"):
            MLClient(DefaultAzureCredential(), registry_name="mlr-gone")


class TestFaults:
    def test_429_passes_by_for_a_client_that_tries_again(self, azure: AzureEmulator) -> None:
        azure.fail("GET", "/models/model/", status=429, code="TooManyRequests", retry_after="0")
        before = len(azure.calls)
        with pytest.raises(ResourceNotFoundError):
            client(azure, retry_total=2).models.get("model", "99")
        tried = azure.calls[before:]
        assert [call.status for call in tried if "/models/" in call.path] == [429, 404]

    @pytest.mark.parametrize("status", [403, 409, 500])
    def test_an_error_is_answered_as_often_as_asked(
        self, azure: AzureEmulator, dev: MLClient, status: int
    ) -> None:
        azure.fail("GET", "/mlw-dev$", status=status, code="Wanted", message="As asked.", times=2)
        for _ in range(2):
            with pytest.raises(HttpResponseError, match="As asked") as error:
                dev.workspaces.get("mlw-dev")
            assert error.value.status_code == status
        assert dev.workspaces.get("mlw-dev").name == "mlw-dev"

    def test_for_ever(self, azure: AzureEmulator, dev: MLClient) -> None:
        azure.fail("*", "/mlw-dev", times=ALWAYS)
        for _ in range(5):
            with pytest.raises(HttpResponseError):
                dev.workspaces.get("mlw-dev")
        azure.heal()
        assert dev.workspaces.get("mlw-dev").name == "mlw-dev"

    def test_a_lost_connection(self, azure: AzureEmulator, dev: MLClient) -> None:
        azure.lose("GET", "/mlw-dev$")
        with pytest.raises((ServiceRequestError, ServiceResponseError)):
            dev.workspaces.get("mlw-dev")
        assert azure.calls[-1].status == 0

    def test_a_lost_blob_storage(
        self, azure: AzureEmulator, dev: MLClient, models: list[str], tmp_path: Path
    ) -> None:
        azure.lose("CONNECT", "blob.core.windows.net$", times=ALWAYS)
        lost = ContainerClient.from_container_url(
            "https://mlopskeyless.blob.core.windows.net/any", retry_total=0
        )
        with pytest.raises((ServiceRequestError, ServiceResponseError)):
            lost.exists()
        azure.heal()
        dev.models.download("model", "1", str(tmp_path))

    def test_a_lost_answer(self, azure: AzureEmulator, dev: MLClient) -> None:
        azure.lose("PUT", "/onlineEndpoints/answerless$", after=True)
        with pytest.raises((ServiceRequestError, ServiceResponseError)):
            make_endpoint(dev, "answerless")
        assert azure.endpoint("answerless")["name"] == "answerless"

    def test_a_slow_and_a_stuck_operation(self, azure: AzureEmulator, dev: MLClient) -> None:
        azure.delay("PUT", "/onlineEndpoints/slow$", 1.2)
        started = time.monotonic()
        make_endpoint(dev, "slow")
        assert time.monotonic() - started > 1.2
        azure.stick("PUT", "/onlineEndpoints/stuck$")
        poller = dev.online_endpoints.begin_create_or_update(
            ManagedOnlineEndpoint(name="stuck", auth_mode="key")
        )
        poller.wait(1.5)
        assert not poller.done()

    def test_an_operation_that_fails(
        self, azure: AzureEmulator, dev: MLClient, served: str
    ) -> None:
        azure.fail_operation(f"/{served}$", code="OutOfQuota", message="Not enough quota.")
        with pytest.raises(HttpResponseError, match="Not enough quota"):
            route(dev, served, {"green": 100})
        assert dev.online_endpoints.get(served).traffic == {"blue": 100, "green": 0}


def test_nothing_is_left_when_its_process_is_told_to_end(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from tests.azure.emulator import AzureEmulator\n"
        "python = Path(sys.executable)\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "with AzureEmulator(folder, training_python=python, serving_python=python) as azure:\n"
        "    print(azure.azurite.port, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        socket.create_connection(("127.0.0.1", port), 5).close()
        process.terminate()
        assert process.wait(20) == 143
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)


def test_a_step_needs_its_inputs() -> None:
    spec = {"inputs": {"rows": {"type": "integer"}, "word": {"type": "string", "optional": True}}}
    pipeline: dict[str, Any] = {"jobs": {"make": {"inputs": {"rows": {"value": "1"}}}}}
    assert bindings.order(pipeline, {"make": spec}) == ["make"]
    pipeline["jobs"]["make"]["inputs"] = {}
    with pytest.raises(AzureError, match="lacks its input 'rows'"):
        bindings.order(pipeline, {"make": spec})


def test_a_command_gets_its_values() -> None:
    command = "run ${{inputs.rows}} $[[--word ${{inputs.word}}]] ${{outputs.made}}"
    assert bindings.fill(command, {"rows": "1"}, {"made": "/m"}) == "run 1  /m"
    full = bindings.fill(command, {"rows": "1", "word": "w"}, {"made": "/m"})
    assert full == "run 1 --word w /m"
    with pytest.raises(AzureError, match="has no value"):
        bindings.fill(command, {}, {"made": "/m"})


@pytest.mark.parametrize(
    "query",
    [
        "Other | take 1",
        "AmlOnlineEndpointTrafficLog | summarize count()",
        f"{logs.TABLE} | where No == 1",
    ],
)
def test_a_query_that_is_not_understood(query: str) -> None:
    with pytest.raises(SyntaxError):
        logs.run(query, [])


def test_calls_are_recorded_in_order(azure: AzureEmulator, dev: MLClient) -> None:
    before = len(azure.calls)
    make_endpoint(dev, "recorded", tags={"a": "b"})
    made = azure.called("PUT", "/onlineEndpoints/recorded$")
    assert [call.body["tags"] for call in made] == [{"a": "b"}]
    methods = [call.method for call in azure.calls[before:] if call.host == "management.azure.com"]
    # a client that is new reads more before it writes
    assert methods[0] == "GET"
    assert methods[methods.index("PUT") :][:2] == ["PUT", "GET"]
    assert azure.state.client_faults == []
