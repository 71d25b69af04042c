"""A repository that has code, tests and settings of its own adopts the template, and pastes."""

import re
import tomllib
from pathlib import Path

import pytest
from mlops.ops.adoption import Block, blocks_of

from tests.support import Project, Template, commit_all, contents, run, uv
from tests.template.test_adopting import copy_into
from tests.template.test_update import assert_no_conflict

pytestmark = [pytest.mark.project, pytest.mark.slow]

SETTINGS = """\
[project]
name = "acme-churn"
version = "1.4.0"
requires-python = ">=3.11"
dependencies = ["idna>=3"]

[dependency-groups]
dev = ["pytest>=8.3"]

[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["src/acme_churn"]

[tool.uv]
exclude-newer = "2026-11-20"

[tool.pytest.ini_options]
addopts = "-ra"
"""
THEIRS = {
    "pyproject.toml": SETTINGS,
    "README.md": "# Churn\n\nWe know who leaves.\n",
    ".gitignore": "dist/\n.venv/\n",
    ".github/workflows/ci.yml": "on: push\njobs: {}\n",
    "src/acme_churn/__init__.py": '"""Who leaves."""\n',
    "src/acme_churn/old.py": "def leaves(days: int) -> bool:\n    return days > 90\n",
    "tests/test_old.py": (
        "from acme_churn.old import leaves\n\n\ndef test_old() -> None:\n    assert leaves(91)\n"
    ),
}
ANSWERS = ("adopted=true", "project_name=Churn", "project_slug=acme-churn")
NEWS = ("README.md.jinja", "pyproject.toml.jinja", "docs/gate.md")


@pytest.fixture(scope="module")
def repository(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The repository, with a lock and a commit, into which the template was copied."""
    path = tmp_path_factory.mktemp("adopted") / "repository"
    for name, text in THEIRS.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text, encoding="utf-8")
    run("git", "init", "--quiet", "--initial-branch", "main", folder=path)
    run(uv(), "sync", "--quiet", folder=path)
    commit_all(path)
    done = copy_into(path, template, ANSWERS)
    assert done.returncode == 0, done.stderr
    return Project(path)


def paste(text: str, block: Block) -> str:
    """Paste a block of settings as a person does: into the table of the same name."""
    for part in re.split(r"^(?=\[)", block.text, flags=re.MULTILINE):
        header, _, body = part.strip().partition("\n")
        if not header:
            continue
        if f"{header}\n" not in text:
            text += f"\n{header}\n{body}\n"
            continue
        for key, value in tomllib.loads(body).items():
            line = re.search(rf"^{key} = (.*)$", text, re.MULTILINE)
            whole = re.search(rf"^{key} = (?:\[\n.*?^\]|[^\n]*)", body, re.MULTILINE | re.DOTALL)
            assert whole
            if key == "addopts" and line:
                text = text.replace(line[0], f'addopts = "-ra {value}"')
            elif line:
                text = text.replace(line[0], whole[0])
            else:
                text = text.replace(f"{header}\n", f"{header}\n{whole[0]}\n", 1)
    return text


def paste_all(project: Project) -> None:
    """Do what docs/adopting.md asks for."""
    for block in blocks(project):
        file = project.path / block.file
        if block.file == "pyproject.toml":
            file.write_text(paste(file.read_text(encoding="utf-8"), block), encoding="utf-8")
        elif file.is_file() and block.file in THEIRS:
            file.write_text(f"{file.read_text(encoding='utf-8')}\n{block.text}", encoding="utf-8")
    page = (project.path / "docs/adopting.md").read_text(encoding="utf-8")
    (added,) = re.findall(r"^uv add (.+)$", page, re.MULTILINE)
    run(uv(), "add", "--quiet", *re.findall(r'"([^"]+)"', added), folder=project.path)
    run(uv(), "sync", "--quiet", folder=project.path)


def blocks(project: Project) -> list[Block]:
    return blocks_of((project.path / "docs/adopting.md").read_text(encoding="utf-8"))


def lacking(said: str) -> list[str]:
    """Return what the doctor asks for that docs/adopting.md shows."""
    return re.findall(r"^- (.+): docs/adopting.md shows the block to add", said, re.MULTILINE)


def test_what_was_there_is_as_it_was(repository: Project) -> None:
    found = contents(repository.path)
    assert {name: found[name].decode() for name in THEIRS} == THEIRS


def test_the_doctor_names_the_blocks_and_is_quiet_once_they_are_pasted(
    repository: Project,
) -> None:
    path = repository.path
    tool = (uv(), "tool", "run", "--quiet", "--from", "./packages/mlops", "mlops", "doctor")
    said = run(*tool, folder=path, expect=1)
    asked = ["pyproject.toml", "pyproject.toml, checks", ".gitignore", "README.md"]
    assert lacking(said) == asked
    untouched = run("git", "status", "--porcelain", "--", *THEIRS, folder=path)
    assert untouched == "", "asking leaves nothing behind"

    paste_all(repository)
    assert lacking(repository.mlops("doctor")) == []
    commit_all(path)

    assert re.search(r"\d+ passed", repository.run("pytest", timeout=1200))
    repository.run("pytest", "packages/mlops/tests/project", timeout=1200)
    assert "contract" in repository.mlops("stubs")
    for command in (("mypy",), ("ruff", "check", "--exit-zero"), ("mlops", "aml", "check")):
        repository.run(*command)


def test_an_update_after_it_changes_what_is_the_template_s_alone(
    repository: Project, template: Template, tmp_path: Path
) -> None:
    """The template that other tests share stays as it is: the news is in a clone of it."""
    newer = tmp_path / "template"
    run("git", "clone", "--quiet", template.path, newer, folder=tmp_path)
    for name in NEWS:
        path = newer / "template" / name
        path.write_text(f"{path.read_text(encoding='utf-8')}# theirs\n", encoding="utf-8")
    commit_all(newer, tag="2.0.0")
    answers = repository.path / ".copier-answers.yml"
    text = answers.read_text(encoding="utf-8")
    answers.write_text(text.replace(str(template.path), str(newer)), encoding="utf-8")
    commit_all(repository.path)
    before = contents(repository.path)
    Template(newer).update(repository.path)
    assert_no_conflict(repository.path)
    after = contents(repository.path)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {".copier-answers.yml", "docs/gate.md"}
