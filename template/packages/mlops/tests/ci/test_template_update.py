"""An update is made in a clone, by real git; Copier and uv are played."""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from mlops.ci.template_update import (
    BRANCH,
    BUNDLE,
    News,
    Tools,
    find_news,
    make_update,
    run_command,
)
from mlops.errors import ConfigError, PlatformError
from mlops.ops.template_source import ANSWERS

Done = subprocess.CompletedProcess[str]
NEWS = News("1.0.0", "1.1.0")
MARKER = "<" * 7
CHANGELOG = "# Changelog\n\n## 1.1.0\n\n- news\n\n## 1.0.0\n\n- first\n"


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


class Played:
    """Git runs; what Copier and uv do is said by the test."""

    def __init__(self, said: str = "", update: Callable[[Path], None] | None = None) -> None:
        self.said, self.update = said, update
        self.calls: list[str] = []
        self.code = self.lock_code = 0

    def __call__(self, command: Sequence[str], folder: Path, env: Mapping[str, str]) -> Done:
        if command[0] == "git":
            return run_command(command, folder, env)
        words = " ".join(command[1:])
        self.calls.append(words)
        if words == "lock":
            assert env == {"UV_NO_BUILD": "1"}
            (folder / "uv.lock").write_text("new")
            return Done(command, self.lock_code, "", "no such version\n")
        if "copier update" in words and self.update:
            self.update(folder)
        return Done(command, self.code, self.said, "a warning\nfatal: not found\n\n")


@pytest.fixture
def template(tmp_path: Path) -> Path:
    folder = tmp_path / "template"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "CHANGELOG.md").write_text(CHANGELOG)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Release")
    git(folder, "tag", "1.1.0")
    return folder


@pytest.fixture
def root(tmp_path: Path, template: Path) -> Path:
    """A committed project of the template."""
    folder = tmp_path / "root"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    (folder / ANSWERS).write_text(f"_src_path: {template}\n_commit: 1.0.0\n")
    (folder / "pyproject.toml").write_text("[project]\n")
    (folder / "uv.lock").write_text("old")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Start")
    return folder


def renew(folder: Path) -> None:
    """What Copier does: another version, and a changed file."""
    answers = folder / ANSWERS
    answers.write_text(answers.read_text().replace("1.0.0", "1.1.0"))
    (folder / "new.md").write_text("news\n")


def in_conflict(name: str) -> Callable[[Path], None]:
    """Renew, with a file that is unmerged, as Copier leaves it."""

    def update(folder: Path) -> None:
        renew(folder)
        blob = git(folder, "hash-object", "-w", ANSWERS).strip()
        stages = f"0 {'0' * 40}\t{name}\n"
        stages += "".join(f"100644 {blob} {stage}\t{name}\n" for stage in (1, 2, 3))
        command = ["git", "update-index", "--index-info"]
        subprocess.run(command, cwd=folder, check=True, input=stages, text=True)
        (folder / name).write_text(f"{MARKER} before updating\n")

    return update


@pytest.mark.parametrize(("available", "news"), [(True, NEWS), (False, None)])
def test_copier_is_asked_whether_there_is_news(
    root: Path, available: bool, news: News | None
) -> None:
    answer = {"update_available": available, "current_version": "1.0.0", "latest_version": "1.1.0"}
    played = Played(f"a line before\n{json.dumps(answer)}\n")
    assert find_news(root, Tools(played)) == news
    assert played.calls == [
        "tool run --quiet --from copier>=9.19,<10 copier check-update --output-format json"
    ]


def test_a_template_that_cannot_be_read_is_no_all_clear(root: Path) -> None:
    played = Played()
    played.code = 1
    with pytest.raises(PlatformError, match="copier failed: fatal: not found") as caught:
        find_news(root, Tools(played))
    assert "may read it" in caught.value.remedy


@pytest.mark.parametrize("said", ["", "Project is up-to-date!", "[]", '{"update_available": true}'])
def test_an_answer_that_is_not_understood_is_no_all_clear(root: Path, said: str) -> None:
    with pytest.raises(PlatformError, match="does not say whether there is news"):
        find_news(root, Tools(Played(said)))


def test_a_project_without_a_template_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="names no template"):
        find_news(tmp_path, Tools(Played()))


def test_the_commit_is_kept_and_the_project_is_as_it_was(root: Path, tmp_path: Path) -> None:
    output, base = tmp_path / "out", git(root, "rev-parse", "HEAD").strip()
    update = make_update(root, output, NEWS, Tools(Played(update=renew)))
    assert update.changed == (ANSWERS, "new.md", "uv.lock")
    assert (update.conflicts, update.locked) == ((), True)
    assert update.changelog == "## 1.1.0\n\n- news"
    assert git(root, "status", "--porcelain") == ""
    assert git(root, "rev-parse", "HEAD").strip() == base
    git(root, "fetch", "--quiet", str(output / BUNDLE), f"{BRANCH}:{BRANCH}")
    assert git(root, "log", "-1", "--format=%P %s", BRANCH).strip() == f"{base} {update.title}"
    assert git(root, "show", f"{BRANCH}:new.md") == "news\n"


def test_the_same_update_is_the_same_commit(root: Path, tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        make_update(root, tmp_path / name, NEWS, Tools(Played(update=renew)))
        found.append(git(root, "bundle", "list-heads", str(tmp_path / name / BUNDLE)))
    assert found[0] == found[1]


def test_conflicts_are_named_and_kept_with_their_markers(root: Path, tmp_path: Path) -> None:
    played = Played(update=in_conflict("other.md"))
    update = make_update(root, tmp_path / "out", NEWS, Tools(played))
    assert (update.conflicts, update.locked) == (("other.md",), True)
    git(root, "fetch", "--quiet", str(tmp_path / "out" / BUNDLE), f"{BRANCH}:{BRANCH}")
    assert git(root, "show", f"{BRANCH}:other.md").startswith(MARKER)


def test_with_markers_in_the_settings_nothing_is_locked(root: Path, tmp_path: Path) -> None:
    played = Played(update=in_conflict("pyproject.toml"))
    update = make_update(root, tmp_path / "out", NEWS, Tools(played))
    assert not update.locked
    assert "lock" not in played.calls


def test_a_lock_that_fails_is_said(root: Path, tmp_path: Path) -> None:
    played = Played(update=renew)
    played.lock_code = 2
    assert not make_update(root, tmp_path / "out", NEWS, Tools(played)).locked


def test_without_a_lock_none_is_made(root: Path, tmp_path: Path) -> None:
    git(root, "rm", "--quiet", "uv.lock")
    git(root, "commit", "--quiet", "--message", "No lock")
    played = Played(update=renew)
    assert make_update(root, tmp_path / "out", NEWS, Tools(played)).locked
    assert "lock" not in played.calls


def test_a_changelog_that_cannot_be_read_stops_nothing(
    root: Path, tmp_path: Path, template: Path
) -> None:
    git(template, "tag", "--delete", "1.1.0")
    update = make_update(root, tmp_path / "out", NEWS, Tools(Played(update=renew)))
    assert update.changelog == ""
