"""What a job gets of a project, by the rules of .amlignore."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops.errors import ConfigError
from mlops.platforms.azure.job_code import code_files, copy_code

RULES = """\
# what a job gets
/*
!/src
!/conf
!/pyproject.toml
/src/*/tests
__pycache__
.*
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name in (
        *("src/team/model.py", "src/team/__pycache__/model.pyc", "src/team/tests/test_model.py"),
        *("src/.venv/lib/numpy.py", "src/team/größe.sql", "conf/base.yaml", "pyproject.toml"),
        *(".venv/lib/numpy.py", "data/customers.csv", "README.md", "docs/src/page.md"),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, encoding="utf-8")
    (root / ".amlignore").write_text(RULES, encoding="utf-8")
    return root


def names(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_it_gets_what_the_rules_leave(root: Path, tmp_path: Path) -> None:
    copy_code(root, tmp_path / "code")
    assert names(tmp_path / "code") == {
        "src/team/model.py",
        "src/team/größe.sql",
        "conf/base.yaml",
        "pyproject.toml",
    }
    assert (tmp_path / "code/conf/base.yaml").read_text(encoding="utf-8") == "conf/base.yaml"


def test_what_is_left_out_is_not_even_looked_at(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = []
    walk = os.walk

    def noted(*arguments: Any, **options: Any) -> Iterator[Any]:
        for found in walk(*arguments, **options):
            looked_at.append(Path(found[0]).relative_to(root).as_posix())
            yield found

    monkeypatch.setattr("os.walk", noted)
    assert list(code_files(root))
    assert set(looked_at) == {".", "src", "src/team", "conf"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets only some people make links")
def test_a_linked_folder_is_followed(root: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "query.sql").touch()
    (root / "src" / "shared").symlink_to(shared, target_is_directory=True)
    assert Path("src/shared/query.sql") in set(code_files(root))


def test_without_rules_nothing_is_copied(root: Path, tmp_path: Path) -> None:
    (root / ".amlignore").unlink()
    with pytest.raises(ConfigError, match=r"\.amlignore does not exist.*; bring it back from git"):
        copy_code(root, tmp_path / "code")


def test_rules_that_leave_nothing_are_refused(root: Path, tmp_path: Path) -> None:
    (root / ".amlignore").write_text("*\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"\.amlignore leaves nothing for a job"):
        copy_code(root, tmp_path / "code")
