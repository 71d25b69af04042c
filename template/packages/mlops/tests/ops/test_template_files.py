"""Whether packages/ is what the template brought."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.candidates import committed
from fakes.project import PYPROJECT
from mlops.errors import ConfigError, Hold, Refused
from mlops.ops.doctor import examine
from mlops.ops.template_files import (
    LIST,
    compare,
    compare_project,
    digest,
    list_of,
    read_list,
    require_as_brought,
    template_files,
)
from mlops.settings.project import Project, find_project

BROUGHT = {"mlops/a.py": b"a = 1\n", "mlops/b.py": b"b = 2\n", "mlops/plot.png": b"\x89\0\r\n"}
PATCHED = '[tool.mlops.patched]\n"packages/mlops/a.py" = "our proxy: OPS-7"\n'


@pytest.fixture
def brought(project: Project) -> Project:
    """A committed project whose packages/ are as the template brought them."""
    for name, content in BROUGHT.items():
        path = project.root / "packages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    digests = {name: digest(content) for name, content in BROUGHT.items()}
    (project.root / LIST).write_text(list_of(digests))
    committed(project.root)
    return project


def declare(project: Project, table: str) -> Project:
    (project.root / "pyproject.toml").write_text(PYPROJECT + table)
    return find_project(project.root)


def differing(project: Project) -> list[tuple[str, str]]:
    compared = compare_project(project)
    assert compared
    return [(path, kind) for path, kind, _reason in compared.rows()]


def change(root: Path) -> None:
    (root / "packages/mlops/a.py").write_bytes(b"a = 2\n")


def remove(root: Path) -> None:
    (root / "packages/mlops/b.py").unlink()


def add(root: Path) -> None:
    (root / "packages/mlops/c.py").touch()


def test_what_the_template_brought_passes(brought: Project) -> None:
    assert differing(brought) == []
    compared = compare_project(brought)
    assert compared
    require_as_brought(compared)
    assert compared.files == len(BROUGHT)


@pytest.mark.parametrize(
    ("edit", "path", "kind"),
    [
        (change, "packages/mlops/a.py", "changed"),
        (remove, "packages/mlops/b.py", "missing"),
        (add, "packages/mlops/c.py", "added"),
    ],
)
@pytest.mark.parametrize("is_committed", [False, True])
def test_an_edit_is_refused_by_its_name(
    brought: Project, edit: Callable[[Path], None], path: str, kind: str, is_committed: bool
) -> None:
    edit(brought.root)
    if is_committed:
        committed(brought.root)
    assert differing(brought) == [(path, kind)]
    compared = compare_project(brought)
    assert compared
    with pytest.raises(Refused, match=path) as refusal:
        require_as_brought(compared)
    assert "[tool.mlops.patched]" in refusal.value.remedy


def test_a_file_that_git_ignores_is_missing_where_it_was_brought(brought: Project) -> None:
    """It would never reach GitHub."""
    (brought.root / ".gitignore").write_text("b.py\n*.log\n")
    (brought.root / "packages/mlops/x.log").touch()
    git_forgets = brought.root / ".git" / "index"
    git_forgets.unlink()
    assert differing(brought) == [("packages/mlops/b.py", "missing")]


def test_line_ends_of_windows_are_no_edit_of_text(brought: Project) -> None:
    (brought.root / "packages/mlops/a.py").write_bytes(b"a = 1\r\n")
    assert differing(brought) == []
    (brought.root / "packages/mlops/plot.png").write_bytes(b"\x89\0\n")
    assert differing(brought) == [("packages/mlops/plot.png", "changed")]


def test_a_digest_is_what_sha256sum_says() -> None:
    assert digest(b"a\n") == hashlib.sha256(b"a\n").hexdigest()
    assert list_of({"b": "2" * 64, "a": "1" * 64}) == f"{'1' * 64}  a\n{'2' * 64}  b\n"


def test_a_declared_edit_passes_with_its_reason(brought: Project) -> None:
    change(brought.root)
    project = declare(brought, PATCHED)
    compared = compare_project(project)
    assert compared
    require_as_brought(compared)
    assert compared.rows() == [("packages/mlops/a.py", "changed", "our proxy: OPS-7")]
    add(brought.root)
    compared = compare_project(project)
    assert compared
    assert compared.undeclared == ("packages/mlops/c.py",)


def test_a_declaration_of_what_does_not_differ_is_refused(brought: Project) -> None:
    """Such a line would let a later edit pass."""
    compared = compare_project(declare(brought, PATCHED))
    assert compared
    with pytest.raises(Refused, match=r"just so: packages/mlops/a\.py") as refusal:
        require_as_brought(compared)
    assert "remove these lines" in refusal.value.remedy


@pytest.mark.parametrize(
    "line", ['"packages/mlops/a.py" = " "', '"src/a.py" = "why"', '"packages/mlops/a.py" = 1']
)
def test_a_declaration_says_which_file_and_why(brought: Project, line: str) -> None:
    with pytest.raises(ConfigError, match="patched"):
        declare(brought, f"[tool.mlops.patched]\n{line}\n")


def test_many_files_are_counted() -> None:
    present = {f"packages/{number}": "0" for number in range(8)}
    with pytest.raises(Refused, match=r"packages/4 and 3 more;") as refusal:
        require_as_brought(compare({}, present, {}))
    assert refusal.value.exit_code == 1


def test_without_the_list_nothing_is_known(brought: Project) -> None:
    (brought.root / LIST).unlink()
    with pytest.raises(Hold, match=r"files\.sha256 is missing"):
        compare_project(brought)


def test_without_a_repository_nothing_is_known(project: Project) -> None:
    (project.root / "packages").mkdir()
    (project.root / LIST).touch()
    with pytest.raises(Hold, match="which files packages/ has"):
        compare_project(project)


def test_without_packages_there_is_nothing_to_compare(project: Project) -> None:
    assert compare_project(project) is None
    assert template_files(project).passed


@pytest.mark.parametrize(
    "text", ["x  a\n", f"{'0' * 64} a\n", f"{'0' * 64}  a\n" * 2, f"{'0' * 64}  a\n\n<<<<<<< x\n"]
)
def test_a_damaged_list_is_no_list(text: str) -> None:
    with pytest.raises(ConfigError, match=r"files\.sha256, line \d"):
        read_list(text)


def test_the_doctor_advises(brought: Project) -> None:
    change(brought.root)
    found = {each.name: each for each in examine(brought.root)}["packages"]
    assert (found.passed, found.needed) == (False, False)
    assert "packages/mlops/a.py" in found.found
