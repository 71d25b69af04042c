"""Projects of what main held before, untouched and edited, brought up to date.

Of the landing before every combination of answers, of older commits the default project.
"""

import itertools
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import Template, append, commit_all, contents
from tests.template.test_update import KEPT, assert_no_conflict, prepend
from tests.template.test_update_from_before import render_version
from tests.template.versions import LANDING, commits_since_house, template_of_two_versions

pytestmark = pytest.mark.slow

PACKAGE = "purchase_prediction"
EXAMPLES: tuple[dict[str, Any], ...] = (
    {"example": "rfm"},
    {"example": "spend"},
    *({"example": "blank", "task": task} for task in ("binary", "multiclass", "regression")),
)
COMBINATIONS: list[dict[str, Any]] = [
    {**example, "maturity_level": level, "infrastructure": infrastructure}
    for example, level, infrastructure in itertools.product(EXAMPLES, (1, 2, 3), ("bicep", "none"))
]
EDITED = (f"src/{PACKAGE}/features.py", "tests/test_use_case.py", "conf/base.yaml", "conf/dev.yaml")
OWN = (f"src/{PACKAGE}/own.py", "tests/test_own.py", "conf/own.yaml", "docs/own.md")
TEAM = ("src/", "tests/", "conf/", "compliance/")


def named(answers: dict[str, Any]) -> str:
    return "-".join(str(each) for each in answers.values())


def recorded(project: Path) -> dict[str, Any]:
    """Return the answers that a project records."""
    text = (project / ".copier-answers.yml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return {name: value for name, value in content.items() if not name.startswith("_")}


def of_the_template(project: Path) -> dict[str, bytes]:
    """Return what is not the team's."""
    return {
        name: text for name, text in contents(project).items() if not name.startswith((*TEAM, *OWN))
    }


def check(template: Template, folder: Path, **answers: Any) -> None:
    """Update a project of 1.0.0 twice: as it was rendered, and with edits of its team."""
    untouched, edited = folder / "untouched", folder / "edited"
    render_version(template, untouched, "1.0.0", **answers)
    shutil.copytree(untouched, edited)
    there = [name for name in EDITED if (edited / name).is_file()]
    assert f"src/{PACKAGE}/features.py" in there
    for name in (*there, *OWN):
        append(edited / name, "# mine")
    prepend(edited / "README.md", "<!-- mine -->")
    (edited / f"src/{PACKAGE}/slices.py").unlink()
    team = {name: text for name, text in contents(edited).items() if name.startswith((*TEAM, *OWN))}
    before = {name for name in contents(untouched) if name.startswith(TEAM)}
    for project in (untouched, edited):
        commit_all(project)
        template.update(project)
        assert_no_conflict(project)
    fresh = of_the_template(template.render(folder / "fresh", **recorded(untouched)))
    assert of_the_template(untouched) == fresh
    readme = b"<!-- mine -->\n" + fresh["README.md"]
    assert of_the_template(edited) == {**fresh, "README.md": readme}
    found = contents(edited)
    assert {name: found[name] for name in team} == team
    assert f"src/{PACKAGE}/slices.py" not in found
    assert before <= {name for name in contents(untouched) if name.startswith(TEAM)}


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return template_of_two_versions(tmp_path_factory.mktemp("landing") / "template", LANDING, KEPT)


@pytest.mark.parametrize("answers", COMBINATIONS, ids=named)
def test_from_the_landing_before(
    landing: Template, tmp_path: Path, answers: dict[str, Any]
) -> None:
    check(landing, tmp_path, **answers)


def test_there_are_older_commits() -> None:
    """Where the history is cut off the tests below would be none."""
    assert 10 <= len(commits_since_house()) <= 20


@pytest.mark.parametrize("commit", commits_since_house())
def test_from_an_older_commit(tmp_path: Path, commit: str) -> None:
    template = template_of_two_versions(tmp_path / "template", commit, KEPT)
    check(template, tmp_path)
