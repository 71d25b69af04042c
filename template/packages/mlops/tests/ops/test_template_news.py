"""The doctor says whether there is a newer version of the template, and when it cannot know."""

import subprocess
from pathlib import Path

import pytest

from mlops.errors import PlatformError
from mlops.ops.doctor import examine
from mlops.ops.template_news import NAME, refs_of, template_news
from mlops.ops.template_source import ANSWERS
from mlops.ops.template_versions import Refs
from mlops.settings.project import Project


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A repository with a release."""
    folder = tmp_path / "template"
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "Start")
    git(folder, "tag", "--annotate", "--message", "First", "1.0.0")
    return folder


def record(root: Path, source: object, version: str = "1.0.0") -> None:
    (root / ANSWERS).write_text(f"_src_path: {source}\n_commit: {version}\n")


def test_a_project_of_the_newest_version_passes(project: Project, template: Path) -> None:
    record(project.root, template)
    (found,) = (each for each in examine(project.root) if each.name == NAME)
    assert found.passed
    assert found.found == "1.0.0 is the newest version of the template"


def test_one_that_is_behind_is_advised(project: Project, template: Path) -> None:
    git(template, "tag", "1.1.0")
    record(project.root, template)
    (found,) = (each for each in examine(project.root) if each.name == NAME)
    assert (found.passed, found.needed) == (False, False)
    assert found.found == "the project has 1.0.0 of the template, and there is 1.1.0"
    assert "copier update" in found.remedy


@pytest.mark.parametrize("source", ["https://127.0.0.1:9/acme/template.git", "{empty}"])
def test_where_nothing_answers_it_is_not_checked(tmp_path: Path, source: str) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    record(tmp_path, source.format(empty=empty))
    (found,) = template_news(tmp_path)
    assert (found.passed, found.needed) == (False, False)
    assert found.found.startswith("not checked: git does not read the template's versions: ")
    assert "right to read" in found.remedy


def test_a_repository_without_anything_is_not_checked(tmp_path: Path) -> None:
    folder = tmp_path / "template"
    folder.mkdir()
    git(folder, "init", "--quiet")
    record(tmp_path, folder)
    (found,) = template_news(tmp_path)
    assert found.found == "not checked: the template's repository holds nothing"


def test_one_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_args: object, **options: float) -> None:
        raise subprocess.TimeoutExpired("git", options["timeout"])

    monkeypatch.setattr(subprocess, "run", never)
    with pytest.raises(PlatformError, match="did not answer within 15 seconds"):
        refs_of("https://example.com/acme/template.git")


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("gh:acme/template", "https://github.com/acme/template"),
        ("gl:acme/template", "https://gitlab.com/acme/template"),
        ("git+https://host/t.git", "https://host/t.git"),
        ("git@host:acme/t.git", "git@host:acme/t.git"),
    ],
)
def test_git_is_asked_by_an_address_that_it_knows(
    tmp_path: Path, source: str, address: str
) -> None:
    asked: list[str] = []

    def refs(place: str) -> Refs:
        asked.append(place)
        return Refs("", ("1.0.0",))

    record(tmp_path, source)
    assert template_news(tmp_path, refs)[0].passed
    assert asked == [address]


@pytest.mark.parametrize("content", ["", "_src_path: 3\n", "_src_path: ../t\n_commit: 1.0.0\n"])
def test_nothing_is_said_where_nothing_can_be_asked(tmp_path: Path, content: str) -> None:
    (tmp_path / ANSWERS).write_text(content)
    assert template_news(tmp_path) == []
