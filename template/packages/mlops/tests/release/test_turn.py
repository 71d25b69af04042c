"""A release waits for its turn, for as long as it was told, and an older version gets none."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

import pytest

from fakes.clock import FakeClock
from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.release import AtLevel
from mlops.errors import PlatformError, Refused
from mlops.platforms.base import AtWork, DeploymentShare
from mlops.platforms.lease_rules import EndpointBusy
from mlops.platforms.lease_terms import USUAL, Terms
from mlops.release.candidate import ReleaseOptions, release_version
from mlops.release.traffic import rollback
from mlops.release.turn import NotItsTurn, in_turn
from mlops.release.watchers import Watchers

OTHER = "the release of version 2"
BUSY = f"another command is changing tiny-dev: {OTHER}"


class Clock(FakeClock):
    """Time that passes while one sleeps, and what happens at a moment of it."""

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[float, Callable[[], object]] = {}

    def sleep(self, seconds: float, /) -> None:
        super().sleep(seconds)
        for moment in [each for each in self.events if each <= self.now]:
            self.events.pop(moment)()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr("mlops.release.turn.time", found)
    return found


def test_a_free_endpoint_is_held_at_once(serving: FakeEndpoint, clock: Clock) -> None:
    lines: list[str] = []
    with in_turn(serving, "a release", 60, lines.append):
        pending = serving.pending()
        assert pending
        assert pending.purpose == "a release"
    assert (serving.pending(), lines, clock.now) == (None, [], 0)


def test_it_waits_until_the_other_command_ends(serving: FakeEndpoint, clock: Clock) -> None:
    lines: list[str] = []
    with ExitStack() as other:
        other.enter_context(serving.another_command(OTHER, {"blue": 100}))
        clock.events[30] = other.close
        with in_turn(serving, "a release", 3600, lines.append):
            assert 30 <= clock.now < 60
    assert lines == [f"{BUSY}: waiting for it, 60 minutes at most"]


@pytest.mark.parametrize(
    ("seconds", "waited"),
    [(0.0, ""), (60.0, ", also after 60 seconds"), (3600.0, ", also after 60 minutes")],
)
def test_it_waits_no_longer_than_it_was_told(
    serving: FakeEndpoint, clock: Clock, seconds: float, waited: str
) -> None:
    with serving.another_command(OTHER, {"blue": 100}):
        with pytest.raises(NotItsTurn) as caught, in_turn(serving, "a release", seconds):
            pytest.fail("it is not its turn")
        assert caught.value.message == f"{BUSY}{waited}, so nothing was changed here"
    assert clock.now == pytest.approx(seconds)


@pytest.mark.parametrize(("seconds", "waits"), [(3600.0, True), (20.0, False)])
def test_it_waits_while_the_platform_works_off_what_was_cut_off(
    serving: FakeEndpoint,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    waits: bool,
) -> None:
    free = serving.lease

    def lease(purpose: str, terms: Terms = USUAL) -> AbstractContextManager[None]:
        if clock.now < 30:
            raise AtWork(f"{OTHER} was interrupted")
        return free(purpose, terms)

    monkeypatch.setattr(serving, "lease", lease)
    if waits:
        with in_turn(serving, "a release", seconds):
            assert 30 <= clock.now < 60
    else:
        with (
            pytest.raises(NotItsTurn, match="interrupted, also after 20 seconds"),
            in_turn(serving, "a release", seconds),
        ):
            pytest.fail("it is not its turn")
        assert clock.now == pytest.approx(seconds)


def test_what_fails_in_its_turn_is_undone_and_not_waited_for(
    serving: FakeEndpoint, clock: Clock
) -> None:
    with pytest.raises(EndpointBusy, match="lost"), in_turn(serving, "a release", 60):
        raise EndpointBusy("lost")
    assert serving.pending() is None
    assert clock.now == 0


def test_a_release_waits_for_another_and_then_sees_what_it_left(
    platform: FakePlatform, both: FakeEndpoint, at_level: AtLevel, clock: Clock, smoke: object
) -> None:
    assert smoke
    lines: list[str] = []
    with ExitStack() as other:
        other.enter_context(both.another_command(OTHER, {"blue": 100}))
        clock.events[10] = other.close
        options = ReleaseOptions(wait_seconds=600)
        ended = release_version(platform, at_level(2), 10, Watchers(lines.append), options)
    assert ended.record.outcome == "promoted"
    assert lines[0] == f"{BUSY}: waiting for it, 10 minutes at most"


def test_a_release_that_does_not_get_its_turn_changes_nothing(
    platform: FakePlatform, both: FakeEndpoint, at_level: AtLevel, clock: Clock
) -> None:
    with both.another_command(OTHER, {"blue": 100}):
        before = list(both.calls)
        with pytest.raises(NotItsTurn, match="10 minutes") as caught:
            release_version(platform, at_level(2), 10, options=ReleaseOptions(wait_seconds=600))
        assert both.calls == before
    assert isinstance(caught.value, PlatformError)
    assert clock.now == pytest.approx(600)


@pytest.mark.usefixtures("smoke")
def test_an_older_version_takes_no_callers_from_a_newer_one(
    platform: FakePlatform, endpoint: FakeEndpoint, at_level: AtLevel
) -> None:
    endpoint.serve("blue", 2, share=100)
    with pytest.raises(Refused, match=r"version 1 is older than version 2.*tiny-dev") as caught:
        release_version(platform, at_level(2), 1)
    assert "rollback` goes back" in caught.value.remedy
    assert endpoint.traffic() == {"blue": 100}
    assert "deploy green 1" not in endpoint.calls


@pytest.mark.usefixtures("smoke")
@pytest.mark.parametrize(("number", "told"), [(1, True), (10, False)])
def test_a_rehearsal_may_and_says_so(
    platform: FakePlatform, endpoint: FakeEndpoint, at_level: AtLevel, number: int, told: bool
) -> None:
    endpoint.serve("blue", 2, share=100)
    lines: list[str] = []
    options = ReleaseOptions(rehearsal="said")
    release_version(platform, at_level(2), number, Watchers(lines.append), options)
    assert list(endpoint.serving.values()) == [number]
    assert ("version 1 is older than version 2, which a rehearsal allows" in lines) is told


@pytest.mark.usefixtures("smoke")
def test_a_rollback_may_go_back_to_an_older_version(
    platform: FakePlatform, endpoint: FakeEndpoint, at_level: AtLevel
) -> None:
    endpoint.serve("blue", 2, share=100)
    endpoint.recorded = {"blue": DeploymentShare(1, 100)}
    rollback(platform, endpoint, at_level(2).values.smoke_test)
    assert list(endpoint.serving.values()) == [1]
