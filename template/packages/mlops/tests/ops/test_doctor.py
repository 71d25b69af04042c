"""The doctor tells what was found and what to do as two things, whatever the sentence holds."""

from pathlib import Path

import pytest

from fakes.project import PYPROJECT
from mlops.diagnosis import Diagnosis
from mlops.errors import ConfigError
from mlops.ops import doctor
from mlops.ops.doctor import examine, examine_platform
from mlops.settings.project import Project
from mlops.usecase.stubs import Stub


def failed(found: list[Diagnosis]) -> dict[str, Diagnosis]:
    return {each.name: each for each in found if each.needed and not each.passed}


def test_a_package_that_is_not_installed_has_its_own_remedy(project: Project) -> None:
    text = PYPROJECT.replace("fakes.tiny_use_case", "not_installed")
    (project.root / "pyproject.toml").write_text(text)
    found = failed(examine(project.root))
    assert found.keys() == {"conf/dev.yaml", "use case"}
    for each in found.values():
        assert each.found.startswith("[tool.mlops] package names not_installed, which cannot be")
        assert each.remedy == "`uv sync` installs it"


def test_an_environment_in_a_file_is_found_and_the_remedy_is_the_errors(project: Project) -> None:
    (project.root / "conf" / "dev.yaml").write_text("environment: prod\n")
    found = failed(examine(project.root))["conf/dev.yaml"]
    assert found.found == "conf/dev.yaml: the environment is not set in a file"
    assert found.remedy == "give --environment or MLOPS_ENVIRONMENT"


def test_an_error_without_a_remedy_gets_the_general_one(project: Project, tmp_path: Path) -> None:
    (project.root / "conf" / "dev.yaml").write_text("gaet: 1\n")
    found = failed(examine(project.root))["conf/dev.yaml"]
    assert found.remedy == "mend the file or variable it names"
    assert failed(examine(tmp_path))["project"].remedy == "go to the project's folder"


def test_an_environment_that_a_level_brings_is_named_with_the_level(project: Project) -> None:
    (found,) = examine_platform(project.root, "prod", None)
    assert found.name == "environment prod"
    assert found.found.endswith("conf/prod.yaml does not exist (there is: dev)")
    assert found.remedy.startswith("test and prod come with maturity level 2")


def test_on_this_machine_no_platform_is_examined(project: Project) -> None:
    assert examine_platform(project.root, None, None) == []


def test_a_project_below_the_root_of_its_repository_is_advised(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def roots(above: Path | None) -> dict[str, Diagnosis]:
        monkeypatch.setattr(doctor, "repository_above", lambda _root: above)
        return {each.name: each for each in examine(project.root)}

    assert "workflows" not in roots(None)
    found = roots(project.root.parent)["workflows"]
    assert "its workflows never run" in found.found
    assert "at a repository's root only" in found.remedy
    assert not found.needed


def test_a_repository_that_git_refuses_is_told_with_its_reason(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_root: Path) -> None:
        raise ConfigError("git does not say which commit it is at (dubious)", "do as it says")

    monkeypatch.setattr(doctor, "git_state", refuse)
    found = failed(examine(project.root))["commit"]
    assert (found.found, found.remedy, found.needed) == (
        "git does not say which commit it is at (dubious)",
        "do as it says",
        True,
    )


@pytest.mark.parametrize(("stubs", "passed"), [(0, True), (1, False), (10, False)])
def test_stubs_are_advice_and_no_fault(
    project: Project, monkeypatch: pytest.MonkeyPatch, stubs: int, passed: bool
) -> None:
    found = [Stub("model.py", line, "f", "write it") for line in range(stubs)]
    monkeypatch.setattr(doctor, "find_stubs", lambda _folder: found)
    told = {each.name: each for each in examine(project.root)}["use case"]
    remedy = "" if passed else "`uv run mlops stubs` lists them"
    assert told == Diagnosis("use case", passed, f"{stubs} stubs to fill", remedy, needed=passed)
