"""Projects of the tests' own whose endpoints are served by the real inference server."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from {{ package_name }}.platforms.base import ModelVersion, silent
from {{ package_name }}.platforms.local_endpoint import LocalEndpoint
from {{ package_name }}.platforms.serving_env import environment_python
from {{ package_name }}.platforms.state import EndpointState, StateFile
from {{ package_name }}.project import Project
from {{ package_name }}.settings import EndpointSettings

from ..tiny_version import write_version

ROOT = Path(__file__).parents[2]
NAME = "tiny-dev"
SLOW = 99
SLOW_SCRIPT = f"""
score_at_once = run

def run(raw_data):
    import time
    from pathlib import Path
    home = Path(__file__).parents[2]
    while '"a": {SLOW}' in raw_data and not (home / "go").exists():
        (home / "waiting").touch()
        time.sleep(0.01)
    return score_at_once(raw_data)
"""


class Rig:
    """A project folder with this project's scoring code and the tiny model."""

    def __init__(self, root: Path, environments: Path) -> None:
        self.root = root
        self.environments = environments
        if not root.exists():
            root.mkdir(parents=True)
            shutil.copy(ROOT / "pyproject.toml", root)
            shutil.copytree(ROOT / "serving", root / "serving")

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
            Project(self.root, {}), NAME, EndpointSettings(), environments=self.environments
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


@pytest.fixture(scope="session")
def environments() -> Path:
    """The folder of this project's serving environment, which is made only once."""
    store = ROOT / ".mlops" / "serving-env"
    environment_python(ROOT, ROOT / "serving" / "requirements.txt", store, silent)
    return store


@pytest.fixture(scope="session")
def rigs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of all rigs; whatever still runs there at the end is killed."""
    folder = tmp_path_factory.mktemp("rigs").resolve()
    yield folder
    for process in processes_below(folder):
        with contextlib.suppress(psutil.Error):
            process.kill()


@pytest.fixture(scope="session")
def shared_rig(rigs: Path, environments: Path) -> Rig:
    """A rig that serves version 1; it answers a row whose `a` is SLOW once there is a file `go`."""
    rig = Rig(rigs / "shared", environments)
    rig.script.write_text(rig.script.read_text() + SLOW_SCRIPT)
    rig.endpoint.deploy("blue", rig.version(1), silent)
    return rig


@pytest.fixture
def rig(shared_rig: Rig) -> Rig:
    """A rig that serves, whatever the test before did to it."""
    endpoint = shared_rig.endpoint
    endpoint.repair(silent)
    if endpoint.mirror():
        endpoint.set_mirror(None)
    shares = {name: 100 * (name == "blue") for name in endpoint.traffic()}
    if endpoint.traffic() != shares:
        endpoint.set_traffic(shares)
    assert endpoint.invoke({"data": []}).status == 400
    return shared_rig
