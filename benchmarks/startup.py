"""CPU time of `mlops --help` in a generated project: what every command costs before it works.

CPU time of the process and its children, not elapsed time, so that a busy machine changes little.
It is told in hundredths of a second, less than Python needs to start: so each time is that of many
runs, shared among them. The best of some such times, since disturbances only add.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from copier import run_copy

from tools.worktree import copy_worktree

LIMIT_SECONDS = 0.3
TIMES = 4
RUNS = 20


def cpu_seconds(*command: str, folder: Path) -> float:
    """Return the least user and system time of a run; the first runs warm the disk cache."""
    times = []
    for _ in range(TIMES):
        before = os.times()
        for _ in range(RUNS):
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        user = after.children_user - before.children_user
        times.append((user + after.children_system - before.children_system) / RUNS)
    return min(times)


def installed_project(folder: Path) -> Path:
    """Render and install the default project."""
    source, project = copy_worktree(folder / "template"), folder / "project"
    run_copy(str(source), project, defaults=True, quiet=True)
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run(
        [os.environ.get("UV", "uv"), "sync", "--quiet"], cwd=project, env=env, check=True
    )
    return project


def main() -> int:
    """Measure, print a table, and compare with the limit."""
    with tempfile.TemporaryDirectory() as name:
        project = installed_project(Path(name))
        programs = project / ".venv" / ("Scripts" if os.name == "nt" else "bin")
        python = str(programs / "python")
        measured = {
            "floor: python -c pass": cpu_seconds(python, "-c", "pass", folder=project),
            "peer: import click, rich": cpu_seconds(
                python, "-c", "import click, rich.console", folder=project
            ),
            "mlops --help": cpu_seconds(str(programs / "mlops"), "--help", folder=project),
        }
    floor = measured["floor: python -c pass"]
    for title, seconds in measured.items():
        print(f"{title:26} {seconds:6.3f} s  {seconds / floor:5.1f} x floor")
    met = measured["mlops --help"] <= LIMIT_SECONDS
    print(f"limit {LIMIT_SECONDS} s: {'met' if met else 'passed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
