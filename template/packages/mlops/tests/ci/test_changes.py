"""Whether a push concerns the machinery: where that is unknown, it does."""

import subprocess
from pathlib import Path

import pytest

from mlops.ci.changes import (
    INFRASTRUCTURE,
    changed_files,
    concerns,
    concerns_machinery,
    concerns_model,
)

GIT = ("git", "-c", "user.name=Test", "-c", "user.email=test@example.com")


def commit(root: Path, file: str, text: str) -> str:
    """Write a file, commit it and return the commit's hash."""
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text, encoding="utf-8")
    for words in (["add", "."], ["commit", "--quiet", "--message", file]):
        subprocess.run([*GIT, *words], cwd=root, check=True)
    command = ["git", "rev-parse", "HEAD"]
    return subprocess.run(
        command, cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


def test_what_lies_between_two_commits_is_found(root: Path) -> None:
    before = commit(root, "conf/base.yaml", "a: 1")
    commit(root, "packages/mlops/a file.py", "")
    commit(root, "conf/base.yaml", "a: 2")
    assert changed_files(root, before) == ["conf/base.yaml", "packages/mlops/a file.py"]


def test_a_file_that_moved_out_counts(root: Path) -> None:
    commit(root, "packages/mlops/a.py", "the same text, long enough to be known again\n" * 9)
    before = commit(root, "other", "")
    (root / "packages/mlops/a.py").rename(root / "a.py")
    commit(root, "third", "")
    assert concerns_machinery(changed_files(root, before))


@pytest.mark.parametrize("before", ["", "0" * 40, "1234567890" * 4, "no-commit"])
def test_without_a_known_commit_before_it_is_unknown(root: Path, before: str) -> None:
    commit(root, "file", "text")
    assert changed_files(root, before) is None


def test_outside_a_repository_it_is_unknown(tmp_path: Path) -> None:
    assert changed_files(tmp_path, "1234567890" * 4) is None


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (None, True),
        ([], False),
        (["conf/base.yaml", "src/churn/features.py", "tests/test_own.py"], False),
        (["packages/mlops/src/mlops/errors.py"], True),
        (["conf/base.yaml", "serving/score.py"], True),
        (["pyproject.toml"], True),
        (["uv.lock"], True),
        (["docs/packages/x.md", "src/uv.lock.md"], False),
    ],
)
def test_what_concerns_the_machinery(files: list[str] | None, expected: bool) -> None:
    assert concerns_machinery(files) is expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (None, True),
        ([], False),
        (["infra/modules/network.bicep"], True),
        (["conf/dev.yaml"], True),
        (["observability/workbook.json"], True),
        (["packages/mlops/src/mlops/ci/bicep/compiler.py"], True),
        (["docs/infra/x.md", "infra.md", "src/churn/features.py"], False),
    ],
)
def test_what_concerns_the_infrastructure(files: list[str] | None, expected: bool) -> None:
    assert concerns(INFRASTRUCTURE, files) is expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (None, True),
        ([], True),
        (["README.md"], False),
        (["docs/pipeline.md", "docs/picture.png", "LICENSE", ".github/CODEOWNERS"], False),
        (["packages/mlops/README.md", ".github/pull_request_template.md"], False),
        (["src/shop/prompt.md"], True),
        (["aml/README.md"], True),
        (["compliance/purpose.md"], True),
        (["README.md", "src/shop/model.py"], True),
        (["conf/prod.yaml"], True),
        (["src/docs/features.py"], True),
        (["LICENSE-of-another"], True),
        (["README.md.py"], True),
        ([".github/workflows/ml-cicd.yml"], True),
    ],
)
def test_a_model_is_trained_unless_documentation_alone_changed(
    files: list[str] | None, expected: bool
) -> None:
    assert concerns_model(files) == expected
