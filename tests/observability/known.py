"""The queries that are tested: those of a project, and some that use all that the form has."""

from pathlib import Path

from mlops.monitoring.rules.reading import parse_queries
from mlops.monitoring.rules.shapes import Query

from tools.worktree import ROOT


def queries(path: Path) -> dict[str, Query]:
    """Return the queries of a file by their id."""
    return {each.id: each for each in parse_queries(path.read_text(encoding="utf-8"), path.name)}


OURS = queries(ROOT / "template" / "observability" / "queries.yaml")
QUERIES = OURS | queries(Path(__file__).with_name("zoo.yaml"))
