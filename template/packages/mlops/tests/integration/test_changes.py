"""Changes of several steps: what holds while they last, and what is left when they fail."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil
import pytest

from contracts.endpoint import PURPOSE, EndpointContract, latest, observed
from fakes.changes import held_by_another, longer_by
from fakes.platform import FakePlatform
from fakes.rig import NAME, SLOW, Rig
from fakes.tiny_version import ROW
from fakes.waiting import LONGEST_SECONDS, wait_for
from mlops.artifacts.event_folders import event_folders
from mlops.clock import system_clock
from mlops.platforms.base import ModelVersion
from mlops.platforms.lease_rules import EndpointBusy
from mlops.platforms.lease_terms import RELEASE, WITHDRAWAL, WayBack
from mlops.platforms.local import processes
from mlops.platforms.local.endpoint import LocalEndpoint
from mlops.progress import silent
from mlops.release.rehearsal import Load, generated_traffic
from mlops.release.traffic import rollback
from mlops.settings.sections import SmokeTestSettings

HOLD = f"""
import json, sys
from pathlib import Path
from mlops.clock import system_clock
from mlops.errors import MlopsError
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
    try:
        endpoint.set_traffic({{"green": 100}})
    except MlopsError as error:
        print(error.message, flush=True)
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

    def scored(self, run: str) -> Path:
        return event_folders(self._rig.home, NAME).score(run)

    def another_command(
        self, traffic: dict[str, int]
    ) -> AbstractContextManager["subprocess.Popen[str]"]:
        rig = self._rig
        return held_by_another(HOLD, rig.root, NAME, rig.serving_venvs, json.dumps(traffic))

    def changed_script(self, addition: str) -> AbstractContextManager[None]:
        return longer_by(addition, self._rig.script)

    @contextmanager
    def unkept_checks(self) -> Iterator[None]:
        checks = event_folders(self._rig.home, NAME).checks
        aside = checks.rename(checks.with_name("aside"))
        today = checks / f"{system_clock():%Y-%m-%d}.jsonl"
        today.mkdir(parents=True)  # nobody can write to it, whatever a user may do
        try:
            yield
        finally:
            shutil.rmtree(checks)
            aside.rename(checks)


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


def test_a_release_that_gave_way_notices_at_its_next_step(both: Rig, rigs: Path) -> None:
    """Also once the withdrawal is over, and nobody holds the endpoint."""
    before = both.endpoint.traffic()
    with LocalPlace(both, rigs).another_command({"blue": 90, "green": 10}) as release:
        with both.endpoint.lease("the withdrawal of version 1", WITHDRAWAL):
            assert both.endpoint.traffic() == before
        assert release.stdin
        assert release.stdout
        release.stdin.write("\n")
        release.stdin.flush()
        said = release.stdout.readline()
    assert said == f"{PURPOSE} lost its hold on the endpoint {NAME} and changes nothing more\n"
    assert both.endpoint.traffic() == before
    assert both.endpoint.pending() is None


def test_while_a_withdrawal_lasts_the_release_knows_who_took_its_place(both: Rig) -> None:
    endpoint = both.endpoint
    with both.endpoint.lease("the withdrawal of version 1", WITHDRAWAL):
        with (
            pytest.raises(EndpointBusy, match="the withdrawal of version 1"),
            endpoint.lease(PURPOSE, RELEASE),
        ):
            pass
        assert both.endpoint.traffic()["blue"] == 100


def test_callers_notice_nothing_of_a_rollback_to_what_is_kept(both: Rig, tmp_path: Path) -> None:
    endpoint, platform = both.endpoint, FakePlatform(tmp_path)
    blue, green = (both.state.deployments[name].model_version for name in ("blue", "green"))
    now = system_clock()
    with endpoint.lease(PURPOSE, RELEASE):
        way = WayBack("blue", blue, now, withdraws=green)
        endpoint.set_traffic({"green": 100}, completes=True, way_back=way)
    processes_before = {name: both.process(name).pid for name in ("blue", "green")}
    with generated_traffic(endpoint.url(), endpoint.key(), [ROW], per_second=50) as load:
        for traffic in ({"blue": 100, "green": 0}, {"blue": 0, "green": 100}):
            rollback(platform, both.endpoint, SmokeTestSettings(), kept_until=now)
            assert both.endpoint.traffic() == traffic
            _wait_for_more(load)
    assert load.failed == 0
    assert {name: both.process(name).pid for name in ("blue", "green")} == processes_before


def _wait_for_more(load: Load) -> None:
    enough = load.answers[200] + 5
    wait_for(lambda: load.answers[200] > enough)


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
