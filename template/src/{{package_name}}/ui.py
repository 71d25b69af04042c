"""MLflow's own pages on the project's store."""

import os
import socket
import subprocess  # nosec B404  # only MLflow's server, with fixed arguments
import sys
from contextlib import suppress

import psutil

from .console import show
from .errors import ConfigError, PlatformError
from .platforms.tracking import Tracking
from .settings import LoadedSettings


def serve_mlflow(settings: LoadedSettings, port: int) -> int:
    """Serve MLflow on 127.0.0.1 until it is interrupted; return its exit code.

    Raises:
        ConfigError: another program uses the port.
        PlatformError: MLflow ended by itself.
    """
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ConfigError(f"--port: another program uses port {port}; name another one")
    show(f"http://127.0.0.1:{port} in a few seconds; Ctrl-C ends it")
    tracking = Tracking(settings.project.state_dir, settings.model_name)
    tracking.prepare()
    command = [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--backend-store-uri", tracking.uri),
        *("--default-artifact-root", tracking.artifacts.as_uri()),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
    ]
    environment = {
        **os.environ,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # its queue for judging language models would start seven more processes
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    server = subprocess.Popen(command, env=environment)  # nosec B603  # see above
    try:
        code = server.wait()
    finally:
        _end(server.pid)
    if code:
        raise PlatformError(f"MLflow ended with exit code {code}; what it said stands above")
    return code


def _end(pid: int) -> None:
    """End the server together with the workers that it started."""
    with suppress(psutil.NoSuchProcess):
        server = psutil.Process(pid)
        for process in (*server.children(recursive=True), server):
            with suppress(psutil.NoSuchProcess):
                process.terminate()
