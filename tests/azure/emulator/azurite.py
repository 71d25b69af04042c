"""Azurite, Microsoft's own emulator of blob storage: installing, starting, reading, writing."""

import hmac
import os
import secrets
import socket
import subprocess
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests import npm
from tools.worktree import ROOT

from . import hosts
from .certificates import Certificates
from .state import Store

VERSION = "3.35.0"
HOME = ROOT / ".build" / f"azurite-{VERSION}"
_MAIN = Path("node_modules/azurite/dist/src/blob/main.js")
_START_SECONDS = 60
_SIGNED_VERSION = "2020-12-06"
KEYLESS, KEYED, REGISTRIES, AUDIT = ACCOUNTS = (
    "mlopskeyless",
    "mlopskeyed",
    "mlopsregistries",
    "mlopsaudit",
)
STORAGE = "https://storage.azure.com"


def install_azurite() -> Path:
    """Return Azurite's entry script, installing it first if need be."""
    return npm.install(f"azurite@{VERSION}", HOME) / _MAIN


@dataclass(frozen=True)
class Account:
    """A storage account."""

    name: str
    key: str


class Azurite:
    """A running Azurite with the accounts of this Azure.

    The workspaces' account KEYLESS is what the infrastructure makes by default: only who signs in
    opens it, so its key is given to nobody, and what the service signs for it is signed by an
    identity. KEYED still hands out its key, REGISTRIES is the service's own, and AUDIT has the
    audit logs of all workspaces.

    Args:
        folder: where its log lies.
        certificates: what it shows.
        token: a token of the service itself, for an audience.
    """

    def __init__(
        self, folder: Path, certificates: Certificates, token: Callable[[str], str]
    ) -> None:
        self._folder = folder
        self._certificates = certificates
        self._token = token
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.accounts = {
            name: Account(name, b64encode(secrets.token_bytes(64)).decode()) for name in ACCOUNTS
        }

    def start(self) -> None:
        """Start it and wait until it listens."""
        main = install_azurite()
        self._folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        command = [
            str(npm.NODE),
            str(main),
            "--blobHost",
            "127.0.0.1",
            "--blobPort",
            str(self.port),
        ]
        command += ["--cert", str(self._certificates.certificate)]
        command += ["--key", str(self._certificates.key)]
        command += ["--oauth", "basic", "--disableTelemetry", "--skipApiVersionCheck"]
        command += ["--silent", "--inMemoryPersistence"]
        accounts = ";".join(f"{each.name}:{each.key}" for each in self.accounts.values())
        with (self._folder / "azurite.log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                env={**os.environ, "AZURITE_ACCOUNTS": accounts},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_for_port(self.port, self._process, _START_SECONDS)

    def stop(self) -> None:
        """End it."""
        if self._process:
            self._process.kill()
            self._process.wait()

    @cached_property
    def _services(self) -> dict[str, Any]:
        from azure.storage.blob import BlobServiceClient

        return {
            each.name: BlobServiceClient(
                f"https://127.0.0.1:{self.port}/{each.name}",
                credential={"account_name": each.name, "account_key": each.key},
                connection_verify=str(self._certificates.authority),
            )
            for each in self.accounts.values()
        }

    def _container(self, store: Store) -> Any:
        return self._services[store.account].get_container_client(store.container)

    def make(self, store: Store) -> None:
        """Make a container unless it is there."""
        container = self._container(store)
        if not container.exists():
            container.create_container()

    def url(self, store: Store, path: str = "") -> str:
        """Return the address of a container or of something in it, as Azure names it."""
        url = f"https://{hosts.blobs(store.account)}/{store.container}"
        return f"{url}/{path}" if path else url

    def sas(self, store: Store, permission: str = "racwdl") -> str:
        """Return a token that opens a container for an hour."""
        from azure.storage.blob import generate_container_sas

        until = datetime.now(UTC) + timedelta(hours=1)
        if store.account == KEYLESS:
            return delegated(store, permission, self._delegation_key(until))
        return generate_container_sas(
            store.account,
            store.container,
            account_key=self.accounts[store.account].key,
            permission=permission,
            expiry=until,
        )

    def _delegation_key(self, until: datetime) -> Any:
        """Return the key with which an identity signs, where the account's own is off."""
        from azure.core.credentials import AccessToken
        from azure.storage.blob import BlobServiceClient

        token = AccessToken(self._token(STORAGE), int(until.timestamp()))

        class Service:
            def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
                return token

        with BlobServiceClient(
            f"https://127.0.0.1:{self.port}/{KEYLESS}",
            credential=Service(),
            connection_verify=str(self._certificates.authority),
        ) as client:
            return client.get_user_delegation_key(datetime.now(UTC) - timedelta(minutes=5), until)

    def names(self, store: Store, prefix: str) -> list[str]:
        """Return the names of the blobs that lie at or below a path."""
        return [
            name
            for name in self._container(store).list_blob_names(name_starts_with=prefix)
            if not prefix or name == prefix or name.startswith(prefix.rstrip("/") + "/")
        ]

    def read(self, store: Store, name: str) -> bytes:
        """Return the content of a blob."""
        content: bytes = self._container(store).download_blob(name).readall()
        return content

    def write(self, store: Store, name: str, content: bytes) -> None:
        """Write a blob."""
        self._container(store).upload_blob(name, content, overwrite=True)

    def download(self, store: Store, prefix: str, target: Path) -> list[Path]:
        """Write what lies below a path into a folder; a single blob keeps its name.

        Returns:
            The files; none if there is nothing.
        """
        written = []
        for name in self.names(store, prefix):
            inner = name[len(prefix) :].strip("/") or name.rpartition("/")[2]
            path = target / inner
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.read(store, name))
            written.append(path)
        return written

    def upload(self, folder: Path, store: Store, prefix: str) -> None:
        """Write the files below a folder, or one file, below a path."""
        files = [folder] if folder.is_file() else list(_files(folder))
        base = folder.parent if folder.is_file() else folder
        for path in files:
            name = f"{prefix.rstrip('/')}/{path.relative_to(base).as_posix()}"
            self.write(store, name, path.read_bytes())

    def copy(self, source: Store, prefix: str, target: Store, new_prefix: str) -> None:
        """Copy what lies below a path."""
        for name in self.names(source, prefix):
            inner = name[len(prefix) :].lstrip("/")
            self.write(target, f"{new_prefix}/{inner}".strip("/"), self.read(source, name))

    def parse(self, url: str) -> tuple[Store, str]:
        """Return the container and the path that the address of a blob names."""
        host, _, path = url.partition("?")[0].removeprefix("https://").partition("/")
        container, _, inner = path.partition("/")
        return Store(host.partition(".")[0], container), inner.strip("/")


def delegated(store: Store, permission: str, key: Any) -> str:
    """Return a token for a container that an identity's key signs.

    Not the SDK's own function: it signs by a version that is newer than Azurite.
    """
    whose = {
        "skoid": key.signed_oid,
        "sktid": key.signed_tid,
        "skt": key.signed_start,
        "ske": key.signed_expiry,
        "sks": key.signed_service,
        "skv": key.signed_version,
    }
    what = {"sv": _SIGNED_VERSION, "sr": "c"}
    fields = [permission, "", key.signed_expiry, f"/blob/{store.account}/{store.container}"]
    fields += [*whose.values(), *[""] * 5, *what.values(), *[""] * 7]
    digest = hmac.digest(b64decode(key.value), "\n".join(fields).encode(), "sha256")
    query = {"sp": permission, "se": key.signed_expiry, **whose, **what}
    return urlencode(query | {"sig": b64encode(digest).decode()})


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_for_port(port: int, process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Wait until a process listens.

    Raises:
        RuntimeError: it ended, or took too long.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            time.sleep(0.05)
    ended = process.poll()
    raise RuntimeError(f"nothing listens on port {port} (exit code so far: {ended})")
