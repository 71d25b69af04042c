"""What happened to a version since it was registered, as one sequence that cards show.

Evidence of releases and approvals, changes of traffic and what monitoring found come as `Happening`
from wherever they are kept; what an audit log tells can come along.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from mlops.governance.card_numbers import Table


@dataclass(frozen=True)
class Happening:
    """One thing that happened to a version.

    Attributes:
        time: when, with its zone.
        kind: what it was, such as `release`, `approval`, `rollback` or `drift`.
        environment: where; empty where it is of none.
        outcome: how it ended, in a word, as it was recorded.
        said: more of it, as it was recorded.
        source: the file or store that says so.
    """

    time: datetime
    kind: str
    environment: str
    outcome: str
    said: str
    source: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON content."""
        return {**asdict(self), "time": self.time.isoformat()}


def in_order(found: Iterable[Happening]) -> tuple[Happening, ...]:
    """Return what happened, oldest first, and once where two places tell the same."""
    unique = {(each.time, each.kind, each.environment, each.outcome): each for each in found}
    return tuple(sorted(unique.values(), key=lambda each: (each.time, each.kind)))


def happenings_table(found: tuple[Happening, ...]) -> Table:
    """Return what happened as a table; it has no row where nothing is recorded."""
    rows = tuple(
        (
            f"{each.time.astimezone(UTC):%Y-%m-%d %H:%M}",
            each.kind,
            each.environment,
            each.outcome,
            each.said,
            each.source,
        )
        for each in found
    )
    return Table(("when (UTC)", "what", "environment", "outcome", "said", "recorded in"), rows)
