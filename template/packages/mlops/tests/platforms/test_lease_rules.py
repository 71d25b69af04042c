"""What completing and undoing a change comes to."""

from mlops.platforms.base import DeploymentShare
from mlops.platforms.lease_rules import Undone, interrupted, undone

BLUE = {"blue": DeploymentShare(3, 100)}
BOTH = {"blue": DeploymentShare(3, 90), "green": DeploymentShare(4, 10)}


def test_undoing_restores_traffic_and_mirror() -> None:
    assert undone(BLUE, {"green": 5}, BOTH) == Undone({"blue": 100, "green": 0}, {"green": 5}, None)


def test_undoing_mirrors_to_nothing_that_is_gone() -> None:
    now = {"blue": DeploymentShare(3, 50)}
    assert undone(BLUE, {"green": 5}, now) == Undone({"blue": 100}, {}, None)


def test_where_what_served_was_removed_its_successor_keeps_the_traffic() -> None:
    now = {"green": DeploymentShare(4, 100)}
    assert undone(BLUE, {"green": 5}, now) == Undone({"green": 100}, {}, BLUE)


def test_an_interrupted_change_is_told_with_the_traffic_after_it() -> None:
    said = interrupted("a rollback", {"blue": 90, "green": 10}, done=False)
    assert said == "a rollback was interrupted: the traffic is blue 90 %, green 10 %"
    said = interrupted("a rollback", {}, done=True)
    assert said == "a rollback was interrupted at its end: the traffic is as before"
