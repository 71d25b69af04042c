"""What is done to the branch by something else is noticed, and by whom."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fakes.audit_lines import WHEN
from fakes.audit_remote import ME, Remote, entries_of, git, left, logs_in, versions_of
from fakes.project import write_project
from mlops.errors import ConfigError, PlatformError
from mlops.governance.audit.entry import Act, read_line
from mlops.ops.audit_branch.branch import AuditBranch
from mlops.ops.audit_branch.git import Git, as_the_job
from mlops.ops.audit_branch.publish import accept_on, publish
from mlops.settings.loading import LoadedSettings, load_settings

MONTH = "2026-11.jsonl"
LATER = WHEN + timedelta(days=1)


@pytest.fixture(scope="module")
def full_once(tmp_path_factory: pytest.TempPathFactory) -> Remote:
    """A remote whose branch has two commits of two lines each."""
    root = tmp_path_factory.mktemp("full")
    settings = load_settings(write_project(root / "project"), variables={})
    settings = replace(settings, clock=lambda: LATER)
    remote = Remote.make(root / "remote.git")
    for run in (1, 2):
        left(root / str(run), "train-dev", range(2 * run - 1, 2 * run + 1), run=run)
        publish(remote.branch(f"run-{run}"), logs_in(root / str(run), settings), settings)
    assert remote.tags() == ["refs/tags/audit/2", "refs/tags/audit/4"]
    return remote


@pytest.fixture
def full(full_once: Remote, tmp_path: Path) -> Remote:
    return full_once.copy(tmp_path / "full.git")


def findings(branch: AuditBranch, settings: LoadedSettings) -> list[tuple[str, int]]:
    return [(each.kind.value, each.number) for each in branch.fetch().verified(settings).findings]


def committed(remote: Remote, clone: str, text: str) -> None:
    """Push a commit on top of the branch, without force, whose file says something else."""
    folder = checked_out(remote, clone)
    (folder / MONTH).write_text(text)
    git(folder, "commit", "--quiet", "--all", "--message", "nothing to see here")
    git(folder, "push", "--quiet", "origin", "HEAD:audit")


def checked_out(remote: Remote, clone: str) -> Path:
    folder = remote.connect(remote.path.parent / clone)
    git(folder, "fetch", "--quiet", "origin", "audit")
    git(folder, "checkout", "--quiet", "-B", "audit", "FETCH_HEAD")
    return folder


def lines_of(remote: Remote) -> list[str]:
    return git(remote.path, "show", f"audit:{MONTH}").splitlines()


def recomputed(lines: list[str]) -> str:
    """Return the lines with a change in the second one, and the chain computed anew."""
    entries, previous = [], "0" * 64
    for line in lines:
        entry = read_line(line)
        outcome = "refused" if entry.number == 2 else entry.outcome
        entries.append(replace(entry, outcome=outcome, previous=previous).sealed())
        previous = entries[-1].sha256
    return "".join(each.line() for each in entries)


def test_a_branch_that_was_shortened_by_force_is_noticed_by_its_tags(
    full: Remote, settings: LoadedSettings
) -> None:
    full.point("refs/heads/audit", full.refs()["refs/tags/audit/2"])
    assert findings(full.branch("reader"), settings) == [("removed", 3)]


def test_a_branch_that_was_deleted_is_noticed_by_its_tags(
    full: Remote, settings: LoadedSettings
) -> None:
    full.delete("refs/heads/audit")
    assert findings(full.branch("reader"), settings) == [("removed", 1)]


@pytest.mark.parametrize("moved", [False, True], ids=["tag deleted", "tag moved"])
def test_without_the_tags_too_those_notice_who_have_seen_it(
    full: Remote, settings: LoadedSettings, moved: bool
) -> None:
    witness = full.branch("witness")
    assert findings(witness, settings) == []
    collector = full.connect(full.path.parent / "collector")
    git(collector, "fetch", "--quiet", "--tags", "origin")
    full.point("refs/heads/audit", full.refs()["refs/tags/audit/2"])
    if moved:
        full.point("refs/tags/audit/4", full.refs()["refs/tags/audit/2"])
    else:
        full.delete("refs/tags/audit/4")
    assert findings(full.branch("stranger"), settings) == [], "what docs/audit.md says of it"
    for _ in range(2):
        assert findings(witness, settings) == [("removed", 3)]
    assert findings(AuditBranch(Git(collector, ME)), settings) == [("removed", 3)]


def test_lines_that_a_commit_removed_are_noticed_by_its_parents_alone(
    full: Remote, settings: LoadedSettings
) -> None:
    committed(full, "editor", "".join(f"{line}\n" for line in lines_of(full)[:3]))
    full.delete(*full.tags())
    assert findings(full.branch("reader"), settings) == [("removed", 4)]


def test_a_chain_that_a_commit_computed_anew_is_noticed_at_each_anchor(
    full: Remote, settings: LoadedSettings
) -> None:
    committed(full, "editor", recomputed(lines_of(full)))
    assert findings(full.branch("reader"), settings) == [("recomputed", 4), ("recomputed", 2)]


@pytest.mark.slow
def test_a_chain_that_was_computed_anew_and_went_on_is_noticed(
    full: Remote, settings: LoadedSettings, tmp_path: Path
) -> None:
    committed(full, "editor", recomputed(lines_of(full)))
    left(tmp_path / "next", "train-dev", range(5, 6))
    found = publish(full.branch("job"), logs_in(tmp_path / "next", settings), settings)
    assert found.added == 1
    assert "is broken" in found.broken[0]
    assert findings(full.branch("reader"), settings) == [("recomputed", 2), ("recomputed", 4)]


def test_a_line_that_something_else_added_is_noticed(
    full: Remote, settings: LoadedSettings
) -> None:
    lines = [*lines_of(full)]
    last = read_line(lines[-1])
    more = replace(last, number=5, previous=last.sha256).sealed()
    committed(full, "editor", "".join(f"{line}\n" for line in lines) + more.line())
    assert findings(full.branch("reader"), settings) == [("not anchored", 5)]


def test_what_comes_after_lines_were_removed_is_added_and_a_person_accepts_the_rest(
    full: Remote, settings: LoadedSettings, tmp_path: Path
) -> None:
    full.point("refs/heads/audit", full.refs()["refs/tags/audit/2"])
    left(tmp_path / "next", "train-dev", range(5, 6))
    found = publish(full.branch("job"), logs_in(tmp_path / "next", settings), settings)
    assert (found.added, len(found.broken)) == (1, 1)
    log = full.branch("reader").fetch()
    assert [each.number for each in entries_of(log)] == [1, 2, 5], "no number is given twice"
    assert findings(full.branch("other"), settings) == [("removed", 3)]
    person = full.branch("person")
    assert [each.number for each in accept_on(person, settings, "a mistake of ours")] == [3]
    after = full.branch("later").fetch()
    assert after.verified(settings).whole
    assert entries_of(after)[-1].act is Act.ACCEPTANCE
    assert accept_on(person, settings, "again") == ()
    assert versions_of(full.branch("last").fetch())[:3] == [1, 2, 5]


@pytest.mark.slow
def test_what_else_is_on_the_branch_stays(
    full: Remote, settings: LoadedSettings, tmp_path: Path
) -> None:
    folder = checked_out(full, "writer")
    (folder / "README.md").write_text("see docs/audit.md\n")
    git(folder, "add", "README.md")
    git(folder, "commit", "--quiet", "--message", "a word on it")
    git(folder, "push", "--quiet", "origin", "HEAD:audit")
    left(tmp_path / "next", "train-dev", range(5, 6))
    publish(full.branch("job"), logs_in(tmp_path / "next", settings), settings)
    names = git(full.path, "ls-tree", "--name-only", "audit").splitlines()
    assert sorted(names) == [MONTH, "README.md"]
    assert findings(full.branch("reader"), settings) == []


def test_a_branch_of_something_else_is_left_alone(remote: Remote) -> None:
    with pytest.raises(ConfigError, match="main of origin holds no audit log"):
        AuditBranch(Git(remote.clone("job")), "main").fetch()


def test_no_branch_is_an_empty_log(remote: Remote, settings: LoadedSettings) -> None:
    log = remote.branch("reader").fetch()
    assert (log.months(), log.anchor()) == ([], None)
    assert log.verified(settings).whole


def test_a_folder_without_git_or_remote_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no git repository"):
        AuditBranch(Git(tmp_path, {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})).fetch()
    git(tmp_path, "init", "--quiet")
    with pytest.raises(ConfigError, match="no remote origin"):
        AuditBranch(Git(tmp_path)).fetch()
    git(tmp_path, "remote", "add", "origin", str(tmp_path / "nowhere"))
    with pytest.raises(PlatformError, match="origin cannot be read"):
        AuditBranch(Git(tmp_path)).fetch()


def test_a_missing_git_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="git cannot be started"):
        AuditBranch(Git(tmp_path)).fetch()


def test_what_git_says_of_an_address_holds_no_password(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", "file://ann:secret@host/nowhere.git")
    with pytest.raises(PlatformError) as told:
        AuditBranch(Git(tmp_path)).fetch()
    assert "secret" not in str(told.value)


JOB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_TOKEN": "the-token",
}


def test_a_job_signs_in_to_its_own_server_alone(tmp_path: Path) -> None:
    given = as_the_job({**JOB, "GIT_CONFIG_COUNT": "1"})
    more = {**given, "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c"}
    assert "the-token" not in str(given)
    asked = Git(tmp_path, more)
    for address, signs_in in (
        ("https://github.com/acme/model", True),
        ("https://else.where", False),
    ):
        said = asked.ask("config", "--get-urlmatch", "http.extraheader", address)
        assert said.well == signs_in
    assert Git(tmp_path, more).text("config", "a.b") == "c"
    assert as_the_job({**JOB, "GITHUB_ACTIONS": ""}) == {}
    assert as_the_job({**JOB, "GITHUB_TOKEN": ""}) == {}


def test_a_commit_is_of_the_moment_that_the_clock_says(
    full: Remote, settings: LoadedSettings
) -> None:
    dates = git(full.path, "log", "--format=%cI", "audit").splitlines()
    assert {date[:19] for date in dates} == {settings.clock().isoformat()[:19]}
    assert settings.clock() > WHEN
