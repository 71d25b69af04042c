"""What holds for every generated project. Each example has a file, as each is installed once."""

import re

import pytest

from tests.support import Project, run


class ProjectChecks:
    """Tests for a module that defines the fixture `project`."""

    @pytest.mark.parametrize(
        "command",
        [
            "ruff format --check .",
            "ruff check .",
            "mypy",
            "bandit --quiet --configfile pyproject.toml --recursive src serving packages/mlops/src",
            "mlops aml check",
        ],
    )
    def test_its_lint_is_clean(self, project: Project, command: str) -> None:
        project.run(*command.split())

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
