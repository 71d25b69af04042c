"""A generated project does what it promises, with the commands that its README names."""

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.reserved_names import names_of_project, reserved_names
from tools.worktree import ROOT

from .support import LONG_PACKAGE, Project, Template, run, uv

pytestmark = pytest.mark.project

PACKAGE = "purchase_prediction"
EXAMPLES = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in ("rfm", "blank")]
LINT = [
    ["ruff", "format", "--check", "."],
    ["ruff", "check", "."],
    ["mypy"],
    ["bandit", "--quiet", "--configfile", "pyproject.toml", "--recursive", "src", "serving"],
    ["pre-commit", "run", "--all-files"],
]


@pytest.fixture(scope="session")
def installed(
    template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Project]]:
    """Installed projects by their example, made when first asked for."""

    class Installed(dict[str, Project]):
        def __missing__(self, example: str) -> Project:
            folder = tmp_path_factory.mktemp(example) / "project"
            self[example] = template.install(folder, example=example)
            return self[example]

    projects = Installed()
    yield projects
    for project in projects.values():
        project.mlops("stop", "--all")


@pytest.fixture(params=EXAMPLES)
def project(request: pytest.FixtureRequest, installed: dict[str, Project]) -> Project:
    return installed[request.param]


@pytest.fixture
def rfm(installed: dict[str, Project]) -> Project:
    return installed["rfm"]


@pytest.fixture
def blank(installed: dict[str, Project]) -> Project:
    return installed["blank"]


class TestBothExamples:
    @pytest.mark.parametrize("command", LINT, ids=" ".join)
    def test_its_lint_is_clean(self, project: Project, command: list[str]) -> None:
        project.run(*command)

    def test_its_tests_pass(self, project: Project) -> None:
        said = project.run("pytest", "--numprocesses", "auto", "--durations", "5", "--cov")
        print(said[-3000:])
        assert " passed" in said
        assert " skipped" not in said

    def test_what_it_makes_is_ignored_by_git(self, project: Project) -> None:
        assert run("git", "status", "--porcelain", folder=project.path) == ""


@pytest.mark.xdist_group("rfm")
class TestRfm:
    def test_coverage_is_at_least_90_percent(self, rfm: Project) -> None:
        if not (rfm.path / ".coverage").exists():
            rfm.run("pytest", "--numprocesses", "auto", "--cov")
        assert float(rfm.run("coverage", "report", "--format", "total")) >= 90

    def test_types_hold_with_the_longest_package_name(
        self, rfm: Project, template: Template, tmp_path: Path
    ) -> None:
        other = template.render(tmp_path / "project", package_name=LONG_PACKAGE)
        run(
            *(uv(), "run", "--quiet", "--project", rfm.path),
            *("mypy", "--python-executable", rfm.python),
            folder=other,
        )

    def test_its_environment_holds_no_name_that_a_project_may_take(self, rfm: Project) -> None:
        """`make reserved` writes the names."""
        assert names_of_project(rfm.path) <= reserved_names()

    def test_no_request_fails_under_half_a_minute_of_load(self, rfm: Project) -> None:
        rfm.run("pytest", "tests/integration/test_load.py", "--load-seconds", "30")

    def test_the_loop_runs_twice_and_its_folder_can_move(
        self, rfm: Project, tmp_path: Path
    ) -> None:
        for version in (1, 2):
            rfm.mlops("run")
            assert [v["version"] for v in self.status(rfm)["versions"]] == list(
                range(1, version + 1)
            )
        rfm.mlops("stop", "--all")

        moved = Project(tmp_path / "moved here")
        ignore = shutil.ignore_patterns(".venv")
        shutil.copytree(rfm.path, moved.path, ignore=ignore)
        hidden = rfm.path.rename(rfm.path.with_name("was here"))
        try:
            run(uv(), "sync", "--quiet", folder=moved.path)
            assert len(self.status(moved)["versions"]) == 2
            moved.mlops("deploy", "--environment", "dev", "--model-version", "1")
            moved.mlops("smoke-test", "--environment", "dev")
        finally:
            moved.mlops("stop", "--all", expect=None)
            hidden.rename(rfm.path)

    @staticmethod
    def status(project: Project) -> dict[str, list[dict[str, object]]]:
        said = project.mlops("status", "--json")
        return dict(json.loads(said[said.index("{") :]))


@pytest.mark.xdist_group("blank")
class TestBlank:
    def test_the_loop_says_which_stub_is_missing(self, blank: Project) -> None:
        said = blank.mlops("run", expect=2)
        assert "a stub of the use case is not filled yet" in said

    def test_stubs_can_be_refused(self, blank: Project) -> None:
        said = blank.run("pytest", "tests/use_case", "--no-stubs", expect=1)
        assert "StubNotFilled" in said


@pytest.mark.xdist_group("second")
class TestSecondUseCase:
    """A table of ready features, with no dates and no transactions, needs no other machinery."""

    @pytest.fixture(scope="class")
    @classmethod
    def project(
        cls, template: Template, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[Project]:
        project = template.install(tmp_path_factory.mktemp("second") / "project")
        use_case = project.path / "src" / PACKAGE / "use_case"
        shutil.rmtree(use_case)
        shutil.copytree(ROOT / "tests/fixtures/breast_cancer_use_case", use_case)
        (project.path / "tests/use_case/test_rfm.py").unlink()
        # It has no settings of its own, and a tenth of 569 rows, as in dev, would be too few.
        base = project.path / "conf/base.yaml"
        text = re.sub(r"^params:.*\n(  .*\n)*", "", base.read_text("utf-8"), flags=re.MULTILINE)
        base.write_text(text, encoding="utf-8")
        (project.path / "conf/dev.yaml").write_text("data: {fraction: 1.0}\n", encoding="utf-8")
        yield project
        project.mlops("stop", "--all")

    def test_the_loop_is_green(self, project: Project) -> None:
        project.mlops("run")

    def test_the_machinery_is_untouched_and_its_tests_pass(self, project: Project) -> None:
        changed = run("git", "status", "--porcelain", folder=project.path).splitlines()
        assert changed
        assert all("use_case/" in line or "conf/" in line for line in changed)
        project.run("pytest", "--numprocesses", "auto")


@pytest.mark.xdist_group("rfm")
def test_the_lock_resolves_to_the_frozen_day(rfm: Project) -> None:
    lock = tomllib.loads((rfm.path / "uv.lock").read_text(encoding="utf-8"))
    assert lock["options"]["exclude-newer"].startswith("2026-")
