"""Evidence that is kept beside a version on Azure: as versions of the model asset `…-evidence`.

It is a model asset since the registry's other kinds of assets cannot be downloaded with the SDK.
Its version is a number, as Azure wants it of models; the tags say what it is evidence of. The model
itself is another asset: nothing that lists its versions meets these.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from mlops.artifacts.documents import EVIDENCE_MANIFEST
from mlops.artifacts.evidence_folder import seal_of, verify_evidence
from mlops.errors import ConfigError, MlopsError, PlatformError, Refused
from mlops.files import new_folder
from mlops.platforms.azure.client import ALL_VERSIONS, AzureClients
from mlops.platforms.azure.errors import azure_errors
from mlops.platforms.azure.models import AzureModels, Place
from mlops.platforms.base import KeptEvidence

VERSION_TAG = "model_version"
NAME_TAG = "evidence"
SEAL_TAG = "manifest.sha256"
_ATTEMPTS = 5


class AzureEvidence:
    """The evidence of the releases of all versions of a model.

    Args:
        clients: of the workspace and the registry.
        models: tell where a version is.
    """

    def __init__(self, clients: AzureClients, models: AzureModels) -> None:
        self._clients = clients
        self._models = models
        self.asset = f"{models.name}-evidence"

    def keep(self, number: int, name: str, folder: Path) -> KeptEvidence:
        """Keep a sealed folder in the registry, or where the version is if it was not shared.

        See `Platform.keep_evidence`.
        """
        sealed = seal_of(folder)
        place = self._models.places(number)[0]
        tags = {VERSION_TAG: str(number), NAME_TAG: name, SEAL_TAG: sealed}
        for _ in range(_ATTEMPTS):
            if found := self._of_version(place, number).get(name):
                self._require_same(found, sealed, name)
                return KeptEvidence(name, self._id(place, found.version))
            self._create(place, folder, tags)
        raise PlatformError(
            f"{self.asset}: other commands keep taking the next version number", "try again"
        )

    def listed(self, number: int) -> list[KeptEvidence]:
        """Return what is kept beside a version, in order of name."""
        found = self._everywhere(number)
        return [
            KeptEvidence(name, self._id(place, asset.version))
            for name, (place, asset) in sorted(found.items())
        ]

    def fetch(self, number: int, name: str, target: Path) -> None:
        """Download what is kept by a name into a new folder; see `Platform.fetch_evidence`."""
        found = self._everywhere(number)
        if name not in found:
            raise ConfigError(f"no evidence of version {number} is kept as {name} in {self.asset}")
        place, asset = found[name]
        doing = f"downloading version {asset.version} of {self.asset} from the {place}"
        with tempfile.TemporaryDirectory() as parent:
            with azure_errors(doing):
                client = self._client(place)
                client.models.download(self.asset, version=asset.version, download_path=parent)
            sealed = sorted(Path(parent).rglob(EVIDENCE_MANIFEST.name))
            if len(sealed) != 1:
                raise PlatformError(
                    f"version {asset.version} of {self.asset} in the {place} is not evidence: "
                    f"{len(sealed)} files {EVIDENCE_MANIFEST.name}, expected 1"
                )
            verify_evidence(sealed[0].parent, asset.tags[SEAL_TAG])
            with new_folder(target) as new:
                shutil.copytree(sealed[0].parent, new, dirs_exist_ok=True)

    def _create(self, place: Place, folder: Path, tags: dict[str, str]) -> None:
        """Create the next version of the asset; do nothing if another command takes its number."""
        from azure.ai.ml.entities import Model

        client, version = self._client(place), str(self._next_number(place))
        with tempfile.TemporaryDirectory() as parent:
            # no two that race for a number upload to the same place
            copy = Path(parent) / f"{tags[VERSION_TAG]}-{tags[NAME_TAG]}"
            shutil.copytree(folder, copy)
            asset = Model(
                path=str(copy), name=self.asset, version=version, type="custom_model", tags=tags
            )
            try:
                with azure_errors(f"keeping evidence as version {version} of {self.asset}"):
                    client.models.create_or_update(asset)
            except (MlopsError, ValueError):
                # for a number of a registry that is taken the SDK says that a value is missing
                if self._get(place, version) is None:
                    raise

    def _require_same(self, asset: Any, sealed: str, name: str) -> None:
        if asset.tags.get(SEAL_TAG) != sealed:
            raise Refused(
                f"other evidence is kept as {name}, version {asset.version} of {self.asset}: "
                "it is not replaced"
            )

    def _next_number(self, place: Place) -> int:
        """Return a number that no version has, archived ones of a registry included."""
        number = max((int(each.version) for each in self._assets(place)), default=0) + 1
        while self._get(place, str(number)) is not None:
            number += 1
        return number

    def _everywhere(self, number: int) -> dict[str, tuple[Place, Any]]:
        """Return what is kept by name; a version that was shared later has it in both places."""
        return {
            name: (place, asset)
            for place in reversed(self._models.places(number))
            for name, asset in self._of_version(place, number).items()
        }

    def _of_version(self, place: Place, number: int) -> dict[str, Any]:
        return {
            each.tags[NAME_TAG]: each
            for each in self._assets(place)
            if {VERSION_TAG, NAME_TAG} <= set(each.tags or ())
            and each.tags[VERSION_TAG] == str(number)
        }

    def _assets(self, place: Place) -> list[Any]:
        doing = f"listing the versions of {self.asset} in the {place}"
        models = self._client(place).models
        found = self._clients.find(
            doing, lambda: list(models.list(name=self.asset, list_view_type=ALL_VERSIONS))
        )
        return [each for each in found or [] if str(each.version).isdecimal()]

    def _get(self, place: Place, version: str) -> Any:
        doing = f"reading version {version} of {self.asset} in the {place}"
        return self._clients.find(
            doing, self._client(place).models.get, self.asset, version=version
        )

    def _client(self, place: Place) -> Any:
        return self._clients.registry if place == "registry" else self._clients.workspace

    def _id(self, place: Place, version: str) -> str:
        if place == "workspace":
            return f"azureml:{self.asset}:{version}"
        registry = self._clients.names.registry
        return f"azureml://registries/{registry}/models/{self.asset}/versions/{version}"
