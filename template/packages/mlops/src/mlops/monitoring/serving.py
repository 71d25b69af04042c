"""Which version a check is about: the one that serves, as its endpoint itself says."""

from dataclasses import dataclass

from mlops.errors import Hold
from mlops.hints import typed
from mlops.platforms.base import Deployment, Endpoint


@dataclass(frozen=True)
class Serving:
    """A deployment with traffic, and its percentage."""

    deployment: Deployment
    share: int


def serving_deployment(endpoint: Endpoint) -> Serving:
    """Return the deployment that most callers reach.

    While traffic is split it is the one with the most, of equal ones the first by name.

    Raises:
        Hold: nothing is deployed, or nothing takes traffic.
    """
    if not endpoint.exists():
        raise Hold(
            f"nothing is deployed at {endpoint.name}",
            f"{typed('deploy')} or {typed('release')} serves a version",
        )
    traffic = endpoint.traffic()
    found = [each for each in endpoint.deployments() if traffic.get(each.name, 0) > 0]
    if not found:
        raise Hold(
            f"no deployment of {endpoint.name} takes traffic",
            f"{typed('switch-traffic')} gives one its share",
        )
    most = max(found, key=lambda each: traffic[each.name])
    return Serving(most, traffic[most.name])
