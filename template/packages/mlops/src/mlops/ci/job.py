"""What commands hand to the CI: tables for a job's page, and values for its later steps.

GitHub Actions names a file for each in the environment; elsewhere nothing is written. Its variables
say, too, which run this is.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from mlops.markdown import escaped, table


def summarise(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Append a heading and, unless it is empty, a table in Markdown to the job's page."""
    _append("GITHUB_STEP_SUMMARY", section(title, table(columns, rows) if rows else []))


def set_output(name: str, value: object) -> None:
    """Give a value to the later steps of the job."""
    _append("GITHUB_OUTPUT", f"{name}={value}")


def add_to_path(folder: Path) -> None:
    """Let the later steps of the job find the programs of a folder."""
    _append("GITHUB_PATH", str(folder))


def run_url() -> str:
    """Return the page of the run of GitHub Actions that this is part of; nothing elsewhere."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (os.environ.get(name, "") for name in names)
    if not (server and repository and run):
        return ""
    attempt = os.environ.get("GITHUB_RUN_ATTEMPT", "1")
    return f"{server}/{repository}/actions/runs/{run}/attempts/{attempt}"


def section(title: str, lines: Sequence[str]) -> str:
    """Return a heading with lines of Markdown, such as a table's, below it."""
    return "\n".join([f"### {escaped(title)}", "", *lines, ""])


def _append(variable: str, text: str) -> None:
    path = os.environ.get(variable)
    if path:
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(f"{text}\n")
