"""The worked example does what it promises, with the commands that its README names."""

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.obligations import PAGE, version_files
from tests.project.generated import ProjectChecks
from tests.support import LONG_PACKAGE, Project, Template, run, uv, variables
from tools.reserved_names import names_of_project, reserved_names

pytestmark = pytest.mark.project


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = template.install(tmp_path_factory.mktemp("rfm") / "project", example="rfm")
    yield project
    project.mlops("stop", "--all")


@contextmanager
def running(project: Project, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command of the project in the background, with what it prints for people."""
    with subprocess.Popen(
        [project.python.with_name("mlops"), *arguments],
        cwd=project.path,
        env=variables(),
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        yield command
        command.kill()


def heard(command: subprocess.Popen[str], words: str) -> str:
    """Return what a command prints up to a line with these words."""
    assert command.stderr
    said = ""
    while words not in said:
        line = command.stderr.readline()
        assert line, said
        said += line
    return said


def status(project: Project) -> dict[str, Any]:
    """What `mlops status` tells."""
    said = project.mlops("status", "--json")
    told: dict[str, Any] = json.loads(said[said.index("{") :])
    return told


def traffic(project: Project) -> dict[str, int]:
    """The share of each deployment in prod."""
    (prod,) = (each for each in status(project)["endpoints"] if each["environment"] == "prod")
    return {each["name"]: each["traffic"] for each in prod["deployments"]}


def versions(project: Project) -> list[int]:
    """The registered versions."""
    return [version["version"] for version in status(project)["versions"]]


class TestRfm(ProjectChecks):
    @pytest.mark.slow
    def test_types_hold_with_the_longest_package_name(
        self, project: Project, template: Template, tmp_path: Path
    ) -> None:
        other = template.render(tmp_path / "project", package_name=LONG_PACKAGE)
        run(
            *(uv(), "run", "--quiet", "--project", project.path),
            *("mypy", "--python-executable", project.python),
            folder=other,
        )

    def test_its_environment_holds_no_name_that_a_project_may_take(self, project: Project) -> None:
        """`make reserved` writes the names."""
        assert names_of_project(project.path) <= reserved_names()

    @pytest.mark.slow  # packages/mlops/tests/integration/test_loop.py interrupts the loop, too
    def test_an_interrupted_loop_leaves_nothing_running_and_nothing_broken(
        self, project: Project
    ) -> None:
        """Ctrl-C while a real server is being tested; the next test runs the loop again."""
        with running(project, "run") as loop:
            assert loop.stderr
            said = heard(loop, "smoke test: testing")
            loop.send_signal(signal.SIGINT)
            said += loop.stderr.read()
            assert loop.wait() == 130, said
        _, _, serves = said.partition("error: interrupted, and this serves now:\n")
        assert [line.split(":")[0].strip() for line in serves.splitlines()] == [
            "dev",
            "prod",
            "test",
        ]
        assert "running" not in serves
        endpoints = status(project)["endpoints"]
        states = [each["state"] for endpoint in endpoints for each in endpoint["deployments"]]
        assert "running" not in states

    def check_that_a_killed_ab_test_is_undone(self, project: Project, version: int) -> None:
        """kill -9 of the command while the candidate has traffic: the next command repairs."""
        (served,) = (name for name, share in traffic(project).items() if share)
        other = "blue" if served == "green" else "green"
        prod = ("--environment", "prod")
        project.mlops(
            *("deploy", *prod, "--model-version", str(version), "--deployment", other),
            *("--traffic", "0"),
        )
        arms = ("--baseline", served, "--candidate", other)
        with running(project, "ab-test", *prod, *arms, "--rehearsal") as ab_test:
            heard(ab_test, f"{other} answers 50 % of the requests")
            ab_test.kill()
        project.mlops("smoke-test", *prod)
        assert traffic(project) == {served: 100, other: 0}

    def check_that_a_rehearsal_is_no_evidence(self, project: Project) -> None:
        """Its requests repeat rows of the holdout; one prediction of the loop is a caller's."""
        said = project.mlops("drift", "--environment", "prod", "--json", expect=4)
        found = json.loads(said[said.index("{") : said.rindex("}") + 1])
        assert (found["outcome"], found["volume"]["rows"]) == ("not enough", 1)
        assert found["volume"]["generated"] > 100

    def check_that_obligations_name_what_a_version_holds(
        self, project: Project, version: int
    ) -> None:
        """The files that docs/obligations.md names are in the folder of a released version."""
        (folder,) = project.path.glob(f".mlops/registry/*/{version}")
        named = version_files((project.path / PAGE).read_text(encoding="utf-8"))
        assert {name for name in named if not (folder / name).is_file()} == set()
        assert {"lineage.json", "card.json", "MODEL_CARD.md", "model.sig"} <= named

    @pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.slow)])
    def test_the_loop_runs_again_and_its_folder_can_move(
        self, project: Project, tmp_path: Path, times: int
    ) -> None:
        first = max(versions(project), default=0) + 1
        for _ in range(times):
            project.mlops("run")
        made = list(range(first, first + times))
        assert versions(project)[-times:] == made
        self.check_that_a_rehearsal_is_no_evidence(project)
        self.check_that_obligations_name_what_a_version_holds(project, first)
        self.check_that_a_killed_ab_test_is_undone(project, first)
        project.mlops("stop", "--all")

        moved = Project(tmp_path / "moved here")
        shutil.copytree(project.path, moved.path, ignore=shutil.ignore_patterns(".venv"))
        hidden = project.path.rename(project.path.with_name("was here"))
        try:
            run(uv(), "sync", "--quiet", folder=moved.path)
            assert versions(moved)[-times:] == made
            moved.mlops("deploy", "--environment", "dev", "--model-version", str(first))
            moved.mlops("smoke-test", "--environment", "dev")
        finally:
            moved.mlops("stop", "--all", expect=None)
            hidden.rename(project.path)
