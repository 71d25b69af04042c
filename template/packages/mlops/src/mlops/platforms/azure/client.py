"""The clients of Azure ML that the platform's parts share, opened when first needed."""

import functools
import logging
import os
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.errors import ConfigError, PlatformError
from mlops.hints import typed
from mlops.platforms.azure.errors import NotFound, azure_errors
from mlops.progress import Report
from mlops.settings.azure_names import AzureNames, subscription_id
from mlops.settings.loading import LoadedSettings

if TYPE_CHECKING:
    from mlops.platforms.azure.credentials import KeptTokens

_RETRIES = 5
_LONGEST_WAIT = 30
_WAIT_SECONDS = 0.5
_SDK_LOGGERS = ("azure", "azureml", "msal", "msal_extensions", "msrest")
ACTIVE_VERSIONS, ALL_VERSIONS = "ActiveOnly", "All"
"""What a list of versions may hold, in the SDK's words; the first leaves out archived ones."""

__all__ = ["ACTIVE_VERSIONS", "ALL_VERSIONS", "AzureClients", "be_quiet", "require_extra"]


def require_extra() -> None:
    """Check that the packages of the group `azure` are installed.

    Raises:
        ConfigError: they are not.
    """
    try:
        import azure.ai.ml
        import azure.identity  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the platform azure needs packages that are not installed ({error.name})",
            "run `uv sync --group azure`",
        ) from None


@dataclass(frozen=True)
class AzureClients:
    """Clients for the workspace of the settings' environment and for the shared registry."""

    settings: LoadedSettings

    @property
    def names(self) -> AzureNames:
        """What the environment's resources are called."""
        return self.settings.azure_names

    @property
    def home(self) -> Path:
        """The project's folder for what was downloaded."""
        return self.settings.project.state_dir

    @functools.cached_property
    def credential(self) -> Any:
        """Who is signed in."""
        from mlops.platforms.azure.credentials import open_credential

        require_extra()
        be_quiet()
        ignore_netrc()
        return open_credential()

    @functools.cached_property
    def tokens(self) -> "KeptTokens":
        """The tokens that are sent without the SDK."""
        from mlops.platforms.azure.credentials import KeptTokens

        return KeptTokens(self.credential, self.settings.clock)

    @functools.cached_property
    def workspace(self) -> Any:
        """The client of the workspace."""
        credential, names = self.credential, self.names
        from azure.ai.ml import MLClient

        return MLClient(
            credential,
            subscription_id(self.settings.values.azure),
            names.resource_group,
            names.workspace,
            **_options(),
        )

    @functools.cached_property
    def registry(self) -> Any:
        """The client of the registry.

        Raises:
            ConfigError: there is no such registry.
        """
        credential, names = self.credential, self.names
        from azure.ai.ml import MLClient

        with azure_errors(f"opening the registry {names.registry}"):
            return MLClient(credential, registry_name=names.registry, **_options())

    def require_workspace(self) -> Any:
        """Return the workspace's own description.

        Raises:
            ConfigError: it does not exist, or who is signed in may not read it.
        """
        return self._workspace_resource

    @functools.cached_property
    def _workspace_resource(self) -> Any:
        name = self.names.workspace
        with azure_errors(f"reading the workspace {name}"):
            return self.workspace.workspaces.get(name)

    def find(self, doing: str, ask: Any, *arguments: Any, **options: Any) -> Any:
        """Return what a call of the SDK returns, or None if there is no such resource.

        Raises:
            ConfigError: the workspace itself does not exist.
        """
        try:
            with azure_errors(doing):
                return ask(*arguments, **options)
        except NotFound:
            self.require_workspace()
            return None

    def finish(self, poller: Any, doing: str, report: Report) -> Any:
        """Wait for a long operation, telling how long it has taken; return its result.

        Raises:
            PlatformError: it failed, or took longer than azure.operation_timeout_seconds.
        """
        azure = self.settings.values.azure
        started = told = time.monotonic()
        while not poller.done():
            with azure_errors(doing, known=True):
                poller.wait(_WAIT_SECONDS)
            now = time.monotonic()
            if now - told >= azure.poll_seconds:
                report(f"{doing}: {now - started:.0f} s")
                told = now
            if now - started > azure.operation_timeout_seconds:
                raise PlatformError(
                    f"{doing}: Azure has not finished after {now - started:.0f} s "
                    "(azure.operation_timeout_seconds)",
                    f"it may still do so: see {typed('status')}",
                )
        with azure_errors(doing, known=True):
            return poller.result()


def _options() -> dict[str, Any]:
    """Return what every client is made with: reads and idempotent calls are tried again."""
    return {
        "show_progress": False,
        "enable_telemetry": False,
        # the SDK stops at the least of them
        **dict.fromkeys(("retry_total", "retry_connect", "retry_read", "retry_status"), _RETRIES),
        "retry_backoff_max": _LONGEST_WAIT,
    }


def ignore_netrc() -> None:
    """Keep `~/.netrc` away from the SDK, whose tokens it would replace in requests' hands.

    Its clients make sessions of their own, also for storage and to sign in, so that no option of
    one client reaches all.
    """
    os.environ["NETRC"] = os.devnull


def be_quiet() -> None:
    """Keep off the screen what the SDK logs, once it is imported; all else is logged as before."""
    warnings.filterwarnings("ignore", module=r"azure\..*")
    for name in list(logging.root.manager.loggerDict):
        # some of its modules have handlers and levels of their own
        if name.partition(".")[0] in _SDK_LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in _SDK_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
