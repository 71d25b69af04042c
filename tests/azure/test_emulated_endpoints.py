"""Endpoints of the emulator, driven by Microsoft's own client."""

from collections import Counter
from typing import Any

import pytest
import requests
from azure.ai.ml import MLClient
from azure.ai.ml.entities import (
    OnlineRequestSettings,
)
from azure.core.exceptions import (
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.identity import (
    DefaultAzureCredential,
)

from .clients import deploy, make_endpoint, route, score
from .emulator import AzureEmulator

pytestmark = pytest.mark.azure


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

    def test_the_machines_of_a_deployment_stay(self, dev: MLClient, served: str) -> None:
        with pytest.raises(HttpResponseError, match="instance type of the deployment green"):
            deploy(dev, served, "green", "azureml:model:2", instance_type="Standard_F2s_v2")

    def test_too_many_at_a_time_are_told_so(
        self, azure: AzureEmulator, dev: MLClient, served: str
    ) -> None:
        """Twice what the machines of a deployment take at a time, and no more."""
        place = f"{azure.endpoints.running[served].id}/blue"
        azure.front._open[place] = 2
        try:
            late = score(dev, served)
        finally:
            azure.front._open[place] -= 2
        assert late.status_code == 429
        assert "ms-azureml-model-error-statuscode" not in late.headers
        assert score(dev, served).status_code == 200
        assert azure.front._open[place] == 0

    def test_what_does_not_run_is_a_424_that_no_model_gave(
        self, azure: AzureEmulator, dev: MLClient, served: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = azure.endpoints.running[served].servers["blue"]
        monkeypatch.setattr(server, "port", 9)
        answer = score(dev, served)
        assert answer.status_code == 424
        assert "ms-azureml-model-error-statuscode" not in answer.headers

    def test_without_traffic_there_is_nothing_to_find(self, dev: MLClient, served: str) -> None:
        route(dev, served, {})
        assert score(dev, served).status_code == 404
        route(dev, served, {"blue": 100})

    def test_an_endpoint_may_take_tokens_and_no_keys(
        self, azure: AzureEmulator, dev: MLClient, served: str
    ) -> None:
        key = azure.endpoints.running[served].keys["primaryKey"]
        found = dev.online_endpoints.get(served)
        found.auth_mode = "aad_token"
        dev.online_endpoints.begin_create_or_update(found).result()
        assert dev.online_endpoints.get(served).auth_mode == "aad_token"
        tokens = {
            audience: DefaultAzureCredential().get_token(f"https://{audience}/.default").token
            for audience in ("ml.azure.com", "management.azure.com")
        }
        statuses = {}
        for name, sent in {**tokens, "key": key}.items():
            answer = requests.post(
                found.scoring_uri, json={}, headers={"Authorization": f"Bearer {sent}"}, timeout=30
            )
            statuses[name] = answer.status_code
        assert statuses == {"ml.azure.com": 200, "management.azure.com": 401, "key": 401}
        assert azure.state.traffic_log[-1].columns["AuthType"] == "AADToken"
        keys = requests.post(
            f"https://management.azure.com{azure.endpoints.running[served].id}/listKeys",
            params={"api-version": "2022-02-01-preview"},
            headers={"Authorization": f"Bearer {tokens['management.azure.com']}"},
            timeout=30,
        )
        assert keys.status_code == 400
        found.auth_mode = "key"
        dev.online_endpoints.begin_create_or_update(found).result()
        assert score(dev, served).status_code == 200

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
