"""What a deployment is made of, what its tags say of that, and what stands in its way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.azure import deployment
from fakes.azure_place import NAME, AzurePlace
from mlops.artifacts.version_folder import VersionFacts
from mlops.errors import ConfigError, PlatformError
from mlops.platforms.azure import definition
from mlops.platforms.azure import endpoint as azure_endpoint
from mlops.platforms.base import ModelVersion
from mlops.settings.loading import LoadedSettings

CONNECTION = (
    "InstrumentationKey=00000000-0000-0000-0000-000000000001;"
    "IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/"
)


@pytest.fixture
def place(load: Callable[..., LoadedSettings]) -> AzurePlace:
    return AzurePlace(load(azure__subscription_id="s"))


def test_whatever_a_deployment_is_made_of_decides_whether_it_is_current(
    place: AzurePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = (
        "serving/score.py",
        "serving/requirements.txt",
        "aml/environments/serving/Dockerfile",
        "aml/endpoints/deployment.yml",
    )
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text")
    endpoint = place.endpoint
    facts = VersionFacts("tiny", 1, "s", "c", {}, {})
    monkeypatch.setattr(azure_endpoint, "verify_version", lambda _folder: facts)
    monkeypatch.setattr(endpoint, "_root", tmp_path)
    version = ModelVersion("tiny", 1, tmp_path)
    assert not endpoint.is_current("blue", version)
    settings = endpoint._clients.settings
    told = definition.wanted_telemetry(settings, NAME, "blue", facts, "")
    endpoint_tags = definition.wanted_tags(tmp_path, facts, settings.values, told)
    place.azure.placed["blue"].tags = dict(endpoint_tags)
    assert endpoint.is_current("blue", version)
    for name in files:
        (tmp_path / name).write_text("changed")
        assert not endpoint.is_current("blue", version), name
        (tmp_path / name).write_text("text")
    for dropped in endpoint_tags:
        del place.azure.placed["blue"].tags[dropped]
        assert not endpoint.is_current("blue", version), f"another tool dropped {dropped}"
        place.azure.placed["blue"].tags = dict(endpoint_tags)


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint__request_timeout_seconds": 77.0},
        {"serving__workers": 4},
        {"telemetry__enabled": False},
        {"telemetry__keys": True},
        {"telemetry__features": False},
        {"telemetry__queue": 9},
        {"azure__insights_connection_string": None},
        {"azure__insights_connection_string": CONNECTION.replace("west", "north")},
    ],
)
def test_what_conf_decides_of_a_deployment_is_in_its_tags(
    load: Callable[..., LoadedSettings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
) -> None:
    facts = VersionFacts("tiny", 1, "s", "c", {"a": 1.0}, {})
    (tmp_path / "aml" / "endpoints").mkdir(parents=True)
    (tmp_path / definition.DEPLOYMENT_FILE).write_text("text")
    monkeypatch.setattr(definition, "environment_version", lambda *_: "1")

    def tags(settings: LoadedSettings) -> dict[str, str]:
        told = definition.wanted_telemetry(settings, NAME, "blue", facts, "")
        return definition.wanted_tags(tmp_path, facts, settings.values, told)

    there = {"azure__insights_connection_string": CONNECTION}
    before = tags(load(**there))
    assert tags(load(**there)) == before
    assert tags(load(**there | change)) != before


def test_what_could_not_be_fetched_for_a_deployment_is_told(place: AzurePlace) -> None:
    place.azure.log, place.azure.init_log = "", "storage-initializer: the model is not there\n"
    said = place.endpoint._what_it_printed("green", PlatformError("did not start"))
    assert said == "storage-initializer: the model is not there"
    assert place.endpoint._what_it_printed("green", KeyboardInterrupt()) == ""


def test_a_deployment_gets_no_other_machines_while_it_has_traffic(place: AzurePlace) -> None:
    view = place.endpoint._resource.existing()
    wanted = deployment("blue", 2)
    assert not definition.is_in_the_way(view, wanted)
    wanted.instance_type = wanted.instance_type.upper()
    assert not definition.is_in_the_way(view, wanted)
    wanted.instance_type = "Standard_D4as_v4"
    with pytest.raises(ConfigError, match=r"blue runs on Standard_D2as_v4 and has 100 %.*release"):
        definition.is_in_the_way(view, wanted)
    for name, in_the_way in (("green", True), ("red", False)):
        wanted.name = name
        assert definition.is_in_the_way(view, wanted) is in_the_way


def test_a_tag_that_somebody_wrote_is_no_version(place: AzurePlace) -> None:
    place.azure.placed["blue"].tags["model_version"] = "the good one"
    place.azure.placed["green"].tags = {}
    found = {each.name: each.model_version for each in place.endpoint.deployments()}
    assert found == {"blue": 1, "green": 2}
