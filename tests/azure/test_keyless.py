"""A project whose endpoints take tokens of Microsoft Entra: nobody ever lists a key."""

from collections.abc import Iterator

import pytest

from tests.support import Template

from .project import NAME, RELEASED, AzureProject, azure_project

pytestmark = [pytest.mark.project, pytest.mark.azure, pytest.mark.slow]


@pytest.fixture(scope="module")
def place(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureProject]:
    with azure_project(template, tmp_path_factory.mktemp("keyless")) as place:
        place.settings["MLOPS_SERVING__AUTH"] = "entra"
        yield place


def test_from_training_to_a_rollback_without_a_key(place: AzureProject) -> None:
    azure = place.azure
    first = place.registered(place.trained())
    assert "passed" in place.mlops("doctor", "--platform", "azure", "--environment", "dev")
    place.mlops("deploy", "--environment", "test", "--model-version", str(first))
    place.mlops("smoke-test", "--environment", "test")
    place.mlops("release", "--environment", "prod", "--model-version", str(first))

    place.settings["MLOPS_PARAMS__MAX_ITER"] = "60"
    second = place.registered(place.trained("local"))
    since = len(azure.calls)
    with place.callers("prod") as statuses:
        said = place.mlops("release", "--environment", "prod", "--model-version", str(second))
    assert "promoted" in said
    assert place.routings("prod", since) == RELEASED
    assert set(statuses) == {200}
    with place.callers("prod") as statuses:
        place.mlops("rollback", "--environment", "prod")
    assert place.traffic("prod") == {"blue": 100}
    assert set(statuses) == {200}

    assert {each["properties"]["authMode"] for each in endpoints(place)} == {"AADToken"}
    assert [call.path for call in azure.calls if "listkeys" in call.path.lower()] == []
    rows = [row.columns for row in azure.state.traffic_log]
    assert {row["AuthType"] for row in rows} == {"AADToken"}
    assert azure.refused_hosts == []
    assert azure.state.client_faults == []


def endpoints(place: AzureProject) -> list[dict[str, dict[str, str]]]:
    """What Azure has of the endpoints of the environments that were deployed to."""
    return [place.azure.endpoint(f"{NAME}-{environment}") for environment in ("test", "prod")]
