"""`make demo` and `make render`: the project of these files, as they are, and its loop.

Run by `uv run --no-project`, so that nothing needs to be installed before.
"""

import argparse
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.worktree import ROOT, copy_worktree

COPIER = "copier==9.19.1"
UV = os.environ.get("UV", "uv")


class Clock:
    """Announces the parts of the work and remembers how long each took."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, float]] = []

    @contextmanager
    def part(self, title: str) -> Iterator[None]:
        """Time one part."""
        print(f"\n== {title}", flush=True)
        start = time.monotonic()
        yield
        self.parts.append((title, time.monotonic() - start))

    def summary(self) -> str:
        """Return one line a part, and the total."""
        parts = [*self.parts, ("Together", sum(seconds for _, seconds in self.parts))]
        return "\n".join(f"  {seconds:6.1f} s  {title}" for title, seconds in parts)


def run(*command: str, folder: Path = ROOT) -> None:
    """Run a command in `folder`, apart from the environment of this process.

    Raises:
        SystemExit: the command failed; it has said why.
    """
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    env["PATH"] = os.pathsep.join([str(Path(UV).parent), env["PATH"]])
    code = subprocess.run(command, cwd=folder, env=env, check=False).returncode
    if code:
        shown = " ".join(["uv", *command[1:]] if command[0] == UV else command)
        raise SystemExit(f"`{shown}` in {folder} ended with exit code {code}")


def remove(project: Path) -> None:
    """Delete a project of an earlier time, after stopping what it left running."""
    if (project / ".venv").exists() and (project / ".mlops").exists():
        run(UV, "run", "--no-sync", "mlops", "stop", "--all", folder=project)

    def retry(delete: Callable[[str], object], path: str, _: object) -> None:
        Path(path).chmod(stat.S_IWRITE)  # git's objects are read-only, which stops Windows
        delete(path)

    if project.exists():
        shutil.rmtree(project, onerror=retry)


def render(project: Path, arguments: list[str]) -> None:
    """Render this repository's files, committed or not, with Copier's own command."""
    with tempfile.TemporaryDirectory() as folder:
        source = copy_worktree(Path(folder, "template"))
        copier = [UV, "tool", "run", "--quiet", "--from", COPIER, "copier"]
        run(*copier, "copy", "--quiet", "--defaults", *arguments, str(source), str(project))


def commit(project: Path) -> None:
    """Make the project a git repository with one commit."""
    git = ["git", "-c", "user.name=demo", "-c", "user.email=demo@example.com"]
    run("git", "init", "--quiet", folder=project)
    run("git", "add", ".", folder=project)
    run(*git, "commit", "--quiet", "--message", "Start from the template", folder=project)


def thaw(project: Path) -> None:
    """Let the project install packages of any day.

    Raises:
        SystemExit: it states no day.
    """
    pyproject = project / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    thawed = re.sub(r"^exclude-newer = .*\n", "", text, flags=re.M)
    if thawed == text:
        raise SystemExit(f"{pyproject} has no exclude-newer, which freezes its packages")
    pyproject.write_text(thawed, encoding="utf-8", newline="\n")


def test(project: Path, clock: Clock) -> None:
    """Run the tests of the project's team and of its machinery."""
    with clock.part("The team's tests: uv run pytest"):
        run(UV, "run", "pytest", "--quiet", folder=project)
    with clock.part("The machinery's tests: uv run --all-groups pytest packages/mlops/tests"):
        pytest = ["pytest", "packages/mlops/tests", "--quiet", "--numprocesses", "auto"]
        run(UV, "run", "--all-groups", *pytest, folder=project)


def demo(project: Path, clock: Clock) -> None:
    """Install the project and run its loop."""
    with clock.part("Install it: git init, uv sync"):
        run(UV, "sync", "--quiet", folder=project)
        commit(project)
    try:
        with clock.part("Run its whole loop: uv run mlops run"):
            run(UV, "run", "mlops", "run", folder=project)
    finally:
        with clock.part("Stop what runs: uv run mlops stop --all"):
            run(UV, "run", "mlops", "stop", "--all", folder=project)


def main() -> None:
    """Parse the arguments and do the work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", type=Path, default=Path(".build/demo"))
    parser.add_argument("--render-only", action="store_true")
    parser.add_argument("--newest", action="store_true", help="newest packages, and all tests")
    parser.add_argument("arguments", nargs="*", help="passed on to `copier copy`")
    options = parser.parse_args()
    project = (ROOT / options.target).resolve()
    clock = Clock()
    with clock.part(f"Render the project in {options.target}"):
        remove(project)
        render(project, options.arguments)
    if options.render_only:
        return
    if options.newest:
        thaw(project)
    demo(project, clock)
    if options.newest:
        test(project, clock)
    uv = "uv" if shutil.which("uv") else os.path.relpath(UV, project)
    print(f"""
A complete project is in {options.target}, and its whole loop has run: data, validation, training,
gate, registration, deployment to test, smoke test, release to production under generated requests
with an A/B test, and one prediction. All servers were on this machine. How long each part took:

{clock.summary()}

Where to look:
  {options.target}/README.md          what the project is, and all its commands
  {options.target}/.mlops/registry/   the registered model, with its model card
  {options.target}/.mlops/releases/   the evidence of the release, with a plot

What to try, in {options.target}:
  {uv} run mlops ui     the run in MLflow, with metrics and plots
  {uv} run mlops run    the loop again: the new model must be as good as the first
  {uv} run mlops simulate
                        a year of the closed loop in three minutes: drift, retraining, the way back
""")


if __name__ == "__main__":
    main()
