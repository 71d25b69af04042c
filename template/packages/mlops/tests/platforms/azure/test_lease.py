"""The lease in an endpoint's tags: written, read and undone."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mlops.platforms.azure import lease as leases
from mlops.platforms.base import DeploymentShare
from mlops.platforms.lease_rules import Memory
from mlops.platforms.lease_terms import WITHDRAWAL, Leaves, WayBack

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BLUE = {"blue": DeploymentShare(3, 100)}
BOTH = {"blue": DeploymentShare(3, 90), "green": DeploymentShare(4, 10)}
SOON = NOW + timedelta(seconds=300)
LEASE = leases.taken("me", "the release of version 4", BLUE, {"green": 5}, SOON)


def test_a_lease_survives_its_tags() -> None:
    tags = leases.with_lease({"team": "ours"}, LEASE)
    assert leases.read_lease(tags) == LEASE
    assert tags["team"] == "ours"
    assert leases.with_lease(tags, None) == {"team": "ours"}


ORIGIN = "code 0123:1, environment serving:4567, on Standard_D2as_v4"


def test_an_origin_survives_its_tag_if_it_fits() -> None:
    for origin, kept in ((ORIGIN, ORIGIN), ("x" * 300, "")):
        tags = leases.with_memory({}, Memory({"blue": DeploymentShare(3, 100, origin)}))
        assert leases.read_memory(tags) == Memory({"blue": DeploymentShare(3, 100, kept)})


PROCESSES = {
    "running": LEASE.process,
    "dead": f"{leases.machine_id()} {os.getpid()} 1.0",
    "unreadable": f"{leases.machine_id()} ?",
    "elsewhere": f"another-machine {os.getpid()} 1.0",
    "unknown": "",
}


@pytest.mark.parametrize(
    ("process", "run", "abandoned"),
    [
        ("running", "me/it 7 1", False),
        ("dead", "", True),
        ("unreadable", "", False),
        ("unknown", "", False),
        ("elsewhere", "", False),
        ("elsewhere", "me/it 7 2", True),
        ("elsewhere", "me/it 7 1", True),
        ("elsewhere", "me/it 7 3", False),
        ("elsewhere", "me/it 8 2", False),
        ("elsewhere", "me/other 7 2", False),
    ],
)
def test_who_is_known_to_have_ended_holds_nothing(
    process: str, run: str, abandoned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "this_run", lambda: "me/it 7 2")
    other = replace(LEASE, holder="somebody", process=PROCESSES[process], run=run)
    kept = leases.read_lease(leases.with_lease({}, other))
    assert kept == other
    assert kept.is_abandoned is abandoned
    monkeypatch.setattr(leases, "this_run", lambda: "")
    assert other.is_abandoned is (process == "dead")
    assert not LEASE.is_abandoned


def test_a_run_is_named_by_its_variables() -> None:
    variables = {"GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "2", "GITHUB_REPOSITORY": "me/it"}
    assert leases.this_run(variables) == "me/it 7 2"
    assert leases.this_run({}) == ""


def test_a_tag_holds_at_most_what_azure_takes() -> None:
    many = {f"deployment-{n:021}": DeploymentShare(n, 0) for n in range(8)}
    tags = leases.with_lease({}, leases.taken("me", "x" * 900, many, {}, SOON))
    assert max(len(value) for value in tags.values()) <= 256
    found = leases.read_lease(tags)
    assert found
    assert found.before == many


def test_a_new_lease_leaves_nothing_of_the_old_one() -> None:
    tags = leases.with_lease({}, leases.taken("me", "old", BOTH, {}, SOON))
    again = leases.read_lease(leases.with_lease(tags, LEASE))
    assert again == LEASE


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"mlops-lease-purpose": "x"},
        {**leases.with_lease({}, LEASE), "mlops-lease-expires": "soon"},
        {**leases.with_lease({}, LEASE), "mlops-lease-before-blue": "many"},
    ],
)
def test_what_cannot_be_read_holds_nothing(tags: dict[str, str]) -> None:
    assert leases.read_lease(tags) is None


def test_a_lease_holds_until_its_time_or_while_azure_is_at_work() -> None:
    late = NOW + timedelta(seconds=301)
    assert LEASE.is_held(NOW)
    assert not LEASE.is_held(late)
    assert LEASE.is_held(late, in_progress=True)
    assert leases.renewed(LEASE, late, 300).is_held(late)


@pytest.mark.parametrize("withdraws", [4, None])
def test_what_was_before_survives_its_tags(withdraws: int | None) -> None:
    memory = Memory(BOTH, WayBack("blue", 3, SOON, withdraws))
    older = {"mlops-previous-red": "version 1, 0 %", "mlops-way-back-withdraws": "9", "team": "us"}
    tags = leases.with_memory(older, memory)
    assert leases.read_memory(tags) == memory
    assert leases.with_memory(tags, Memory()) == {"team": "us"}


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"mlops-previous-blue": "?"},
        {"mlops-way-back-deployment": "blue", "mlops-way-back-version": "3"},
        {
            "mlops-way-back-deployment": "blue",
            "mlops-way-back-version": "the good one",
            "mlops-way-back-until": "2026-03-01T12:00:00Z",
        },
    ],
)
def test_of_before_what_cannot_be_read_is_nothing(tags: dict[str, str]) -> None:
    assert leases.read_memory(tags) == Memory()


def test_the_terms_of_a_lease_survive_its_tags() -> None:
    for leaves in Leaves:
        lease = replace(LEASE, leaves=leaves, yields=True)
        assert leases.read_lease(leases.with_lease({}, lease)) == lease
    assert [replace(LEASE, yields=each).gives_way(WITHDRAWAL) for each in (True, False)] == [
        True,
        False,
    ]
    assert not replace(LEASE, yields=True, done=True).gives_way(WITHDRAWAL)
