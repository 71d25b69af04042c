"""Changes of several steps: what holds while they last, and what is left when they fail."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest

from contracts.endpoint import PURPOSE, EndpointContract, latest, observed
from fakes.changes import held_by_another, longer_by
from fakes.rig import NAME, SLOW, Rig
from fakes.tiny_version import ROW
from fakes.waiting import LONGEST_SECONDS, wait_for
from mlops.platforms.base import ModelVersion
from mlops.platforms.local import processes
from mlops.platforms.local.endpoint import LocalEndpoint
from mlops.progress import silent

HOLD = f"""
import json, sys
from pathlib import Path
from mlops.clock import system_clock
from mlops.monitoring.telemetry import Telemetry
from mlops.platforms.lease_terms import RELEASE
from mlops.platforms.local.endpoint import LocalEndpoint
from mlops.settings.project import find_project
from mlops.settings.sections import EndpointSettings
root, name, environments, traffic = sys.argv[1:]
endpoint = LocalEndpoint(
    find_project(Path(root)),
    name,
    EndpointSettings(),
    system_clock,
    Telemetry("dev"),
    Path(environments),
)
with endpoint.lease("{PURPOSE}", RELEASE):
    endpoint.set_mirror(None)
    endpoint.set_traffic(json.loads(traffic))
    print("held", flush=True)
    sys.stdin.readline()
    endpoint.set_traffic({{"green": 100}})
"""


class LocalPlace:
    """The endpoint of a rig, as the contract asks for it."""

    def __init__(self, rig: Rig, rigs: Path) -> None:
        self._rig = rig
        self._unused = Rig(rigs / "unused", rig.serving_venvs)

    @property
    def endpoint(self) -> LocalEndpoint:
        return self._rig.endpoint

    @property
    def unused(self) -> LocalEndpoint:
        return self._unused.endpoint

    def running(self) -> list[psutil.Process]:
        return [*self._rig.running(), *self._unused.running()]

    def version(self, number: int) -> ModelVersion:
        return self._rig.version(number)

    def another_command(self, traffic: dict[str, int]) -> AbstractContextManager[None]:
        rig = self._rig
        return held_by_another(HOLD, rig.root, NAME, rig.serving_venvs, json.dumps(traffic))

    def changed_script(self, addition: str) -> AbstractContextManager[None]:
        return longer_by(addition, self._rig.script)


@pytest.fixture
def both(rig: Rig) -> Rig:
    """A rig with blue, which has all traffic, and green."""
    if "green" not in rig.state.deployments:
        rig.endpoint.deploy("green", rig.next_version(), silent)
    return rig


class TestLocalEndpoint(EndpointContract):
    @pytest.fixture
    def place(self, both: Rig, rigs: Path) -> LocalPlace:
        return LocalPlace(both, rigs)

    @pytest.fixture(autouse=True)
    def _no_process_is_left(
        self, place: LocalPlace, request: pytest.FixtureRequest
    ) -> Iterator[None]:
        """Whatever fails or is taken back leaves no server behind."""
        before = place.running()
        yield
        if "crash" in request.node.name or "taken_back" in request.node.name:
            assert place.running() == before


def test_a_dead_green_disturbs_nobody_and_is_seen(both: Rig) -> None:
    endpoint = both.endpoint
    with endpoint.lease("the A/B test of green"):
        after = latest(endpoint)
        endpoint.set_mirror("green", 50)
        green = both.process("green")
        for process in (green, *green.children(recursive=True)):  # it would start others
            process.kill()
        green.wait(LONGEST_SECONDS)
        answers = [endpoint.invoke({"data": [ROW]}) for _ in range(30)]
        assert {(each.status, each.body["model_version"]) for each in answers} == {
            (200, both.served())
        }
        found = observed(endpoint, after, lambda each: sum(e.mirrored for e in each) >= 3)
        assert {each.status for each in found if each.mirrored} == {502}
        endpoint.set_mirror(None)
        # it is the change's to judge: no request starts what it watches again
        assert {each.name: each.healthy for each in endpoint.deployments()}["green"] is False


def test_an_open_request_is_answered_before_its_deployment_goes(
    both: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_GRACE_SECONDS", 0.0)
    payload = {"data": [{**ROW, "a": SLOW}]}
    with ThreadPoolExecutor() as others:
        answer = others.submit(both.endpoint.invoke, payload, "green")
        wait_for((both.home / "waiting").exists)
        deletion = others.submit(both.endpoint.delete, "green")
        wait_for(lambda: "green" not in both.state.deployments)
        assert both.endpoint.invoke({"data": [ROW]}).status == 200
        (both.home / "go").touch()
        deletion.result()
        assert answer.result().status == 200
