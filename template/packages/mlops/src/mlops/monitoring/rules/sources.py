"""The events of an endpoint that a query asks for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops.monitoring.rules.evaluate import check_frame
from mlops.monitoring.rules.shapes import Query
from mlops.platforms.base import Endpoint
from mlops.window import Window

if TYPE_CHECKING:
    from mlops.monitoring.rules.evaluate import Frames


@dataclass(frozen=True)
class Known:
    """What is known of an endpoint, and what of it is missing.

    Attributes:
        frames: the events that `evaluate` needs; none where no endpoint tells them.
        dropped: how many were not written, as the servers themselves counted.
        unread: files or answers that could not be read, by name, with what is wrong.
    """

    frames: "Frames"
    dropped: int = 0
    unread: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> Iterator[str]:
        """Yield in words what the events lack."""
        if self.dropped:
            yield f"{self.dropped:,} events were dropped before they were written"
        yield from (f"not read: {name}: {why}" for name, why in self.unread.items())


def events_for(endpoint: Endpoint, query: Query, window: Window) -> Known:
    """Return the events that a query asks for.

    Raises:
        NotObserved: they cannot be read for now.
    """
    if query.source == "prediction":
        found = endpoint.predictions(window)
        return Known({"prediction": found.rows}, found.dropped, found.unread)
    if query.source == "traffic":
        rows = endpoint.front_log(window)
        return Known({} if rows is None else {"traffic": check_frame("traffic", rows)})
    return Known({query.source: check_frame(query.source, endpoint.checks(query.source, window))})
