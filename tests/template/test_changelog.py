"""Each version in CHANGELOG.md can be cut out, and says what a person does besides updating."""

import re

import pytest
from mlops.ci.template_changelog import TO_DO, changelog_part

from tools.worktree import ROOT

pytestmark = pytest.mark.fast

TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
VERSION = re.compile(r"^## \[?(Unreleased|\d+\.\d+\.\d+)\]?( - \d{4}-\d\d-\d\d)?$", re.MULTILINE)


def sections(text: str) -> dict[str, str]:
    """Return what stands below the heading of each version."""
    headings = [*VERSION.finditer(text)]
    ends = [*(each.start() for each in headings[1:]), len(text)]
    return {
        each[1]: text[each.end() : end] for each, end in zip(headings, ends, strict=True)
    }  # fmt: skip


def without_note(text: str) -> list[str]:
    """Return the versions that do not say, once, what is to be done when updating."""
    note = re.compile(rf"^### {TO_DO}\n\n\S", re.MULTILINE)
    return [name for name, section in sections(text).items() if len(note.findall(section)) != 1]


def test_each_heading_is_a_version() -> None:
    assert len(sections(TEXT)) == len(re.findall(r"^## ", TEXT, re.MULTILINE)) >= 1


def test_each_version_says_what_is_to_be_done_when_updating() -> None:
    assert without_note(TEXT) == []


@pytest.mark.parametrize("note", ["", "### To do when updating\n\n", "### To do\n\nNothing.\n"])
def test_a_version_without_it_is_found(note: str) -> None:
    assert without_note(f"{TEXT}\n## 0.0.1 - 2026-01-01\n\n### Added\n\n- a\n\n{note}") == ["0.0.1"]


def test_a_release_of_this_page_is_cut_out() -> None:
    released = TEXT.replace("## Unreleased", "## Unreleased\n\n## 99.0.0 - 2026-12-01", 1)
    part = changelog_part(released, "98.0.0", "99.0.0")
    assert part.startswith("## 99.0.0 - 2026-12-01")
    assert f"### {TO_DO}" in part
