"""What holds for every generated project. Each example has a file, as each is installed once."""

import re
from pathlib import Path

import pytest

from tests.support import Project, run

TEAMS_CODE = '''\
"""Names as the data has them, no types, no docstrings."""


def load(df, customerID=None, **kwargs):
    # df = df.dropna()
    X, y = df.drop("Label", axis=1), df["Label"].values
    if customerID is None:
        customerID = df["customerID"].values
        return X, y, customerID
    else:
        rows = []
        for l in customerID:
            rows.append(l)
        # {long_line}
        return X[X["customerID"].isin(rows)], y, rows
'''.replace("{long_line}", "a word and " * 10 + "a word")


class ProjectChecks:
    """Tests for a module that defines the fixture `project`."""

    @pytest.mark.slow  # the hooks run them too, on the files that they are about
    @pytest.mark.parametrize(
        "command",
        [
            "ruff format --check .",
            "ruff check .",
            "mypy",
            "mypy --config-file= --strict --disable-error-code import-untyped src tests",
            "bandit --quiet --configfile pyproject.toml --recursive src serving packages/mlops/src",
            "mlops aml check",
        ],
    )
    def test_its_lint_is_clean(self, project: Project, command: str) -> None:
        project.run(*command.split())

    def test_a_team_may_write_as_it_is_used_to(self, project: Project, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_bytes((project.path / "pyproject.toml").read_bytes())
        for folder in ("src/any_package", "tests"):
            (tmp_path / folder).mkdir(parents=True)
            (tmp_path / folder / "own_code.py").write_text(TEAMS_CODE)
        for command in ("ruff format --check .", "ruff check .", "mypy src", "mypy tests"):
            run(project.python, "-m", *command.split(), folder=tmp_path)

    def test_its_hooks_pass(self, project: Project) -> None:
        """But for the types of packages/mlops, which `make lint` checks where it stands."""
        project.run("pre-commit", "run", "--all-files", env={"SKIP": "machinery-types"})

    @pytest.mark.slow
    def test_the_hook_for_the_types_of_the_machinery_passes(self, project: Project) -> None:
        project.run("pre-commit", "run", "machinery-types", "--all-files")

    def test_its_tests_pass(self, project: Project) -> None:
        for tests in ("tests", "packages/mlops/tests/project"):
            said = project.run("pytest", "--durations", "5", tests)
            print(said[-3000:])
            assert re.search(r"\d+ passed", said)
            assert not re.search(r"\d+ skipped", said)

    def test_what_it_makes_is_ignored_by_git(self, project: Project) -> None:
        assert run("git", "status", "--porcelain", folder=project.path) == ""
