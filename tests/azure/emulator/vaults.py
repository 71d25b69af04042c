"""Key vaults: secrets by their names, as their own hosts answer."""

import uuid

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import hosts
from .errors import AzureError

DENIED = (
    "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny "
    "assignments or role definitions were changed recently, please observe propagation time.\r\n"
    "Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\nVault: {vault}"
)


class Vaults:
    """The vaults of the subscription; who may read one is said by `denied`."""

    def __init__(self) -> None:
        self.secrets: dict[str, dict[str, str]] = {}
        """The secrets of each vault, by name."""
        self.denied: set[str] = set()
        """Vaults on which who signs in lacks a role."""

    def routes(self) -> list[Route]:
        """Return the routes of a vault's host; a version may follow the name, or nothing."""
        return [
            Route("/secrets/{name}", self._get),
            Route("/secrets/{name}/{version:path}", self._get),
        ]

    async def _get(self, request: Request) -> Response:
        vault, name = request.path_params["vault"], request.path_params["name"]
        if vault not in self.secrets:
            raise AzureError(404, "VaultNotFound", f"There is no vault {vault}.")
        if vault in self.denied:
            return JSONResponse(
                {
                    "error": {
                        "code": "Forbidden",
                        "message": DENIED.format(vault=vault),
                        "innererror": {"code": "ForbiddenByRbac"},
                    }
                },
                403,
            )
        value = self.secrets[vault].get(name)
        if value is None:
            said = f"A secret with (name/id) {name} was not found in this key vault."
            raise AzureError(404, "SecretNotFound", said)
        return JSONResponse(
            {
                "value": value,
                "id": f"https://{vault}.{hosts.VAULTS}/secrets/{name}/{uuid.uuid4().hex}",
                "attributes": {"enabled": True, "recoveryLevel": "Recoverable+Purgeable"},
                "tags": {},
            }
        )
