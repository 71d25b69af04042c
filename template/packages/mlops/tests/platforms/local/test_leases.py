"""What taking, completing and undoing a change makes of an endpoint's state."""

import os
from dataclasses import replace

import psutil

from mlops.platforms import process_identity
from mlops.platforms.base import DeploymentShare
from mlops.platforms.lease_terms import RELEASE, WITHDRAWAL
from mlops.platforms.local import leases
from mlops.platforms.local.state import DeploymentState, EndpointState, Lease


def deployment(version: int) -> DeploymentState:
    return DeploymentState("tiny", version, "", "", "", "")


BEFORE = EndpointState(
    traffic={"blue": 90, "green": 10},
    deployments={"blue": deployment(1), "green": deployment(2)},
)
SHARES = {"blue": DeploymentShare(1, 90), "green": DeploymentShare(2, 10)}


def test_a_lease_remembers_how_it_was_and_who_holds_it() -> None:
    taken = leases.taken(replace(BEFORE, mirror={"green": 20}), "the release of version 2")
    assert taken.lease
    assert taken.lease.purpose == "the release of version 2"
    assert taken.lease.before == SHARES
    assert taken.lease.mirror == {"green": 20}
    assert leases.is_held(taken.lease)
    assert leases.is_own(taken.lease)


def test_a_dead_process_holds_nothing() -> None:
    pid, create_time = process_identity.this_process()
    assert not leases.is_held(None)
    assert not leases.is_held(Lease("x", pid, create_time - 60, {}, {}))
    parent = psutil.Process(os.getppid())
    other = Lease("x", parent.pid, process_identity.start_time(parent), {}, {})
    assert leases.is_held(other)
    assert not leases.is_own(other)


def test_a_completed_change_records_what_was_before() -> None:
    changed = replace(leases.taken(BEFORE, "x"), traffic={"blue": 0, "green": 100})
    done = leases.completed(changed)
    assert done.lease is None
    assert done.traffic == {"blue": 0, "green": 100}
    assert done.previous == SHARES


def test_another_version_under_the_same_name_is_a_change() -> None:
    changed = replace(
        leases.taken(BEFORE, "x"), deployments={"blue": deployment(3), "green": deployment(2)}
    )
    assert leases.completed(changed).previous == SHARES


def test_a_change_that_changed_nothing_is_not_recorded() -> None:
    recorded = {"blue": DeploymentShare(7, 100)}
    done = leases.completed(leases.taken(replace(BEFORE, previous=recorded), "x"))
    assert done == replace(BEFORE, previous=recorded)


def test_before_the_first_deployment_there_is_nothing_to_go_back_to() -> None:
    first = replace(
        leases.taken(EndpointState(), "x"),
        traffic={"blue": 100},
        deployments={"blue": deployment(1)},
    )
    assert leases.completed(first).previous is None
    assert leases.ended(first).traffic == {"blue": 0}


def test_a_failed_change_is_undone() -> None:
    before = replace(BEFORE, mirror={"green": 20}, traffic={"blue": 100, "green": 0})
    failed = replace(
        leases.taken(before, "x"),
        mirror={},
        traffic={"blue": 0, "green": 0, "red": 100},
        deployments={**BEFORE.deployments, "red": deployment(3)},
    )
    undone = leases.ended(failed)
    assert undone.lease is None
    assert undone.previous is None
    assert undone.traffic == {"blue": 100, "green": 0, "red": 0}
    assert undone.mirror == {"green": 20}


def test_a_mirror_to_a_removed_deployment_ends() -> None:
    before = replace(BEFORE, mirror={"green": 20}, traffic={"blue": 100, "green": 0})
    failed = replace(leases.taken(before, "x"), deployments={"blue": deployment(1)})
    assert leases.ended(failed).mirror == {}


def test_traffic_never_goes_back_to_a_deployment_that_was_removed() -> None:
    failed = replace(
        leases.taken(BEFORE, "x"), traffic={"green": 100}, deployments={"green": deployment(2)}
    )
    undone = leases.ended(failed)
    assert undone.traffic == {"green": 100}
    assert undone.previous == SHARES


def test_what_gives_way_is_undone_and_what_was_done_is_not() -> None:
    before = replace(BEFORE, traffic={"blue": 100, "green": 0})
    release = leases.taken(before, "the release of version 2", RELEASE)
    tried = replace(release, traffic={"blue": 90, "green": 10}, mirror={"green": 20})
    assert leases.gives_way(tried.lease, WITHDRAWAL)
    assert not leases.gives_way(tried.lease, RELEASE)
    taken = leases.taken(tried, "the withdrawal of version 1", WITHDRAWAL)
    assert (taken.traffic, taken.mirror) == ({"blue": 100, "green": 0}, {})
    assert taken.lease
    assert (taken.lease.purpose, taken.lease.yields) == ("the withdrawal of version 1", False)
    assert not leases.gives_way(leases.done(tried).lease, WITHDRAWAL)
    assert not leases.gives_way(leases.taken(before, "a switch").lease, WITHDRAWAL)


def test_without_a_lease_nothing_is_undone() -> None:
    assert leases.ended(BEFORE) == BEFORE
    assert leases.completed(BEFORE) == BEFORE


def test_what_was_done_is_not_undone_when_its_process_is_found_dead() -> None:
    taken = leases.taken(replace(BEFORE, mirror={"green": 20}), "x")
    switched = replace(taken, traffic={"blue": 0, "green": 100}, mirror={})
    assert leases.ended(switched).traffic == {"blue": 90, "green": 10}
    done = leases.done(switched)
    assert leases.is_held(done.lease)
    ended = leases.ended(done)
    assert (ended.traffic, ended.mirror, ended.lease) == ({"blue": 0, "green": 100}, {}, None)
    assert ended.previous == SHARES


def test_the_origin_is_the_scoring_code() -> None:
    old = replace(deployment(1), code="serving-code/0123")
    new = replace(deployment(1), code="serving-code/4567")
    taken = leases.taken(replace(BEFORE, deployments={"blue": old}), "x")
    done = leases.completed(replace(taken, deployments={"blue": new}))
    assert done.previous == {"blue": DeploymentShare(1, 90, "0123")}
