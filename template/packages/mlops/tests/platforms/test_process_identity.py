"""Which process an id and a start time mean."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from fakes.waiting import wait_for
from mlops.platforms import process_identity


def test_setting_the_clock_ends_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux psutil's start times follow the clock; elsewhere the system keeps them."""
    pid, started = process_identity.this_process()
    moved = 3600.0 if sys.platform == "linux" else 0.0
    told = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: told(process) + moved)
    assert process_identity.is_running(pid, started)
    assert not process_identity.is_running(pid, started - 1)


@pytest.mark.skipif(sys.platform == "win32", reason="a zombie is a POSIX matter")
def test_a_process_that_ended_does_not_run_even_if_nobody_took_notice() -> None:
    child = subprocess.Popen([sys.executable, "-S", "-E", "-c", "input()"], stdin=subprocess.PIPE)
    process = psutil.Process(child.pid)
    started = process_identity.start_time(process)
    assert process_identity.is_running(child.pid, started)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it ended, and stays a zombie
    assert not process_identity.is_running(child.pid, started)
    child.communicate()


LEADER_ENDS = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(600,)).start()
ctypes.CDLL(None).pthread_exit(None)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process ends with its last thread")
def test_a_process_of_which_a_thread_goes_on_has_not_ended() -> None:
    """It is a zombie to whoever looks, and holds its ports."""
    with subprocess.Popen([sys.executable, "-S", "-E", "-c", LEADER_ENDS]) as child:
        process = psutil.Process(child.pid)
        wait_for(lambda: process.status() == psutil.STATUS_ZOMBIE)
        assert not process_identity.has_ended(process)
        child.send_signal(signal.SIGKILL)
        wait_for(lambda: process_identity.has_ended(process))
