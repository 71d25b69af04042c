"""Every pair of level and infrastructure, every example and every task, brought up to date."""

from pathlib import Path
from typing import Any

import pytest

from tests.support import Template, append, commit_all, contents
from tests.template.test_update import KEPT, SOURCES, TEAM, assert_no_conflict

PROJECTS: dict[str, dict[str, Any]] = {
    # The sixth pair, level 3 with bicep and rfm, is what test_update.py updates.
    "rfm-1-none": {"maturity_level": 1, "infrastructure": "none"},
    "spend-2-bicep": {"example": "spend", "maturity_level": 2},
    "binary-3-none": {"example": "blank", "infrastructure": "none"},
    "multiclass-1-bicep": {"example": "blank", "task": "multiclass", "maturity_level": 1},
    "regression-2-none": {
        "example": "blank",
        "task": "regression",
        "maturity_level": 2,
        "infrastructure": "none",
    },
}
NEWS = (
    *("template/README.md.jinja", "template/pyproject.toml.jinja", "template/docs/gate.md"),
    *("template/.github/workflows/ml-cicd.yml", f"{SOURCES}/errors.py"),
)


@pytest.fixture(scope="module")
def renewed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Template, dict[str, Path]]:
    """A template that has a version 2.0.0, and committed projects of 1.0.0."""
    folder = tmp_path_factory.mktemp("pairs")
    template = Template.make_small(folder / "template", KEPT)
    projects = {
        name: template.render(folder / name, **answers) for name, answers in PROJECTS.items()
    }
    for path in NEWS:
        append(template.path / path, "# theirs")
    append(template.path / TEAM / "features.py", "# theirs")
    (template.path / "template/docs/new.md").write_text("# New\n", encoding="utf-8")
    (template.path / "template/docs/split.md").unlink()
    commit_all(template.path, tag="2.0.0")
    return template, projects


@pytest.mark.parametrize("name", PROJECTS)
def test_an_untouched_project_becomes_what_a_fresh_copy_is(
    renewed: tuple[Template, dict[str, Path]], tmp_path: Path, name: str
) -> None:
    template, projects = renewed
    project = projects[name]
    commit_all(project)
    template.update(project)
    fresh = contents(template.render(tmp_path / "fresh", **PROJECTS[name]))
    own = "src/purchase_prediction/features.py"
    theirs = {path: text for path, text in contents(project).items() if path != own}
    assert theirs == {path: text for path, text in fresh.items() if path != own}
    assert b"# theirs" not in (project / own).read_bytes()
    assert_no_conflict(project)
