"""Evidence that is kept beside a version on this machine: in `.mlops/evidence/<model>/<version>`.

It is outside of the registry, so that no version's folder changes and nothing here is taken for a
version.
"""

import shutil
from pathlib import Path

from mlops.artifacts.evidence_folder import seal_of, verify_evidence
from mlops.errors import ConfigError, Refused
from mlops.files import new_folder
from mlops.platforms.base import KeptEvidence


class LocalEvidence:
    """What is kept beside one version, a folder for each name.

    Args:
        folder: of the version's evidence; it need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, folder: Path) -> KeptEvidence:
        """Keep a sealed folder; see `Platform.keep_evidence`."""
        sealed, target = seal_of(folder), self._folder / name
        if not target.exists():
            with new_folder(target) as new:
                shutil.copytree(folder, new, dirs_exist_ok=True)
        elif seal_of(target) != sealed:
            raise Refused(f"other evidence is kept as {name} in {self._folder}: it is not replaced")
        return KeptEvidence(name, str(target))

    def listed(self) -> list[KeptEvidence]:
        """Return what is kept, in order of name."""
        folders = sorted(path for path in self._folder.glob("[!.]*") if path.is_dir())
        return [KeptEvidence(path.name, str(path)) for path in folders]

    def fetch(self, name: str, target: Path) -> None:
        """Copy what is kept by a name into a new folder; see `Platform.fetch_evidence`."""
        known = {each.name: Path(each.place) for each in self.listed()}
        if name not in known:
            raise ConfigError(f"no evidence is kept as {name} in {self._folder}")
        verify_evidence(known[name], seal_of(known[name]))
        with new_folder(target) as new:
            shutil.copytree(known[name], new, dirs_exist_ok=True)
