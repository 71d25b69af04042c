"""Evidence that is kept beside a version: every platform keeps it the same way."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from fakes.azure import Models, clients_of, have_entities
from fakes.platform import FakePlatform
from fakes.tiny_version import write_version
from mlops.artifacts.evidence_folder import seal
from mlops.artifacts.version_folder import HASH_TAG
from mlops.errors import ConfigError, PlatformError, Refused
from mlops.files import file_hashes, file_sha256
from mlops.platforms.azure import platform as azure
from mlops.platforms.azure.platform import AzurePlatform
from mlops.platforms.base import Platform
from mlops.platforms.local.platform import LocalPlatform
from mlops.progress import silent
from mlops.settings.loading import LoadedSettings

Load = Callable[..., LoadedSettings]


@dataclass
class Place:
    """A platform with versions 1 and 2, and where it keeps evidence as files."""

    platform: Platform
    kept: Path


def on_azure(load: Load, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Place, Models]:
    """Return a platform whose version 1 is in the registry, and the registry's models."""
    monkeypatch.setattr(azure, "require_extra", lambda: None)
    have_entities(monkeypatch)
    settings = load(platform="azure", azure__subscription_id="s", azure__poll_seconds=0.01)
    platform = AzurePlatform(settings)
    clients, workspace, registry = clients_of(settings)
    platform._clients = platform._models._clients = clients
    for number, client in ((1, registry), (2, workspace)):
        version = write_version(folder / f"version-{number}", number)
        tags = {HASH_TAG: file_sha256(version / "model.onnx")}
        client.models.kept[number] = (version, tags)
        client.models.uploads = folder / "uploads" / str(number)
    return Place(platform, folder / "uploads"), registry.models


@pytest.fixture(params=["local", "fake", "azure"])
def place(
    request: pytest.FixtureRequest, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Place:
    if request.param == "azure":
        return on_azure(load, tmp_path, monkeypatch)[0]
    if request.param == "fake":
        return Place(FakePlatform(tmp_path, (1, 2)), tmp_path / "evidence")
    settings = load()
    for number in (1, 2):
        write_version(settings.project.state_dir / "registry" / "tiny" / str(number), number)
    return Place(LocalPlatform(settings), settings.project.state_dir / "evidence")


def evidence(tmp_path: Path, text: str = "promoted") -> Path:
    """Return a sealed folder of evidence that says a word."""
    folder = tmp_path / f"evidence of {text}"
    (folder / "tiny-prod" / "20261103T101112.000000Z").mkdir(parents=True)
    (folder / "tiny-prod" / "20261103T101112.000000Z" / "evidence.json").write_text(text)
    (folder / "approvals.json").write_text("two")
    seal(folder, {"name": text})
    return folder


def names(platform: Platform, number: int) -> list[str]:
    return [each.name for each in platform.evidence(number)]


def test_what_is_kept_can_be_listed_and_fetched(place: Place, tmp_path: Path) -> None:
    assert place.platform.evidence(1) == []
    given = evidence(tmp_path)
    kept = place.platform.keep_evidence(1, "prod-2", given)
    assert kept.name == "prod-2"
    first = place.platform.keep_evidence(1, "prod-1", evidence(tmp_path, "hold"))
    assert place.platform.evidence(1) == [first, kept]
    assert names(place.platform, 2) == []
    place.platform.fetch_evidence(1, "prod-2", tmp_path / "fetched")
    assert file_hashes(tmp_path / "fetched") == file_hashes(given)


def test_the_same_again_is_left_and_other_evidence_is_never_replaced(
    place: Place, tmp_path: Path
) -> None:
    kept = place.platform.keep_evidence(1, "prod-1", evidence(tmp_path))
    assert place.platform.keep_evidence(1, "prod-1", evidence(tmp_path / "again")) == kept
    before = file_hashes(place.kept)
    with pytest.raises(Refused, match="other evidence is kept as prod-1"):
        place.platform.keep_evidence(1, "prod-1", evidence(tmp_path, "rejected"))
    assert file_hashes(place.kept) == before
    assert place.platform.evidence(1) == [kept]


def test_nothing_takes_it_for_a_version_and_no_version_changes(
    place: Place, tmp_path: Path
) -> None:
    platform = place.platform
    files = {number: file_hashes(platform.version(number).folder) for number in (1, 2)}
    champion = platform.champion(silent)
    for number in (1, 2):
        for count in range(3):
            platform.keep_evidence(number, f"prod-{count}", evidence(tmp_path, f"{number} {count}"))
    assert [each.version for each in platform.versions()] == [1, 2]
    assert platform.champion(silent) == champion
    assert {number: file_hashes(platform.version(number).folder) for number in (1, 2)} == files


def test_there_is_no_evidence_without_its_version_or_its_seal(place: Place, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no version 7"):
        place.platform.keep_evidence(7, "prod-1", evidence(tmp_path))
    with pytest.raises(ConfigError, match="no version 7"):
        place.platform.evidence(7)
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "evidence.json").touch()
    with pytest.raises(ConfigError, match=r"holds no evidence-manifest.json"):
        place.platform.keep_evidence(1, "prod-1", tmp_path / "bare")
    with pytest.raises(ConfigError, match="is kept as prod-1"):
        place.platform.fetch_evidence(1, "prod-1", tmp_path / "fetched")


@pytest.mark.parametrize("change", ["altered", "removed", "added"])
def test_evidence_that_was_changed_is_not_handed_out(
    place: Place, tmp_path: Path, change: str
) -> None:
    place.platform.keep_evidence(1, "prod-1", evidence(tmp_path))
    (file,) = place.kept.rglob("approvals.json")
    if change == "altered":
        file.write_text("nobody")
    elif change == "removed":
        file.unlink()
    else:
        file = file.with_name("more.json")
        file.touch()
    with pytest.raises(Refused, match=rf"is not what was kept: {file.name}"):
        place.platform.fetch_evidence(1, "prod-1", tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()


def test_azure_keeps_it_where_the_version_is(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, registry = on_azure(load, tmp_path, monkeypatch)
    name = place.platform.settings.azure_names.registry  # type: ignore[attr-defined]
    shared = place.platform.keep_evidence(1, "prod-1", evidence(tmp_path))
    assert shared.place == f"azureml://registries/{name}/models/tiny-evidence/versions/1"
    assert place.platform.keep_evidence(2, "test-1", evidence(tmp_path, "own")).place == (
        "azureml:tiny-evidence:1"
    )
    ((_, tags),) = registry.evidence.kept.values()
    assert (tags["model_version"], tags["evidence"]) == ("1", "prod-1")


def test_azure_finds_it_in_both_places_once_the_version_is_shared(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, registry = on_azure(load, tmp_path, monkeypatch)
    place.platform.keep_evidence(2, "dev-1", evidence(tmp_path))
    registry.kept[2] = (tmp_path / "version-2", registry.kept[1][1])
    place.platform.keep_evidence(2, "prod-1", evidence(tmp_path, "later"))
    assert names(place.platform, 2) == ["dev-1", "prod-1"]
    for name in ("dev-1", "prod-1"):
        place.platform.fetch_evidence(2, name, tmp_path / name)


def test_a_manifest_that_was_replaced_is_noticed_by_the_tag(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, registry = on_azure(load, tmp_path, monkeypatch)
    place.platform.keep_evidence(1, "prod-1", evidence(tmp_path))
    ((folder, _),) = registry.evidence.kept.values()
    (folder / "approvals.json").write_text("three")
    (folder / "evidence-manifest.json").unlink()
    seal(folder, {"name": "promoted"})
    with pytest.raises(Refused, match=r"not what was kept: evidence-manifest.json"):
        place.platform.fetch_evidence(1, "prod-1", tmp_path / "fetched")


@pytest.mark.parametrize("error", [PlatformError("it is taken"), ValueError("no value")])
def test_two_that_race_for_a_number_both_keep_theirs(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    place, registry = on_azure(load, tmp_path, monkeypatch)
    other = evidence(tmp_path, "other")

    def first() -> None:
        registry.evidence.before_write = lambda: None
        place.platform.keep_evidence(1, "test-1", other)
        raise error

    registry.evidence.before_write = first
    place.platform.keep_evidence(1, "prod-1", evidence(tmp_path))
    assert names(place.platform, 1) == ["prod-1", "test-1"]
    assert sorted(registry.evidence.kept) == [1, 2]


def test_numbers_of_archived_evidence_are_not_taken_again(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, registry = on_azure(load, tmp_path, monkeypatch)
    place.platform.keep_evidence(1, "prod-1", evidence(tmp_path))
    registry.evidence.archived = {1}
    place.platform.keep_evidence(1, "prod-2", evidence(tmp_path, "later"))
    assert sorted(registry.evidence.kept) == [1, 2]


def test_what_azure_refuses_is_told(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, registry = on_azure(load, tmp_path, monkeypatch)

    def refuse() -> None:
        raise PlatformError("not allowed")

    registry.evidence.before_write = refuse
    with pytest.raises(PlatformError, match="not allowed"):
        place.platform.keep_evidence(1, "prod-1", evidence(tmp_path))
