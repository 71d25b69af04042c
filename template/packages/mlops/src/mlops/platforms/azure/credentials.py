"""How commands sign in to Azure: no secret, no command-line tool, and for as long as they run.

A CI's assertion lives for some minutes only: it is asked for anew whenever a token has to be, so
that a job that waits for hours of training stays signed in.
"""

import base64
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import requests

from mlops.clock import Clock
from mlops.errors import ConfigError, PlatformError
from mlops.platforms.http import OwnSession

AUDIENCE = "api://AzureADTokenExchange"
_GITHUB_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
_GITHUB_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # nosec B105  # the name of a variable
_DEVOPS_URL = "SYSTEM_OIDCREQUESTURI"
_DEVOPS_TOKEN = "SYSTEM_ACCESSTOKEN"  # nosec B105  # the name of a variable
_DEVOPS_CONNECTION = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"
_TIMEOUT_SECONDS = 30.0
PAUSES = (5.0, 15.0)
"""Seconds before a question is asked again that failed for a moment only."""
SPARE_SECONDS = 300.0
"""So long before a kept token runs out the next one is asked for."""
_REFUSAL = re.compile(r"AADSTS(\d+)")
_PASSING = ("90033", "90024", "50196")
"""Refusals of Entra that pass: a fault of its own, a question that was broken off."""

Kind = Literal["github", "azure-devops", "default"]


def sign_in_kind(variables: Mapping[str, str]) -> Kind:
    """Tell which way of signing in the environment variables ask for."""
    if variables.get(_GITHUB_URL) and variables.get("AZURE_CLIENT_ID"):
        return "github"
    if variables.get(_DEVOPS_URL) and variables.get(_DEVOPS_CONNECTION):
        return "azure-devops"
    return "default"


def open_credential(variables: Mapping[str, str] = os.environ) -> Any:
    """Return the credential of azure-identity for the place where this command runs.

    In GitHub Actions the job's own identity, on Azure DevOps the service connection's, elsewhere
    whatever `DefaultAzureCredential` finds: a person who signed in, a managed identity, variables.

    Raises:
        ConfigError: a variable is missing.
    """
    from azure.identity import (
        AzurePipelinesCredential,
        ClientAssertionCredential,
        DefaultAzureCredential,
    )

    kind = sign_in_kind(variables)
    if kind == "github":
        found: Any = ClientAssertionCredential(
            _needed(variables, "AZURE_TENANT_ID"),
            _needed(variables, "AZURE_CLIENT_ID"),
            lambda: github_assertion(variables),
        )
    elif kind == "azure-devops":
        found = AzurePipelinesCredential(
            tenant_id=_needed(variables, "AZURESUBSCRIPTION_TENANT_ID", "AZURE_TENANT_ID"),
            client_id=_needed(variables, "AZURESUBSCRIPTION_CLIENT_ID", "AZURE_CLIENT_ID"),
            service_connection_id=_needed(variables, _DEVOPS_CONNECTION),
            system_access_token=_needed(variables, _DEVOPS_TOKEN),
        )
    else:
        found = DefaultAzureCredential()
    return PatientCredential(found, worked=kind != "default")


class PatientCredential:
    """A credential of azure-identity that is asked again when it fails for a moment only.

    What Entra ID refuses is not asked again, nor what nobody is signed in for. So a command that
    waits for hours goes on when one token of many does not come.

    Args:
        inner: the credential.
        worked: whether it is known to work, as in a job of a CI; else its first token shows it.
        sleep: waits so many seconds.
    """

    def __init__(
        self, inner: Any, *, worked: bool, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.inner = inner
        self._worked = worked
        self._sleep = sleep

    def get_token(self, *scopes: str, **options: Any) -> Any:
        """Return a token, as every credential does."""
        return self._asked(lambda: self.inner.get_token(*scopes, **options))

    def get_token_info(self, *scopes: str, **options: Any) -> Any:
        """Return a token with what is known of it, as every credential does."""
        return self._asked(lambda: self.inner.get_token_info(*scopes, **options))

    def _asked(self, ask: Callable[[], Any]) -> Any:
        for pause in PAUSES:
            try:
                found = ask()
            except Exception as error:
                if not (self._worked and _passes(error)):
                    raise
                self._sleep(pause)
            else:
                self._worked = True
                return found
        return ask()


class KeptTokens:
    """The tokens of a credential, each kept until shortly before it runs out.

    Not every credential keeps its own: the one of the command `az` starts it for each token.

    Args:
        credential: the one of `open_credential`.
        clock: what tells the time.
    """

    def __init__(self, credential: Any, clock: Clock) -> None:
        self._credential = credential
        self._clock = clock
        self._kept: dict[str, Any] = {}

    def token(self, scope: str) -> str:
        """Return a token for a scope that lives for five minutes at least, if it gets such a one.

        Raises:
            Exception: whatever the credential raises.
        """
        found = self._kept.get(scope)
        if found is None or found.expires_on - self._clock().timestamp() <= SPARE_SECONDS:
            found = self._kept[scope] = self._credential.get_token(scope)
        return str(found.token)

    def forget(self, scope: str) -> None:
        """Ask anew next time: the token was refused, and who is signed in may have changed."""
        self._kept.pop(scope, None)


def _passes(error: Exception) -> bool:
    """Tell whether signing in may succeed a moment later; GitHub was asked again already."""
    if isinstance(error, ConfigError | PlatformError):
        return False
    return all(code in _PASSING for code in _REFUSAL.findall(str(error)))


def who_signed_in(credential: Any, token: str) -> str:
    """Return which credential gave a token, and to whom, as far as either is told.

    Args:
        credential: the one of `open_credential`.
        token: what it gave.
    """
    inner = getattr(credential, "inner", credential)
    used = getattr(inner, "_successful_credential", None) or inner
    claims = _claims(token)
    names = ("upn", "unique_name", "preferred_username", "appid", "oid")
    who = next((str(claims[name]) for name in names if claims.get(name)), "")
    return f"{type(used).__name__}{f', as {who}' if who else ''}"


def _claims(token: str) -> Mapping[str, Any]:
    """Read what a token says of its bearer; it is not checked, since nothing depends on it."""
    try:
        part = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def github_assertion(
    variables: Mapping[str, str],
    session: requests.Session | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Ask GitHub for a fresh assertion of who this job is.

    Raises:
        ConfigError: the job may not ask for one.
        PlatformError: GitHub does not give one.
    """
    url, token = variables.get(_GITHUB_URL), variables.get(_GITHUB_TOKEN)
    if not url or not token:
        raise ConfigError(
            "GitHub gives this job no identity",
            "the job in the workflow needs `permissions: id-token: write`",
        )
    problem = ""
    for pause in (0.0, *PAUSES):
        sleep(pause)
        try:
            answer = (session or OwnSession()).get(
                url,
                params={"audience": AUDIENCE},
                headers={"Authorization": f"Bearer {token}"},
                timeout=_TIMEOUT_SECONDS,
            )
            answer.raise_for_status()
            return str(answer.json()["value"])
        except (requests.RequestException, KeyError, TypeError) as error:
            problem = f"{type(error).__name__}: {error}"
    raise PlatformError(f"GitHub gave this job no assertion to sign in to Azure with: {problem}")


def _needed(variables: Mapping[str, str], *names: str) -> str:
    for name in names:
        if variables.get(name):
            return variables[name]
    raise ConfigError(f"to sign in to Azure the variable {' or '.join(names)} is needed")
