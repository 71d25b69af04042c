"""Faults seeded into a generated project: each must turn one of the project's tests red.

A patch in `mutations/` begins with what the fault is, and a line `# red: <test file>` naming the
tests that must notice; test_project_rfm.py sees them green without it. A patch that no longer
applies fails: make it anew with `git diff` in a project rendered with the default answers.
"""

import re
from pathlib import Path

import pytest

from .support import TESTS, Project, Template, run

pytestmark = pytest.mark.project

PATCHES = sorted((TESTS / "mutations").glob("*.patch"))


def red_tests(patch: Path) -> list[str]:
    """Return the test files or ids that the patch's header names."""
    found = re.findall(r"^# red: (\S+)$", patch.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{patch.name} names no test: it needs a line `# red: tests/…`"
    return list(found)


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return template.install(tmp_path_factory.mktemp("mutations") / "project")


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_fault_turns_a_test_red(project: Project, patch: Path) -> None:
    run("git", "apply", patch, folder=project.path)
    try:
        said = project.run("pytest", "--quiet", "--maxfail", "1", *red_tests(patch), expect=1)
    finally:
        run("git", "checkout", "--quiet", "--", ".", folder=project.path)
    assert " failed" in said
