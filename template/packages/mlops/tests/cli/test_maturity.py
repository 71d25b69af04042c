"""`mlops maturity`: what is recorded decides the level, and no record is no level."""

import json
from pathlib import Path

import pytest

from fakes.cli import Command, Outputs
from mlops.settings.project import Project

CLAIMS = """\
schema: 1
levels:
  - level: 1
    name: Pipelines
    elsewhere: {microsoft: 2, google: 0}
    requirements:
      - id: adds
        asks: It adds
        tests: [tests/test_own.py::test_it_adds]
  - level: 2
    name: CI/CD
    elsewhere: {microsoft: 3, google: 2}
    requirements:
      - id: tells
        asks: It tells
        tests: [packages/mlops/tests/test_machine.py::TestIt::test_it_tells]
"""


@pytest.fixture
def claimed(project: Project) -> Path:
    """A project of level 2 with a test for each level; both pass."""
    own = project.root / "pyproject.toml"
    text = own.read_text(encoding="utf-8")
    assert "maturity_level = 1" in text
    own.write_text(text.replace("maturity_level = 1", "maturity_level = 2"), encoding="utf-8")
    for name, text in {
        "docs/maturity.yaml": CLAIMS,
        "tests/test_own.py": "def test_it_adds():\n    assert 1 + 1 == 2\n",
        "packages/mlops/pyproject.toml": "[tool.pytest.ini_options]\n",
        "packages/mlops/tests/test_machine.py": (
            "class TestIt:\n    def test_it_tells(self):\n        assert True\n"
        ),
    }.items():
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
        (project.root / name).write_text(text, encoding="utf-8")
    return project.root


@pytest.mark.usefixtures("claimed")
def test_without_a_record_nothing_is_known(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("maturity") == 4
    assert "no run of the tests is recorded" in capsys.readouterr().err


def test_the_tests_that_are_named_are_run_and_decide(
    mlops: Command, claimed: Path, capsys: pytest.CaptureFixture[str], outputs: Outputs
) -> None:
    assert mlops("maturity", "--run") == 0
    said = capsys.readouterr()
    assert "It adds" in said.out
    assert "maturity level 2" in said.err
    assert "verified on Azure by: nothing" in said.err
    assert outputs()["level"] == "2"

    own = claimed / "tests/test_own.py"
    own.write_text(own.read_text(encoding="utf-8").replace("== 2", "== 3"), encoding="utf-8")
    assert mlops("maturity", "--json") == 0, "the record is of before"
    assert json.loads(capsys.readouterr().out)["level"] == 2
    assert mlops("maturity", "--run", "--strict", "--json") == 1
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["level"], found["verified_on_azure"]) == (0, [])
    assert found["requirements"][0]["evidence"] == [
        {"name": "tests/test_own.py::test_it_adds", "word": "failed"}
    ]
    assert "level 0 is shown" in said.err


def test_a_cloud_that_is_not_at_hand_hides_no_level(
    mlops: Command,
    claimed: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLOPS_PLATFORM", "azure")
    record = claimed / "results.xml"
    record.write_text("<testsuite/>", encoding="utf-8")
    assert mlops("maturity", "--results", record, "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["verified_on_azure"] is None
    assert "Azure could not be asked" in said.err


def test_a_claim_whose_test_was_deleted_lowers_the_level(
    mlops: Command, claimed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = claimed / "packages/mlops/tests/test_machine.py"
    machine.write_text("def test_another():\n    pass\n", encoding="utf-8")
    assert mlops("maturity", "--run", "--strict") == 1
    assert "tells: test_it_tells (not run)" in capsys.readouterr().err


def test_tests_that_cannot_be_run_are_not_shown_by_the_record_of_before(
    mlops: Command, claimed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = claimed / ".mlops" / "tests"
    records.mkdir(parents=True)
    for record, place, test in (
        ("project.xml", "tests.test_own", "test_it_adds"),
        ("machinery.xml", "tests.test_machine.TestIt", "test_it_tells"),
    ):
        case = f'<testcase classname="{place}" name="{test}"/>'
        (records / record).write_text(f"<testsuite>{case}</testsuite>", encoding="utf-8")
    assert mlops("maturity", "--json") == 0
    assert json.loads(capsys.readouterr().out)["level"] == 2
    (claimed / "tests" / "conftest.py").write_text("import gone\n", encoding="utf-8")
    assert mlops("maturity", "--run") == 3
    assert "the tests could not be run" in capsys.readouterr().err
    assert mlops("maturity", "--json") == 0
    assert json.loads(capsys.readouterr().out)["level"] == 0


def test_a_file_of_a_run_elsewhere_is_read(
    mlops: Command, claimed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = claimed / "test-results.xml"
    record.write_text(
        '<testsuite><testcase classname="tests.test_own" name="test_it_adds"/></testsuite>',
        encoding="utf-8",
    )
    assert mlops("maturity", "--results", record, "--json") == 0
    assert json.loads(capsys.readouterr().out)["level"] == 1
    assert mlops("maturity", "--results", claimed / "none.xml") == 2
