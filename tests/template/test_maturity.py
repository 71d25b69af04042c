"""What docs/maturity.yaml names is there: else no project could ever show its level."""

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import MACHINERY, Template
from tools.worktree import ROOT

CLAIMS = ROOT / "template" / "docs" / "maturity.yaml"
LEVELS: list[dict[str, Any]] = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))["levels"]
TESTS = [
    test for level in LEVELS for each in level["requirements"] for test in each.get("tests", ())
]
CONTRACTS = {"TestUseCase": "use_case.py", "TestModel": "model.py"}
"""What `tests/test_use_case.py` of a project inherits its tests from."""


def functions_in(path: Path) -> set[str]:
    """The functions of a file, those of classes too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.fast
@pytest.mark.parametrize("test", TESTS)
def test_a_test_that_is_named_exists(test: str) -> None:
    file, *inner = test.split("::")
    if file == "tests/test_use_case.py":
        assert inner[1] in functions_in(MACHINERY / "src/mlops/testing" / CONTRACTS[inner[0]])
    else:
        assert inner[-1] in functions_in(ROOT / "template" / file)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_project_has_the_files_that_its_level_asks_for(
    template: Template, tmp_path: Path, level: int
) -> None:
    project = template.render(tmp_path / "project", maturity_level=level)
    asked = [
        file
        for each in LEVELS[:level]
        for one in each["requirements"]
        for file in one.get("files", ())
    ]
    assert [file for file in asked if not (project / file).is_file()] == []
