"""A life cycle on the emulator, in both images: steps in the one, deployments in the other."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlops.platforms.azure.images import assemble

from tests.azure.project import RELEASED, AzureProject, started
from tests.support import Template, run, uv

from . import bases, build

pytestmark = [pytest.mark.slow, pytest.mark.needs("images")]


@pytest.fixture(scope="module")
def place(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureProject]:
    folder = tmp_path_factory.mktemp("life")
    version = bases.python_version(bases.ensure())
    project = template.install(folder / "project", python_version=version)
    run(uv(), "sync", "--quiet", "--group", "azure", folder=project.path)
    with (
        build.built(project.path, "training", tmp_path_factory.mktemp("training")) as training,
        build.built(project.path, "serving", tmp_path_factory.mktemp("serving")) as serving,
        started(
            project,
            folder,
            build.InImage(training.container),
            build.InImage(serving.container),
        ) as place,
    ):
        yield place


def test_from_training_to_a_rollback_in_the_built_images(
    place: AzureProject, tmp_path: Path
) -> None:
    first = place.registered(place.trained())
    place.mlops("release", "--environment", "test", "--model-version", str(first))
    place.mlops("smoke-test", "--environment", "test")
    place.mlops("release", "--environment", "prod", "--model-version", str(first))
    assert place.traffic("prod") == {"blue": 100}

    place.settings["MLOPS_PARAMS__MAX_ITER"] = "60"
    second = place.registered(place.trained())
    assert second == first + 1
    since = len(place.azure.calls)
    with place.callers("prod") as statuses:
        said = place.mlops("release", "--environment", "prod", "--model-version", str(second))
    assert "promoted" in said
    assert place.routings("prod", since) == RELEASED
    assert set(statuses) == {200}

    with place.callers("prod") as statuses:
        place.mlops("rollback", "--environment", "prod")
    assert place.traffic("prod") == {"blue": 100}
    assert set(statuses) == {200}
    said = place.mlops("status", "--json")
    assert [each["version"] for each in json.loads(said)["versions"]] == [first, second]
    assert place.azure.refused_hosts == []
    assert place.azure.state.client_faults == []

    for name in ("training", "serving"):  # a version is a hash of what the image is built from
        version = assemble(place.project.path, name, tmp_path / name)
        assert place.azure.called("PUT", rf"/environments/{name}/versions/{version}$")
