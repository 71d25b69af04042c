"""Runs the tests that a maturity level is claimed by, and records what they found."""

import subprocess  # nosec B404  # this project's own tests
import sys
from collections.abc import Iterable
from pathlib import Path

from mlops.errors import PlatformError
from mlops.governance.maturity import MACHINERY, Level
from mlops.progress import Report

NO_TEST_WAS_RUN = (4, 5)
"""Exit codes of pytest where a test that was named is gone."""
SOME_FAILED = 1


def record_of(state_dir: Path) -> tuple[Path, Path]:
    """Return the files that hold the last recorded run: the project's tests, the machinery's."""
    folder = state_dir / "tests"
    return folder / "project.xml", folder / "machinery.xml"


def run_claimed(root: Path, state_dir: Path, levels: Iterable[Level], report: Report) -> None:
    """Run each test that a level names, and keep the record in the state folder.

    A test that fails or is gone is a finding, and no error.

    Args:
        root: the project's folder.
        state_dir: its state folder.
        levels: whose tests to run.
        report: is told which are run.

    Raises:
        PlatformError: pytest could not run them.
    """
    tests = [test for each in levels for one in each.requirements for test in one.tests]
    machinery = [test for test in tests if test.startswith(f"{MACHINERY}/")]
    own = [test for test in tests if test not in machinery]
    for path, named in zip(record_of(state_dir), (own, machinery), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        there = [test for test in named if (root / test.partition("::")[0]).is_file()]
        if there:
            report(f"{len(there)} tests for {path.name}")
            _run(root, path, there)


def _run(root: Path, record: Path, tests: list[str]) -> None:
    done = subprocess.run(  # nosec B603  # a fixed argument list, no shell
        [
            *(sys.executable, "-m", "pytest", "--quiet", "--continue-on-collection-errors"),
            *("--junitxml", str(record), *tests),
        ],
        cwd=root,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode not in (0, SOME_FAILED, *NO_TEST_WAS_RUN) or not record.is_file():
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise PlatformError(
            f"the tests could not be run: {' '.join(last) or f'exit code {done.returncode}'}",
            "run `uv sync`, then try again",
        )
