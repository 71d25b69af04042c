"""infra/ compiled by Microsoft's own Bicep CLI: every parameter file, with no warning.

The CLI ends with 0 where it only warns, of a misspelt property too, so each diagnostic counts.
"""

import re
from pathlib import Path

import pytest

from tests.components import bicep
from tests.infra.project import VARIABLES
from tests.support import HOSTILE, Template, run

pytestmark = pytest.mark.needs("bicep")

DIAGNOSTIC = re.compile(r" : (Error|Warning|Info) ([\w-]+): ")


def diagnostics(file: Path, folder: Path) -> list[str]:
    """Compile one parameter file and return the codes of what the compiler says."""
    said = run(
        *(str(bicep()), "build-params", file, "--outfile", folder / "parameters.json"),
        folder=file.parent,
        env=VARIABLES | {"ENDPOINT": "an-endpoint", "BUDGET_START": "2026-12-01"},
        expect=None,
    )
    return [code for _, code in DIAGNOSTIC.findall(said)]


@pytest.fixture(scope="module")
def infra(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template.render(tmp_path_factory.mktemp("bicep") / "project", **HOSTILE) / "infra"


@pytest.mark.parametrize("name", ["shared", "dev", "test", "prod"])
def test_it_compiles_with_nothing_to_say(infra: Path, tmp_path: Path, name: str) -> None:
    assert diagnostics(infra / f"{name}.bicepparam", tmp_path) == []
    assert (tmp_path / "parameters.json").exists()


def test_a_reserved_word_is_noticed(infra: Path, tmp_path: Path) -> None:
    file = infra / "faulty.bicepparam"
    text = (infra / "test.bicepparam").read_text(encoding="utf-8")
    file.write_text(re.sub(r"\bsettings\b", "base", text), encoding="utf-8")
    assert "BCP437" in diagnostics(file, tmp_path)
