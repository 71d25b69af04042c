"""MLflow's pages end when who opened them says so."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from fakes.project import write_project
from fakes.waiting import LONGEST_SECONDS, wait_for
from mlops.ops.ui import serve_pages
from mlops.settings.loading import load_settings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_mlflow(process: psutil.Process) -> bool:
    """Whether it is MLflow's server; libraries start other programs for a moment."""
    with suppress(psutil.NoSuchProcess):
        return "mlflow" in process.cmdline()
    return False


def test_ctrl_c_ends_them_and_leaves_nothing_running(tmp_path: Path) -> None:
    """Also where a library that is loaded has a handler of its own, after which waiting goes on."""
    project = write_project(tmp_path / "project")
    command = [sys.executable, "-m", "mlops", "ui", "--port", str(free_port())]
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, cwd=project.root, env=os.environ | path) as ui:
        pages = psutil.Process(ui.pid)

        def servers() -> list[psutil.Process]:
            assert ui.poll() is None
            return [child for child in pages.children() if is_mlflow(child)]

        (server,) = wait_for(servers)
        try:
            ui.send_signal(signal.SIGINT)
            assert ui.wait(LONGEST_SECONDS) == 0
        except BaseException:
            for process in (ui, server):
                process.kill()
            raise
    assert not server.is_running()


def test_an_interrupt_while_the_server_starts_leaves_nothing_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(write_project(tmp_path / "project"), variables={})
    started: list[psutil.Process] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, command: list[str], **options: Any) -> None:
            super().__init__(command, **options)
            if "mlflow" in command:
                started.append(psutil.Process(self.pid))
                raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    assert serve_pages(settings, free_port(), lambda: "the page") == 0
    (server,) = started
    assert not server.is_running()
