"""The platform azure: training, models and endpoints in Azure Machine Learning (docs/azure.md)."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlops.artifacts.documents import VERDICT
from mlops.data.source import locate
from mlops.errors import ConfigError
from mlops.platforms.azure import data as azure_data
from mlops.platforms.azure import jobs as azure_jobs
from mlops.platforms.azure.client import AzureClients, require_extra
from mlops.platforms.azure.models import AzureModels
from mlops.platforms.azure.names import subscription_id
from mlops.platforms.base import Endpoint, ModelVersion, Report, Run, silent
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.steps.provenance import git_state

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,254}")


class AzurePlatform:
    """The Azure ML workspace of the settings' environment, and the registry of all environments.

    Args:
        settings: what is in force.

    Raises:
        ConfigError: the group `azure` is not installed, or no subscription is named.
    """

    name = "azure"

    def __init__(self, settings: LoadedSettings) -> None:
        require_extra()
        subscription_id(settings.values.azure)
        self.settings = settings
        self._clients = AzureClients(settings)
        self._models = AzureModels(self._clients)
        self._runs = settings.project.state_dir / "runs"

    def train(self, data_dir: Path | None, report: Report) -> Run:
        """Run validate, prepare, fit and evaluate as one job; return the run with its outputs.

        Raises:
            Refused: the data did not pass validation.
            PlatformError: a step failed, or the job did not end in time.
        """
        git = git_state(self.settings.project.root)
        return azure_jobs.train(self._clients, git, data_dir, self._runs, report)

    def run(self, run_id: str) -> Run:
        """Find a run by its id; its outputs are downloaded unless they are here.

        Raises:
            ConfigError: there is no such run.
            PlatformError: its job has not completed.
        """
        if not _RUN_ID.fullmatch(run_id):
            raise ConfigError(f"{run_id!r} is not the id of a run: see `mlops status`")
        if (self._runs / run_id).is_dir():
            return Run(run_id, self._runs / run_id)
        return azure_jobs.fetch(self._clients, run_id, self._runs, silent)

    def runs(self) -> list[Run]:
        """Return the runs whose outputs are here, newest first."""
        folders = [path for path in self._runs.glob("[!.]*") if path.is_dir()]
        folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        return [Run(path.name, path) for path in folders]

    def store_verdict(self, run: Run, verdict: Mapping[str, Any]) -> None:
        """Keep the gate's verdict with the run's outputs."""
        VERDICT.write(run.folder, verdict)

    def register(self, run: Run, build: Callable[[Path, int], None]) -> ModelVersion:
        """Register the version folder that `build(folder, version)` fills.

        A run whose model is registered already keeps its version.
        """
        return self._models.register(run, build)

    def versions(self) -> list[ModelVersion]:
        """Return the registered versions, oldest first; their folders may not be here yet."""
        return self._models.versions()

    def version(self, number: int) -> ModelVersion:
        """Find a registered version; its folder is downloaded unless it is here.

        Raises:
            Refused: there is no such version, or its files were altered.
        """
        return self._models.version(number)

    def share(self, number: int, report: Report) -> str | None:
        """Copy a version to the registry; return its id there.

        Raises:
            Refused: there is no such version, or the registry holds another one by this number.
        """
        return self._models.share(number, report)

    def register_data(self, folder: Path, name: str, report: Report) -> str | None:
        """Register a folder as a data asset; return its name and version."""
        return azure_data.register(self._clients, locate(self.settings, folder), name, report)

    def register_stored_data(self, path: str, name: str, report: Report) -> str:
        """Register a folder of a datastore as a data asset; return its name and version.

        Raises:
            ConfigError: the path names no folder of a datastore, or Azure refuses it.
        """
        return azure_data.register_path(self._clients, path, name, report)

    def endpoint(self, name: str) -> Endpoint:
        """Return an endpoint by name, whether or not it exists yet."""
        from mlops.platforms.azure.endpoint import AzureEndpoint

        return AzureEndpoint(self._clients, self._models, name)

    def champion(self) -> ModelVersion | None:
        """Return the version with all traffic in prod, else the newest registered one.

        Who trains may not be allowed to look at prod: then it is the newest shared version.
        """
        number = self._serving_in_prod()
        if number is None:
            listed = self._models.listed()
            shared = [each for each in listed if "registry" in each.places]
            newest = (shared or listed)[-1:]
            number = newest[0].number if newest else None
        return None if number is None else self.version(number)

    def _serving_in_prod(self) -> int | None:
        project = self.settings.project
        if not (project.root / "conf" / "prod.yaml").is_file():
            return None
        prod = load_settings(project, "prod")
        try:
            endpoint = AzurePlatform(prod).endpoint(prod.endpoint_name)
            full = {name for name, share in endpoint.traffic().items() if share == 100}
            found = [each for each in endpoint.deployments() if each.name in full]
        except ConfigError:
            return None
        return found[0].model_version if found else None
