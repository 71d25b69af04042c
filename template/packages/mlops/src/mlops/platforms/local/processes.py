"""Server processes that outlive the command that starts them, and how to find and stop them.

A record keeps a process's id and start time and a token that stands on its command line, and every
process works in the project's state folder, which tells a moved project from a copied one.
"""

import contextlib
import secrets
import socket
import subprocess  # nosec B404
import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from mlops.platforms.process_identity import has_ended, is_dying, start_time, started_at

LOCALHOST = "127.0.0.1"
_GRACE_SECONDS = 3.0
_KILL_SECONDS = 5.0
_POLL_SECONDS = 0.02

_children: list[subprocess.Popen[bytes]] = []
"""What this process started: kept, so that ended ones are reaped and no handle is lost."""


@dataclass(frozen=True)
class ProcessRecord:
    """One server process as the state remembers it; without `pid` it is only about to start."""

    token: str
    port: int
    log: str
    pid: int | None = None
    create_time: float | None = None


def new_record(name: str, port: int, log_folder: str) -> ProcessRecord:
    """Return the record of a process that is about to start; its log is relative to the home."""
    token = f"{name}-{secrets.token_hex(6)}"
    return ProcessRecord(token=token, port=port, log=f"{log_folder}/{token}.log")


def start(
    record: ProcessRecord, command: Sequence[str], home: Path, env: Mapping[str, str]
) -> ProcessRecord:
    """Start `command` in the folder `home`, away from the terminal, and return its full record.

    A Ctrl-C in the terminal does not reach the process. Its output goes to the record's log.
    """
    log = home / record.log
    log.parent.mkdir(parents=True, exist_ok=True)
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    with log.open("ab") as stream:
        # a fixed argument list, no shell
        child = subprocess.Popen(  # nosec B603
            list(command),
            cwd=home,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            creationflags=flags,
            start_new_session=True,
        )
    _children[:] = [process for process in _children if process.poll() is None]
    _children.append(child)
    return replace(record, pid=child.pid, create_time=start_time(psutil.Process(child.pid)))


def find(record: ProcessRecord | None, home: Path) -> psutil.Process | None:
    """Return the running process of a record, or None if it ended or belongs to a copy."""
    if record is None or record.pid is None:
        return None
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(record.pid)
        if not has_ended(process) and _is_recorded(process, record) and _works_in(process, home):
            return process
    return None


def listens(process: psutil.Process, port: int) -> bool:
    """Tell whether the process or a child of it listens on `port`."""
    with contextlib.suppress(psutil.Error):
        for member in (process, *process.children(recursive=True)):
            for connection in member.net_connections(kind="tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                    return True
    return False


def stop(records: Iterable[ProcessRecord], home: Path) -> None:
    """Stop processes with all their children: ask first, kill what stays."""
    family: list[psutil.Process] = []
    for record in records:
        root = find(record, home)
        heads = [root] if root else _orphans(record, home)
        for head in heads:
            with contextlib.suppress(psutil.Error):
                family.extend([*head.children(recursive=True), head])
                head.terminate()
    if _wait_for_end(family, _GRACE_SECONDS):
        return
    for process in family:
        with contextlib.suppress(psutil.Error):
            process.kill()
    _wait_for_end(family, _KILL_SECONDS)


def wait_for_the_dying(record: ProcessRecord | None) -> None:
    """Wait until a process that is dying has let go of its port, for some seconds at most."""
    if record is None or record.pid is None:
        return
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(record.pid)
        if started_at(process, record.create_time or 0.0) and is_dying(process):
            _wait_for_end([process], _KILL_SECONDS)


def free_port(preferred: int | None = None) -> int:
    """Return a port that nothing listens on: `preferred` if it is free, else any."""
    for port in (preferred, 0):
        if port is None:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if sys.platform == "win32":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((LOCALHOST, port))
                return int(probe.getsockname()[1])
    raise OSError(f"no port is free on {LOCALHOST}")


def tail(path: Path, lines: int) -> str:
    """Return the last lines of a text file; nothing if there is no such file."""
    with contextlib.suppress(FileNotFoundError), path.open(encoding="utf-8", errors="replace") as f:
        return "".join(deque(f, maxlen=lines)).rstrip()
    return ""


def _wait_for_end(family: Iterable[psutil.Process], seconds: float) -> bool:
    """Wait until all have ended, but only so long; tell whether they have."""
    deadline = time.monotonic() + seconds
    while not all(map(has_ended, family)):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _is_recorded(process: psutil.Process, record: ProcessRecord) -> bool:
    if started_at(process, record.create_time or 0.0):
        return True
    # Setting the clock moves the start times that some systems report; the token never moves.
    return record.token in process.cmdline()


def _works_in(process: psutil.Process, home: Path) -> bool:
    """Tell whether a process belongs to `home`, or to a folder that is gone."""
    try:
        folder = Path(process.cwd())
        return folder.samefile(home)
    except FileNotFoundError:
        return True
    except psutil.AccessDenied:
        return True


def _orphans(record: ProcessRecord, home: Path) -> list[psutil.Process]:
    """Find what a record's ended process left behind: a worker, or itself if it lacks a pid."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if record.token in process.cmdline() and _works_in(process, home):
                found.append(process)
    return found
