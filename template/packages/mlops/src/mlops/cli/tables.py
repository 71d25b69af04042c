"""The tables that commands show beside their result."""

from collections.abc import Iterable, Mapping
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


def show_cross_validation(found: Mapping[str, Any]) -> None:
    """Show the metrics of a cross-validation on the training part.

    Args:
        found: what training.json says of it.
    """
    rows = [
        (name, decimal(each["value"]), _ends(each["interval"]), _ends(_of_folds(found, name)))
        for name, each in found["metrics"].items()
    ]
    title = f"Cross-validated on the training part ({found['folds']} folds, {found['rows']:,} rows)"
    head = ("metric", "model", f"{100 * found['level']:.0f} % interval", "folds")
    show_table(title, head, rows)


def _of_folds(found: Mapping[str, Any], name: str) -> list[float] | None:
    values = [fold[name] for fold in found["each_fold"] if fold[name] is not None]
    return sorted([min(values), max(values)]) if values else None


def _ends(interval: list[float] | None) -> str:
    return " to ".join(map(decimal, interval)) if interval else decimal(None)


def show_checks(title: str, checks: Iterable[Check]) -> None:
    """Show what was found, what was asked and whether it holds."""
    rows = [(check.name, check.found, check.asked, mark(check.passed)) for check in checks]
    show_table(title, ("check", "found", "asked", ""), rows)
