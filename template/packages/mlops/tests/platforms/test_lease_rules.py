"""What completing and undoing a change comes to."""

from datetime import UTC, datetime

import pytest

from mlops.platforms.base import DeploymentShare
from mlops.platforms.lease_rules import Memory, Undone, interrupted, memory_after, undone
from mlops.platforms.lease_terms import Leaves, WayBack

BLUE = {"blue": DeploymentShare(3, 100)}
BOTH = {"blue": DeploymentShare(3, 90), "green": DeploymentShare(4, 10)}
WAY_BACK = WayBack("blue", 3, datetime(2026, 3, 1, tzinfo=UTC), withdraws=4)
KNOWN = Memory({"green": DeploymentShare(2, 100)}, WAY_BACK)


@pytest.mark.parametrize(
    ("leaves", "done", "memory"),
    [
        (Leaves.BEFORE, True, Memory(BLUE, WAY_BACK)),
        (Leaves.BEFORE, False, Memory(BLUE)),
        (Leaves.NOTHING, True, Memory(None, WAY_BACK)),
        (Leaves.NOTHING, False, Memory()),
        (Leaves.AS_IT_WAS, True, KNOWN),
        (Leaves.AS_IT_WAS, False, KNOWN),
    ],
)
def test_a_change_leaves_what_its_terms_say(leaves: Leaves, done: bool, memory: Memory) -> None:
    assert memory_after(BLUE, BOTH, KNOWN, leaves, done=done) == memory


@pytest.mark.parametrize("leaves", Leaves)
def test_what_changed_nothing_leaves_what_was_recorded(leaves: Leaves) -> None:
    assert memory_after(BLUE, dict(BLUE), KNOWN, leaves, done=False) == KNOWN
    assert memory_after({}, BLUE, KNOWN, leaves, done=False) == KNOWN


def test_undoing_restores_traffic_and_mirror() -> None:
    after = undone(BLUE, {"green": 5}, BOTH, KNOWN)
    assert after == Undone({"blue": 100, "green": 0}, {"green": 5}, KNOWN)


def test_undoing_mirrors_to_nothing_that_is_gone() -> None:
    now = {"blue": DeploymentShare(3, 50)}
    assert undone(BLUE, {"green": 5}, now, Memory()) == Undone({"blue": 100}, {}, Memory())


def test_where_what_served_was_removed_its_successor_keeps_the_traffic() -> None:
    now = {"green": DeploymentShare(4, 100)}
    assert undone(BLUE, {"green": 5}, now, KNOWN) == Undone({"green": 100}, {}, Memory(BLUE))


def test_an_interrupted_change_is_told_with_the_traffic_after_it() -> None:
    said = interrupted("a rollback", {"blue": 90, "green": 10}, done=False)
    assert said == "a rollback was interrupted: the traffic is blue 90 %, green 10 %"
    said = interrupted("a rollback", {}, done=True)
    assert said == "a rollback was interrupted at its end: the traffic is as before"
