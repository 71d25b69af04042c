"""Which process of this machine is meant by an id and a start time, and whether it still runs.

An id alone does not identify a process: ids are used again, at the latest after a reboot.
"""

import os
import sys
from pathlib import Path

import psutil

_CLOCK_TOLERANCE = 0.01
_START_TICKS = 19  # of the fields of /proc/<id>/stat behind the program's name


def this_process() -> tuple[int, float]:
    """Return this process's id and start time."""
    me = psutil.Process()
    return me.pid, start_time(me)


def is_running(pid: int, create_time: float) -> bool:
    """Tell whether the process of this id still runs, and is not a later one of the same id."""
    try:
        process = psutil.Process(pid)
        return started_at(process, create_time) and not has_ended(process)
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False


def start_time(process: psutil.Process) -> float:
    """Return when a process started, in seconds by a clock that nobody sets where there is one.

    psutil counts from the time of day: on Linux a process seems to start at another time after the
    clock was set.
    """
    if sys.platform != "linux":
        return process.create_time()
    try:
        stat = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise psutil.NoSuchProcess(process.pid) from None
    # the name of the program, in brackets, may hold anything
    ticks = stat.rpartition(")")[2].split()[_START_TICKS]
    return int(ticks) / os.sysconf("SC_CLK_TCK")


def started_at(process: psutil.Process, create_time: float) -> bool:
    """Tell whether a process started at this time, as `start_time` tells it."""
    return abs(start_time(process) - create_time) < _CLOCK_TOLERANCE


def has_ended(process: psutil.Process) -> bool:
    """Tell whether a process ended, even if its parent (in a container: nobody) took no notice.

    While a thread of it has not, it holds its ports.
    """
    try:
        if not process.is_running():
            return True
        return process.status() == psutil.STATUS_ZOMBIE and not is_dying(process)
    except psutil.NoSuchProcess:
        return True


def is_dying(process: psutil.Process) -> bool:
    """Tell whether a process was ended and a thread of it was not yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() > 1
    except psutil.NoSuchProcess:
        return False
