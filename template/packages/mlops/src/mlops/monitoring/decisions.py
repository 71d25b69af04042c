"""What was decided about an endpoint, and done: the memory of a loop whose runners vanish.

A decision is kept where what checks found is kept, so that a fresh machine knows what the last one
did: cooldowns, refusals, incidents and who was told are read from here.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from mlops.platforms.base import Endpoint
from mlops.window import Window

CHECK = "decision"


class Kind(StrEnum):
    """What was decided about."""

    ALERT = "alert"
    NOTIFICATION = "notification"
    INCIDENT = "incident"
    ROLLBACK = "rollback"
    RETRAINING = "retraining"
    TIDYING = "tidying"


_KINDS = frozenset(Kind)


@dataclass(frozen=True)
class Decision:
    """One decision.

    Attributes:
        time: when.
        kind: what about.
        cause: why, as a name that stays the same as long as the reason does, such as `error-rate`.
        outcome: what came of it, a word that the documentation of the command has.
        reason: a sentence.
        environment, endpoint, model_name: whose.
        deployment, model_version: what served; None: nothing did.
        subject: what it is of by name, such as a candidate's id or an incident's address.
        value, limit: the measured number and what it was compared with, where there are any.
    """

    time: datetime
    kind: Kind
    cause: str
    outcome: str
    reason: str
    environment: str
    endpoint: str
    model_name: str
    deployment: str | None = None
    model_version: int | None = None
    subject: str | None = None
    value: float | None = None
    limit: float | None = None

    def row(self) -> dict[str, Any]:
        """Return the flat row that is kept."""
        content = asdict(self)
        return {"check": CHECK, **content, "time": self.time.isoformat(), "kind": self.kind.value}


def keep(endpoint: Endpoint, decisions: Iterable[Decision]) -> None:
    """Keep decisions, beside what checks found.

    Raises:
        PlatformError: they cannot be kept.
    """
    endpoint.keep_checks([each.row() for each in decisions])


def decided(
    endpoint: Endpoint, window: Window, kind: Kind | None = None, cause: str | None = None
) -> list[Decision]:
    """Return what was decided in a window, oldest first.

    What another version of the project decided about, and this one does not know, is passed over.

    Args:
        endpoint: about what.
        window: when.
        kind: only of this kind.
        cause: only for this cause.

    Raises:
        NotObserved: it cannot be read for now.
    """
    return [
        _decision(row)
        for row in endpoint.checks(CHECK, window)
        if str(row.get("kind")) in _KINDS
        and (kind is None or row["kind"] == kind)
        and (cause is None or row.get("cause") == cause)
    ]


def _decision(row: dict[str, Any]) -> Decision:
    content: dict[str, Any] = {name: row.get(name) for name in Decision.__dataclass_fields__}
    content["time"], content["kind"] = datetime.fromisoformat(row["time"]), Kind(row["kind"])
    return Decision(**content)
