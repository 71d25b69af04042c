"""What the doctor finds in Azure, on a client in memory."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from fakes.azure import SdkError, Workspace, clients_of
from mlops.diagnosis import Diagnosis
from mlops.errors import ConfigError
from mlops.platforms.azure import examine
from mlops.platforms.azure.platform import AzurePlatform
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import Project


class Place:
    """A workspace that has all, and what reading its resource group answers."""

    def __init__(self, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings = settings
        self.clients, self.workspace, registry = clients_of(settings)
        self.group: int | Exception = 200
        self.workspace.compute = SimpleNamespace(  # type: ignore[attr-defined]
            get=lambda name: SimpleNamespace(name=name, size="s", min_instances=0, max_instances=1)
        )
        self.workspace.datastores = SimpleNamespace(  # type: ignore[attr-defined]
            get_default=lambda: SimpleNamespace(name="blobs", account_name="account")
        )
        self._have(self.workspace)
        registry.models.list = lambda **_: []  # type: ignore[method-assign]
        monkeypatch.setattr(examine, "AzureClients", lambda _settings: self.clients)
        monkeypatch.setattr(examine, "require_extra", lambda: None)
        monkeypatch.setattr(requests.Session, "get", self._get)

    def _have(self, workspace: Workspace) -> None:
        workspace.workspaces = SimpleNamespace(
            get=lambda name: SimpleNamespace(name=name, location="westeurope")
        )

    def _get(self, _url: str, **_options: Any) -> Any:
        if isinstance(self.group, Exception):
            raise self.group
        return SimpleNamespace(status_code=self.group, text="no", json=dict)

    def diagnoses(self) -> dict[str, Diagnosis]:
        found = AzurePlatform.examine(self.settings)
        return {each.name.removeprefix("azure: "): each for each in found}


@pytest.fixture
def place(load: Callable[..., LoadedSettings], monkeypatch: pytest.MonkeyPatch) -> Place:
    settings = load(platform="azure", azure__subscription_id="s")
    return Place(settings, monkeypatch)


def test_what_is_there_passes(place: Place) -> None:
    found = place.diagnoses()
    assert [name for name, each in found.items() if not each.passed] == ["not checked"]
    assert found["resource group"].found == "the resource group rg-tiny-dev"
    assert "does not exist yet" in found["endpoint"].found


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_a_cluster_is_missed_only_where_training_happens(
    project: Project, monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    (project.root / "conf" / "prod.yaml").write_text("{}\n")
    chosen = {"platform": "azure", "azure.subscription_id": "s"}
    settings = load_settings(project, environment, overrides=chosen, variables={})
    place = Place(settings, monkeypatch)

    def refuse(_name: str) -> None:
        raise SdkError(404)

    place.workspace.compute.get = refuse  # type: ignore[attr-defined]
    found = place.diagnoses()["cluster"]
    assert found.passed is (environment == "prod")
    assert f"cpu-{environment}" in found.found


def test_the_endpoints_state_is_told(place: Place) -> None:
    place.workspace.online_endpoints.serve("tiny-dev", blue=1)
    place.workspace.online_endpoints.kept["tiny-dev"].provisioning_state = "Updating"
    assert place.diagnoses()["endpoint"].found.startswith("tiny-dev is updating; ")
    place.workspace.online_endpoints.kept["tiny-dev"].auth_mode = "aad_token"
    found = place.diagnoses()["endpoint"]
    assert not found.passed
    assert "the endpoint tiny-dev takes Entra tokens, and serving.auth is key" in found.found


def test_what_only_a_change_would_show_is_said_to_be_unchecked(place: Place) -> None:
    found = place.diagnoses()["not checked"]
    assert "quota" in found.found
    assert not found.needed


def test_data_that_conf_names_must_be_there(
    load: Callable[..., LoadedSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = {"azure__data_asset": "transactions:3"}
    place = Place(load(platform="azure", azure__subscription_id="s", **asset), monkeypatch)
    found = place.diagnoses()["data"]
    assert not found.passed
    assert "mlw-tiny-dev has no transactions:3" in found.found
    assert found.remedy == "`uv run mlops data register --name transactions` makes a version"
    place.workspace.data.create_or_update(SimpleNamespace(name="transactions", version="3"))
    assert place.diagnoses()["data"].passed


def test_a_group_that_a_role_on_the_workspace_does_not_show_is_no_fault(place: Place) -> None:
    place.group = 403
    assert place.diagnoses()["resource group"].passed
    assert "is not shown" in place.diagnoses()["resource group"].found

    def refuse(_name: str) -> None:
        raise SdkError(403)

    place.workspace.workspaces.get = refuse
    vars(place.clients).pop("_workspace_resource")
    found = place.diagnoses()["resource group"]
    assert not found.passed
    assert found.found.endswith("a role is missing")
    assert found.remedy.startswith("give who runs this the role ")


@pytest.mark.parametrize("problem", [requests.ConnectionError("x"), requests.Timeout("x")])
def test_a_lost_connection_is_one_diagnosis_among_the_others(
    place: Place, problem: Exception
) -> None:
    place.group = problem
    found = place.diagnoses()
    assert not found["resource group"].passed
    assert found["resource group"].remedy == "check network and proxy, then try again"
    assert found["log of requests"].passed


@pytest.mark.parametrize(
    ("name", "found", "remedy"),
    [
        ("workspace", "a policy of your organisation forbids it", "make what the policy names as"),
        ("log of requests", "the log of requests may not be read", "give who runs this the role"),
    ],
)
def test_a_semicolon_in_what_azure_says_cuts_no_remedy(
    load: Callable[..., LoadedSettings],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    found: str,
    remedy: str,
) -> None:
    settings = load(
        platform="azure", azure__subscription_id="s", azure__log_analytics_workspace_id="w"
    )
    place = Place(settings, monkeypatch)
    error = SdkError(403)
    error.message = "RequestDisallowedByPolicy: one; two; three"

    def refuse(_name: str) -> None:
        raise error

    def answer(*_arguments: Any, **_options: Any) -> Any:
        return SimpleNamespace(status_code=403, text="one; two", headers={})

    place.workspace.workspaces.get = refuse
    monkeypatch.setattr(requests.Session, "post", answer)
    told = place.diagnoses()[name]
    assert found in told.found
    assert told.remedy.startswith(remedy)
    assert "one; two" not in told.remedy


@pytest.mark.parametrize("missing", ["packages", "subscription"])
def test_what_all_else_needs_ends_the_examination_with_its_remedy(
    place: Place, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    def refuse(*_arguments: Any) -> str:
        raise ConfigError("it is missing", "bring it")

    checks = {"packages": "require_extra", "subscription": "subscription_id"}
    monkeypatch.setattr(examine, checks[missing], refuse)
    (*_, last) = place.diagnoses().values()
    assert (last.name, last.found, last.remedy) == (
        f"azure: {missing}",
        "it is missing",
        "bring it",
    )
