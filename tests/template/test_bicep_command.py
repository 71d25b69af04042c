"""`mlops ci bicep` of a generated project, with Microsoft's own compiler."""

from pathlib import Path

import pytest
from mlops.ci.bicep.compiler import VERSION
from mlops.ci.bicep.diagnostics import compile_files, compiler_version, parameter_files

from tests.components import bicep
from tests.support import HOSTILE, Template

pytestmark = pytest.mark.needs("bicep")


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template.render(tmp_path_factory.mktemp("bicep") / "project", **HOSTILE)


def findings(project: Path, *names: str) -> list[str]:
    """Return the codes of what the compiler says of the parameter files of these names."""
    files = [project / "infra" / f"{name}.bicepparam" for name in names]
    return [each.code for each in compile_files(str(bicep()), files, project)]


def test_the_compiler_is_the_one_that_projects_pin() -> None:
    assert f" {VERSION} " in compiler_version(str(bicep()))


def test_it_has_nothing_to_say_of_a_new_project(project: Path) -> None:
    names = [path.stem for path in parameter_files(project)]
    assert names == ["dev", "prod", "shared", "test"]
    assert findings(project, *names) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        # each a warning, with which the compiler ends well
        ("retentionInDays:", "retentionInDayz:", "BCP089"),
        ("@20", "@19", "BCP081"),
    ],
    ids=["misspelt", "version"],
)
def test_a_warning_in_a_module_is_told_with_its_file(
    project: Path, old: str, new: str, code: str
) -> None:
    file = project / "infra" / "modules" / "monitoring.bicep"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    try:
        found = compile_files(str(bicep()), [project / "infra" / "test.bicepparam"], project)
    finally:
        file.write_text(text, encoding="utf-8")
    assert {each.file for each in found} == {"infra/modules/monitoring.bicep"}
    assert code in {each.code for each in found}


def test_a_reserved_word_in_a_parameter_file_is_told(project: Path) -> None:
    file = project / "infra" / "faulty.bicepparam"
    text = (project / "infra" / "test.bicepparam").read_text(encoding="utf-8")
    file.write_text(text.replace("settings", "base"), encoding="utf-8")
    assert "BCP437" in findings(project, "faulty")
    file.unlink()
