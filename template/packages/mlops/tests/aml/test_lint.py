"""The checks of aml/: right definitions pass, each seeded fault is found."""

import subprocess
import sys
from pathlib import Path

import pytest

from fakes.aml_files import FAULTS, Fault, commands, write_files
from mlops.aml.lint import lint
from mlops.aml.schedules import check_cron


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_files(tmp_path)


def test_right_definitions_pass(root: Path) -> None:
    assert lint(root, commands) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found(root: Path, fault: Fault) -> None:
    fault.seed(root)
    problems = lint(root, commands)
    assert {problem.file for problem in problems} >= {f"aml/{fault.file}"}
    assert any(fault.said in str(problem) for problem in problems), problems


def test_a_fault_is_told_with_its_file_and_place(root: Path) -> None:
    fault = next(fault for fault in FAULTS if fault.name == "absent step")
    fault.seed(root)
    assert str(lint(root, commands)[0]) == (
        "aml/pipelines/train.yml: jobs.use.inputs.made: "
        "there is no step 'mak' (there is: make, use)"
    )


def test_every_fault_has_a_name_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_a_project_without_a_pipeline_is_noticed(root: Path) -> None:
    (root / "aml" / "pipelines" / "train.yml").unlink()
    found = [str(problem) for problem in lint(root, commands)]
    assert "aml/pipelines: there is no pipeline" in found


def test_an_unreadable_component_is_told_once(root: Path) -> None:
    (root / "aml" / "components" / "make.yml").write_text("type: command\n")
    assert [problem.file for problem in lint(root, commands)] == ["aml/components/make.yml"]


def test_an_unreadable_pipeline_is_told_once(root: Path) -> None:
    (root / "aml" / "pipelines" / "train.yml").write_text("type: pipeline\n")
    assert [problem.file for problem in lint(root, commands)] == ["aml/pipelines/train.yml"]


@pytest.mark.parametrize(
    "expression", ["* * * * *", "*/15 0-6 1,15 */3 0", "0 23 31 12 6", "5-10/2 4 * * *"]
)
def test_a_cron_expression_is_right(expression: str) -> None:
    assert check_cron(expression) == []


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("0 2 * *", "has 4 fields instead of 5"),
        ("60 2 * * *", "'60' is no minute"),
        ("0 24 * * *", "'24' is no hour"),
        ("0 2 0 * *", "'0' is no day of the month"),
        ("0 2 * 13 *", "'13' is no month"),
        ("0 2 * * 7", "'7' is no day of the week"),
        ("9-5 2 * * *", "'9-5' is no minute"),
        ("*/0 2 * * *", "'*/0' is no minute"),
        ("1,,2 2 * * *", "'1,,2' is no minute"),
        ("x 2 * * *", "'x' is no minute"),
    ],
)
def test_a_cron_expression_is_wrong(expression: str, said: str) -> None:
    assert said in "; ".join(check_cron(expression))


def test_the_checks_need_nothing_heavy() -> None:
    modules = "import sys, mlops.cli.main, mlops.aml.lint"
    roots = "print(*{name.split('.')[0] for name in sys.modules})"
    command = [sys.executable, "-c", f"{modules}\n{roots}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert not {"azure", "mlflow", "polars", "sklearn", "pandera", "ibis"} & set(said)
