"""An Azure endpoint of the environment dev on a client in memory."""

from datetime import UTC, datetime, timedelta

from fakes.azure import Credential, Endpoints, clients_of
from mlops.platforms.azure import lease as leases
from mlops.platforms.azure.credentials import KeptTokens
from mlops.platforms.azure.endpoint import AzureEndpoint
from mlops.platforms.azure.models import AzureModels
from mlops.platforms.base import DeploymentShare
from mlops.settings.loading import LoadedSettings

NAME = "tiny-dev"
NOW = datetime.now(UTC)
SERVED = {"blue": DeploymentShare(1, 100), "green": DeploymentShare(2, 0)}


class AzurePlace:
    """Blue, which has all traffic, and green, and what Azure has of them."""

    def __init__(self, settings: LoadedSettings) -> None:
        clients, workspace, _ = clients_of(settings)
        self.credential: Credential = clients.credential
        vars(clients)["tokens"] = KeptTokens(
            self.credential, lambda: datetime.fromtimestamp(self.credential.now, UTC)
        )
        self.azure: Endpoints = workspace.online_endpoints
        self.azure.serve(NAME, blue=1, green=2)
        self.endpoint = AzureEndpoint(clients, AzureModels(clients), NAME)

    @property
    def tags(self) -> dict[str, str]:
        """The endpoint's tags."""
        tags: dict[str, str] = self.azure.kept[NAME].tags
        return tags

    def hold(self, holder: str, seconds: float) -> None:
        """Let somebody else hold the lease, or have held it."""
        expires = NOW + timedelta(seconds=seconds)
        lease = leases.taken(holder, "the release of version 2", SERVED, {"green": 5}, expires)
        self.azure.kept[NAME].tags = leases.with_lease(self.tags, lease)
