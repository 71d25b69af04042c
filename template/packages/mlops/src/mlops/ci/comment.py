"""The comment that a pull request gets: what its training showed."""

from pathlib import Path

from mlops.artifacts.run_folder import RunFolder
from mlops.ci.job import section


def run_comment(folder: Path, fraction: float) -> str:
    """Return a run's metrics and, if it was judged, the gate's verdict in Markdown.

    Args:
        folder: the run's folder.
        fraction: the share of the data that was used.

    Raises:
        ConfigError: the run was not evaluated.
    """
    run = RunFolder(folder)
    evaluation = run.evaluation.results()
    rows = [
        (name, _number(value), _number(evaluation["baseline"][name]))
        for name, value in evaluation["model"].items()
    ]
    title = f"Metrics on the holdout ({evaluation['rows']:,} rows)"
    parts = [section(title, ("metric", "model", "baseline"), rows)]
    if run.is_judged():
        verdict = run.verdict()
        checks = [
            (each["name"], each["found"], each["asked"], "passed" if each["passed"] else "FAILED")
            for each in verdict["checks"]
        ]
        title = f"The gate {'lets it pass' if verdict['passed'] else 'refuses it'}"
        parts.append(section(title, ("check", "found", "asked", ""), checks))
    if fraction < 1:
        parts.append(f"From a training on {100 * fraction:g} % of the data.\n")
    return "\n".join(parts)


def _number(value: float | None) -> str:
    return "not computed" if value is None else f"{value:.4f}"
