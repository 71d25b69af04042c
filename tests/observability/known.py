"""The queries that are tested: those of a project, and some that use all that the form has."""

from pathlib import Path

from mlops.monitoring.rules.alerts import Alert
from mlops.monitoring.rules.reading import parse_alerts, parse_queries
from mlops.monitoring.rules.shapes import Query

from tools.worktree import ROOT


def queries(path: Path) -> dict[str, Query]:
    """Return the queries of a file by their id."""
    return {each.id: each for each in parse_queries(path.read_text(encoding="utf-8"), path.name)}


FOLDER = ROOT / "template" / "observability"
OURS = queries(FOLDER / "queries.yaml")
ALERTS: dict[str, Alert] = {
    each.id: each
    for each in parse_alerts((FOLDER / "alerts.yaml").read_text(encoding="utf-8"), "alerts.yaml")
}
FEW = 5
_OF_FEW = {
    f"alert {name}": each.model_copy(update={"least": min(each.least, FEW)})
    for name, each in ALERTS.items()
}
"""Alerts that look at fewer rows, since made-up ones are few."""
QUERIES = OURS | queries(Path(__file__).with_name("zoo.yaml")) | _OF_FEW
