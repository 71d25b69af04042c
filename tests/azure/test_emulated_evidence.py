"""Evidence beside a version, by the project's own code and Microsoft's clients."""

from pathlib import Path

import pytest
import yaml
from azure.ai.ml import MLClient
from azure.ai.ml.entities import Model
from fakes.project import write_project
from mlops.artifacts.evidence_folder import seal
from mlops.errors import Refused
from mlops.files import file_hashes
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.evidence import AzureEvidence
from mlops.platforms.azure.models import AzureModels
from mlops.settings.loading import load_settings

from .emulator import AzureEmulator

pytestmark = pytest.mark.azure
REGISTRY = "azureml://registries/mlr-shared/models/tiny-evidence/versions"


@pytest.fixture(scope="module")
def models(
    azure: AzureEmulator, dev: MLClient, tmp_path_factory: pytest.TempPathFactory
) -> AzureModels:
    """A model whose version 1 is shared, and whose version 2 is in the workspace alone."""
    root = tmp_path_factory.mktemp("evidence")
    project = write_project(root / "project")
    names = {"resource_group": "rg-dev", "workspace": "mlw-dev", "registry": "mlr-shared"}
    conf = {"azure": {"subscription_id": azure.state.subscription, **names}}
    with (project.root / "conf" / "base.yaml").open("a") as stream:
        yaml.safe_dump(conf, stream)
    settings = load_settings(project, variables={})
    (root / "version").mkdir()
    (root / "version" / "model.onnx").write_text("model")
    for number in ("1", "2"):
        dev.models.create_or_update(Model(name="tiny", version=number, path=root / "version"))
    share = {"share_with_name": "tiny", "share_with_version": "1"}
    dev.models.share("tiny", "1", **share, registry_name="mlr-shared")
    return AzureModels(AzureClients(settings))


@pytest.fixture
def kept(models: AzureModels) -> AzureEvidence:
    return AzureEvidence(models._clients, models)


def evidence(folder: Path, text: str) -> Path:
    place = folder / text / "tiny-prod" / "20261103T101112.000000Z"
    place.mkdir(parents=True)
    (place / "evidence.json").write_text(text)
    (folder / text / "approvals.json").write_text(text)
    seal(folder / text, {"name": text})
    return folder / text


def test_it_comes_back_from_the_registry_as_it_was_and_is_no_version(
    azure: AzureEmulator, kept: AzureEvidence, models: AzureModels, tmp_path: Path
) -> None:
    given = evidence(tmp_path, "promoted")
    found = kept.keep(1, "prod-1", given)
    assert found.place == f"{REGISTRY}/1"
    assert kept.keep(1, "prod-1", given) == found
    with pytest.raises(Refused, match="other evidence is kept as prod-1"):
        kept.keep(1, "prod-1", evidence(tmp_path, "another"))
    assert kept.listed(1) == [found]
    kept.fetch(1, "prod-1", tmp_path / "fetched")
    assert file_hashes(tmp_path / "fetched") == file_hashes(given)
    assert [(each.number, each.places) for each in models.listed()] == [
        (1, ("registry", "workspace")),
        (2, ("workspace",)),
    ]
    assert azure.state.client_faults == []
    assert azure.refused_hosts == []


def test_evidence_of_a_version_that_was_not_shared_stays_in_its_workspace(
    kept: AzureEvidence, tmp_path: Path
) -> None:
    given = evidence(tmp_path, "held")
    assert kept.keep(2, "test-1", given).place == "azureml:tiny-evidence:1"
    kept.fetch(2, "test-1", tmp_path / "fetched")
    assert file_hashes(tmp_path / "fetched") == file_hashes(given)


def test_two_that_race_for_a_number_both_keep_theirs(
    kept: AzureEvidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one finds a number that the first one takes before it writes."""
    taken = kept._next_number("registry")
    given = {name: evidence(tmp_path, name) for name in ("first", "second")}
    assert kept.keep(1, "race-first", given["first"]).place == f"{REGISTRY}/{taken}"
    numbers = iter((taken, taken + 1))
    monkeypatch.setattr(kept, "_next_number", lambda _place: next(numbers))
    assert kept.keep(1, "race-second", given["second"]).place == f"{REGISTRY}/{taken + 1}"
    for name, folder in given.items():
        kept.fetch(1, f"race-{name}", tmp_path / "fetched" / name)
        assert file_hashes(tmp_path / "fetched" / name) == file_hashes(folder)
