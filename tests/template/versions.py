"""A template in two versions, one of them from this repository's history."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import MACHINERY, Template, commit_all, run
from tools.expected_files import files_in
from tools.worktree import ROOT, copy_worktree

MACHINERY_OF_A_TEMPLATE = MACHINERY.relative_to(ROOT)
HOUSE = "99a2f8e"
"""The last commit before the machinery had a package of its own."""
PACKAGE = "4017495"
"""The first commit at which it has one; projects from before are moved as CHANGELOG says."""
LANDING = "0de97f3"
"""What main held before the present work."""
MOST_COMMITS = 20


def template_of_two_versions(
    path: Path, before: str = HOUSE, keep: Sequence[str] | None = None
) -> Template:
    """Return the template as it was at a commit, tagged 1.0.0, and as it is, tagged 2.0.0.

    Args:
        path: where to make it.
        before: the commit.
        keep: the files of the machinery that stay in both, since Copier calls git for each of a
            project; None: all.
    """
    path.mkdir()
    archive = subprocess.run(["git", "archive", before], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.fail(f"there is no commit {before} here: fetch the whole history of this repository")
    subprocess.run(["tar", "--extract"], cwd=path, input=archive.stdout, check=True)
    leave_out(path, keep)
    commit_all(path, tag="1.0.0")
    for name in files_in(path):
        (path / name).unlink()
    copy_worktree(path)
    leave_out(path, keep)
    commit_all(path, tag="2.0.0")
    return Template(path)


def leave_out(template: Path, keep: Sequence[str] | None) -> None:
    """Leave out of a template's machinery what is not kept."""
    machinery = template / MACHINERY_OF_A_TEMPLATE
    if keep is not None and machinery.is_dir():
        for name in files_in(machinery):
            if name not in keep:
                (machinery / name).unlink()


def commits_since_house() -> list[str]:
    """Return commits of main that changed template/, evenly taken, oldest first."""
    options = ("--first-parent", "--reverse", "--format=%h", f"{PACKAGE}~1..{LANDING}~1")
    found = run("git", "log", *options, "--", "template", folder=ROOT, expect=None).split()
    step = max(1, -(-len(found) // MOST_COMMITS))
    return found[::step]
