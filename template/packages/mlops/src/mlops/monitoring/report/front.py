"""What a platform's front answered itself, of which no prediction event tells."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mlops.errors import MlopsError
from mlops.monitoring.report.content import Section, Table
from mlops.platforms.base import Endpoint
from mlops.window import Window

TITLE = "Answered by the front alone"
_MEANING = {
    408: "408: it took too long",
    424: "424: the deployment did not answer",
    429: "429: too many at a time",
}


def front_sections(endpoint: Endpoint, window: Window) -> tuple[Section, ...]:
    """Return the section on the front's log, or nothing where a front keeps none."""
    try:
        rows = endpoint.front_log(window)
    except MlopsError as error:
        return (Section(TITLE, notes=(f"The front's log could not be read: {error}.",)),)
    return () if rows is None else (front_section(rows),)


def front_section(rows: Sequence[Mapping[str, Any]]) -> Section:
    """Return how many requests the front answered without a deployment's answer.

    Args:
        rows: the requests, with the properties of `traffic` in event_properties.py.
    """
    if not rows:
        said = "The front's log has no request of this time, or is not switched on."
        return Section(TITLE, empty=said)
    alone = Counter(
        (int(row["status"]), str(row["deployment"] or ""))
        for row in rows
        if row["status"] in _MEANING and not row["model_status"]
    )
    if not alone:
        return Section(TITLE, notes=(f"None of {len(rows):,} requests.",))
    told = tuple(
        (_MEANING[status], deployment, f"{count:,}", f"{count / len(rows):.2%}")
        for (status, deployment), count in sorted(alone.items())
    )
    return Section(
        TITLE,
        notes=(f"Of {len(rows):,} requests these reached no model: no event tells of them.",),
        table=Table(("answer", "deployment", "requests", "share of all"), told),
    )
