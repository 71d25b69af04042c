"""What a machine lacks is left out and named; a CI that asks for it becomes red."""

import os
import sys
from pathlib import Path

import pytest

from tests import components
from tests.support import run
from tools.worktree import ROOT

TEST = """\
import pytest

@pytest.mark.needs("bicep")
def test_of_bicep(): pass

def test_without(): pass
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with two tests, and an empty folder for the machine's programs."""
    (tmp_path / "test_both.py").write_text(TEST, encoding="utf-8")
    (tmp_path / "bin").mkdir()
    return tmp_path


def outcome_on(machine: Path, *more: str, expect: int = 0, **settings: str) -> str:
    env = {"PATH": str(machine / "bin"), "PYTHONPATH": str(ROOT), "BICEP": ""} | settings
    command = (sys.executable, "-m", "pytest", "-p", "tests.components", *more, "test_both.py")
    return run(*command, folder=machine, env=env, expect=expect)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_last_line_names_what_was_left_out(machine: Path, workers: str) -> None:
    said = outcome_on(machine, "--numprocesses", workers)
    assert "1 passed" in said
    last = said.rstrip().splitlines()[-1]
    assert last.startswith("Left out, as this machine lacks what it needs: bicep (Microsoft's")


def test_what_is_required_must_be_there(machine: Path) -> None:
    said = outcome_on(machine, expect=4, MLOPS_TEST_REQUIRE="bicep")
    assert "MLOPS_TEST_REQUIRE asks for what this machine lacks. bicep: Microsoft's" in said
    assert "MLOPS_TEST_REQUIRE names podman" in outcome_on(
        machine, expect=4, MLOPS_TEST_REQUIRE="podman"
    )


@pytest.mark.parametrize(
    ("programs", "user", "found"),
    [
        (("buildah", "mmdebstrap"), 0, True),
        (("buildah", "mmdebstrap"), 1000, False),
        (("buildah",), 0, False),
        (("mmdebstrap",), 0, False),
    ],
)
def test_images_need_root_and_both_programs(
    machine: Path,
    monkeypatch: pytest.MonkeyPatch,
    programs: tuple[str, ...],
    user: int,
    found: bool,
) -> None:
    for name in programs:
        (machine / "bin" / name).touch(0o755)
    monkeypatch.setenv("PATH", str(machine / "bin"))
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    assert (components.images() is not None) is found


def test_where_it_is_there_nothing_is_left_out(machine: Path) -> None:
    program = machine / "bin" / ("bicep.exe" if os.name == "nt" else "bicep")
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    said = outcome_on(machine, MLOPS_TEST_REQUIRE="bicep")
    assert "2 passed" in said
    assert "Left out" not in said
