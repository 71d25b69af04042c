"""Starting, finding and stopping server processes."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from fakes.waiting import LONGEST_SECONDS, wait_for
from mlops.platforms.local import processes
from mlops.platforms.local.processes import ProcessRecord
from mlops.platforms.process_identity import is_dying

PYTHON = [sys.executable, "-S", "-E", "-c"]
SLEEP = "import time; time.sleep(600)"
STUBBORN_PARENT = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-S", "-E", "-c", sys.argv[2], sys.argv[1]])
print(child.pid, flush=True)
time.sleep(600)
"""
STUBBORN_CHILD = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(600)
"""

Start = Callable[..., ProcessRecord]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Start Python code in the background; its first argument is the record's token."""
    started: list[int] = []

    def start_code(code: str, *arguments: str, name: str = "test") -> ProcessRecord:
        record = processes.new_record(name, port=1, log_folder="logs")
        command = [*PYTHON, code, record.token, *arguments]
        record = processes.start(record, command, home, os.environ)
        assert record.pid
        started.append(record.pid)
        process = psutil.Process(record.pid)
        wait_for(lambda: has_ended(process) or record.token in process.cmdline())
        return record

    yield start_code
    for pid in started:
        kill(pid)


def kill(pid: int) -> None:
    try:
        process = psutil.Process(pid)
        process.kill()
        wait_for(lambda: has_ended(process))
    except psutil.Error:
        pass


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_process_is_found_until_it_is_stopped(start: Start, home: Path) -> None:
    record = start(SLEEP)
    found = processes.find(record, home)
    assert found
    assert found.pid == record.pid
    processes.stop([record], home)
    assert processes.find(record, home) is None
    assert has_ended(found)


def test_what_a_process_prints_is_in_its_log(start: Start, home: Path) -> None:
    record = start("print('one'); print('two', flush=True); raise SystemExit('three')")
    wait_for(lambda: processes.find(record, home) is None)
    assert processes.tail(home / record.log, 10).splitlines() == ["one", "two", "three"]
    assert processes.tail(home / record.log, 2).splitlines() == ["two", "three"]
    assert processes.tail(home / "logs" / "other.log", 2) == ""


def test_a_reused_process_id_fools_nobody(start: Start, home: Path) -> None:
    other = start(SLEEP, name="other")
    assert other.create_time
    mine = processes.new_record("mine", port=1, log_folder="logs")
    mine = replace(mine, pid=other.pid, create_time=other.create_time - 100)
    assert processes.find(mine, home) is None
    processes.stop([mine], home)
    assert processes.find(other, home)


def test_a_process_is_found_after_the_clock_was_set(start: Start, home: Path) -> None:
    record = start(SLEEP)
    assert record.create_time
    assert processes.find(replace(record, create_time=record.create_time - 100), home)


def test_a_process_belongs_to_a_moved_project_but_not_to_a_copy(
    start: Start, home: Path, tmp_path: Path
) -> None:
    record = start(SLEEP)
    copy = tmp_path / "copy"
    copy.mkdir()
    assert processes.find(record, copy) is None
    processes.stop([record], copy)
    assert processes.find(record, home)
    moved = home.rename(tmp_path / "moved")
    assert processes.find(record, moved)


def test_a_process_whose_folder_is_gone_can_still_be_stopped(
    start: Start, home: Path, tmp_path: Path
) -> None:
    record = start(SLEEP)
    running = processes.find(record, home)
    assert running
    copy = tmp_path / "copy"
    home.rename(copy)
    (copy / record.log).unlink()
    (copy / "logs").rmdir()
    copy.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    processes.stop([record], elsewhere)
    assert has_ended(running)


def test_stopping_takes_the_children_along_even_stubborn_ones(
    start: Start, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_GRACE_SECONDS", 0.2)
    record = start(STUBBORN_PARENT, STUBBORN_CHILD)
    wait_for(lambda: processes.tail(home / record.log, 1).isdigit())
    child = psutil.Process(int(processes.tail(home / record.log, 1)))
    processes.stop([record], home)
    assert processes.find(record, home) is None
    assert has_ended(child)


def test_what_a_killed_process_leaves_behind_is_stopped_too(start: Start, home: Path) -> None:
    record = start(STUBBORN_PARENT, SLEEP)
    wait_for(lambda: processes.tail(home / record.log, 1).isdigit())
    child = psutil.Process(int(processes.tail(home / record.log, 1)))
    assert record.pid
    kill(record.pid)
    assert not has_ended(child)
    processes.stop([record], home)
    assert has_ended(child)


def test_a_process_that_was_not_recorded_in_time_is_stopped(start: Start, home: Path) -> None:
    record = start(SLEEP)
    running = processes.find(record, home)
    processes.stop([replace(record, pid=None, create_time=None)], home)
    assert running
    assert has_ended(running)


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are a POSIX matter")
def test_a_ctrl_c_in_the_terminal_does_not_reach_the_process(home: Path) -> None:
    code = """
import os, sys, time
from pathlib import Path
from mlops.platforms.local import processes
from mlops.platforms.process_identity import is_dying
record = processes.new_record("test", 1, "logs")
record = processes.start(record, [*sys.argv[1:], record.token], Path(), os.environ)
print(record.pid, flush=True)
time.sleep(600)
"""
    terminal = subprocess.Popen(
        [sys.executable, "-c", code, *PYTHON, SLEEP],
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    assert terminal.stdout
    pid = int(terminal.stdout.readline())
    try:
        os.killpg(terminal.pid, signal.SIGINT)
        terminal.communicate(timeout=LONGEST_SECONDS)
        assert not has_ended(psutil.Process(pid))
    finally:
        kill(pid)


def test_a_port_is_kept_unless_somebody_took_it() -> None:
    port = processes.free_port()
    assert processes.free_port(port) == port
    with socket.create_server((processes.LOCALHOST, port)):
        assert processes.free_port(port) != port


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process ends with its last thread")
def test_the_port_of_a_dying_process_is_waited_for(start: Start, tmp_path: Path) -> None:
    port, last = processes.free_port(), tmp_path / "last"
    record = start(
        "import ctypes, os, pathlib, socket, sys, threading, time\n"
        "server = socket.create_server(('127.0.0.1', int(sys.argv[2])))\n"
        "def wait():\n"
        "    while not pathlib.Path(sys.argv[3]).exists(): time.sleep(0.01)\n"
        "    os._exit(0)\n"
        "threading.Thread(target=wait).start()\n"
        "ctypes.CDLL(None).pthread_exit(None)",
        str(port),
        str(last),
    )
    process = psutil.Process(record.pid)
    wait_for(lambda: is_dying(process))
    assert processes.free_port(port) != port
    threading.Timer(0.1, last.touch).start()
    processes.wait_for_the_dying(record)
    assert processes.free_port(port) == port


def test_who_listens_is_told_apart(start: Start, home: Path) -> None:
    port = processes.free_port()
    record = start(
        "import socket, sys, time\n"
        "server = socket.create_server(('127.0.0.1', int(sys.argv[2])))\n"
        "time.sleep(600)",
        str(port),
    )
    process = processes.find(record, home)
    assert process
    wait_for(lambda: processes.listens(process, port))
    assert not processes.listens(process, processes.free_port())
    other = processes.find(start(SLEEP), home)
    assert other
    assert not processes.listens(other, port)
