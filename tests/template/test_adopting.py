"""A repository that was there before gets the template, and keeps what it had."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import BIN, Template, append, commit_all, contents, run, variables
from tests.template.test_update import KEPT, SOURCES, assert_no_conflict
from tools.expected_files import expected_files, files_in

THEIRS = {
    "pyproject.toml": '[project]\nname = "churn"\nversion = "1"\n',
    "README.md": "# Churn\n",
    ".gitignore": "dist/\n",
    "AGENTS.md": "Ask first.\n",
    ".github/workflows/ci.yml": "on: push\n",
    ".github/workflows/weekly.yml": "on: push\n",
    "docs/architecture.md": "# Ours\n",
    "src/churn/__init__.py": "",
    "src/churn/model.py": "MODEL = 1\n",
    "tests/test_model.py": "def test_model() -> None: ...\n",
}
ANSWERS = ("adopted=true", "project_slug=churn")


def lay_out(repository: Path) -> Path:
    """Make and commit the repository."""
    for name, text in THEIRS.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(text, encoding="utf-8")
    commit_all(repository)
    return repository


def copy_into(
    repository: Path, template: Template, answers: Sequence[str] = ANSWERS
) -> "subprocess.CompletedProcess[str]":
    """Call Copier as people do, with nobody there to answer a question."""
    command = [str(BIN / "copier"), "copy", "--defaults"]
    for answer in answers:
        command += ["-d", answer]
    return subprocess.run(
        [*command, str(template.path), "."],
        cwd=repository,
        env=variables(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template.make_small(tmp_path_factory.mktemp("adopting") / "template", KEPT)


@pytest.fixture(scope="module")
def adopted(template: Template, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The repository with the template in it, not committed, and what Copier said."""
    repository = lay_out(tmp_path_factory.mktemp("adopted") / "repository")
    done = copy_into(repository, template)
    assert done.returncode == 0, done.stderr
    return repository, done.stderr


def test_each_file_is_as_it_was_and_the_rest_arrives(adopted: tuple[Path, str]) -> None:
    repository, said = adopted
    found = contents(repository)
    assert {name: found[name].decode() for name in THEIRS} == THEIRS
    wanted = expected_files("blank", 3, "churn", "bicep", adopted=True)
    outside = {name for name in wanted if not name.startswith("packages/")}
    assert outside <= {*files_in(repository)}
    for words in ("what was there before", "README.md", "uvx --from ./packages/mlops mlops doctor"):
        assert words in said
    assert "git init" not in said


def test_an_update_leaves_them_alone_and_renews_the_rest(
    template: Template, adopted: tuple[Path, str]
) -> None:
    repository, _ = adopted
    (repository / "README.md").write_text("# Churn, edited\n", encoding="utf-8")
    (repository / "AGENTS.md").unlink()
    commit_all(repository)
    kept = ("README.md.jinja", "AGENTS.md.jinja", "pyproject.toml.jinja", "docs/architecture.md")
    news = ("docs/gate.md", ".github/workflows/ml-cicd.yml", ".github/workflows/weekly.yml")
    for name in (*kept, *news):
        append(template.path / "template" / name, "# theirs")
    append(template.path / SOURCES / "errors.py", "# theirs")
    commit_all(template.path, tag="2.0.0")
    template.update(repository)
    assert_no_conflict(repository)
    changed = run("git", "status", "--porcelain", folder=repository).split()[1::2]
    assert {*changed} == {
        ".copier-answers.yml",
        ".github/workflows/ml-cicd.yml",
        "docs/gate.md",
        "packages/mlops/src/mlops/errors.py",
    }


def test_without_the_answer_copier_would_ask(template: Template, tmp_path: Path) -> None:
    """What the answer is for: else it stops at the first file that differs, half done."""
    repository = lay_out(tmp_path / "repository")
    done = copy_into(repository, template, ())
    assert done.returncode
