"""The linters of workflows, in their strictest mode."""

from pathlib import Path

from tests.support import BIN, run

JACTIONLINT = (
    *(BIN / "jactionlint", "--strict-exit", "--profile", "pedantic"),
    *("--shellcheck", BIN / "shellcheck"),
)


def lint(project: Path) -> None:
    """Run the linters in their strictest mode; any finding is an error."""
    run(*JACTIONLINT, folder=project)
    run(BIN / "zizmor", "--offline", "--persona", "pedantic", ".", folder=project)
