"""A project made before the machinery had a package of its own, brought up to date.

What a team pastes stands in CHANGELOG.md; this test pastes it. The project is of the last commit
before the move, at level 1, and its team has edited files of its own, one of the machinery and one
that both edit.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from copier import run_copy

from tests.support import Project, Template, commit_all, run, uv
from tests.template.versions import template_of_two_versions
from tools.expected_files import files_in
from tools.worktree import ROOT

pytestmark = [pytest.mark.project, pytest.mark.slow]

PACKAGE = "purchase_prediction"
FENCED = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MACHINERY_EDIT = f"src/{PACKAGE}/metrics.py"
OWN_TEST = """\
from {package}.features import build_features


def test_ours() -> None:
    assert build_features.__doc__
"""


def part(title: str) -> list[str]:
    """Return the fenced blocks below a heading of CHANGELOG.md, up to the next heading."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    below = text.split(f"#### {title}\n", 1)[1]
    return FENCED.findall(re.split(r"^#+ ", below, maxsplit=1, flags=re.MULTILINE)[0])


def bash(project: Path, block: str) -> str:
    """Paste a block; the first command that fails ends it."""
    env = {"PATH": os.pathsep.join([str(Path(uv()).parent), os.environ["PATH"]])}
    return run("bash", "-e", "-c", block, folder=project, env=env, timeout=1200)


def edit(project: Path, name: str, old: str, new: str) -> None:
    path = project / name
    text = path.read_text(encoding="utf-8")
    assert old in text, name
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@dataclass(frozen=True)
class Updated:
    """The project after its update, and what the block before it said."""

    project: Project
    said: str
    fresh: set[str]


@pytest.fixture(scope="module")
def updated(tmp_path_factory: pytest.TempPathFactory) -> Updated:
    folder = tmp_path_factory.mktemp("before")
    template = template_of_two_versions(folder / "template")
    project = folder / "project"
    render_version(template, project, "1.0.0", maturity_level=1)
    commit_all(project)
    use_case = f"src/{PACKAGE}/use_case"
    edit(project, f"{use_case}/features.py", '"""', '"""Ours. ')
    edit(project, f"{use_case}/params.py", "default=60", "default=45")
    edit(project, MACHINERY_EDIT, '"""', '"""Ours. ')
    edit(project, "pyproject.toml", '    "click>=8.1",\n', '    "click>=8.1",\n    "idna>=3",\n')
    edit(project, "conf/dev.yaml", "purpose:", "# ours\npurpose:")
    own = project / "tests/use_case/test_ours.py"
    own.write_text(OWN_TEST.format(package=f"{PACKAGE}.use_case"), encoding="utf-8")
    commit_all(project)
    said = "".join(bash(project, block) for block in part("Before the update")[:1])
    template.update(project)
    settle, *rest = part("After the update")
    bash(project, settle.replace("httpx", "idna"))
    run("git", "add", "pyproject.toml", folder=project)
    for block in rest:
        said += bash(project, block)
    commit_all(project)
    fresh = template.render(folder / "fresh", maturity_level=1)
    return Updated(Project(project), said, set(files_in(fresh)))


def render_version(template: Template, project: Path, version: str, **answers: Any) -> None:
    """Render a project of one version of a template."""
    run_copy(str(template.path), project, data=answers, vcs_ref=version, defaults=True, quiet=True)


def test_an_edit_of_the_machinery_is_named_and_kept(updated: Updated) -> None:
    assert MACHINERY_EDIT in updated.said
    patch = updated.project.path.parent / "machinery.patch"
    assert '+"""Ours. ' in patch.read_text(encoding="utf-8")


def test_nothing_of_the_old_machinery_is_left(updated: Updated) -> None:
    listed = run("git", "ls-files", folder=updated.project.path).splitlines()
    assert {*listed} - updated.fresh == {"tests/test_ours.py", "uv.lock"}
    assert updated.fresh <= {*listed}


def test_the_team_s_edits_are_where_its_files_are_now(updated: Updated) -> None:
    root = updated.project.path
    assert '"""Ours. ' in (root / f"src/{PACKAGE}/features.py").read_text(encoding="utf-8")
    assert "default=45" in (root / f"src/{PACKAGE}/params.py").read_text(encoding="utf-8")
    assert "# ours" in (root / "conf/dev.yaml").read_text(encoding="utf-8")
    assert '"idna' in (root / "pyproject.toml").read_text(encoding="utf-8")
    ours = (root / "tests/test_ours.py").read_text(encoding="utf-8")
    assert ours == OWN_TEST.format(package=PACKAGE)


def test_the_test_that_is_written_is_the_template_s(updated: Updated) -> None:
    written = (updated.project.path / "tests/test_use_case.py").read_bytes()
    assert written == (ROOT / "template/tests/test_use_case.py").read_bytes()


def test_its_tests_and_its_loop_are_green(updated: Updated) -> None:
    """The last block runs them, and ends at the first command that fails."""
    assert re.findall(r"\d+ (?:passed|failed)", updated.said)
    assert "failed" not in updated.said
    assert "The whole loop ran in" in updated.said


def test_the_answers_say_the_new_version(updated: Updated) -> None:
    path = updated.project.path / ".copier-answers.yml"
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["_commit"] == "2.0.0"
