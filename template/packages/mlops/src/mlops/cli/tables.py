"""The tables that commands show beside their result."""

from collections.abc import Iterable
from typing import Any

from mlops.checks import Check
from mlops.console import mark, show_table
from mlops.metrics import decimal


def show_metrics(evaluation: dict[str, Any]) -> None:
    """Show the metrics of a model and its baseline.

    Args:
        evaluation: what the step `evaluate` wrote.
    """
    rows = [
        (name, decimal(value), decimal(evaluation["baseline"][name]))
        for name, value in evaluation["model"].items()
    ]
    title = f"Metrics on the holdout ({evaluation['rows']:,} rows)"
    show_table(title, ("metric", "model", "baseline"), rows)


def show_checks(title: str, checks: Iterable[Check]) -> None:
    """Show what was found, what was asked and whether it holds."""
    rows = [(check.name, check.found, check.asked, mark(check.passed)) for check in checks]
    show_table(title, ("check", "found", "asked", ""), rows)
