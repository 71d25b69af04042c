"""The comment that a pull request gets: what its training showed."""

from pathlib import Path

from mlops.artifacts.run_folder import RunFolder
from mlops.ci.job import section
from mlops.markdown import checks_table, escaped, table
from mlops.metrics import decimal


def run_comment(folder: Path) -> str:
    """Return a run's metrics and, if it was judged, the gate's verdict in Markdown.

    Args:
        folder: the run's folder.

    Raises:
        ConfigError: the run was not evaluated.
    """
    run = RunFolder(folder)
    evaluation = run.evaluation.results()
    rows = [
        (name, decimal(value), decimal(evaluation["baseline"][name]))
        for name, value in evaluation["model"].items()
    ]
    title = f"Metrics on the holdout ({evaluation['rows']:,} rows)"
    parts = [section(title, table(("metric", "model", "baseline"), rows))]
    if run.is_judged():
        verdict = run.verdict()
        checks = [
            (each["name"], each["found"], each["asked"], each["passed"])
            for each in verdict["checks"]
        ]
        title = f"The gate {'lets it pass' if verdict['passed'] else 'refuses it'}"
        parts.append(section(title, checks_table(checks)))
        if note := verdict.get("champion_note"):
            parts.append(f"{escaped(note)}.\n")
    parts.append(f"From a training on {escaped(run.prepared().source.words)}.\n")
    return "\n".join(parts)
