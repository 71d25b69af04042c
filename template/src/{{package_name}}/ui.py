"""MLflow's own pages on the project's store."""

import os
import subprocess  # nosec B404  # only MLflow's server, with fixed arguments
import sys

from .platforms.tracking import Tracking
from .settings import LoadedSettings


def serve_mlflow(settings: LoadedSettings, port: int) -> int:
    """Serve MLflow on 127.0.0.1 until it is interrupted; return its exit code."""
    tracking = Tracking(settings.project.state_dir, settings.model_name)
    tracking.prepare()
    command = [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--backend-store-uri", tracking.uri),
        *("--default-artifact-root", tracking.artifacts.as_uri()),
        *("--host", "127.0.0.1", "--port", str(port)),
    ]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    return subprocess.run(command, env=environment, check=False).returncode  # nosec B603  # see above
