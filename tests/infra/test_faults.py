"""Faults in infra/: each changes one file of a sound project, and the check it names must fail."""

import shutil
from pathlib import Path

import pytest

from tests.infra.bicep_types import AzureTypes
from tests.infra.checks import CHECKS
from tests.infra.faults import FAULTS, LONG
from tests.infra.project import Infra
from tests.infra.resources import check_types


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_turns_its_check_red(
    projects: dict[str, Infra], types: AzureTypes, tmp_path: Path, name: str
) -> None:
    infra = projects["long-names" if name in LONG else "default"]
    file, old, new, check = FAULTS[name]
    project = tmp_path / "project"
    shutil.copytree(infra.project, project)
    path = project / "infra" / file
    text = path.read_text(encoding="utf-8")
    if old not in text:
        pytest.fail("the fault no longer applies: give it the present text")
    path.write_text(text.replace(old, new), encoding="utf-8")
    faulty = Infra(project)
    with pytest.raises(AssertionError):
        check_types(faulty, types) if check == "types" else CHECKS[check](faulty)
