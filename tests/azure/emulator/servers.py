"""The scoring servers of deployments: Azure ML's own inference server, on this machine only."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from .azurite import free_port
from .collector import Collector
from .machine import Machine

START_SECONDS = 60.0
_LAUNCHER = Path(__file__).with_name("scoring.py")


class CrashedError(Exception):
    """A container did not come up; the sentence is Azure's, the log says why."""


@dataclass
class Server:
    """One running scoring server."""

    port: int
    log: Path
    process: "subprocess.Popen[bytes]"
    collector: Collector | None = None

    def stop(self) -> None:
        """End it with its workers and its collector."""
        end(self.process)
        if self.collector is not None:
            self.collector.stop()

    def tail(self, lines: int) -> str:
        """Return the last lines of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])


async def start(
    folder: Path,
    machine: Machine,
    script: str,
    environment: Mapping[str, str],
    collector: Collector | None = None,
    sees: Sequence[Path] = (),
) -> Server:
    """Start a server on the code in `folder/code` and the model in `folder/model`, and wait.

    Args:
        folder: what was brought for it.
        machine: where it runs.
        script: the scoring script.
        environment: its variables.
        collector: of its data, if there is one.
        sees: the files besides that it needs.

    Raises:
        CrashedError: it ended or did not answer in time; `folder/log.txt` says why.
    """
    port = free_port()
    code = folder / "code"
    server = ["python", "-P", _LAUNCHER, "--entry_script", code / script, "--port", port]
    variables = {
        "AML_APP_ROOT": str(code),
        "AZUREML_MODEL_DIR": str(folder / "model"),
        "GUNICORN_CMD_ARGS": "--no-control-socket",
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
        **(collector.variables if collector else {}),
        **environment,
    }
    command, env = machine.process(
        [str(part) for part in server], variables, cwd=code, sees=[folder, _LAUNCHER, *sees]
    )
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=code,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started = Server(port, log, process, collector)
    try:
        await _wait(started)
    except BaseException:
        started.stop()
        raise
    return started


async def _wait(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    async with aiohttp.ClientSession() as client:
        while time.monotonic() < deadline and server.process.poll() is None:
            try:
                async with client.get(f"http://127.0.0.1:{server.port}/") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
    raise CrashedError(
        "User container has crashed or terminated: see the deployment's log. "
        "https://aka.ms/oe-tsg#error-resourcenotready"
    )


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process that leads a session, and all in it."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def empty(folder: Path) -> Path:
    """Return the folder, made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
