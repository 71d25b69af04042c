"""What stays at 0 % of the traffic as the way back: what it is, and until when."""

from datetime import datetime

from mlops.platforms.base import Deployment, Endpoint
from mlops.platforms.lease_terms import WayBack
from mlops.settings.loading import LoadedSettings


def is_kept(deployment: Deployment, way: WayBack) -> bool:
    """Tell whether a deployment is the one that a way back names."""
    return (deployment.name, deployment.model_version) == (way.deployment, way.model_version)


def kept(endpoint: Endpoint) -> WayBack | None:
    """Return the way back if its deployment is there, without traffic; or None."""
    way = endpoint.way_back()
    if way is None or endpoint.traffic().get(way.deployment) or way.deployment in endpoint.mirror():
        return None
    return way if any(is_kept(each, way) for each in endpoint.deployments()) else None


def kept_until(settings: LoadedSettings) -> datetime | None:
    """Return until when what loses its traffic now is kept; None: it is not."""
    span = settings.values.release.kept_for
    return settings.clock() + span if span else None


def kept_sentence(way: WayBack) -> str:
    """Return what is said of a deployment that is kept."""
    until = f"{way.until:%Y-%m-%d %H:%M} UTC"
    return f"{way.deployment}, version {way.model_version}, is kept at 0 % until {until}"
