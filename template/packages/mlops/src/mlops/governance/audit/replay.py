"""What serves now, as the audit log tells it: an account that can be held against the endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlops.governance.audit.entry import TRAFFIC, Act, Ending, Entry, Phase, read_traffic

_CHANGES = (Act.RELEASE, Act.SWITCH, Act.ROLLBACK)


@dataclass(frozen=True)
class Served:
    """What an endpoint serves by the log.

    Attributes:
        environment: of the endpoint.
        endpoint: its name.
        traffic: the percentage of each version that callers reach, by its number.
        since: when that was written down.
        number: the line that says so.
        act: what made it so.
    """

    environment: str
    endpoint: str
    traffic: dict[int, int]
    since: datetime
    number: int
    act: Act

    def words(self) -> str:
        """Return which versions serve, in words."""
        shares = [f"{number} ({percent} %)" for number, percent in sorted(self.traffic.items())]
        return ", ".join(shares) or "nothing"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON says it."""
        return {
            "environment": self.environment,
            "endpoint": self.endpoint,
            "traffic": {str(number): percent for number, percent in sorted(self.traffic.items())},
            "since": self.since.isoformat(),
            "number": self.number,
            "act": self.act.value,
        }


def serves_now(entries: Sequence[Entry]) -> list[Served]:
    """Return what each endpoint serves after the last line, in order of environment and name."""
    found: dict[tuple[str, str], Served] = {}
    for entry in entries:
        endpoint, traffic = entry.subject.get("endpoint"), entry.details.get(TRAFFIC)
        if entry.phase is not Phase.OUTCOME or entry.act not in _CHANGES:
            continue
        if not isinstance(endpoint, str) or not isinstance(traffic, str):
            continue
        served = Served(
            environment=entry.environment,
            endpoint=endpoint,
            traffic=read_traffic(traffic),
            since=entry.time,
            number=entry.number,
            act=entry.act,
        )
        known = found.get((entry.environment, endpoint))
        if known is None or known.traffic != served.traffic or entry.outcome == Ending.DONE:
            found[(entry.environment, endpoint)] = served
    return [found[key] for key in sorted(found)]
