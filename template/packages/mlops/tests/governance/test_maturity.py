"""A level is shown by tests that passed and files that are there, and by nothing else."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from mlops.errors import ConfigError
from mlops.governance.maturity import Word, hold_against, read_claims, recorded_name
from mlops.governance.recorded_tests import read_record

CLAIMS = """\
schema: 1
levels:
  - level: 1
    name: Pipelines
    elsewhere: {microsoft: 2}
    requirements:
      - id: checked
        asks: Data are checked
        tests:
          - packages/mlops/tests/steps/test_validate.py::test_null_key
          - tests/test_use_case.py::TestModel::test_the_gate_would_pass_it
  - level: 2
    name: CI/CD
    elsewhere: {microsoft: 3}
    requirements:
      - id: released
        asks: It is released
        files: [.github/workflows/deploy.yml]
"""
PASSED = {
    "tests.steps.test_validate::test_null_key": Word.PASSED,
    "tests.test_use_case.TestModel::test_the_gate_would_pass_it": Word.PASSED,
}
RECORD = """\
<testsuites><testsuite timestamp="2026-01-05T08:00:00.000001">
<testcase classname="tests.a.test_b" name="test_c[1]"/>
<testcase classname="tests.a.test_b" name="test_c[2]">{second}</testcase>
<testcase classname="tests.test_use_case.TestModel" name="test_d"><properties/></testcase>
</testsuite></testsuites>
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the claims, and all that they name."""
    for name in (
        "packages/mlops/tests/steps/test_validate.py",
        "tests/test_use_case.py",
        ".github/workflows/deploy.yml",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("something", encoding="utf-8")
    (tmp_path / "maturity.yaml").write_text(CLAIMS, encoding="utf-8")
    return tmp_path


def level(root: Path, outcomes: Mapping[str, Word] = PASSED) -> tuple[int, list[tuple[str, str]]]:
    found = hold_against(read_claims(root / "maturity.yaml"), outcomes, root)
    missing = [(one.name, str(one.word)) for each in found.findings for one in each.missing]
    return found.level, missing


def test_what_is_all_shown_is_reached(root: Path) -> None:
    assert level(root) == (2, [])


@pytest.mark.parametrize("word", [Word.FAILED, Word.SKIPPED])
def test_a_test_that_did_not_pass_shows_nothing(root: Path, word: Word) -> None:
    name = "packages/mlops/tests/steps/test_validate.py::test_null_key"
    assert level(root, PASSED | {recorded_name(name): word}) == (0, [(name, str(word))])


def test_a_test_that_was_not_run_shows_nothing(root: Path) -> None:
    reached, missing = level(root, {})
    assert reached == 0
    assert {word for _, word in missing} == {"not run"}


def test_an_old_record_does_not_speak_for_a_file_that_is_gone(root: Path) -> None:
    (root / "tests/test_use_case.py").unlink()
    assert level(root)[0] == 0
    assert level(root)[1][0][1] == "gone"


@pytest.mark.parametrize("remains", [None, ""])
def test_a_file_that_is_gone_or_empty_shows_nothing(root: Path, remains: str | None) -> None:
    file = root / ".github/workflows/deploy.yml"
    file.unlink() if remains is None else file.write_text(remains, encoding="utf-8")
    assert level(root) == (1, [(".github/workflows/deploy.yml", "gone")])


def test_a_higher_level_does_not_stand_without_the_one_below(root: Path) -> None:
    assert level(root, {})[0] == 0


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("level: 2", "level: 3", "levels are 1, 2, 3 and so on, not \\[1, 3\\]"),
        ("files: [.github/workflows/deploy.yml]", "files: []", "nothing shows it"),
        ("files:", "filez:", "filez"),
        ("::test_null_key", "", "tests.0"),
        ("schema: 1", "schema: 2", "schema"),
        ("levels:", "levels: [", "cannot be read"),
        ("id: released", "id: released\n        id: twice", "stands twice"),
    ],
)
def test_claims_that_are_wrong_are_named(root: Path, right: str, wrong: str, said: str) -> None:
    assert right in CLAIMS
    (root / "maturity.yaml").write_text(CLAIMS.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read_claims(root / "maturity.yaml")


def test_claims_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is missing"):
        read_claims(tmp_path / "maturity.yaml")


@pytest.mark.parametrize(
    ("second", "word"),
    [
        ("", Word.PASSED),
        ("<failure/>", Word.FAILED),
        ("<error/>", Word.FAILED),
        ('<skipped type="pytest.xfail"/>', Word.SKIPPED),
    ],
)
def test_all_cases_of_a_test_must_pass(tmp_path: Path, second: str, word: Word) -> None:
    (tmp_path / "r.xml").write_text(RECORD.format(second=second), encoding="utf-8")
    record = read_record([tmp_path / "r.xml"])
    assert record.outcomes == {
        "tests.a.test_b::test_c": word,
        "tests.test_use_case.TestModel::test_d": Word.PASSED,
    }
    assert record.began == "2026-01-05T08:00:00.000001"


@pytest.mark.parametrize(("content", "said"), [(None, "does not exist"), ("half <", "no XML")])
def test_a_record_that_cannot_be_read_is_named(
    tmp_path: Path, content: str | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "r.xml").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read_record([tmp_path / "r.xml"])
