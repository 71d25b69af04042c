"""Faults in infra/: each changes one file of a sound project, and who it names must notice."""

from pathlib import Path

import pytest

from tests.infra.alert_faults import COMPILER
from tests.infra.checks import CHECKS
from tests.infra.faults import FAULTS
from tests.infra.project import SLUG
from tools.azure_deployments import DEPLOYMENTS, deployed, written
from tools.bicep import Bicep

pytestmark = pytest.mark.needs("bicep")


FIRST = {check: name for name, (*_, check) in reversed(FAULTS.items())}
"""One fault for each check; the others are long proofs."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in FIRST.values() else pytest.mark.slow)
        for name in FAULTS
    ],
)
def test_a_fault_is_noticed(compiler: Bicep, infra: Path, name: str) -> None:
    file, old, new, deployment, check = FAULTS[name]
    path = infra / file
    text = path.read_text(encoding="utf-8")
    if old not in text or old == new:
        pytest.fail("the fault no longer applies: give it the present text")
    path.write_text(text.replace(old, new), encoding="utf-8")
    if check == COMPILER:
        wanted = DEPLOYMENTS[deployment]
        assert compiler.diagnostics(written(infra, wanted.file, wanted.values)) != []
        return
    # The linter's rules are errors, which are noticed as well: here a check has to see it.
    config = infra / "bicepconfig.json"
    config.write_text(
        config.read_text(encoding="utf-8").replace('"error"', '"off"'), encoding="utf-8"
    )
    found = deployed(compiler, infra, SLUG, deployment)
    with pytest.raises(AssertionError):
        CHECKS[check][0](deployment, found, SLUG)
