"""What happens to an endpoint when something dies, is interrupted, moved or copied."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from fakes.rig import NAME, SLOW, Rig
from fakes.tiny_version import ROW
from fakes.waiting import LONGEST_SECONDS, wait_for
from mlops.errors import PlatformError
from mlops.platforms.base import Answer
from mlops.platforms.local import processes
from mlops.platforms.local import servers as local_servers
from mlops.platforms.local.servers import LocalServers
from mlops.progress import silent

COMPLEMENT = """
class Wrong(ort.InferenceSession):
    def run(self, outputs, inputs):
        return [1 - super().run(outputs, inputs)[0]]

ort.InferenceSession = Wrong
"""
CRASH = "\ndef init():\n    raise ValueError('the model is broken')\n"
HANG = "\ndef init():\n    import time\n    time.sleep(600)\n"
DEPLOY = """
import sys
from pathlib import Path
from mlops.clock import system_clock
from mlops.monitoring.telemetry import Telemetry
from mlops.platforms.base import ModelVersion
from mlops.progress import silent
from mlops.platforms.local.endpoint import LocalEndpoint
from mlops.settings.project import find_project
from mlops.settings.sections import EndpointSettings
root, name, environments, version = sys.argv[1:]
endpoint = LocalEndpoint(
    find_project(Path(root)),
    name,
    EndpointSettings(),
    system_clock,
    Telemetry("dev"),
    Path(environments),
)
endpoint.deploy("blue", ModelVersion("tiny", 1, Path(version)), silent)
"""


@contextmanager
def changed_script(rig: Rig, addition: str) -> Iterator[None]:
    code = rig.script.read_text()
    rig.script.write_text(code + addition)
    try:
        yield
    finally:
        rig.script.write_text(code)


def kill(process: psutil.Process) -> None:
    process.kill()
    process.wait(LONGEST_SECONDS)


def answer_of(rig: Rig) -> Answer:
    return rig.endpoint.invoke({"data": [ROW]})


def test_a_killed_server_comes_back_with_the_next_deploy(rig: Rig) -> None:
    url, version = rig.endpoint.url(), rig.version(rig.served())
    kill(rig.process())
    (blue, *_) = rig.endpoint.deployments()
    assert (blue.healthy, blue.detail) == (False, "not running")
    rig.endpoint.deploy("blue", version, silent)
    assert answer_of(rig).body["model_version"] == version.version
    assert rig.endpoint.url() == url


def test_a_killed_router_comes_back_with_the_next_requests(rig: Rig) -> None:
    url, server = rig.endpoint.url(), rig.process()
    rig.router().kill()  # and do not wait: the next request meets it while it dies
    with ThreadPoolExecutor() as callers:
        answers = callers.map(answer_of, [rig, rig, rig])
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert rig.endpoint.url() == url
    assert rig.process() == server


def test_a_reused_process_id_is_not_taken_for_the_router(rig: Rig) -> None:
    kill(rig.router())
    recorded = rig.state.router
    assert recorded
    # what a reboot may leave: an id that is somebody else's now
    strange = replace(recorded, pid=rig.process().pid, token="gone")
    rig.endpoint._state.change(NAME, lambda s: replace(s, router=strange))
    assert answer_of(rig).status == 200


@pytest.mark.skipif(sys.platform == "win32", reason="a suspended process is a POSIX matter")
def test_a_router_that_hangs_is_replaced_when_the_traffic_changes(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in (
        (local_servers, "_FOLLOW_SECONDS"),
        (local_servers, "PROBE_SECONDS"),
        (processes, "_GRACE_SECONDS"),
    ):
        monkeypatch.setattr(module, name, 0.2)
    url, hanging = rig.endpoint.url(), rig.router()
    hanging.suspend()
    rig.endpoint.set_traffic({"blue": 100})
    assert hanging not in rig.running()
    assert rig.endpoint.url() == url
    assert answer_of(rig).status == 200


@pytest.mark.skipif(sys.platform == "win32", reason="a suspended process is a POSIX matter")
def test_a_router_that_hangs_is_replaced_by_a_repair(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_servers, "PROBE_SECONDS", 0.3)
    monkeypatch.setattr(processes, "_GRACE_SECONDS", 0.1)
    url, hanging = rig.endpoint.url(), rig.router()
    hanging.suspend()
    rig.endpoint.repair(silent)
    assert hanging not in rig.running()
    assert rig.endpoint.url() == url
    assert answer_of(rig).status == 200


def test_a_first_deployment_that_crashes_leaves_nothing(rigs: Path, serving_venvs: Path) -> None:
    rig = Rig(rigs / "first", serving_venvs)
    with changed_script(rig, CRASH), pytest.raises(PlatformError, match="broken"):
        rig.endpoint.deploy("blue", rig.version(1), silent)
    assert not rig.endpoint.exists()
    assert rig.running() == []


def test_a_runtime_that_answers_the_complement_is_stopped_by_the_servers_own_check(
    rig: Rig,
) -> None:
    before = rig.running()
    said = r"RefusedToStart: ONNX Runtime .* answers 2 of 3 probes otherwise than where the model"
    with changed_script(rig, COMPLEMENT), pytest.raises(PlatformError, match=said):
        rig.endpoint.deploy("blue", rig.next_version(), silent)
    assert rig.running() == before


def test_a_model_that_is_replaced_before_the_server_reads_it_is_not_served(rig: Rig) -> None:
    """Only the copy on the machine that deploys was checked; here the mounted one changes later."""
    before, version = rig.running(), rig.next_version()
    replace_it = (
        "\nchecked = check_files\ndef check_files(folder, told):\n"
        "    (folder / 'model.onnx').write_bytes(b'another')\n    checked(folder, told)\n"
    )
    content = (version.folder / "model.onnx").read_bytes()
    said = r"RefusedToStart: model\.onnx is not the file that was deployed"
    with changed_script(rig, replace_it), pytest.raises(PlatformError, match=said):
        rig.endpoint.deploy("blue", version, silent)
    (version.folder / "model.onnx").write_bytes(content)
    assert rig.running() == before


def test_a_server_of_another_version_is_refused(rig: Rig) -> None:
    before = rig.running()
    wrong = (
        "\nright = run\ndef run(raw_data):\n    return {**right(raw_data), 'model_version': 9}\n"
    )
    with changed_script(rig, wrong), pytest.raises(PlatformError, match="'model_version': 9"):
        rig.endpoint.deploy("blue", rig.next_version(), silent)
    assert rig.running() == before


def test_no_request_fails_while_a_deployment_is_replaced(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_GRACE_SECONDS", 0.0)
    old, new = rig.served(), rig.next_version()
    answers: list[Answer] = []
    slow: list[Answer] = []
    over = threading.Event()

    def call() -> None:
        while not over.is_set():
            answers.append(answer_of(rig))

    row = {**ROW, "a": SLOW}
    caller = threading.Thread(target=call)
    waiter = threading.Thread(target=lambda: slow.append(rig.endpoint.invoke({"data": [row]})))
    deployer = threading.Thread(target=rig.endpoint.deploy, args=("blue", new, silent))
    caller.start()
    wait_for(lambda: len(answers) > 5)
    waiter.start()
    wait_for((rig.home / "waiting").exists)
    deployer.start()
    wait_for(lambda: rig.served() == new.version)
    wait_for(lambda: answer_of(rig).body["model_version"] == new.version)
    (rig.home / "go").touch()
    waiter.join()
    deployer.join()
    wait_for(lambda: answers[-1].body["model_version"] == new.version)
    over.set()
    caller.join()
    assert {answer.status for answer in answers} == {200}
    versions = [answer.body["model_version"] for answer in answers]
    assert versions == sorted(versions, key=[old, new.version].index)
    assert [(answer.status, answer.body["model_version"]) for answer in slow] == [(200, old)]


def test_an_interrupted_start_leaves_all_as_it_was(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, running = rig.state, rig.running()

    def interrupt(*_arguments: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(processes, "listens", interrupt)
        with pytest.raises(KeyboardInterrupt):
            rig.endpoint.deploy("blue", rig.next_version(), silent)
    assert replace(rig.state, revision=before.revision) == before
    assert rig.running() == running


def test_an_interruption_after_the_switch_leaves_the_new_version(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, count, old = rig.next_version(), len(rig.running()), rig.process()

    def interrupt(_servers: LocalServers) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(LocalServers, "drain", interrupt)
    with pytest.raises(KeyboardInterrupt):
        rig.endpoint.deploy("blue", new, silent)
    assert answer_of(rig).body["model_version"] == new.version
    assert old not in rig.running()
    assert len(rig.running()) == count


def test_a_deploy_that_was_killed_is_cleaned_up_by_the_next_command(rig: Rig) -> None:
    running, served = rig.running(), rig.served()
    arguments = [rig.root, NAME, rig.serving_venvs, rig.next_version().folder]
    with changed_script(rig, HANG):
        command = subprocess.Popen([sys.executable, "-c", DEPLOY, *map(str, arguments)])
        wait_for(lambda: any(record.pid for record in rig.state.leftovers))
        command.kill()
        command.wait()
    assert len(rig.running()) > len(running)
    assert answer_of(rig).body["model_version"] == served
    assert rig.state.leftovers == ()
    assert rig.running() == running


def test_projects_do_not_collide_and_can_be_copied_and_moved(
    rig: Rig, rigs: Path, serving_venvs: Path
) -> None:
    other = Rig(rigs / "other", serving_venvs)
    other.endpoint.deploy("blue", other.version(1), silent)
    assert other.endpoint.traffic() == {"blue": 100}
    assert answer_of(rig).body["model_version"] == rig.served()
    assert other.endpoint.url() != rig.endpoint.url()
    assert other.endpoint.key() != rig.endpoint.key()

    shutil.copytree(other.root, rigs / "copy")
    copy = Rig(rigs / "copy", serving_venvs)
    assert [each.healthy for each in copy.endpoint.deployments()] == [False]
    model = copy.version(1).folder / "model.onnx"
    content = model.read_bytes()
    model.write_bytes(content + b"\0")
    lines: list[str] = []
    copy.endpoint.repair(lines.append)
    assert any("is taken by another program" in line for line in lines)
    assert any("blue could not be started again" in line for line in lines)
    assert "not the file that was registered" in copy.endpoint.deployments()[0].detail
    assert answer_of(copy).status == 502
    model.write_bytes(content)
    assert answer_of(copy).status == 502
    copy.endpoint.repair(silent)
    assert copy.endpoint.url() != other.endpoint.url()
    assert answer_of(copy).status == 200
    assert str(copy.root) in " ".join(copy.process().cmdline())
    copy.endpoint.stop()
    assert copy.running() == []

    processes_before = (other.process(), other.router())
    url = other.endpoint.url()
    moved = Rig(other.root.rename(rigs / "moved"), serving_venvs)
    assert [each.healthy for each in moved.endpoint.deployments()] == [True]
    assert answer_of(moved).status == 200
    assert (moved.process(), moved.router()) == processes_before
    moved.endpoint.deploy("blue", moved.next_version(), silent)
    assert answer_of(moved).body["model_version"] == moved.served()
    assert moved.endpoint.url() == url
    moved.endpoint.stop()
    assert moved.running() == []
