"""What a repository that adopted the template is told to add, until it has it."""

from pathlib import Path

import pytest

from mlops.diagnosis import Diagnosis
from mlops.ops.adoption import PAGE, Block, adoption, blocks_of, lacking
from mlops.ops.doctor import examine
from mlops.ops.template_source import ANSWERS

SETTINGS = """\
[dependency-groups]
machinery = ["mlops-machinery"]

[tool.mlops]
title = "Ours"
maturity_level = 3

[tool.pytest.ini_options]
addopts = "-p mlops.testing.plugin"
"""
CHECKS = '[tool.bandit]\nexclude_dirs = ["tests", ".venv"]\n'
TEXT = f"""\
# Adopting

```toml pyproject.toml
{SETTINGS}```

```toml pyproject.toml checks
{CHECKS}```

```text .gitignore
.mlops/
```

```text .github/workflows
uv run mlops aml check
```

```text README.md
uv run mlops run
```

```
no block of a file
```
"""
ALL = {"pyproject.toml", "pyproject.toml, checks", ".gitignore", ".github/workflows"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One that adopted the template, with its own pyproject.toml and .gitignore."""
    answers = "_src_path: gh:acme/t\nadopted: true\nkept: [pyproject.toml, .gitignore]\n"
    (tmp_path / ANSWERS).write_text(answers)
    (tmp_path / "docs").mkdir()
    (tmp_path / PAGE).write_text(TEXT)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "ours"\n')
    (tmp_path / ".gitignore").write_text("dist/\n")
    return tmp_path


def open_points(repository: Path) -> dict[str, Diagnosis]:
    return {each.name: each for each in adoption(repository) if not each.passed}


def test_all_is_named_before_anything_is_pasted(repository: Path) -> None:
    found = open_points(repository)
    assert found.keys() == ALL, "README.md came with the template"
    assert found["pyproject.toml"].found == "lacks dependency-groups, tool"
    assert found[".gitignore"].found == "lacks .mlops/"
    assert {name for name, each in found.items() if each.needed} == {"pyproject.toml"}
    assert all(PAGE in each.remedy for each in found.values())


def test_it_is_quiet_when_it_is_pasted(repository: Path) -> None:
    (repository / "pyproject.toml").write_text(SETTINGS + CHECKS)
    (repository / ".gitignore").write_text("dist/\n  .mlops/\n")
    workflows = repository / ".github/workflows"
    workflows.mkdir(parents=True)
    (workflows / "checks.yml").write_text("steps:\n  - run: uv run mlops aml check --json\n")
    assert open_points(repository) == {}
    assert {each.name for each in adoption(repository)} == ALL


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        (SETTINGS.replace("Ours", "Another"), []),
        (SETTINGS.replace('addopts = "', 'addopts = "-ra '), []),
        (SETTINGS.replace('["mlops-machinery"]', '["MLOps_machinery>=1", "b"]'), []),
        (SETTINGS.replace("level = 3", "level = 2"), ["tool.mlops.maturity_level = 3"]),
        (SETTINGS.replace("-p mlops", "-p other"), [
            "tool.pytest.ini_options.addopts = -p mlops.testing.plugin"
        ]),
        (SETTINGS.replace("mlops-machinery", "b"), [
            "dependency-groups.machinery: mlops-machinery"
        ]),
        (SETTINGS.replace('title = "Ours"\n', ""), ["tool.mlops.title"]),
    ],
)  # fmt: skip
def test_settings_are_compared_by_what_they_mean(there: str, missing: list[str]) -> None:
    assert lacking(Block("pyproject.toml", "", SETTINGS), there) == missing


def test_lists_of_folders_may_hold_more() -> None:
    block = Block("pyproject.toml", "checks", CHECKS)
    assert lacking(block, CHECKS.replace('["tests"', '["docs", "tests"')) == []
    assert lacking(block, CHECKS.replace(', ".venv"', "")) == ["tool.bandit.exclude_dirs: .venv"]


def test_a_file_that_is_not_toml_is_said_to_be_so(repository: Path) -> None:
    (repository / "pyproject.toml").write_text("[tool\n")
    assert open_points(repository)["pyproject.toml"].found.startswith("is not valid TOML")


def test_a_page_without_blocks_is_no_all_clear(repository: Path) -> None:
    (repository / PAGE).write_text("# Another page\n")
    (found,) = adoption(repository)
    assert (found.name, found.passed) == (PAGE, False)
    assert found.found.startswith("not checked")


def test_the_doctor_says_it_before_there_is_a_project(repository: Path) -> None:
    names = {each.name for each in examine(repository / "docs") if not each.passed}
    assert names >= {"project", "pyproject.toml"}


@pytest.mark.parametrize("answers", ["", "adopted: false\n", "_src_path: gh:acme/t\n"])
def test_nothing_is_asked_of_a_project_that_was_made(repository: Path, answers: str) -> None:
    (repository / ANSWERS).write_text(answers)
    assert adoption(repository) == []


def test_blocks_are_those_that_name_a_file() -> None:
    assert [(each.file, each.kind) for each in blocks_of(TEXT)] == [
        ("pyproject.toml", ""),
        ("pyproject.toml", "checks"),
        (".gitignore", ""),
        (".github/workflows", ""),
        ("README.md", ""),
    ]
