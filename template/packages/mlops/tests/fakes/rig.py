"""Projects whose endpoints are served by the real inference server."""

import contextlib
import shutil
from pathlib import Path

import psutil

from fakes.places import PROJECT
from fakes.project import FACTS, PYPROJECT
from fakes.tiny_version import FAILS, write_version
from fakes.waiting import LONGEST_SECONDS
from mlops.clock import Clock, system_clock
from mlops.monitoring.telemetry import Telemetry
from mlops.platforms.base import ModelVersion
from mlops.platforms.local.endpoint import LocalEndpoint
from mlops.platforms.local.state import EndpointState, StateFile
from mlops.settings.monitoring_sections import TelemetrySettings
from mlops.settings.project import Project
from mlops.settings.sections import EndpointSettings

NAME = "tiny-dev"
SETTINGS = EndpointSettings(
    start_timeout_seconds=LONGEST_SECONDS,
    request_timeout_seconds=180,  # the longest that there is
)
SLOW = 99
SLOW_SCRIPT = f"""
score_at_once, score_rightly = run, score

def score(model, matrix):
    if matrix[0, 0] == {FAILS}:
        raise ZeroDivisionError("the model failed")
    return score_rightly(model, matrix)

def run(raw_data, request_headers):
    import time
    from pathlib import Path
    home = Path(__file__).parents[2]
    while '"a": {SLOW}' in raw_data and not (home / "go").exists():
        (home / "waiting").touch()
        time.sleep(0.01)
    return score_at_once(raw_data, request_headers)
"""


class Rig:
    """A project folder with this project's scoring code and the tiny model."""

    def __init__(self, root: Path, serving_venvs: Path) -> None:
        self.root = root
        self.serving_venvs = serving_venvs
        self.clock: Clock = system_clock
        self.telemetry = Telemetry("dev", TelemetrySettings(keys=True))
        if not root.exists():
            root.mkdir(parents=True)
            (root / "pyproject.toml").write_text(PYPROJECT)
            shutil.copytree(PROJECT / "serving", root / "serving")

    @property
    def script(self) -> Path:
        return self.root / "serving" / "score.py"

    @property
    def home(self) -> Path:
        return self.root / ".mlops"

    @property
    def endpoint(self) -> LocalEndpoint:
        """A new object each time, as every command has its own."""
        return LocalEndpoint(
            Project(self.root, FACTS),
            NAME,
            SETTINGS,
            self.clock,
            self.telemetry,
            self.serving_venvs,
        )

    @property
    def state(self) -> EndpointState:
        return StateFile(self.home).endpoint(NAME) or EndpointState()

    def version(self, number: int) -> ModelVersion:
        folder = self.home / "registry" / "tiny" / str(number)
        if not folder.exists():
            write_version(folder, number)
        return ModelVersion("tiny", number, folder)

    def served(self) -> int:
        """The version that blue serves."""
        return self.state.deployments["blue"].model_version

    def next_version(self) -> ModelVersion:
        """A version that blue does not serve."""
        return self.version(3 - self.served())

    def process(self, deployment: str = "blue") -> psutil.Process:
        record = self.state.deployments[deployment].process
        assert record
        return psutil.Process(record.pid)

    def router(self) -> psutil.Process:
        record = self.state.router
        assert record
        return psutil.Process(record.pid)

    def running(self) -> list[psutil.Process]:
        return processes_below(self.root)


def processes_below(folder: Path) -> list[psutil.Process]:
    """Return the running processes that work in a folder or below it."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            inside = Path(process.cwd()).is_relative_to(folder)
            if inside and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found
