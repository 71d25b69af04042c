"""A deployment that outlives a sign-in is started once, and waited for as often as it takes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops.ci.deployment import POLL_SECONDS, Deployment, run_az, run_name
from mlops.errors import PlatformError


@dataclass
class FakeAz:
    """Azure's deployments of one group, each with the states that it has, one a question."""

    deployments: dict[str, list[str]] = field(default_factory=dict)
    starts: list[str] = field(default_factory=lambda: ["Accepted", "Running", "Succeeded"])
    faults: int = 0
    error: object = None
    created: list[str] = field(default_factory=list)

    def __call__(self, words: Sequence[str]) -> tuple[int, str, str]:
        if self.faults:
            self.faults -= 1
            return 1, "", "Connection reset"
        if words[2] == "list":
            return 0, json.dumps(self.running()), ""
        name = words[words.index("--name") + 1]
        if words[2] == "create":
            assert "--no-wait" in words
            self.created.append(name)
            self.deployments[name] = list(self.starts)
            return 0, "", ""
        if name not in self.deployments:
            return 3, "", f"(DeploymentNotFound) Deployment '{name}' could not be found."
        if "properties.error" in words:
            return 0, json.dumps(self.error), ""
        states = self.deployments[name]
        return 0, json.dumps(states.pop(0) if len(states) > 1 else states[0]), ""

    def running(self) -> list[str]:
        ended = ("Succeeded", "Failed", "Canceled")
        return [name for name, states in self.deployments.items() if states[0] not in ended]


@dataclass
class Clock:
    seconds: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def now(self) -> float:
        return self.seconds


def deployment(az: FakeAz, said: list[str], attempt: str = "1") -> Deployment:
    clock = Clock()
    return Deployment(
        "rg-prod", "7", attempt, "infra/prod.bicepparam", az, said.append, clock.sleep, clock.now
    )


def test_it_is_started_and_its_end_is_told() -> None:
    az, said = FakeAz(), list[str]()
    assert deployment(az, said).advance(600)
    assert az.created == ["infra-7-1"]
    assert said == ["infra-7-1 was started", "infra-7-1 succeeded"]


def test_one_that_takes_longer_than_a_sign_in_is_waited_for_again_and_started_once() -> None:
    az, said = FakeAz(starts=["Running"] * 10 + ["Succeeded"]), list[str]()
    assert [deployment(az, said).advance(3 * POLL_SECONDS) for _ in range(3)] == [
        False,
        False,
        True,
    ]
    assert az.created == ["infra-7-1"]


def test_a_new_attempt_goes_on_waiting_for_the_one_before() -> None:
    az, said = FakeAz({"infra-7-1": ["Running", "Running", "Succeeded"]}), list[str]()
    assert deployment(az, said, attempt="2").advance(600)
    assert az.created == []
    assert "infra-7-1 of an earlier attempt still runs: waiting for it" in said


@pytest.mark.parametrize("state", ["Failed", "Canceled"])
def test_a_new_attempt_begins_anew_where_the_one_before_failed(state: str) -> None:
    az = FakeAz({"infra-7-1": [state]})
    assert deployment(az, [], attempt="2").advance(600)
    assert az.created == ["infra-7-2"]


@pytest.mark.parametrize("end", ["Succeeded", "Failed"])
def test_one_of_another_run_is_waited_for_first(end: str) -> None:
    az, said = (
        FakeAz({"infra-70-1": ["Running", "Running", end], "other": ["Succeeded"]}),
        list[str](),
    )
    assert deployment(az, said).advance(600)
    assert az.created == ["infra-7-1"]
    assert said[0] == "infra-70-1, another deployment, still runs: waiting for it first"


def test_while_one_of_another_run_goes_on_nothing_is_started() -> None:
    az = FakeAz({"infra-70-1": ["Running"]})
    assert not deployment(az, []).advance(600)
    assert az.created == []


@pytest.mark.parametrize("state", ["Failed", "Canceled"])
def test_one_that_fails_says_why(state: str) -> None:
    az = FakeAz(starts=["Running", state], error={"code": "DeploymentFailed", "message": "Quota"})
    with pytest.raises(PlatformError, match=rf'infra-7-1 ended as {state}: (?s:.*)"Quota"'):
        deployment(az, []).advance(600)


def test_what_azure_refuses_to_start_is_told() -> None:
    def refuse(words: Sequence[str]) -> tuple[int, str, str]:
        code = {"list": 0}.get(words[2], 1)
        return code, "[]", "DeploymentNotFound" if words[2] == "show" else "InvalidTemplate"

    with pytest.raises(PlatformError, match="infra-7-1 was not started: InvalidTemplate"):
        Deployment("g", "7", "1", "p", refuse, print).advance(600)


def test_a_fault_that_passes_ends_nothing_and_one_that_stays_does() -> None:
    assert deployment(FakeAz(faults=4), []).advance(600)
    with pytest.raises(PlatformError, match="does not say how the deployment goes: Connection"):
        deployment(FakeAz(faults=5), []).advance(600)


def test_each_environment_and_each_call_by_hand_has_a_name_of_its_own() -> None:
    at = datetime(2026, 11, 29, 15, 45, tzinfo=UTC)
    assert run_name("dev", "7", at) == "dev-7"
    assert run_name("dev", None, at) == "dev-by-hand-20261129T154500"
    assert run_name("dev", None, at.replace(second=1)) == "dev-by-hand-20261129T154501"


def test_az_is_run_as_the_path_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    there = tmp_path / "az.cmd"
    there.write_text("#!/bin/sh\necho $1\n", encoding="utf-8")
    there.chmod(0o755)
    monkeypatch.setattr("shutil.which", {"az": str(there)}.get)
    assert run_az(["version"]) == (0, "version\n", "")
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(PlatformError, match="az is not on PATH"):
        run_az(["version"])
