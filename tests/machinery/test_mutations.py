"""Faults seeded into the machinery: each must turn the test red that `mutations.yaml` names."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.machinery.copy import MachineryCopy
from tests.support import MACHINERY, Template
from tools.worktree import ROOT

pytestmark = pytest.mark.fast

LIST = Path(__file__).with_name("mutations.yaml")


@dataclass(frozen=True)
class Mutation:
    """A fault: what it is, the text to replace in a file, and the test that must notice."""

    name: str
    what: str
    file: str
    old: str
    new: str
    red: str


MUTATIONS = [Mutation(**each) for each in yaml.safe_load(LIST.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def machinery(template: Template, tmp_path_factory: pytest.TempPathFactory) -> MachineryCopy:
    return MachineryCopy.make(template, tmp_path_factory.mktemp("mutations") / "project")


def test_each_fault_has_a_name_and_names_one_test() -> None:
    assert len({each.name for each in MUTATIONS}) == len(MUTATIONS) >= 49
    assert [each.name for each in MUTATIONS if "::test_" not in each.red] == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: str(mutation.name))
def test_what_a_fault_replaces_stands_once_in_its_file(mutation: Mutation) -> None:
    """And the test that it names is there."""
    text = (ROOT / "template" / mutation.file).read_text(encoding="utf-8")
    assert text.count(mutation.old) == 1, "give the fault the present text in mutations.yaml"
    path, *_, name = mutation.red.partition("[")[0].split("::")
    tests = (MACHINERY / path).read_text(encoding="utf-8")
    assert f"def {name}(" in tests


@pytest.mark.slow
def test_without_a_fault_those_tests_are_green(machinery: MachineryCopy) -> None:
    machinery.pytest("--quiet", *sorted({each.red for each in MUTATIONS}))


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: str(mutation.name))
def test_a_fault_turns_its_test_red(machinery: MachineryCopy, mutation: Mutation) -> None:
    path = machinery.root / mutation.file
    sound = path.read_text(encoding="utf-8")
    machinery.write(mutation.file, sound.replace(mutation.old, mutation.new))
    try:
        said = machinery.pytest("--quiet", "--maxfail", "1", mutation.red, expect=1)
    finally:
        machinery.write(mutation.file, sound)
    assert " failed" in said
