"""MLflow's pages end when who opened them says so."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from fakes.project import write_project
from fakes.waiting import LONGEST_SECONDS, wait_for


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_ctrl_c_ends_them_and_leaves_nothing_running(tmp_path: Path) -> None:
    """Also where a library that is loaded has a handler of its own, after which waiting goes on."""
    project = write_project(tmp_path / "project")
    command = [sys.executable, "-m", "mlops", "ui", "--port", str(free_port())]
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, cwd=project.root, env=os.environ | path) as ui:
        pages = psutil.Process(ui.pid)

        def servers() -> list[psutil.Process]:
            assert ui.poll() is None
            return pages.children()

        (server,) = wait_for(servers)
        try:
            ui.send_signal(signal.SIGINT)
            assert ui.wait(LONGEST_SECONDS) == 0
        except BaseException:
            for process in (ui, server):
                process.kill()
            raise
    assert not server.is_running()
