"""The emulator of Azure, driven by Microsoft's own clients."""

import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.ai.ml import Input, MLClient, load_job
from azure.ai.ml.entities import (
    BuildContext,
    CodeConfiguration,
    CronTrigger,
    Data,
    Environment,
    JobSchedule,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
    OnlineRequestSettings,
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

from .emulator import ALWAYS, AzureEmulator, azurite, bindings, logs
from .emulator.errors import AzureError

pytestmark = pytest.mark.azure

EXAMPLE = Path(__file__).with_name("example")
ARM_SCOPE = "https://management.azure.com/.default"
ENDED = ("Completed", "Failed", "Canceled")


def client(azure: AzureEmulator, environment: str = "dev", **options: Any) -> MLClient:
    """Return a client of a workspace, without retries that would hide what is tested."""
    return MLClient(
        DefaultAzureCredential(),
        azure.state.subscription,
        f"rg-{environment}",
        f"mlw-{environment}",
        show_progress=False,
        **{"retry_total": 0, **options},
    )


@pytest.fixture(scope="module")
def dev(azure: AzureEmulator) -> MLClient:
    return client(azure)


@pytest.fixture(scope="module")
def test(azure: AzureEmulator) -> MLClient:
    return client(azure, "test")


@pytest.fixture(scope="module")
def registry(azure: AzureEmulator) -> MLClient:
    return MLClient(DefaultAzureCredential(), registry_name="mlr-shared", show_progress=False)


@pytest.fixture(scope="module")
def models(dev: MLClient, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three versions of a model; the third cannot be loaded."""
    for number, content in (("1", "one"), ("2", "two"), ("3", "broken")):
        folder = tmp_path_factory.mktemp("model") / "version"
        (folder / "more").mkdir(parents=True)
        (folder / "more" / "version.txt").write_text(content)
        dev.models.create_or_update(
            Model(name="model", version=number, path=folder, tags={"run_id": f"run-{number}"})
        )
    return ["1", "2", "3"]


@pytest.fixture(scope="module")
def environments(dev: MLClient, test: MLClient) -> None:
    for each in (dev, test):
        for name in ("training", "serving"):
            each.environments.create_or_update(
                Environment(name=name, version="1", image="mcr.microsoft.com/azureml/base:1")
            )


def deploy(
    to: MLClient, endpoint: str, name: str, model: str = "azureml:model:1", **more: Any
) -> Any:
    return to.online_deployments.begin_create_or_update(
        ManagedOnlineDeployment(
            name=name,
            endpoint_name=endpoint,
            model=model,
            environment="azureml:serving:1",
            code_configuration=CodeConfiguration(
                code=str(EXAMPLE / "serving"), scoring_script="score.py"
            ),
            instance_type="Standard_DS3_v2",
            instance_count=1,
            **more,
        )
    ).result()


def make_endpoint(to: MLClient, name: str, **more: Any) -> Any:
    return to.online_endpoints.begin_create_or_update(
        ManagedOnlineEndpoint(name=name, auth_mode="key", **more)
    ).result()


def route(to: MLClient, endpoint: str, traffic: dict[str, int], **mirror: int) -> Any:
    found = to.online_endpoints.get(endpoint)
    found.traffic, found.mirror_traffic = traffic, mirror
    return to.online_endpoints.begin_create_or_update(found).result()


def score(to: MLClient, endpoint: str, body: Any = None, **headers: str) -> requests.Response:
    key = to.online_endpoints.get_keys(endpoint).primary_key
    url = to.online_endpoints.get(endpoint).scoring_uri
    return requests.post(
        url, json=body or {}, headers={"Authorization": f"Bearer {key}", **headers}, timeout=30
    )


@pytest.fixture(scope="module")
def served(dev: MLClient, models: list[str], environments: None) -> str:
    """An endpoint with two deployments; blue has all traffic."""
    make_endpoint(dev, "served", tags={"owner": "team"})
    deploy(dev, "served", "blue", tags={"model_version": "1"})
    deploy(dev, "served", "green", "azureml:model:2")
    route(dev, "served", {"blue": 100})
    return "served"


def example() -> Any:
    """Return the example pipeline, as a job that was not submitted yet."""
    return load_job(EXAMPLE / "pipeline.yml")


def run_job(to: MLClient, job: Any) -> Any:
    submitted = to.jobs.create_or_update(job)
    deadline = time.monotonic() + 60
    while (found := to.jobs.get(submitted.name)).status not in ENDED:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


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
            requests.get("https://pypi.org/simple", timeout=10)
        with pytest.raises(requests.exceptions.ProxyError):
            requests.get("https://management.azure.com.example.com", timeout=10)
        assert requests.get("http://example.com", timeout=10).status_code == 403
        assert azure.refused_hosts[-3:] == [
            "pypi.org",
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

    def test_a_removed_registry(self, azure: AzureEmulator, dev: MLClient) -> None:
        azure.remove(azure.add_registry("mlr-gone", "rg-shared"))
        with pytest.raises(HttpResponseError, match="RegistryNotFound"):
            MLClient(DefaultAzureCredential(), registry_name="mlr-gone")


class TestEndpoints:
    def test_it_serves_by_traffic_header_and_key(self, dev: MLClient, served: str) -> None:
        answer = score(dev, served, {"x": 1})
        assert answer.json() == {"version": "one", "asked": {"x": 1}}
        assert answer.headers["azureml-model-deployment"] == "blue"
        green = score(dev, served, **{"azureml-model-deployment": "green"})
        assert green.json()["version"] == "two"
        assert score(dev, served, Authorization="Bearer wrong").status_code == 401
        assert score(dev, served, **{"azureml-model-deployment": "red"}).status_code == 404
        assert "loaded version/more/version.txt" in dev.online_deployments.get_logs(
            "blue", served, lines=50
        )

    def test_an_error_of_the_model_is_a_424(self, dev: MLClient, served: str) -> None:
        answer = score(dev, served, {"fail": True})
        assert answer.status_code == 424
        assert answer.headers["ms-azureml-model-error-statuscode"] == "500"

    def test_traffic_is_split_mirrored_and_logged(
        self, azure: AzureEmulator, dev: MLClient, served: str
    ) -> None:
        route(dev, served, {"blue": 100}, green=50)
        for _ in range(40):
            assert score_quickly(dev, served) == "one"
        route(dev, served, {"blue": 50, "green": 50})
        seen = Counter(score_quickly(dev, served) for _ in range(40))
        assert seen["one"] > 5
        assert seen["two"] > 5
        rows = traffic_log(azure, f"EndpointName == '{served}' and UserAgent == 'quick'")
        counted = Counter(row["DeploymentName"] for row in rows)
        assert counted["blue"] == 40 + seen["one"]
        assert counted["green"] > 5 + seen["two"]
        assert {row["ResponseCode"] for row in rows} == {200}
        ids = Counter(row["XRequestId"] for row in rows)
        assert set(ids.values()) == {1, 2}  # a copy has the id of its original
        route(dev, served, {"blue": 100})

    def test_the_log_comes_late(
        self, azure: AzureEmulator, dev: MLClient, served: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(azure.front.log, "delay_seconds", 3600)
        score(dev, served, **{"User-Agent": "late"})
        assert traffic_log(azure, "UserAgent startswith 'late'") == []

    @pytest.mark.parametrize(
        ("traffic", "mirror", "said"),
        [
            ({"blue": 60}, {}, "sum to 0 or 100"),
            ({"blue": 150, "green": -50}, {}, "negative"),
            ({"red": 100}, {}, "does not exist"),
            ({"blue": 100}, {"green": 51}, "At most 50"),
            ({"blue": 50, "green": 50}, {"green": 10}, "cannot have traffic and mirrored"),
            ({"blue": 100}, {"red": 10}, "does not exist"),
        ],
    )
    def test_rules_of_traffic(
        self,
        dev: MLClient,
        served: str,
        traffic: dict[str, int],
        mirror: dict[str, int],
        said: str,
    ) -> None:
        with pytest.raises(HttpResponseError, match=said):
            route(dev, served, traffic, **mirror)
        assert dev.online_endpoints.get(served).traffic == {"blue": 100, "green": 0}

    def test_what_has_traffic_cannot_be_deleted(self, dev: MLClient, served: str) -> None:
        with pytest.raises(HttpResponseError, match="100 % of the traffic"):
            dev.online_deployments.begin_delete("blue", served).result()
        route(dev, served, {"blue": 100}, green=10)
        with pytest.raises(HttpResponseError, match="10 % of the mirrorTraffic"):
            dev.online_deployments.begin_delete("green", served).result()
        route(dev, served, {"blue": 100})

    def test_tags_are_kept_as_sent(self, dev: MLClient, served: str) -> None:
        found = dev.online_endpoints.get(served)
        assert found.tags == {"owner": "team"}
        found.tags = {"lease.holder": "me", "empty": ""}
        dev.online_endpoints.begin_create_or_update(found).result()
        assert dev.online_endpoints.get(served).tags == {"lease.holder": "me", "empty": ""}
        assert dev.online_deployments.get("blue", served).tags == {"model_version": "1"}
        found.tags = {"owner": "team"}
        dev.online_endpoints.begin_create_or_update(found).result()

    def test_a_second_change_meanwhile_is_a_conflict(
        self, azure: AzureEmulator, dev: MLClient, served: str
    ) -> None:
        azure.delay("PUT", f"/{served}$", 1.5)
        found = dev.online_endpoints.get(served)
        first = dev.online_endpoints.begin_create_or_update(found)
        assert azure.endpoint(served)["properties"]["provisioningState"] == "Updating"
        with pytest.raises(HttpResponseError) as error:
            dev.online_endpoints.begin_create_or_update(found)
        assert error.value.status_code == 409
        with pytest.raises(HttpResponseError, match="in progress"):
            deploy(dev, served, "green", "azureml:model:2")
        first.result()

    def test_a_crash_while_starting(self, azure: AzureEmulator, dev: MLClient, served: str) -> None:
        with pytest.raises(HttpResponseError, match="crashed"):
            deploy(dev, served, "crashing", "azureml:model:3")
        assert dev.online_deployments.get("crashing", served).provisioning_state == "Failed"
        log = dev.online_deployments.get_logs("crashing", served, lines=100)
        assert "this model cannot be loaded" in log
        with pytest.raises(HttpResponseError, match="cannot take traffic"):
            route(dev, served, {"crashing": 100})
        dev.online_deployments.begin_delete("crashing", served).result()
        with pytest.raises(ResourceNotFoundError):
            dev.online_deployments.get("crashing", served)

    def test_a_request_can_take_too_long(
        self, azure: AzureEmulator, dev: MLClient, served: str
    ) -> None:
        properties = azure.deployment(served, "green")["properties"]
        assert properties["requestSettings"]["requestTimeout"] == "PT5S"
        settings = OnlineRequestSettings(request_timeout_ms=1)
        deploy(dev, served, "green", "azureml:model:2", request_settings=settings)
        late = score(dev, served, **{"azureml-model-deployment": "green"})
        assert late.status_code == 408
        deploy(dev, served, "green", "azureml:model:2")

    def test_names_and_places_are_checked(self, dev: MLClient, test: MLClient, served: str) -> None:
        with pytest.raises(HttpResponseError, match="already an endpoint"):
            make_endpoint(test, served)
        with pytest.raises(ResourceNotFoundError):
            deploy(dev, "absent", "blue")
        with pytest.raises(HttpResponseError, match="not found"):
            deploy(dev, served, "green", "azureml:model:99")
        dev.online_deployments.begin_delete("green", served).result()
        deploy(dev, served, "green", "azureml:model:2")


def score_quickly(to: MLClient, endpoint: str) -> str:
    """Return the version that answers, by a request that reads the key only once."""
    key = _keys.setdefault(endpoint, str(to.online_endpoints.get_keys(endpoint).primary_key))
    answer = requests.post(
        f"https://{endpoint}.westeurope.inference.ml.azure.com/score",
        json={},
        headers={"Authorization": f"Bearer {key}", "User-Agent": "quick"},
        timeout=30,
    )
    return str(answer.json()["version"])


_keys: dict[str, str] = {}


def traffic_log(azure: AzureEmulator, condition: str) -> list[dict[str, Any]]:
    """Ask Log Analytics as the project does."""
    token = DefaultAzureCredential().get_token("https://api.loganalytics.io/.default").token
    columns = "TimeGenerated, DeploymentName, ResponseCode, ModelStatusCode, XRequestId"
    answer = requests.post(
        f"https://api.loganalytics.azure.com/v1/workspaces/{azure.log_analytics_workspace}/query",
        json={
            "query": f"AmlOnlineEndpointTrafficLog\n| where {condition}\n"
            "| where TimeGenerated >= datetime(2026-01-01T00:00:00+00:00)\n"
            f"| project {columns}\n| order by TimeGenerated asc\n| take 1000"
        },
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    table = answer.json()["tables"][0]
    names = [column["name"] for column in table["columns"]]
    return [dict(zip(names, row, strict=True)) for row in table["rows"]]


@pytest.mark.usefixtures("environments")
class TestJobs:
    def test_steps_run_and_their_output_comes_back(self, dev: MLClient, tmp_path: Path) -> None:
        job = run_job(dev, example())
        assert job.status == "Completed"
        dev.jobs.download(job.name, output_name="result", download_path=tmp_path)
        result = tmp_path / "named-outputs" / "result" / "count" / "count.txt"
        assert result.read_text() == "5"
        children = list(dev.jobs.list(parent_job_name=job.name))
        assert [(each.display_name, each.status) for each in children] == [
            ("make", "Completed"),
            ("count", "Completed"),
        ]
        dev.jobs.download(children[0].name, all=True, download_path=tmp_path / "make")
        log = tmp_path / "make" / "artifacts" / "user_logs" / "std_log.txt"
        assert log.read_text() == "make begins\n"

    def test_inputs_of_data_and_optional_ones(self, dev: MLClient, tmp_path: Path) -> None:
        (tmp_path / "rows.txt").write_text("a b c")
        dev.data.create_or_update(Data(name="rows", version="7", path=str(tmp_path)))
        job = example()
        job.jobs["count"].inputs.source = Input(type="uri_folder", path="azureml:rows:7")
        job.jobs["count"].inputs.word = "word"
        job = run_job(dev, job)
        dev.jobs.download(job.name, output_name="result", download_path=tmp_path / "out")
        assert next((tmp_path / "out").rglob("count.txt")).read_text() == "3 word"
        made = Model(name="made", version="1", path=f"azureml://jobs/{job.name}/outputs/result")
        dev.models.create_or_update(made)
        dev.models.download("made", "1", str(tmp_path / "model"))
        assert next((tmp_path / "model").rglob("count.txt")).read_text() == "3 word"

    def test_a_failing_step_fails_the_job_with_its_log(self, dev: MLClient) -> None:
        job = example()
        job.inputs.rows = -1
        job = run_job(dev, job)
        assert job.status == "Failed"
        (child,) = dev.jobs.list(parent_job_name=job.name)
        assert (child.display_name, child.status) == ("make", "Failed")
        with pytest.raises(Exception, match="no fewer rows than none"):
            dev.jobs.stream(job.name)

    def test_what_a_failed_step_wrote(self, dev: MLClient, tmp_path: Path) -> None:
        job = example()
        job.inputs.rows = 1_000_000
        job = run_job(dev, job)
        assert job.status == "Failed"
        (child,) = dev.jobs.list(parent_job_name=job.name)
        dev.jobs.download(child.name, output_name="made", download_path=tmp_path)
        assert next(tmp_path.rglob("rows.txt")).read_text() == "too many"
        dev.jobs.download(job.name, output_name="result", download_path=tmp_path / "none")
        assert not (tmp_path / "none").exists()

    def test_a_failed_job_asked_for(self, azure: AzureEmulator, dev: MLClient) -> None:
        azure.fail_step("/count$", "The node was preempted.")
        job = run_job(dev, example())
        assert job.status == "Failed"
        with pytest.raises(Exception, match="preempted"):
            dev.jobs.stream(job.name)
        assert run_job(dev, example()).status == "Completed"

    def test_a_stuck_job_can_be_cancelled(self, azure: AzureEmulator, dev: MLClient) -> None:
        azure.stick_step("/make$")
        job = dev.jobs.create_or_update(example())
        assert dev.jobs.get(job.name).status in ("NotStarted", "Running")
        dev.jobs.begin_cancel(job.name).result()
        assert dev.jobs.get(job.name).status == "Canceled"

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("${{parent.inputs.rows}}", "${{parent.inputs.lines}}", "has no input 'lines'"),
            ("jobs.make.outputs.made", "jobs.make.outputs.done", "no step 'make' has 'done'"),
            ("jobs.make.outputs.made", "jobs.build.outputs.made", "no step 'build'"),
            ("jobs.make.outputs.made", "jobs.count.outputs.counted", "cycle"),
            ("${{parent.outputs.result}}", "${{parent.outputs.other}}", "has no output 'other'"),
            ("azureml:cpu-dev", "azureml:gpu", "gpu"),
        ],
    )
    def test_what_leads_nowhere_is_refused(
        self, dev: MLClient, tmp_path: Path, old: str, new: str, said: str
    ) -> None:
        for path in EXAMPLE.glob("*.yml"):
            text = path.read_text().replace("code: .", f"code: {EXAMPLE / 'src'}")
            (tmp_path / path.name).write_text(text.replace(old, new))
        with pytest.raises(Exception, match=said):
            dev.jobs.create_or_update(load_job(tmp_path / "pipeline.yml"))

    def test_an_image_needs_its_build_context(self, dev: MLClient, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_text("FROM scratch\n")
        (tmp_path / "mlops").write_text('#!/bin/sh\necho "launched" > "$3/count.txt"\n')
        build = BuildContext(path=tmp_path, dockerfile_path="Dockerfile")
        dev.environments.create_or_update(Environment(name="built", version="1", build=build))
        job = example()
        job.jobs["count"].component.environment = "azureml:built:1"
        job = run_job(dev, job)
        dev.jobs.download(job.name, output_name="result", download_path=tmp_path / "out")
        assert next((tmp_path / "out").rglob("count.txt")).read_text() == "launched\n"
        absent = BuildContext(path=tmp_path, dockerfile_path="Absent")
        with pytest.raises(HttpResponseError, match="No files were found"):
            dev.environments.create_or_update(Environment(name="built", version="2", build=absent))

    def test_a_schedule(self, dev: MLClient) -> None:
        job = example()
        cron = CronTrigger(expression="0 3 * * *")
        schedule = JobSchedule(name="nightly", trigger=cron, create_job=job)
        assert dev.schedules.begin_create_or_update(schedule).result().is_enabled
        assert [each.name for each in dev.schedules.list()] == ["nightly"]
        assert not dev.schedules.begin_disable("nightly").result().is_enabled
        dev.schedules.begin_delete("nightly").result()
        assert list(dev.schedules.list()) == []


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
