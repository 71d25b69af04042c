"""Which version is watched: the one that serves, as its endpoint itself says, or that scores."""

from dataclasses import dataclass

from mlops.artifacts.predictions import SCORE
from mlops.errors import Hold
from mlops.hints import typed
from mlops.platforms.base import Endpoint
from mlops.platforms.traffic_rules import leading_deployment
from mlops.window import Window


@dataclass(frozen=True)
class Watched:
    """A version, and the deployment by which it serves; None if it only scores."""

    model_version: int
    deployment: str | None


def watched_version(endpoint: Endpoint, window: Window) -> Watched:
    """Return the version that answers most callers, never the newest one.

    Where nothing serves it is the one that `mlops score` used last within the window.

    Raises:
        Hold: there is none of both.
        NotObserved: the events cannot be read for now.
    """
    import polars as pl

    serving = leading_deployment(endpoint) if endpoint.exists() else None
    if serving is not None:
        return Watched(serving.model_version, serving.name)
    scored = endpoint.predictions(window).rows.filter(pl.col("source") == SCORE)
    last = scored.select("time", "model_version").sort("time").last().collect()
    if last.is_empty():
        raise Hold(
            f"nothing serves at {endpoint.name}, and no prediction of the window is of mlops score",
            f"{typed('deploy')} or {typed('release')} serves a version; or name another "
            "--environment, or a longer --since",
        )
    return Watched(int(last["model_version"][0]), None)
