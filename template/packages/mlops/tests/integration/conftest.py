"""Rigs for the tests: a serving environment made once, whatever runs killed at the end."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fakes.places import HOME, PROJECT, SERVING_VENVS
from fakes.rig import SLOW_SCRIPT, Rig, processes_below
from mlops.platforms.serving_env import serving_python
from mlops.progress import silent


@pytest.fixture(scope="session")
def serving_venvs() -> Path:
    """The folder of the virtual environment that serves, which is made only once."""
    requirements = PROJECT / "serving" / "requirements.txt"
    serving_python(HOME, requirements, SERVING_VENVS, silent)
    return SERVING_VENVS


@pytest.fixture(scope="session")
def rigs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of all rigs; whatever still runs there at the end is killed."""
    folder = tmp_path_factory.mktemp("rigs").resolve()
    yield folder
    for process in processes_below(folder):
        with contextlib.suppress(psutil.Error):
            process.kill()


@pytest.fixture(scope="session")
def shared_rig(rigs: Path, serving_venvs: Path) -> Rig:
    """A rig that serves version 1; it answers a row whose `a` is SLOW once there is a file `go`.

    At one whose `a` is FAILS it fails.
    """
    rig = Rig(rigs / "shared", serving_venvs)
    rig.script.write_text(rig.script.read_text() + SLOW_SCRIPT)
    rig.endpoint.deploy("blue", rig.version(1), silent)
    return rig


@pytest.fixture
def rig(shared_rig: Rig) -> Rig:
    """A rig that serves, whatever the test before did to it."""
    for signal in ("waiting", "go"):
        (shared_rig.home / signal).unlink(missing_ok=True)
    endpoint = shared_rig.endpoint
    endpoint.repair(silent)
    if endpoint.mirror():
        endpoint.set_mirror(None)
    shares = {name: 100 * (name == "blue") for name in endpoint.traffic()}
    if endpoint.traffic() != shares:
        endpoint.set_traffic(shares)
    assert endpoint.invoke({"data": []}).status == 400
    return shared_rig
