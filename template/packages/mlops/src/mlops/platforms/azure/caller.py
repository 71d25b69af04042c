"""How the commands themselves call an endpoint: with its key, or with an Entra token and no key."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import requests

from mlops.errors import ConfigError
from mlops.platforms.answers import MODEL_STATUS, UNAUTHORIZED, own_status
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.errors import azure_errors, word_of
from mlops.platforms.azure.resource import AUTH_MODES, EndpointResource
from mlops.platforms.base import Answer
from mlops.platforms.http import post
from mlops.platforms.traffic_rules import DEPLOYMENT_HEADER, DIRECT_AGENT
from mlops.settings.sections import Auth

TOKEN_SCOPE = "https://ml.azure.com/.default"  # nosec B105  # whom a token is for
"""Whom a caller's token is for: not management.azure.com, whose tokens change resources."""


@dataclass(frozen=True)
class _Access:
    url: str
    key: str


def check_auth(endpoint: Any, asked: Auth) -> None:
    """Check that an endpoint takes what its callers are to send.

    Args:
        endpoint: as Azure describes it.
        asked: what conf says.

    Raises:
        ConfigError: it was made with the other one.
    """
    found = word_of(getattr(endpoint, "auth_mode", None) or AUTH_MODES["key"])
    if found.replace("_", "") == AUTH_MODES[asked].replace("_", ""):
        return
    other: Auth = "key" if asked == "entra" else "entra"
    raise ConfigError(
        f"the endpoint {endpoint.name} takes {_WHAT.get(found.replace('_', ''), found)}, and "
        f"serving.auth is {asked}: no command changes that, since every caller would be shut out "
        "in that moment",
        f"set serving.auth: {other}, or another endpoint.name; or change the endpoint itself once "
        "its callers are ready (docs/serving.md)",
    )


_WHAT = {"key": "keys", "aadtoken": "Entra tokens", "amltoken": "tokens of Azure ML"}


class AzureCaller:
    """Calls one endpoint as whoever is signed in.

    Args:
        clients: of the workspace.
        resource: the endpoint.
    """

    def __init__(self, clients: AzureClients, resource: EndpointResource) -> None:
        self._clients = clients
        self._resource = resource
        self._access: _Access | None = None

    @property
    def _auth(self) -> Auth:
        return self._clients.settings.values.serving.auth

    def secret(self) -> str:
        """Return what callers send after `Bearer`: the key, or a token that lives for an hour.

        Raises:
            ConfigError: the endpoint does not exist, or takes something else.
        """
        return self._secret(self._found())

    def call(
        self,
        session: requests.Session,
        payload: bytes | Mapping[str, Any],
        deployment: str | None,
    ) -> Answer:
        """Send one scoring request, to one deployment if it is named; return any answer.

        Azure's front answers 424 for whatever a deployment answers but 200: then the status is the
        deployment's own.

        Raises:
            ConfigError: the endpoint does not exist, or who is signed in may not call it.
            PlatformError: it cannot be reached, or does not answer.
        """
        access = self._found()
        headers = {"Authorization": f"Bearer {self._secret(access)}"}
        if deployment is not None:
            headers |= {DEPLOYMENT_HEADER: deployment, "User-Agent": DIRECT_AGENT}
        seconds = self._clients.settings.values.endpoint.request_timeout_seconds
        answer = post(session, access.url, payload, headers, seconds)
        if self._auth == "entra" and answer.status in (UNAUTHORIZED, requests.codes.forbidden):
            self._clients.tokens.forget(TOKEN_SCOPE)
            raise ConfigError(
                f"the endpoint {self._resource.name} does not let who is signed in call it: "
                f"{answer.status} {answer.body}",
                "give who runs this a role with the action "
                "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/score/action on the "
                "endpoint or its workspace: the narrow `… endpoint caller` of infra/ "
                "(docs/going-live.md), or AzureML Data Scientist, which may do far more; a new "
                "role takes some minutes to work",
            )
        own = {name.lower(): value for name, value in answer.headers.items()}.get(MODEL_STATUS, "")
        status = own_status(answer.status, int(own) if own.isdecimal() else None)
        return replace(answer, status=status)

    def _found(self) -> _Access:
        """Return where the endpoint is and its key; an endpoint without keys is never asked."""
        if self._access is None:
            view = self._resource.existing()
            check_auth(view.entity, self._auth)
            key = "" if self._auth == "entra" else self._resource.key()
            self._access = _Access(str(view.entity.scoring_uri), key)
        return self._access

    def _secret(self, access: _Access) -> str:
        if self._auth == "key":
            return access.key
        with azure_errors(f"signing in to the endpoint {self._resource.name}"):
            return self._clients.tokens.token(TOKEN_SCOPE)
