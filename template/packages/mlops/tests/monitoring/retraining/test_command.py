"""From what was found to a candidate and its end: what is kept, and by whom it is seen."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from fakes.retraining import DAY, START, VERSION, Loop
from mlops.artifacts.candidate import read_candidate
from mlops.errors import ConfigError, Hold, MlopsError, PlatformError, Refused
from mlops.monitoring.decisions import Kind
from mlops.monitoring.retraining.command import fresh_data
from mlops.platforms.base import AtWork
from mlops.settings.loading import load_settings

ID = "9-20260630T120000Z"


def test_drift_makes_a_candidate_that_is_trained_and_released(loop: Loop) -> None:
    loop.drift("drift", "drift")
    ended = loop.retrain()
    assert (ended.outcome, ended.cause, ended.exit_code) == ("released", "drift", 0)
    assert (ended.reason, ended.new_version) == ("no worse", 12)
    assert loop.done == [f"train {ID}", "release 12"]
    candidate = read_candidate(loop.manifests[0])
    assert candidate == ended.candidate
    assert (candidate.reference, candidate.commit) == (VERSION, loop.commit)
    assert (candidate.cause, candidate.environment) == ("drift", "dev")
    assert (candidate.window_start, candidate.window_end) == (START - 90 * DAY, START)
    assert candidate.data.fraction == 1.0
    began, end = loop.decisions()
    assert (began.outcome, began.subject, began.value, began.limit) == ("retrain", ID, 2, 2)
    assert (end.outcome, end.subject, end.reason) == ("released", ID, "no worse")


@pytest.mark.parametrize(
    ("step", "error", "outcome", "code"),
    [
        ("train", Refused("f1 is 0.2"), "refused", 1),
        ("train", PlatformError("no space"), "failed", 3),
        ("train", ConfigError("no such setting"), "failed", 3),
        ("release", Refused("too slow"), "rejected", 1),
        ("release", Hold("no decision"), "hold", 4),
        ("release", PlatformError("the registry is down"), "failed", 3),
    ],
)
def test_what_serves_serves_on_if_a_candidate_fails(
    loop: Loop, step: str, error: MlopsError, outcome: str, code: int
) -> None:
    loop.drift("drift", "drift")
    loop.fails[step] = error
    before = loop.endpoint.traffic(), loop.endpoint.serving
    ended = loop.retrain()
    assert (ended.outcome, ended.reason, ended.exit_code) == (outcome, error.message, code)
    assert (loop.endpoint.traffic(), loop.endpoint.serving) == before
    assert loop.outcomes == ["retrain", outcome]
    assert loop.endpoint.pending() is None


def test_one_that_is_interrupted_has_ended(loop: Loop) -> None:
    loop.drift("drift", "drift")
    loop.fails["train"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        loop.retrain()
    assert loop.outcomes == ["retrain", "failed"]
    loop.fails.clear()
    loop.now += timedelta(minutes=1)
    assert loop.retrain(by_hand="again").outcome == "released"


def test_a_decision_against_it_is_kept_too(loop: Loop) -> None:
    loop.drift("ok")
    assert loop.retrain().outcome == "not needed"
    loop.drift("drift")
    loop.now += timedelta(minutes=1)
    loop.drift("drift")
    assert loop.retrain().outcome == "wait"
    assert loop.outcomes == ["not needed", "wait"]
    assert loop.done == []


def test_a_dry_run_leaves_no_trace(loop: Loop) -> None:
    loop.drift("drift", "drift")
    kept, noted = list(loop.endpoint.kept), loop.endpoint.notes()
    found = loop.retrain(dry_run=True)
    assert (found.outcome, found.candidate) == ("retrain", None)
    assert (loop.endpoint.kept, loop.endpoint.notes(), loop.done) == (kept, noted, [])
    assert not loop.settings.project.state_dir.exists()


def test_columns_other_versions_and_estimates_decide_nothing(loop: Loop) -> None:
    loop.drift("ok")  # and drift in one column
    loop.drift("drift", "drift", version=2)
    loop.performance("below", kind="estimated")
    loop.performance("below", slice="country=FR")
    loop.performance("below", model_version=2)
    assert loop.retrain().outcome == "not needed"
    loop.performance("below")
    assert loop.retrain().cause == "performance"


def test_a_fresh_machine_decides_as_the_last_one_did(loop: Loop) -> None:
    loop.drift("drift", "drift")
    loop.fails["train"] = Refused("f1 is 0.2")
    assert loop.retrain().outcome == "refused"
    loop.new_machine()
    loop.now += DAY
    loop.drift("drift", "drift")
    waits = loop.retrain()
    assert waits.outcome == "wait"
    assert "the last candidate began 2026-06-30 12:00 UTC" in waits.reason
    for _ in range(2):
        loop.new_machine()
        loop.now += 7 * DAY
        loop.drift("drift", "drift")
        assert loop.retrain().outcome == "refused"
    stops = []
    for _ in range(3):
        loop.new_machine()
        loop.now += 7 * DAY
        loop.drift("drift", "drift")
        stops.append(loop.retrain())
    assert [each.outcome for each in stops] == ["stopped"] * 3
    assert stops[0].exit_code == 1
    assert len(loop.incidents) == 1
    assert loop.heard == [*["ended: Candidate refused"] * 3, "alarm: Retraining has stopped"]
    told = loop.decisions(Kind.INCIDENT)
    assert [each.cause for each in told] == ["retraining-stopped"]


def test_with_another_version_it_goes_on(loop: Loop) -> None:
    loop.fails["train"] = Refused("f1 is 0.2")
    for _ in range(3):
        loop.drift("drift", "drift")
        loop.retrain()
        loop.now += 7 * DAY
    loop.drift("drift", "drift")
    assert loop.retrain().outcome == "stopped"
    loop.serve(10, loop.commit)
    loop.drift("drift", "drift", version=10)
    assert loop.retrain().outcome == "refused"


def test_what_is_seen_late_is_noted_at_the_endpoint(loop: Loop) -> None:
    """On Azure a decision can be read minutes after it was kept."""
    loop.drift("drift", "drift")
    assert loop.retrain(trains=False).outcome == "retrain"
    loop.endpoint.kept = [each for each in loop.endpoint.kept if each["check"] != "decision"]
    loop.new_machine()
    loop.now += timedelta(seconds=5)
    running = loop.retrain(trains=False)
    assert (running.outcome, running.exit_code) == ("running", 0)
    assert ID in running.reason


def test_two_at_once_make_one_candidate(loop: Loop) -> None:
    """Both decide the same, and then one of them is first."""
    loop.drift("drift", "drift")
    both, found = threading.Barrier(2), []
    taken = loop.endpoint.lease
    turn = threading.Lock()

    def lease(purpose: str) -> object:
        both.wait(timeout=10)
        return _Turn(turn, taken(purpose))

    loop.endpoint.lease = lease  # type: ignore[assignment,method-assign]
    threads = [
        threading.Thread(target=lambda: found.append(loop.retrain(trains=False).outcome))
        for _ in range(2)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found) == ["retrain", "running"]
    assert loop.outcomes.count("retrain") == 1


class _Turn:
    """A lease for which one waits."""

    def __init__(self, turn: threading.Lock, lease: object) -> None:
        self._turn, self._lease = turn, lease

    def __enter__(self) -> None:
        self._turn.acquire()
        self._lease.__enter__()  # type: ignore[attr-defined]

    def __exit__(self, *error: object) -> None:
        self._lease.__exit__(*error)  # type: ignore[attr-defined]
        self._turn.release()


def test_during_a_release_it_waits(loop: Loop) -> None:
    loop.drift("drift", "drift")
    with loop.endpoint.another_command("the release of version 10", {"blue": 100}):
        found = loop.retrain()
        assert (found.outcome, found.exit_code) == ("wait", 0)
        assert "the release of version 10" in found.reason
    assert loop.done == []
    assert loop.outcomes == ["wait"]


def test_while_the_platform_is_at_work_it_waits(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lease(_purpose: str) -> None:
        raise AtWork("Azure works off what a command began")

    loop.drift("drift", "drift")
    monkeypatch.setattr(loop.endpoint, "lease", lease)
    found = loop.retrain()
    assert (found.outcome, found.exit_code) == ("wait", 0)
    assert found.reason == "Azure works off what a command began"
    assert (loop.done, loop.outcomes) == ([], ["wait"])


def test_a_candidate_that_serves_has_ended(loop: Loop) -> None:
    loop.drift("drift", "drift")
    assert loop.retrain(trains=False).outcome == "retrain"
    loop.now += timedelta(hours=1)
    assert loop.retrain(by_hand="now").outcome == "running"
    loop.serve(10, loop.commit, candidate={"id": ID})
    assert loop.retrain(trains=False, by_hand="now").outcome == "retrain"


def test_one_of_which_nothing_is_heard_counts_as_refused(loop: Loop) -> None:
    for _ in range(3):
        loop.drift("drift", "drift")
        assert loop.retrain(trains=False).outcome == "retrain"
        loop.now += 8 * DAY
    loop.drift("drift", "drift")
    assert loop.retrain(trains=False).outcome == "stopped"
    assert loop.outcomes == [*["retrain", "lost"] * 3, "stopped"]
    assert loop.heard == [*["ended: Candidate lost"] * 3, "alarm: Retraining has stopped"]


def test_a_dry_run_names_what_is_lost_and_keeps_nothing(loop: Loop) -> None:
    """The runner was killed: nobody said how the candidate ended."""
    loop.drift("drift", "drift")
    assert loop.retrain(trains=False).outcome == "retrain"
    loop.now += timedelta(hours=24)
    found = loop.retrain(trains=False, dry_run=True)
    assert (found.outcome, found.lost) == ("wait", (ID,))
    assert loop.outcomes == ["retrain"]
    assert loop.heard == []
    assert loop.retrain(trains=False).lost == (ID,)
    ((_, end, _),) = [loop.decisions()]
    assert (end.outcome, end.subject) == ("lost", ID)
    assert end.reason == "nothing was heard of it within 24 hours"
    assert loop.retrain(trains=False).lost == (), "it is kept once"


def released_by_hand(loop: Loop) -> None:
    """Let a person release another version, or bring one back."""
    loop.serve(10, loop.commit)


def stopped_by_hand(loop: Loop) -> None:
    loop.endpoint.set_traffic({"blue": 0})


@pytest.mark.parametrize(
    ("happens", "there"), [(released_by_hand, "version 10"), (stopped_by_hand, "nothing")]
)
@pytest.mark.parametrize("when", ["before training", "before the release"])
def test_a_candidate_is_not_released_in_another_version_s_place(
    loop: Loop, happens: Callable[[Loop], None], there: str, when: str
) -> None:
    loop.drift("drift", "drift")
    early = when == "before training"

    def report(line: str) -> None:
        if early and line.startswith("candidate"):
            happens(loop)

    if not early:
        loop.after_training = lambda: happens(loop)
    ended = loop.retrain(report=report)
    assert (ended.outcome, ended.exit_code) == ("outdated", 1)
    assert f"the place of version 9, and callers of tiny-dev reach {there} now" in ended.reason
    assert loop.done == ([] if early else [f"train {ID}"])
    assert ended.new_version == (None if early else 12)
    assert ("so version 12 stays registered" in ended.reason) is not early
    assert loop.outcomes == ["retrain", "outdated"]
    assert loop.heard == ["ended: Candidate outdated"]
    assert loop.endpoint.serving == {"blue": 10 if there == "version 10" else 9}


def test_it_is_decided_about_what_serves_under_the_lease(loop: Loop) -> None:
    """Another version was released between the first look and the lease."""
    loop.drift("drift", "drift")
    taken = loop.endpoint.lease

    @contextmanager
    def lease(purpose: str) -> Iterator[None]:
        loop.serve(10, loop.commit)
        with taken(purpose):
            yield

    loop.endpoint.lease = lease  # type: ignore[assignment,method-assign]
    found = loop.retrain()
    assert (found.outcome, found.model_version) == ("not enough", 10)
    assert loop.done == []


def test_it_says_if_nothing_serves_any_more_under_the_lease(loop: Loop) -> None:
    loop.drift("drift", "drift")
    taken = loop.endpoint.lease

    @contextmanager
    def lease(purpose: str) -> Iterator[None]:
        loop.endpoint.set_traffic({"blue": 0})
        with taken(purpose):
            yield

    loop.endpoint.lease = lease  # type: ignore[assignment,method-assign]
    assert loop.retrain().outcome == "nothing serves"
    assert loop.done == []


def test_a_person_needs_no_finding(loop: Loop) -> None:
    found = loop.retrain(by_hand="a new holiday")
    assert (found.outcome, found.cause) == ("released", "by hand")
    assert loop.decisions()[0].reason == "a new holiday"


def test_where_nothing_can_be_told_nobody_says_that_all_is_well(loop: Loop) -> None:
    found = loop.retrain()
    assert (found.outcome, found.exit_code) == ("not enough", 4)


def test_where_nothing_serves_there_is_nothing_to_train(loop: Loop) -> None:
    loop.endpoint.set_traffic({"blue": 0})
    loop.endpoint.delete("blue")
    found = loop.retrain(by_hand="now")
    assert (found.outcome, found.exit_code) == ("nothing serves", 0)
    assert loop.done == []


@pytest.mark.parametrize(
    ("git", "said"),
    [
        ({"commit": ""}, "made without a git commit"),
        ({"commit": None}, "made without a git commit"),
        ({"dirty": True}, "with uncommitted changes"),
        ({"commit": "c0ffee" + "0" * 34}, "not in this clone"),
    ],
)
def test_what_nobody_can_train_again_begins_nothing(
    loop: Loop, git: dict[str, object], said: str
) -> None:
    loop.serve(VERSION, loop.commit, git=git)
    loop.drift("drift", "drift")
    with pytest.raises(ConfigError, match=said) as told:
        loop.retrain()
    assert told.value.remedy
    assert loop.outcomes == ["impossible"]
    assert "candidate" not in loop.endpoint.notes()
    assert loop.endpoint.pending() is None


def test_below_level_3_there_is_no_retraining(at_level_2: Loop) -> None:
    with pytest.raises(ConfigError, match="maturity level 3"):
        at_level_2.retrain(by_hand="now")


@pytest.mark.parametrize(
    ("overrides", "in_cloud", "kind", "name"),
    [
        ({}, False, "sample", ""),
        ({"data.source": "folder", "data.folder": "orders"}, False, "folder", "orders"),
        ({"data.source": "folder", "data.folder": "orders"}, True, "folder", "orders"),
        ({"azure.data_asset": "orders:3"}, True, "asset", "orders:3"),
        ({"azure.data_asset": "orders:3"}, False, "sample", ""),
    ],
)
def test_the_data_are_all_that_conf_names(
    loop: Loop, overrides: dict[str, object], in_cloud: bool, kind: str, name: str
) -> None:
    project = loop.settings.project
    settings = load_settings(project, "dev", overrides, {}, clock=lambda: START)
    found = fresh_data(settings, in_cloud=in_cloud)
    assert (found.kind, found.name, found.fraction) == (kind, name, 1.0)
    assert found.reference_date == settings.reference_date


def test_what_it_says_as_json_is_complete(loop: Loop) -> None:
    loop.drift("drift", "drift")
    found = loop.retrain()
    told = found.to_dict()
    assert told["schema"] == 1
    assert told["candidate"]["id"] == ID
    assert (told["outcome"], told["new_version"], told["model_version"]) == ("released", 12, 9)
