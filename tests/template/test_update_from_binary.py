"""A project from before there were tasks and categories, brought up to date with a version of it.

Its team edits nothing: the version that it registered still serves beside a new one, and the next
one is trained, registered and released.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Project, commit_all, run, uv
from tests.template.test_update_from_before import render_version
from tests.template.versions import template_of_two_versions

pytestmark = [pytest.mark.project, pytest.mark.slow]

BEFORE = "8be0413"


def signature(project: Project, version: int) -> dict[str, object]:
    (path,) = (project.path / ".mlops").rglob(f"registry/*/{version}/signature.json")
    content: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def updated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project at level 3 whose loop ran once, updated, with what it registered."""
    folder = tmp_path_factory.mktemp("binary")
    template = template_of_two_versions(folder / "template", BEFORE)
    project = Project(folder / "project")
    render_version(template, project.path, "1.0.0", maturity_level=3)
    run("git", "init", "--quiet", "--initial-branch", "main", folder=project.path)
    run(uv(), "sync", "--quiet", folder=project.path)
    commit_all(project.path)
    project.mlops("run", timeout=1200)
    project.mlops("stop", "--all")
    team = files_of_the_team(project.path)
    template.update(project.path)
    assert files_of_the_team(project.path) == team
    run(uv(), "sync", "--quiet", folder=project.path)
    commit_all(project.path)
    yield project
    project.mlops("stop", "--all")


def files_of_the_team(project: Path) -> dict[str, str]:
    return {
        path.relative_to(project).as_posix(): path.read_text(encoding="utf-8")
        for name in ("src", "conf")
        for path in sorted((project / name).rglob("*"))
        if path.suffix in (".py", ".yaml")
    }


def test_the_old_version_serves_beside_the_next_one_which_is_released(updated: Project) -> None:
    """`mlops run` trains and registers version 2, and releases it in the place of version 1."""
    updated.mlops("deploy", "--environment", "test", "--model-version", "1")
    updated.mlops("smoke-test", "--environment", "test")
    said = updated.mlops("run", timeout=1200)
    assert "version 2" in said
    assert "The whole loop ran in" in said
    assert signature(updated, 1)["schema"] == 1
    assert signature(updated, 2)["schema"] == 2
    beside = ("--deployment", "green", "--traffic", "0")
    updated.mlops("deploy", "--environment", "test", "--model-version", "1", *beside)
    status = updated.mlops("status")
    assert "green" in status
    assert "blue" in status
    updated.mlops("smoke-test", "--environment", "test")


def test_its_tests_are_green(updated: Project) -> None:
    updated.run("pytest", timeout=1200)
