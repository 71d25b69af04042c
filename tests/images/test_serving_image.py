"""The serving image: what is in it, and the server that it starts.

Its Dockerfile is built as it is, on a stand-in base with another Python than Microsoft's; what is
resolved for that one's is checked apart.
"""

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.azure.emulator import servers
from tests.support import MACHINERY, machinery_python, run, uv
from tools.worktree import ROOT

from .build import InImage
from .checks import CHECKS, Built

ROW = {"a": 1.0, "b": -0.5, "c": 0.25}
DOCKERUSER = 1001
# Writes a tiny version into a folder; prints its answer to ROW, and what a deployment is told.
VERSION = """
import json, sys
from pathlib import Path
from fakes.tiny_version import ROW, told, tiny_probability, write_version
folder = write_version(Path(sys.argv[1]))
print(json.dumps([tiny_probability(**ROW), told(folder)]))
"""


@pytest.fixture
def version(tmp_path: Path) -> tuple[Path, float, dict[str, str]]:
    """A deployment's folder with code and model, the model's answer, what the server is told."""
    command = (machinery_python(), "-c", VERSION, tmp_path / "deployed" / "model" / "version")
    said = run(*command, folder=MACHINERY / "tests")
    answer, told = json.loads(said.strip().splitlines()[-1])
    shutil.copytree(ROOT / "template" / "serving", tmp_path / "deployed" / "code")
    return tmp_path / "deployed", answer, told


@contextmanager
def served(image: Built, folder: Path, told: dict[str, str]) -> Iterator[servers.Server]:
    starting = servers.start(folder, InImage(image.container), "score.py", told)
    server = asyncio.run(starting)
    try:
        yield server
    finally:
        server.stop()


def users_of(port: int) -> set[int]:
    """The ids of the users as whom Python serves a port."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            if str(port).encode() in arguments and b"python" in arguments[0]:
                found.add(process.stat().st_uid)
        except OSError:  # it has ended
            continue
    return found


@pytest.mark.needs("images")
@pytest.mark.parametrize("check", CHECKS)
def test_it_is_as_it_should_be(serving: Built, check: str) -> None:
    assert CHECKS[check](serving) == []


@pytest.mark.needs("images")
def test_the_server_answers_as_a_user_without_rights(
    serving: Built, version: tuple[Path, float, dict[str, str]]
) -> None:
    folder, answer, told = version
    assert serving.container.run("id", "--user", "--name").split() == ["dockeruser"]
    with served(serving, folder, told) as server:
        url = f"http://127.0.0.1:{server.port}/score"
        good = requests.post(url, json={"data": [ROW]}, timeout=60)
        bad = requests.post(url, json={"data": [{**ROW, "b": None}]}, timeout=60)
        assert users_of(server.port) == {DOCKERUSER}
    assert good.status_code == 200
    assert good.json()["probabilities"] == pytest.approx([answer], abs=1e-5)
    assert (bad.status_code, bad.json()) == (400, {"error": 'row 0: "b" must not be null'})
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=60)


@pytest.mark.needs("images")
def test_the_server_refuses_a_model_that_was_not_deployed(
    serving: Built, version: tuple[Path, float, dict[str, str]]
) -> None:
    folder, _, told = version
    with (folder / "model" / "version" / "model.onnx").open("ab") as model:
        model.write(b"\0")
    with pytest.raises(servers.CrashedError), served(serving, folder, told):
        pass
    log = (folder / "log.txt").read_text(encoding="utf-8")
    assert "model.onnx is not the file that was deployed" in log


def test_the_python_of_microsofts_base_has_a_wheel_of_each_package() -> None:
    """The base has Python 3.12 on Ubuntu 22.04, so glibc 2.35."""
    requirements = ROOT / "template" / "serving" / "requirements.txt"
    base = ("--python-version", "3.12", "--python-platform", "x86_64-manylinux_2_35")
    options = ("--only-binary", ":all:", "--no-annotate", "--no-header")
    said = run(uv(), "pip", "compile", "--quiet", *base, *options, requirements, folder=ROOT)
    resolved = {line for line in said.splitlines() if "==" in line}
    lines = requirements.read_text(encoding="utf-8").splitlines()
    pinned = {line.partition(" ;")[0] for line in lines if not line.startswith("#")}
    assert len(resolved) > 30
    assert resolved <= pinned
