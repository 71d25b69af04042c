"""The page of obligations names what a project has, at every level, and claims nothing."""

from pathlib import Path
from typing import Any

import pytest
from mlops.settings.sections import Settings

from tests.obligations import NO_FILE, PAGE, VERSION_FILES, problems, rows, version_files
from tests.support import Template

PROJECTS: dict[str, dict[str, Any]] = {
    "rfm-3": {"example": "rfm", "maturity_level": 3, "infrastructure": "bicep"},
    "blank-2": {"example": "blank", "maturity_level": 2, "infrastructure": "none"},
    "blank-1": {"example": "blank", "maturity_level": 1, "infrastructure": "bicep"},
}
DUTIES = (
    *(f"{point} " for point in ("1 (a)", "2 (a)", "2 (b)", "2 (c)", "2 (d)", "2 (e)", "2 (f)")),
    *("2 (g) ", "2 (h) ", "3 ", "4 ", "5 ", "6 ", "7 ", "8 ", "9 "),
    *(f"{article} " for article in (9, 10, 11, 12, 13, 14, 15, 17, 18, 26, 27, 72, 73, 22)),
    *("MEASURE 2.11 ", "MANAGE 4.1 ", "A.6.2.8 ", "A.7.5 "),
)


@pytest.fixture(scope="module", params=PROJECTS)
def project(
    request: pytest.FixtureRequest, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("obligations") / "project"
    return template.render(folder, **PROJECTS[request.param])


def test_what_it_names_is_there(project: Path) -> None:
    text = (project / PAGE).read_text(encoding="utf-8")
    assert [*problems(text, project)] == []
    assert len(rows(text)) > 50
    assert version_files(text) <= VERSION_FILES
    assert {*Settings.model_fields} >= NO_FILE
    for duty in DUTIES:
        assert any(cells[0].startswith(duty) for cells in rows(text)), duty
    check_that_faults_are_noticed(text, project)


def check_that_faults_are_noticed(text: str, project: Path) -> None:
    faults = {
        "a file that is not there": ("`docs/gate.md`", "`docs/gates.md`"),
        "a file that no version holds": ("`lineage.json`", "`heritage.json`"),
        "a command that is not there": ("mlops audit show", "mlops audit display"),
        "an option that is not there": ("--model-version 3", "--version 3"),
        "a cell that is missing": (" | the plan |", " |"),
        "a cell that is empty": (" | the plan |", " | |"),
        "a claim": ("All", "It is compliant. All"),
    }
    for name, (old, new) in faults.items():
        broken = text.replace(old, new) if old in text else f"{text}\n{new}\n"
        assert [*problems(broken, project)], name
