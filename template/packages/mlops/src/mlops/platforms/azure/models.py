"""Model versions on Azure: in the workspace where they were made, and in the shared registry.

The folder of a version is downloaded when it is needed, kept below `.mlops/azure`, and checked each
time against the hash that was written when it was registered.
"""

import functools
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mlops.artifacts.documents import LINEAGE
from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.version_folder import (
    HASH_TAG,
    ONNX,
    VersionFolder,
    origin_tags,
    verify_version,
)
from mlops.errors import ConfigError, MlopsError, PlatformError, Refused
from mlops.files import file_hashes, new_folder
from mlops.hints import typed
from mlops.platforms.azure.client import ACTIVE_VERSIONS, ALL_VERSIONS, AzureClients
from mlops.platforms.azure.errors import Conflict, azure_errors
from mlops.platforms.base import ModelVersion, Run
from mlops.progress import Report

_ATTEMPTS = 5

Place = Literal["registry", "workspace"]


@dataclass(frozen=True)
class Listed:
    """A version as Azure lists it, and the places where it is."""

    number: int
    tags: dict[str, str]
    places: tuple[Place, ...]
    archived: bool = False


class AzureModels:
    """The versions of the project's model.

    Args:
        clients: of the workspace and the registry.
    """

    def __init__(self, clients: AzureClients) -> None:
        self._clients = clients
        self.name = clients.settings.model_name

    def listed(self) -> list[Listed]:
        """Return what registry and workspace hold, oldest first."""
        found: dict[int, Listed] = {}
        for place, client in self._places():
            for model in self._models(place, client):
                number = int(model.version)
                known = found.get(number)
                places = (*known.places, place) if known else (place,)
                tags = {**dict(model.tags or {}), **(known.tags if known else {})}
                found[number] = Listed(number, tags, places)
        return [found[number] for number in sorted(found)]

    def versions(self) -> list[ModelVersion]:
        """Return the versions; their folders are there only if they were needed before."""
        return [
            ModelVersion(self.name, each.number, self._folder(each.number), each.tags)
            for each in self.listed()
        ]

    def version(self, number: int) -> ModelVersion:
        """Return a version with its folder, which is downloaded unless it is here already.

        Raises:
            ConfigError: there is no such version.
            Refused: its files are not those that were registered.
        """
        listed = self._find(number)
        registered = listed.tags.get(HASH_TAG)
        if registered is None:
            raise self._unmarked(listed)
        folder = self._folder(number)
        if not folder.is_dir():
            self._download(listed, folder)
        facts = verify_version(folder)
        if (facts.version, facts.model_sha256) != (number, registered):
            raise Refused(
                f"{folder} is not version {number} as it was registered",
                "delete the folder, and it is downloaded again",
            )
        return ModelVersion(self.name, number, folder, listed.tags, archived=listed.archived)

    def reference(self, number: int) -> str:
        """Return the id by which a deployment names a version.

        Where the registry has it, that is the registry's; only where models are trained a version
        may be deployed that was not shared yet. With azure.deploy_from `workspace` it is the
        workspace's, which gets the checked files first if it has not got them.

        Raises:
            ConfigError: there is no such version.
            Refused: it was not shared, or the workspace has another one by this number.
        """
        listed = self._find(number)
        own = f"azureml:{self.name}:{number}"
        if "registry" not in listed.places:
            return own
        if self._clients.settings.values.azure.deploy_from == "registry":
            return self.registry_id(number)
        self._bring_here(listed)
        return own

    def places(self, number: int) -> list[Place]:
        """Return where a version is, the registry first; archived or not.

        Raises:
            ConfigError: there is no such version.
        """
        return list(self._find(number).places)

    def _bring_here(self, listed: Listed) -> None:
        """Register a version of the registry in the workspace, with the files that were checked."""
        from azure.ai.ml.entities import Model

        models, number = self._clients.workspace.models, str(listed.number)
        doing = f"registering version {number} of {self.name} in the workspace"
        found = self._clients.find(doing, models.get, self.name, version=number)
        if found is None:
            version = self.version(listed.number)
            with azure_errors(doing):
                found = models.create_or_update(
                    Model(
                        path=str(version.folder),
                        name=self.name,
                        version=number,
                        type="custom_model",
                        tags=dict(listed.tags),
                    )
                )
                found = models.get(self.name, version=number)
        if dict(found.tags or {}).get(HASH_TAG) != listed.tags.get(HASH_TAG):
            raise Refused(
                f"version {number} of {self.name} in the workspace {self._clients.names.workspace} "
                "is not the one of the registry: their hashes differ",
                "remove it there, or set azure.deploy_from: registry",
            )

    def registry_id(self, number: int) -> str:
        """Return the id of a version in the registry."""
        registry = self._clients.names.registry
        return f"azureml://registries/{registry}/models/{self.name}/versions/{number}"

    def register(self, run: Run, build: Callable[[Path, int], None]) -> ModelVersion:
        """Make the next version of the folder that `build` fills.

        A run whose model is registered already keeps its version.

        Raises:
            PlatformError: others keep taking the number, or Azure fails.
        """
        training = RunFolder(run.folder).model.training()
        trained = training["model_sha256"]
        for _ in range(_ATTEMPTS):
            for each in self.listed():
                tags = (each.tags.get("run_id"), each.tags.get("trained.sha256"))
                if tags == (run.run_id, trained):
                    return self.version(each.number)
            number = self._next_number()
            if self._create(number, run, build):
                return self.version(number)
        raise PlatformError(
            f"{self.name}: other commands keep taking the next version number", "try again"
        )

    def share(self, number: int, report: Report) -> str:
        """Copy a version of this workspace to the registry; return its id there.

        A version that is there already is left, if it is the same. The copy gets the tags of the
        original, which Azure may not copy, and by whose hash other environments check it.

        Raises:
            ConfigError: there is no such version here.
            Refused: it carries no hash, or the registry holds another one.
            PlatformError: the registry does not keep the tags.
        """
        mine = self._find(number)
        if mine.archived:
            raise self._unknown(number)
        names = self._clients.names
        if HASH_TAG not in mine.tags:
            raise self._unmarked(mine)
        if "registry" not in mine.places:
            report(f"copying version {number} to the registry {names.registry}")
            doing = f"sharing version {number} with the registry {names.registry}"
            with azure_errors(doing, known=True):
                self._clients.workspace.models.share(
                    self.name,
                    str(number),
                    share_with_name=self.name,
                    share_with_version=str(number),
                    registry_name=names.registry,
                )
        if "workspace" in mine.places:
            report("comparing what the registry holds with what was registered")
            self._compare(number)
            self._tag(number)
        return self.registry_id(number)

    def _tag(self, number: int) -> None:
        """Give the registry's copy the tags of the original, and look whether it keeps them."""
        doing = f"tagging version {number} in the registry {self._clients.names.registry}"
        version = str(number)
        with azure_errors(doing):
            original = self._clients.workspace.models.get(self.name, version=version)
            models = self._clients.registry.models
            copy = models.get(self.name, version=version)
            wanted = dict(original.tags or {})
            if wanted.items() <= dict(copy.tags or {}).items():
                return
            wanted = {**dict(copy.tags or {}), **wanted}
            copy.tags = wanted
            models.create_or_update(copy)
            kept = dict(models.get(self.name, version=version).tags or {})
        if kept.get(HASH_TAG) != wanted.get(HASH_TAG):
            raise PlatformError(
                f"{doing}: it does not keep the tag {HASH_TAG}, by which other environments check "
                "the version",
                "try again",
            )

    def _compare(self, number: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            hashes = {}
            for place, client in self._places():
                target = Path(folder) / place
                self._fetch(place, client, number, target)
                hashes[place] = file_hashes(target)
        if hashes["registry"] != hashes["workspace"]:
            raise Refused(
                f"version {number} in the registry {self._clients.names.registry} is not the one "
                f"of the workspace {self._clients.names.workspace}: their files differ",
                "register the run again to get a new number",
            )

    def _create(self, number: int, run: Run, build: Callable[[Path, int], None]) -> bool:
        """Create one version; False if another command took the number meanwhile."""
        from azure.ai.ml.entities import Model

        with tempfile.TemporaryDirectory() as parent:
            folder = Path(parent) / self.name
            folder.mkdir()
            build(folder, number)
            tags = version_tags(folder, run)
            model = Model(
                path=str(folder),
                name=self.name,
                version=str(number),
                type="custom_model",
                tags=tags,
            )
            try:
                with azure_errors(f"registering version {number} of {self.name}"):
                    self._clients.workspace.models.create_or_update(model)
            except MlopsError as error:
                if isinstance(error, Conflict) or self._is_taken(number, tags):
                    return False
                raise
            if self._is_taken(number, tags):
                return False
            with new_folder(self._folder(number), replaces=LINEAGE.name) as copy:
                shutil.copytree(folder, copy, dirs_exist_ok=True)
        return True

    def _is_taken(self, number: int, tags: Mapping[str, str]) -> bool:
        found = self._clients.find(
            f"reading version {number} of {self.name}",
            self._clients.workspace.models.get,
            self.name,
            version=str(number),
        )
        return found is not None and dict(found.tags or {}).get("run_id") != tags["run_id"]

    def _next_number(self) -> int:
        """Return the number after the highest, archived versions included: they keep theirs.

        The SDK lists no archived versions of a registry, so it is asked for each number.
        """
        numbers = [
            int(model.version)
            for place, client in self._places()
            for model in self._models(place, client, ALL_VERSIONS)
        ]
        number = max(numbers, default=0) + 1
        while self._is_in_registry(number):
            number += 1
        return number

    def _is_in_registry(self, number: int) -> bool:
        found = self._clients.find(
            f"reading version {number} of {self.name} in the registry",
            self._clients.registry.models.get,
            self.name,
            version=str(number),
        )
        return found is not None

    def _find(self, number: int) -> Listed:
        for each in self.listed():
            if each.number == number:
                return each
        if archived := self._archived(number):
            return archived
        raise self._unknown(number)

    def _archived(self, number: int) -> Listed | None:
        """Return a version that the lists leave out: an archived one can still be served again."""
        found = None
        for place, client in self._places():
            doing = f"reading version {number} of {self.name} in the {place}"
            model = self._clients.find(doing, client.models.get, self.name, version=str(number))
            if model is not None:
                places = (*found.places, place) if found else (place,)
                tags = {**dict(model.tags or {}), **(found.tags if found else {})}
                found = Listed(number, tags, places, archived=True)
        return found

    def _unmarked(self, listed: Listed) -> Refused:
        remedy = (
            f"{typed(f'share --model-version {listed.number}')} in the environment that registered "
            "it compares them and writes the tag"
        )
        if "workspace" in listed.places:
            remedy = "archive it, and register its run again to get a new number"
        return Refused(
            f"version {listed.number} of {self.name} carries no tag {HASH_TAG}, so nothing shows "
            "that its files are those that were registered",
            remedy,
        )

    def _unknown(self, number: int) -> ConfigError:
        have = ", ".join(str(each.number) for each in self.listed()) or "none"
        return ConfigError(
            f"{self.name} has no version {number} in the registry {self._clients.names.registry} "
            f"or the workspace {self._clients.names.workspace} (there is: {have})",
            f"{typed('register --run-id …')} makes one, "
            f"{typed('share --model-version …')} gives it to all environments",
        )

    def _places(self) -> list[tuple[Place, Any]]:
        return [("registry", self._clients.registry), ("workspace", self._clients.workspace)]

    def _models(self, place: Place, client: Any, view: str = ACTIVE_VERSIONS) -> list[Any]:
        doing = f"listing the versions of {self.name} in the {place}"
        found = self._clients.find(
            doing, lambda: list(client.models.list(name=self.name, list_view_type=view))
        )
        return [each for each in found or [] if str(each.version).isdecimal()]

    def _download(self, listed: Listed, folder: Path) -> None:
        place = listed.places[0]
        client = dict(self._places())[place]
        with new_folder(folder, replaces=LINEAGE.name) as new:
            self._fetch(place, client, listed.number, new)

    def _fetch(self, place: Place, client: Any, number: int, target: Path) -> None:
        """Download a version into a folder, without the folders that the SDK puts around it."""
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as parent:
            with azure_errors(f"downloading version {number} of {self.name} from the {place}"):
                client.models.download(self.name, version=str(number), download_path=parent)
            found = sorted(Path(parent).rglob(LINEAGE.name))
            if len(found) != 1 or not (found[0].parent / ONNX).is_file():
                raise PlatformError(
                    f"version {number} of {self.name} in the {place} is not a model version: "
                    f"{len(found)} files {LINEAGE.name}, expected 1 beside {ONNX}"
                )
            shutil.copytree(found[0].parent, target, dirs_exist_ok=True)

    def _folder(self, number: int) -> Path:
        return self._home / str(number)

    @functools.cached_property
    def _home(self) -> Path:
        return self._clients.home / "azure" / self._clients.names.registry / self.name


def version_tags(folder: Path, run: Run) -> dict[str, str]:
    """Return the tags of a version: where it comes from, and what identifies it."""
    card = VersionFolder(folder).card()
    measured = {"f1": None, **card["evaluation"]["model"]}
    tags = origin_tags(folder)
    return {
        **tags,
        "run_id": run.run_id,
        "git.commit": tags["git.commit"] or "none",
        **{
            name: "" if measured[name] is None else f"{measured[name]:.4f}"
            for name in ("f1", card["metric"])
            if name in measured
        },
    }
