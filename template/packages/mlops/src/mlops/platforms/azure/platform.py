"""The platform azure: training, models and endpoints in Azure Machine Learning (docs/azure.md)."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from typing_extensions import override

from mlops.artifacts.data_source import source_of_tags
from mlops.artifacts.documents import VERDICT
from mlops.data.source import locate
from mlops.diagnosis import Diagnosis
from mlops.errors import ConfigError
from mlops.governance.standing import champion_number
from mlops.hints import typed
from mlops.platforms.azure import data as azure_data
from mlops.platforms.azure import jobs as azure_jobs
from mlops.platforms.azure.alert_rules import alert_rules
from mlops.platforms.azure.audit import AzureAudit
from mlops.platforms.azure.client import AzureClients, require_extra
from mlops.platforms.azure.endpoint import AzureEndpoint, Session
from mlops.platforms.azure.evidence import AzureEvidence
from mlops.platforms.azure.examine import examine_azure
from mlops.platforms.azure.forgetting import BY_HAND, remote_rows
from mlops.platforms.azure.models import AzureModels
from mlops.platforms.azure.signing_key import VaultKey
from mlops.platforms.azure.vault import kept_secret
from mlops.platforms.base import Endpoint, KeptEvidence, ModelVersion, Platform, Run
from mlops.platforms.remote_rows import RemoteRows
from mlops.platforms.stored_runs import find_stored_run, stored_runs
from mlops.platforms.traffic_rules import sole_version
from mlops.platforms.watching import RuleState
from mlops.progress import Report, StageReport, silent
from mlops.settings.azure_names import subscription_id
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.steps.forgotten_rows import require_nobody_forgotten
from mlops.steps.provenance import git_state

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,254}")


class AzurePlatform(Platform):
    """The Azure ML workspace of the settings' environment, and the registry of all environments.

    Args:
        settings: what is in force.

    Raises:
        ConfigError: the group `azure` is not installed, or no subscription is named.
    """

    name = "azure"
    has_callers: ClassVar[bool] = True
    can_stop: ClassVar[bool] = False

    def __init__(self, settings: LoadedSettings) -> None:
        require_extra()
        subscription_id(settings.values.azure)
        self.settings = settings
        self._clients = AzureClients(settings)
        self._models = AzureModels(self._clients)
        self._sessions: dict[str, Session] = {}
        self._runs = settings.project.state_dir / "runs"

    @classmethod
    @override
    def examine(cls, settings: LoadedSettings) -> list[Diagnosis]:
        return examine_azure(settings)

    @override
    def train(self, data_dir: Path | None, report: StageReport) -> Run:
        git = git_state(self.settings.project.root)
        return azure_jobs.train(self._clients, git, data_dir, self._runs, report)

    @override
    def run(self, run_id: str) -> Run:
        """Find a run by its id; its outputs are downloaded unless they are here."""
        if not _RUN_ID.fullmatch(run_id):
            see = f"{typed('status')} lists the newest"
            raise ConfigError(f"{run_id!r} is not the id of a run", see)
        stored = find_stored_run(self._runs, run_id)
        return stored or azure_jobs.fetch(self._clients, run_id, self._runs, silent)

    @override
    def runs(self) -> list[Run]:
        return stored_runs(self._runs)

    @override
    def store_verdict(self, run: Run, verdict: Mapping[str, Any]) -> None:
        VERDICT.write(run.folder, verdict)

    @override
    def register(self, run: Run, build: Callable[[Path, int], None]) -> ModelVersion:
        return self._models.register(run, build)

    @override
    def versions(self) -> list[ModelVersion]:
        """Return the registered versions, oldest first; their folders may not be here yet."""
        return self._models.versions()

    @override
    def version(self, number: int) -> ModelVersion:
        """Find a registered version; its folder is downloaded unless it is here."""
        return self._models.version(number)

    @override
    def share(self, number: int, report: Report) -> str | None:
        return self._models.share(number, report)

    @override
    def keep_evidence(self, number: int, name: str, folder: Path) -> KeptEvidence:
        return self._evidence.keep(number, name, folder)

    @override
    def evidence(self, number: int) -> list[KeptEvidence]:
        return self._evidence.listed(number)

    @override
    def fetch_evidence(self, number: int, name: str, target: Path) -> None:
        self._evidence.fetch(number, name, target)

    @override
    def register_data(self, folder: Path, name: str, report: Report) -> str | None:
        place = locate(self.settings, folder).folder
        require_nobody_forgotten(place, self.settings)
        return azure_data.register(self._clients, place, name, report)

    @override
    def register_stored_data(self, path: str, name: str, report: Report) -> str:
        return azure_data.register_path(self._clients, path, name, report)

    @override
    def endpoint(self, name: str) -> Endpoint:
        session = self._sessions.setdefault(name, Session())
        return AzureEndpoint(self._clients, self._models, name, session)

    @override
    def champion(self, report: Report) -> ModelVersion | None:
        """Return the version with all traffic in prod, else the newest one; real data go first.

        Who trains may not be allowed to look at prod: then it is the newest shared version.
        """
        listed, serving = self._models.listed(), self._serving_in_prod()
        shared = [each for each in listed if "registry" in each.places or each.number == serving]
        data = {each.number: source_of_tags(each.tags) for each in shared or listed}
        number = champion_number(serving, data, report)
        return None if number is None else self.version(number)

    @override
    def audit(self) -> AzureAudit:
        return AzureAudit(self._clients)

    @override
    def alert_rules(self, alerts: Sequence[str]) -> Mapping[str, RuleState]:
        return alert_rules(self._clients, alerts)

    @override
    def secret(self, name: str) -> str | None:
        return kept_secret(self._clients, name)

    @override
    def remote_rows(self) -> RemoteRows:
        return remote_rows(self._clients)

    @override
    def out_of_reach(self) -> tuple[str, ...]:
        return BY_HAND

    @override
    def signing_key(self) -> VaultKey:
        return VaultKey(self._clients)

    @property
    def _evidence(self) -> AzureEvidence:
        return AzureEvidence(self._clients, self._models)

    def _serving_in_prod(self) -> int | None:
        project = self.settings.project
        if "prod" not in project.environments():
            return None
        prod = load_settings(project, "prod", clock=self.settings.clock)
        try:
            return sole_version(AzurePlatform(prod).endpoint(prod.endpoint_name))
        except ConfigError:
            return None
