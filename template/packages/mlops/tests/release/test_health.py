"""A deployment is not called ill for one late answer, nor well for a lasting silence."""

from dataclasses import replace

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.release import AtLevel
from mlops.platforms.base import Deployment
from mlops.release.candidate import release_version
from mlops.release.health import LOOKS, lasting_problem


def late(endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, answers: int) -> None:
    """Let so many looks find nothing healthy."""
    usual, left = endpoint.deployments, iter(range(answers))

    def deployments() -> tuple[Deployment, ...]:
        ill = next(left, None) is not None
        found = usual()
        return tuple(replace(each, healthy=each.healthy and not ill) for each in found)

    monkeypatch.setattr(endpoint, "deployments", deployments)


@pytest.mark.parametrize("answers", [0, 1, LOOKS - 1])
def test_a_late_answer_is_no_problem(
    serving: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, answers: int
) -> None:
    late(serving, monkeypatch, answers)
    slept: list[float] = []
    assert lasting_problem(serving, "blue", slept.append) == ""
    assert len(slept) == answers


def test_a_lasting_silence_is_a_problem(
    serving: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    late(serving, monkeypatch, LOOKS)
    assert lasting_problem(serving, "blue", lambda _: None) == "it does not answer"
    assert lasting_problem(serving, "green", lambda _: None) == "it is gone"


@pytest.mark.usefixtures("smoke", "small_picture")
def test_a_serving_deployment_that_is_late_once_is_compared_with_all_the_same(
    platform: FakePlatform,
    serving: FakeEndpoint,
    at_level: AtLevel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def problem(endpoint: FakeEndpoint, deployment: str, *_: object) -> str:
        asked.append(deployment)
        assert endpoint is serving
        return ""

    monkeypatch.setattr("mlops.release.candidate.lasting_problem", problem)
    released = release_version(platform, at_level(3), 2)
    assert asked == ["blue"]
    assert released.record.ab_test is not None
