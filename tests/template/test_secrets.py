"""No secret in a generated project: gitleaks finds none, and finds those that are planted."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.support import Template, run

GITLEAKS = Path(sys.executable).parent / "gitleaks"

# Put together here, so that this file holds none.
PLANTED = {
    "github": f"token = 'ghp_{'kR7wQ2xZ9mT4' * 3}'",
    "azure": f"AZURE_CLIENT_SECRET: {'aB3'}{'8Q~'}{'xW9.kT-4mPz2Lr7' * 2}vNq4",
    "storage": f"AccountKey='{'Zk3vQ8xW2mT9rLp5' * 5}nB7dEf=='",
    "private key": "\n".join(
        [f"-----{edge} RSA PRIVATE {'KEY'}-----" for edge in ("BEGIN", "MIIEpAIBAAK" * 9, "END")]
    ),
}


def secrets(folder: Path, expect: int) -> str:
    """Let gitleaks look, ignoring every wish in the files that it look away."""
    options = ("--no-banner", "--redact", "--verbose", "--ignore-gitleaks-allow")
    return run(GITLEAKS, "dir", *options, folder, folder=folder, expect=expect)


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template.render(tmp_path_factory.mktemp("secrets") / "project")


@pytest.mark.parametrize("level", [pytest.param(1, marks=pytest.mark.slow), 3])
@pytest.mark.parametrize("example", ["rfm", "spend", "blank"])
def test_a_project_holds_no_secret(
    template: Template, tmp_path: Path, example: str, level: int
) -> None:
    project = template.render(tmp_path / "project", example=example, maturity_level=level)
    assert "no leaks found" in secrets(project, expect=0)


def test_this_repository_holds_no_secret(template: Template) -> None:
    assert "no leaks found" in secrets(template.path, expect=0)


@pytest.mark.parametrize("name", ["conf/base.yaml", "aml/pipelines/train.yml", "src/deploy.py"])
@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_planted_secret_is_found(project: Path, tmp_path: Path, planted: str, name: str) -> None:
    copy = tmp_path / "project"
    shutil.copytree(project, copy)
    with (copy / name).open("a", encoding="utf-8") as file:
        file.write(f"\n{planted}\n")
    assert name.split("/")[-1] in secrets(copy, expect=1)
