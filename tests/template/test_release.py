"""A release of the template: what is changed for it, and when there is none."""

from datetime import date
from pathlib import Path

import pytest
from mlops.ci import template_changelog

from tools import release
from tools.release import NotReadyError, notes_of, prepared, section, with_day
from tools.worktree import ROOT

pytestmark = pytest.mark.fast

CHANGELOG = """\
# Changelog

## Unreleased

### To do when updating

Run `uv lock`.

### Added

- A thing.

## 0.1.0 - 2026-01-02

### Added

- All of it.
"""
TODAY = date(2026, 3, 20)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with what a release changes."""
    for path in (*release.VERSIONS, *release.DAYS):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(
            '[project]\nversion = "0.1.0"\n\n[tool.uv]\nexclude-newer = "2026-01-01"\n', "utf-8"
        )
    (tmp_path / release.CHANGELOG).write_text(CHANGELOG, "utf-8")
    return tmp_path


def write(root: Path, texts: "dict[Path, str]") -> None:
    for path, text in texts.items():
        (root / path).write_text(text, "utf-8")


def test_a_release_moves_versions_day_and_changelog(root: Path) -> None:
    write(root, dict(prepared(root, "0.2.0", ["v0.1.0", "a-note"], TODAY)))
    assert release.stated_version(root) == "0.2.0"
    for path in release.DAYS:
        assert 'exclude-newer = "2026-03-13"\n' in (root / path).read_text("utf-8")
    changelog = (root / release.CHANGELOG).read_text("utf-8")
    titles = [line for line in changelog.splitlines() if line.startswith("## ")]
    assert titles == ["## Unreleased", "## 0.2.0 - 2026-03-20", "## 0.1.0 - 2026-01-02"]
    assert section(changelog, "Unreleased") == "### To do when updating\n\nNothing."
    assert section(changelog, "0.2.0").endswith("- A thing.")


def test_what_is_published_is_the_part_of_the_version(root: Path) -> None:
    write(root, dict(prepared(root, "0.2.0", [], TODAY)))
    notes = notes_of(root, "v0.2.0")
    assert "Run `uv lock`." in notes
    assert "All of it" not in notes
    with pytest.raises(NotReadyError, match=r"the tag is v0\.3\.0 and the files state 0\.2\.0"):
        notes_of(root, "v0.3.0")


def test_files_of_two_versions_are_no_release(root: Path) -> None:
    path = root / release.VERSIONS[1]
    path.write_text(path.read_text("utf-8").replace("0.1.0", "0.1.1"), "utf-8")
    with pytest.raises(NotReadyError, match=r"state 0\.1\.0 and 0\.1\.1"):
        notes_of(root, "v0.1.0")


@pytest.mark.parametrize(
    ("version", "tags", "said"),
    [
        ("0.2", [], "no version of the form"),
        ("v0.2.0", [], "no version of the form"),
        ("0.2.0", ["v0.2.0"], "not newer than 0.2.0"),
        ("0.9.0", ["v0.2.0", "v0.10.0"], "not newer than 0.10.0"),
        ("0.1.0", [], "has '## 0.1.0' already"),
    ],
)
def test_a_version_that_is_none_is_refused(
    root: Path, version: str, tags: list[str], said: str
) -> None:
    with pytest.raises(NotReadyError, match=said):
        prepared(root, version, tags, TODAY)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("### To do when updating", "### To do", "has no '### To do when updating'"),
        ("## Unreleased", "## Soon", "says nothing below '## Unreleased'"),
    ],
)
def test_who_updates_is_told_what_to_do_or_there_is_no_release(
    root: Path, old: str, new: str, said: str
) -> None:
    (root / release.CHANGELOG).write_text(CHANGELOG.replace(old, new), "utf-8")
    with pytest.raises(NotReadyError, match=said):
        prepared(root, "0.2.0", [], TODAY)


def test_projects_look_for_the_same_part() -> None:
    """`template-update.yml` shows it in its pull request."""
    assert f"### {template_changelog.TO_DO}" == release.TO_DO


def test_the_day_never_moves_back() -> None:
    text = 'exclude-newer = "2026-11-20"\n'
    assert with_day(text, date(2026, 11, 1)) == text
    with pytest.raises(NotReadyError, match="no exclude-newer"):
        with_day("[tool.uv]\n", TODAY)


def test_this_repository_can_be_released() -> None:
    """The files are of the form that a release changes, and one version stands in them."""
    version = release.stated_version()
    major, minor, patch = release.ordered(version)
    following = f"{major}.{minor}.{patch + 1}"
    texts = prepared(ROOT, following, [f"v{version}"], date(2031, 2, 3))
    assert {path for path, text in texts.items() if text != (ROOT / path).read_text("utf-8")} == {
        release.CHANGELOG,
        *release.VERSIONS,
        *release.DAYS,
    }
