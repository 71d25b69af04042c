"""What runs locally: `.mlops/state.json`, the endpoints' keys, and the locks of both.

Paths in the state are relative, so that a project can be moved. Every write is atomic. A process
that must not survive an unfinished command stands in `leftovers` from before its start until the
moment it is put to use, so that the next command can end it even after a `kill -9`.
"""

import contextlib
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from mlops.errors import ConfigError, PlatformError
from mlops.files import read_json, write_json
from mlops.platforms.base import DeploymentShare
from mlops.platforms.lease_rules import EndpointBusy, Shares
from mlops.platforms.lease_terms import Leaves, WayBack
from mlops.platforms.local.processes import ProcessRecord

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}")
SCHEMA = 1
STATE_FILE = "state.json"
KEYS_FILE = "keys.json"
_LOCK_SECONDS = 10.0
_SHARING_RETRIES = 40

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class DeploymentState:
    """One deployment: which model version it serves, with which code, in which process.

    `folder` is the version's folder from the project's root, `code` the kept scoring code from the
    state folder. `failure` says why it could not be started again, `telemetry` is a hash of what it
    was told of its events.
    """

    model_name: str
    model_version: int
    model_sha256: str
    commit: str
    folder: str
    code: str
    process: ProcessRecord | None = None
    failure: str = ""
    telemetry: str = ""

    @property
    def origin(self) -> str:
        """The hash of the scoring code, which is the name of its folder."""
        return PurePosixPath(self.code).name


@dataclass(frozen=True)
class Lease:
    """A change of several steps in progress: its process, and how the endpoint was before.

    Once it is done, nobody undoes it any more.
    """

    purpose: str
    pid: int
    create_time: float
    before: Shares
    mirror: dict[str, int]
    done: bool = False
    leaves: Leaves = Leaves.BEFORE
    yields: bool = False


@dataclass(frozen=True)
class EndpointState:
    """One endpoint: its router, its deployments and how traffic is shared among them.

    `mirror` is empty or names one deployment with its percentage of copies. `previous` is how the
    endpoint was before the last completed change, `way_back` what of that is
    kept. `keep_days` and `keep_gb` say how much of its events is kept, `notes` what every command
    must know at once.
    """

    revision: int = 0
    port: int | None = None
    router: ProcessRecord | None = None
    request_timeout_seconds: float = 30.0
    traffic: dict[str, int] = field(default_factory=dict)
    mirror: dict[str, int] = field(default_factory=dict)
    deployments: dict[str, DeploymentState] = field(default_factory=dict)
    leftovers: tuple[ProcessRecord, ...] = ()
    lease: Lease | None = None
    previous: Shares | None = None
    way_back: WayBack | None = None
    keep_days: int = 90
    keep_gb: float = 2.0
    notes: dict[str, str] = field(default_factory=dict)


class StateFile:
    """The state of one project's endpoints.

    Args:
        folder: the project's state folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def endpoints(self) -> dict[str, EndpointState]:
        """Return every endpoint by name.

        Raises:
            ConfigError: the file is not JSON or has another schema.
        """
        return {name: _endpoint(content) for name, content in self._read(STATE_FILE).items()}

    def endpoint(self, name: str) -> EndpointState | None:
        """Return one endpoint, or None if nothing was ever deployed to it."""
        return self.endpoints().get(name)

    def change(
        self, name: str, function: Callable[[EndpointState], EndpointState]
    ) -> EndpointState:
        """Apply `function` to an endpoint (a new one if need be) and store what it returns.

        An endpoint without deployments, leftovers and lease is dropped.
        """
        with self._locked():
            content = self._read(STATE_FILE)
            before = _endpoint(content[name]) if name in content else EndpointState()
            after = replace(function(before), revision=before.revision + 1)
            content.pop(name, None)
            if after.deployments or after.leftovers or after.lease:
                content[name] = _content(after)
            self._write(STATE_FILE, content, private=False)
        return after

    def key(self, name: str) -> str:
        """Return the key of an endpoint, made at the first call."""
        keys = self._read(KEYS_FILE)
        if name not in keys:
            with self._locked():
                keys = self._read(KEYS_FILE)
                keys.setdefault(name, secrets.token_urlsafe(32))
                self._write(KEYS_FILE, keys, private=True)
        return str(keys[name])

    def keys(self) -> dict[str, str]:
        """Return the keys of all endpoints that have one."""
        return {name: str(key) for name, key in self._read(KEYS_FILE).items()}

    @contextlib.contextmanager
    def changing(self, name: str, wait_seconds: float = 0.0) -> Iterator[None]:
        """Hold the right to change an endpoint; wait for it at most so long.

        Raises:
            EndpointBusy: another command holds it.
        """
        folder = self.folder / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{name}.lock")
        try:
            lock.acquire(timeout=wait_seconds)
        except Timeout:
            raise EndpointBusy(
                f"another command is changing the endpoint {name}",
                "wait for it to end, then try again",
            ) from None
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "state.lock"
        try:
            with FileLock(path, timeout=_LOCK_SECONDS):
                yield
        except Timeout:
            raise PlatformError(
                f"{path} was held by another command for {_LOCK_SECONDS:.0f} s", "try again"
            ) from None

    def _read(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        if not path.exists():
            return {}
        return dict(_retry(lambda: read_json(path, schema=SCHEMA))["endpoints"])

    def _write(self, name: str, endpoints: dict[str, Any], *, private: bool) -> None:
        content = {"schema": SCHEMA, "endpoints": endpoints}
        _retry(lambda: write_json(self.folder / name, content, private=private))


def _retry(operation: Callable[[], _Result]) -> _Result:
    """Try again for a second: Windows refuses to replace a file while somebody reads it."""
    for _ in range(_SHARING_RETRIES):
        with contextlib.suppress(PermissionError):
            return operation()
        time.sleep(0.025)
    return operation()


def _content(state: EndpointState) -> dict[str, Any]:
    content = asdict(state)
    if state.way_back:
        content["way_back"]["until"] = state.way_back.until.isoformat()
    return content


def _endpoint(content: dict[str, Any]) -> EndpointState:
    deployments = {
        name: DeploymentState(**{**fields, "process": _process(fields["process"])})
        for name, fields in content["deployments"].items()
    }
    return EndpointState(
        **{
            **content,
            "router": _process(content["router"]),
            "deployments": deployments,
            "leftovers": tuple(ProcessRecord(**fields) for fields in content["leftovers"]),
            "lease": _lease(content.get("lease")),
            "previous": _shares(content.get("previous")),
            "way_back": _way_back(content.get("way_back")),
        }
    )


def _process(fields: dict[str, Any] | None) -> ProcessRecord | None:
    return None if fields is None else ProcessRecord(**fields)


def _lease(fields: dict[str, Any] | None) -> Lease | None:
    if fields is None:
        return None
    leaves = Leaves(fields.get("leaves", Leaves.BEFORE))
    return Lease(**{**fields, "before": _shares(fields["before"]), "leaves": leaves})


def _way_back(fields: dict[str, Any] | None) -> WayBack | None:
    if fields is None:
        return None
    return WayBack(**{**fields, "until": datetime.fromisoformat(fields["until"])})


def _shares(content: dict[str, Any] | None) -> Shares | None:
    if content is None:
        return None
    return {name: DeploymentShare(**fields) for name, fields in content.items()}


def check_name(kind: str, name: str) -> None:
    """Refuse a name that an endpoint or a deployment cannot have.

    Raises:
        ConfigError: so.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"the name of the {kind}, {name!r}, must start with a letter and hold only letters, "
            "digits and dashes, at most 63"
        )


def without_deployment(state: EndpointState, name: str) -> EndpointState:
    """Return the state without a deployment; without the last one, no router is needed."""
    left = {other: found for other, found in state.deployments.items() if other != name}
    ended = [state.deployments[name].process, None if left else state.router]
    return replace(
        state,
        router=state.router if left else None,
        traffic={other: state.traffic.get(other, 0) for other in left},
        mirror=state.mirror if left else {},
        deployments=left,
        leftovers=(*state.leftovers, *(process for process in ended if process is not None)),
    )


def path_from(root: Path, folder: Path) -> str:
    """Return a folder as it is written down: from the root, if it is below it."""
    folder, root = folder.resolve(), root.resolve()
    if folder.is_relative_to(root):
        return folder.relative_to(root).as_posix()
    return str(folder)
