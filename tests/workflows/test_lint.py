"""The linters and the policy find nothing in a generated project, nor in this repository."""

import re
from pathlib import Path

import pytest

from tests.support import BIN, Template, commit_all, run
from tests.workflows.act import USES
from tests.workflows.linters import JACTIONLINT, lint
from tests.workflows.policy import RULES, Workflows
from tools.worktree import ROOT

GITHUB = ROOT / "template" / ".github"


def workflow_files() -> list[Path]:
    """All files that name actions, of the template and of this repository."""
    return sorted(path for folder in (GITHUB, ROOT / ".github") for path in folder.rglob("*.y*ml"))


@pytest.fixture(scope="module")
def rendered(template: Template, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Workflows]:
    folder = tmp_path_factory.mktemp("levels")
    return {
        level: Workflows.read(template.render(folder / str(level), maturity_level=level))
        for level in (1, 2, 3)
    }


@pytest.mark.parametrize("level", [1, 2, 3])
def test_at_every_level_nothing_is_found(template: Template, tmp_path: Path, level: int) -> None:
    project = template.render(tmp_path / "project", maturity_level=level)
    commit_all(project)
    lint(project)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("level", [1, 2, 3])
def test_at_every_level_the_rules_hold(
    rendered: dict[int, Workflows], level: int, rule: str
) -> None:
    RULES[rule](rendered[level])


def test_jactionlint_finds_nothing_in_this_repository() -> None:
    files = sorted((ROOT / ".github" / "workflows").iterdir())
    run(*JACTIONLINT, *files, folder=ROOT)


@pytest.mark.parametrize("folder", [GITHUB.parent, ROOT / ".github"], ids=["template", "own"])
def test_zizmor_finds_nothing(folder: Path) -> None:
    run(BIN / "zizmor", "--offline", "--persona", "pedantic", folder, folder=ROOT)


def test_every_action_is_pinned_to_one_commit() -> None:
    pins: dict[str, set[tuple[str, str]]] = {}
    for path in workflow_files():
        for found in USES.finditer(path.read_text(encoding="utf-8")):
            action, ref, comment = found.group("action", "ref", "comment")
            assert re.fullmatch(r"[0-9a-f]{40}", ref), f"{path}: {action} is not pinned"
            assert re.fullmatch(r"v\d+\.\d+\.\d+", comment or ""), f"{path}: no version"
            pins.setdefault(action, set()).add((ref, comment))
    assert pins
    assert {action: found for action, found in pins.items() if len(found) > 1} == {}


def test_companies_are_told_every_action_to_allow() -> None:
    """What is not on the list ends a run of an organisation that allows chosen actions only."""
    page = ROOT / "template" / "docs" / "github-for-companies.md"
    allowed = set(re.findall(r"`([\w.-]+/[\w.-]+)@\*`", page.read_text(encoding="utf-8")))
    used = {
        found["action"]
        for path in GITHUB.rglob("*.yml")
        for found in USES.finditer(path.read_text(encoding="utf-8"))
    }
    assert allowed == used
