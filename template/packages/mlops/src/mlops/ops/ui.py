"""MLflow's own pages on the project's store, and beside them the page about what serves."""

import os
import socket
import subprocess  # nosec B404  # only MLflow's server, with fixed arguments
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import psutil

from mlops.console import show
from mlops.errors import ConfigError, PlatformError
from mlops.ops.page_server import served_page
from mlops.platforms.local.tracking import Tracking
from mlops.settings.loading import LoadedSettings

_GRACE_SECONDS = 5.0
_LOOK_SECONDS = 0.2


def serve_pages(settings: LoadedSettings, port: int, page: Callable[[], str]) -> int:
    """Serve MLflow and the page on 127.0.0.1 until it is interrupted; return the exit code.

    Args:
        settings: the project's.
        port: MLflow's; the page has the next one, or any if that is taken or there is none.
        page: makes the page about what serves.

    Raises:
        ConfigError: another program uses the port.
        PlatformError: MLflow ended by itself.
    """
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ConfigError(f"--port: another program uses port {port}", "name another one")
    with served_page(port + 1, page) as address:
        show(f"what serves: {address}")
        show(f"runs and versions, MLflow: http://127.0.0.1:{port} in some seconds")
        show("Ctrl-C ends both")
        return _serve_mlflow(settings, port)


def _serve_mlflow(settings: LoadedSettings, port: int) -> int:
    tracking = Tracking(settings.project.state_dir, settings.model_name, settings.clock)
    tracking.prepare()
    command = [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--backend-store-uri", tracking.uri),
        *("--default-artifact-root", tracking.artifacts.as_uri()),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
    ]
    environment = {
        **os.environ,
        # its queue for judging language models would start seven more processes
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    others = psutil.Process().children()
    try:
        server = subprocess.Popen(  # nosec B603  # see above
            command,
            env=environment,
            # Ctrl-C is for this process alone, which ends the server and its workers in order
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            start_new_session=True,
        )
        while (code := server.poll()) is None:
            time.sleep(_LOOK_SECONDS)  # ends at a signal; waiting for a process need not
    except KeyboardInterrupt:
        show("the pages are closed")
        return 0
    finally:
        _end_children(others)
    if code:
        raise PlatformError(f"MLflow ended with exit code {code}", "what it said stands above")
    return code


def _end_children(others: Sequence[psutil.Process]) -> None:
    """End the server, which an interrupt may leave without a name here, and its workers."""
    started = [child for child in psutil.Process().children() if child not in others]
    family = list(started)
    for child in started:
        with suppress(psutil.NoSuchProcess):
            family += child.children(recursive=True)
    for ask in (psutil.Process.terminate, psutil.Process.kill):
        for process in family:
            with suppress(psutil.NoSuchProcess):
                ask(process)
        _, family = psutil.wait_procs(family, timeout=_GRACE_SECONDS)
