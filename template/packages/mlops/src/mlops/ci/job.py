"""What commands hand to the CI: tables for a job's page, and values for its later steps.

GitHub Actions names a file for each in the environment; elsewhere nothing is written.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from mlops.files import read_json
from mlops.markdown import checks_table, decimal, escaped, table


def summarise(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Append a heading and, unless it is empty, a table in Markdown to the job's page."""
    _append("GITHUB_STEP_SUMMARY", _section(title, table(columns, rows) if rows else []))


def set_output(name: str, value: object) -> None:
    """Give a value to the later steps of the job."""
    _append("GITHUB_OUTPUT", f"{name}={value}")


def run_comment(folder: Path, fraction: float) -> str:
    """Return a run's metrics and, if it was judged, the gate's verdict in Markdown.

    Args:
        folder: the run's folder.
        fraction: the share of the data that was used.

    Raises:
        ConfigError: the run was not evaluated.
    """
    evaluation = read_json(folder / "evaluation" / "evaluation.json", schema=1)
    rows = [
        (name, decimal(value), decimal(evaluation["baseline"][name]))
        for name, value in evaluation["model"].items()
    ]
    title = f"Metrics on the holdout ({evaluation['rows']:,} rows)"
    parts = [_section(title, table(("metric", "model", "baseline"), rows))]
    if (folder / "verdict.json").is_file():
        verdict = read_json(folder / "verdict.json", schema=1)
        checks = [
            (each["name"], each["found"], each["asked"], each["passed"])
            for each in verdict["checks"]
        ]
        title = f"The gate {'lets it pass' if verdict['passed'] else 'refuses it'}"
        parts.append(_section(title, checks_table(checks)))
    if fraction < 1:
        parts.append(f"From a training on {100 * fraction:g} % of the data.\n")
    return "\n".join(parts)


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"### {escaped(title)}", "", *lines, ""])


def _append(variable: str, text: str) -> None:
    path = os.environ.get(variable)
    if path:
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(f"{text}\n")
