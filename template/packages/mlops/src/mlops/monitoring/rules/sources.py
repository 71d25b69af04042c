"""The events of an endpoint that a query asks for."""

from typing import TYPE_CHECKING

from mlops.monitoring.rules.evaluate import check_frame
from mlops.monitoring.rules.shapes import Query
from mlops.platforms.base import Endpoint
from mlops.window import Window

if TYPE_CHECKING:
    from mlops.monitoring.rules.evaluate import Frames


def frames_of(endpoint: Endpoint, query: Query, window: Window) -> "Frames":
    """Return the events that `evaluate` needs; none where no endpoint tells them.

    Raises:
        NotObserved: they cannot be read for now.
    """
    if query.source == "prediction":
        return {"prediction": endpoint.predictions(window).rows}
    if query.source == "traffic":
        rows = endpoint.front_log(window)
        return {} if rows is None else {"traffic": check_frame("traffic", rows)}
    return {query.source: check_frame(query.source, endpoint.checks(query.source, window))}
