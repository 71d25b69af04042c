"""The lines of a run's jobs come to the branch: each once, in order of time, in a sound chain."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import repeat
from pathlib import Path
from threading import Thread

import pytest

from fakes.audit_lines import WHEN, note
from fakes.audit_remote import (
    RUN,
    Remote,
    anchor_of,
    entries_of,
    git,
    left,
    logs_in,
    versions_of,
)
from mlops.errors import PlatformError
from mlops.governance.audit.accept import FINDINGS
from mlops.governance.audit.entry import Act, Entry
from mlops.governance.audit.log import UNANCHORED, append
from mlops.ops.audit_branch import publish as publishing
from mlops.ops.audit_branch.branch import AuditBranch, NotTaken
from mlops.ops.audit_branch.collected import collected_in
from mlops.ops.audit_branch.git import Git, Said
from mlops.ops.audit_branch.publish import ORIGIN, publish
from mlops.platforms.local.audit import LocalAudit
from mlops.settings.loading import LoadedSettings


def original(entry: Entry) -> Entry:
    """Return the line that a job wrote, from its copy."""
    details = {name: value for name, value in entry.details.items() if not name.startswith(ORIGIN)}
    return replace(
        entry,
        number=int(str(entry.details["origin_number"])),
        previous=str(entry.details["origin_previous"]),
        details=details,
    )


def test_lines_keep_what_they_say_and_get_numbers_in_order_of_time(
    remote: Remote, tmp_path: Path, settings: LoadedSettings
) -> None:
    left(tmp_path / "run", "train-dev", range(1, 3))
    left(tmp_path / "run", "release", range(3, 5), begin=WHEN + timedelta(minutes=30))
    found = publish(remote.branch("job"), logs_in(tmp_path / "run", settings), settings)
    assert (found.added, found.known, found.broken) == (4, 0, ())
    log = remote.branch("reader").fetch()
    entries = entries_of(log)
    assert [each.number for each in entries] == [1, 2, 3, 4]
    assert [each.version for each in entries] == [1, 3, 2, 4]
    assert log.verified(settings).whole
    assert log.anchor() == found.newest
    first = entries[1]
    assert first.actor.run_url == RUN.format(7)
    assert (
        first.details.items()
        >= {
            "rows": 3,
            "origin_run": "7",
            "origin_attempt": "1",
            "origin_job": "release",
            "origin_number": 1,
        }.items()
    )
    for each in entries:
        assert original(each).computed_hash() == each.details["origin_sha256"]


def test_the_branch_is_an_orphan_and_nothing_of_the_clone_changes(
    remote: Remote, tmp_path: Path, settings: LoadedSettings
) -> None:
    left(tmp_path / "run", "train-dev", range(1, 3))
    clone = remote.clone("job")
    publish(AuditBranch(Git(clone)), logs_in(tmp_path / "run", settings), settings)
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "branch", "--all", "--format=%(refname:short)").splitlines()[0] == "main"
    assert git(clone, "tag") == ""
    assert git(remote.path, "ls-tree", "--name-only", "audit") == "2026-11.jsonl"
    assert git(remote.path, "rev-list", "--count", "audit") == "1"
    assert remote.tags() == ["refs/tags/audit/2"]


def test_the_same_run_twice_adds_nothing(
    remote: Remote, tmp_path: Path, settings: LoadedSettings
) -> None:
    left(tmp_path / "run", "train-dev", range(1, 3))
    logs = logs_in(tmp_path / "run", settings)
    publish(remote.branch("one"), logs, settings)
    before = remote.refs()
    left(tmp_path / "run", "release", range(3, 4))
    assert publish(remote.branch("two"), logs, settings).added == 0
    assert remote.refs() == before
    again = publish(remote.branch("three"), logs_in(tmp_path / "run", settings), settings)
    assert (again.added, again.known) == (1, 2)


def test_a_line_that_two_logs_hold_is_added_once(
    remote: Remote, tmp_path: Path, settings: LoadedSettings
) -> None:
    left(tmp_path / "run", "train-dev", range(1, 2))
    longer = tmp_path / "run" / "audit-train-dev-2"
    shutil.copytree(tmp_path / "run" / "audit-train-dev-1", longer)
    append(LocalAudit(longer / "audit", longer / "registry" / "tiny"), note(version=2), WHEN)
    found = publish(remote.branch("job"), logs_in(tmp_path / "run", settings), settings)
    assert (found.added, found.known) == (2, 0)


def between(branch: AuditBranch, deed: Callable[[], object]) -> None:
    """Let something happen once, after a branch was read and before it is written."""
    push = branch.push

    def pushed(*arguments: object) -> None:
        branch.push = push  # type: ignore[method-assign]
        deed()
        push(*arguments)  # type: ignore[arg-type]

    branch.push = pushed  # type: ignore[method-assign,assignment]


@pytest.mark.parametrize("there", [False, True], ids=["no branch yet", "a branch"])
def test_of_two_runs_at_once_both_are_there(
    remote: Remote, tmp_path: Path, settings: LoadedSettings, there: bool
) -> None:
    for run in (7, 8, 9):
        left(tmp_path / str(run), "train-dev", range(run, run + 1), run=run)
    seven, eight, nine = (logs_in(tmp_path / str(run), settings) for run in (7, 8, 9))
    if there:
        publish(remote.branch("before"), nine, settings)
    slow, quick = remote.branch("slow"), remote.branch("quick")
    between(slow, lambda: publish(quick, eight, settings))
    assert publish(slow, seven, settings).added == 1
    log = remote.branch("reader").fetch()
    assert versions_of(log) == [*([9] if there else []), 8, 7]
    assert log.verified(settings).whole


@pytest.mark.slow
def test_writers_that_do_not_wait_for_one_another_are_all_there(
    remote: Remote, tmp_path: Path, settings: LoadedSettings
) -> None:
    writers = []
    for run in (7, 8, 9):
        left(tmp_path / str(run), "train-dev", range(run, run + 1), run=run)
        logs = logs_in(tmp_path / str(run), settings)
        branch = remote.branch(f"clone-{run}")
        writers.append(Thread(target=publish, args=(branch, logs, settings)))
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    log = remote.branch("reader").fetch()
    assert {*versions_of(log)} == {7, 8, 9}
    assert len(entries_of(log)) == 3
    assert log.verified(settings).whole


@pytest.mark.slow
def test_who_is_always_overtaken_gives_up_and_says_so(
    remote: Remote, tmp_path: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "ATTEMPTS", 2)
    left(tmp_path / "run", "train-dev", range(1, 2))
    slow, quick = remote.branch("slow"), remote.branch("quick")
    push, runs = slow.push, iter(range(20, 30))

    def overtaken(*arguments: object) -> None:
        number = next(runs)
        left(tmp_path / str(number), "train-dev", range(number, number + 1))
        publish(quick, logs_in(tmp_path / str(number), settings), settings)
        push(*arguments)  # type: ignore[arg-type]

    slow.push = overtaken  # type: ignore[method-assign,assignment]
    with pytest.raises(PlatformError, match="others keep writing"):
        publish(slow, logs_in(tmp_path / "run", settings), settings)
    assert versions_of(remote.branch("reader").fetch()) == [20, 21]


def test_what_the_remote_refuses_is_not_there_and_its_words_are_told(
    remote: Remote, tmp_path: Path, settings: LoadedSettings
) -> None:
    left(tmp_path / "run", "train-dev", range(1, 2))
    remote.refuse()
    before = remote.refs()
    with pytest.raises(NotTaken, match="this branch is closed"):
        publish(remote.branch("job"), logs_in(tmp_path / "run", settings), settings)
    assert remote.refs() == before


def test_what_is_not_taken_is_tried_again(
    remote: Remote, tmp_path: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(tmp_path / "run", "train-dev", range(1, 2))
    remote.refuse()
    slept: list[float] = []

    def slept_for(seconds: float) -> None:
        slept.append(seconds)
        (remote.path / "hooks" / "pre-receive").unlink()

    monkeypatch.setattr(publishing, "WAITS", (0.5, 2.0))
    monkeypatch.setattr(publishing, "sleep", slept_for)
    found = publish(remote.branch("job"), logs_in(tmp_path / "run", settings), settings)
    assert (found.added, slept) == (1, [0.5])


class Deaf(Git):
    """Its pushes arrive, and no answer comes back."""

    def ask(self, *arguments: str, **more: object) -> Said:
        said = super().ask(*arguments, **more)  # type: ignore[arg-type]
        return Said(128, b"", "the remote end hung up") if arguments[0] == "push" else said


def test_a_push_whose_answer_is_lost_counts(
    remote: Remote, tmp_path: Path, settings: LoadedSettings
) -> None:
    left(tmp_path / "run", "train-dev", range(1, 2))
    branch = AuditBranch(Deaf(remote.clone("job")))
    assert publish(branch, logs_in(tmp_path / "run", settings), settings).added == 1
    assert versions_of(remote.branch("reader").fetch()) == [1]


def test_the_turn_of_a_month_begins_a_file(
    remote: Remote, tmp_path: Path, settings: LoadedSettings
) -> None:
    settings = replace(settings, clock=lambda: WHEN + timedelta(days=20))
    left(tmp_path / "run", "train-dev", range(1, 4), begin=WHEN + timedelta(days=10, hours=12))
    logs = logs_in(tmp_path / "run", settings)
    assert publish(remote.branch("job"), logs, settings).added == 3
    log = remote.branch("reader").fetch()
    assert log.months() == ["2026-11.jsonl", "2026-12.jsonl"]
    acts = [each.act for each in entries_of(log)]
    assert acts == [*repeat(Act.GATE, 2), Act.MONTH, Act.GATE]
    assert log.verified(settings).whole


def changed(lines: list[str]) -> list[str]:
    return [lines[0], lines[1].replace('"rows":3', '"rows":4'), *lines[2:]]


@pytest.mark.parametrize(
    ("deed", "added", "said"),
    [
        (changed, 4, "line 2 .* was changed"),
        (lambda lines: lines[:2], 3, "line 3 was removed"),
        pytest.param(
            lambda lines: [lines[0], "nonsense", lines[2]],
            3,
            "not a line of an audit log",
            marks=pytest.mark.slow,
        ),
        pytest.param(lambda _lines: [], 1, "lines 1 to 3 were removed", marks=pytest.mark.slow),
    ],
    ids=["changed", "cut", "unreadable", "empty"],
)
def test_a_broken_log_is_added_as_what_it_is(
    remote: Remote,
    tmp_path: Path,
    settings: LoadedSettings,
    deed: Callable[[list[str]], list[str]],
    added: int,
    said: str,
) -> None:
    left(tmp_path / "run", "train-dev", range(1, 4))
    path = tmp_path / "run" / "audit-train-dev-1" / "audit" / "2026-11.jsonl"
    path.write_text("".join(f"{line}\n" for line in deed(path.read_text().splitlines())))
    logs = collected_in(tmp_path / "run", settings)
    found = publish(remote.branch("job"), logs, settings)
    assert found.added == added
    (broken,) = found.broken
    assert broken.startswith("the log audit-train-dev-1 is broken: ")
    log = remote.branch("reader").fetch()
    *lines, word = entries_of(log)
    assert all(each.details["origin_broken"] for each in lines)
    assert (word.act, word.outcome) == (Act.COLLECTION, "broken")
    assert word.details["origin_log"] == "audit-train-dev-1"
    assert re.search(said, word.reason)
    assert log.verified(settings).whole, "what is on the branch is as it was added"
    again = publish(remote.branch("again"), logs, settings)
    assert (again.added, len(again.broken)) == (0, 1)


def test_a_log_without_its_anchor_is_broken(
    remote: Remote, tmp_path: Path, settings: LoadedSettings
) -> None:
    left(tmp_path / "run", "train-dev", range(1, 2))
    anchor_of(tmp_path / "run", "train-dev").write_text("{}")
    found = publish(remote.branch("job"), collected_in(tmp_path / "run", settings), settings)
    assert "there is no anchor" in found.broken[0]


def test_what_a_line_says_of_its_own_log_says_nothing_of_the_branch(
    remote: Remote, tmp_path: Path, settings: LoadedSettings
) -> None:
    store = left(tmp_path / "run", "train-dev", range(1, 2))
    append(store, note(Act.ACCEPTANCE, details={FINDINGS: "removed@1", UNANCHORED: 2}), WHEN)
    publish(remote.branch("job"), logs_in(tmp_path / "run", settings), settings)
    log = remote.branch("reader").fetch()
    assert entries_of(log)[1].details["origin_findings"] == "removed@1"
    assert FINDINGS not in entries_of(log)[1].details
    assert not any("lagged" in each for each in log.verified(settings).remarks)
