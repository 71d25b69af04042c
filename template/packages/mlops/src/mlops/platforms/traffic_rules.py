"""What an endpoint's traffic and mirror may be: the same rules on every platform."""

from collections.abc import Mapping, Set

from mlops.errors import ConfigError, PlatformError
from mlops.platforms.base import ALL_TRAFFIC, Deployment, Endpoint

DEPLOYMENT_HEADER = "azureml-model-deployment"
DIRECT_AGENT = "mlops-direct"
"""The User-Agent of requests that name their deployment: they say nothing of how two compare."""
REHEARSAL_AGENT = "mlops-rehearsal"
"""The User-Agent of requests that a rehearsal generates: they say nothing of what callers ask."""
MAX_MIRROR = 50


def unknown_deployment(endpoint: str, deployment: str, known: Set[str]) -> str:
    """Return the sentence that says what the endpoint has instead."""
    return f"{endpoint} has no deployment {deployment!r} (it has: {', '.join(sorted(known))})"


def check_shares(
    endpoint: str, wanted: Mapping[str, int], known: Set[str], mirror: Mapping[str, int]
) -> None:
    """Check percentages of traffic that are to be set.

    Raises:
        ConfigError: they do not sum to 0 or 100, are negative, or name a deployment that is unknown
            or mirrored to.
    """
    shares = ", ".join(f"{name} {share} %" for name, share in wanted.items()) or "nothing"
    if any(share < 0 for share in wanted.values()):
        raise ConfigError(f"no share of traffic may be negative: {shares}")
    if sum(wanted.values()) not in (0, ALL_TRAFFIC):
        raise ConfigError(f"the shares of traffic must sum to 0 or 100 %: {shares}")
    for name, share in wanted.items():
        if name not in known:
            raise ConfigError(unknown_deployment(endpoint, name, known))
        if share > 0 and name in mirror:
            raise ConfigError(f"{name} cannot take traffic while it is mirrored to")


def sole_version(endpoint: Endpoint) -> int | None:
    """Return the model version of the deployment with all traffic, or None if there is none."""
    full = {name for name, share in endpoint.traffic().items() if share == ALL_TRAFFIC}
    found = [each.model_version for each in endpoint.deployments() if each.name in full]
    return found[0] if found else None


def leading_deployment(endpoint: Endpoint) -> Deployment | None:
    """Return the deployment of the version that answers most of the callers, if any does.

    Of several deployments of that version it is the one with most traffic.
    """
    traffic = endpoint.traffic()
    found = [each for each in endpoint.deployments() if traffic.get(each.name, 0) > 0]

    def share(of: Deployment) -> tuple[int, int]:
        same = [traffic[each.name] for each in found if each.model_version == of.model_version]
        return sum(same), traffic[of.name]

    return max(found, key=share, default=None)


def require_healthy(deployment: str, detail: str, *, healthy: bool) -> None:
    """Check that a deployment can take traffic.

    Raises:
        PlatformError: it is not healthy.
    """
    if not healthy:
        raise PlatformError(f"{deployment} cannot take traffic: it is not healthy ({detail})")


def check_mirror(
    endpoint: str, deployment: str | None, percent: int, traffic: Mapping[str, int]
) -> None:
    """Check a mirror that is to be set.

    Args:
        endpoint: the endpoint's name.
        deployment: the deployment that is to get copies, or None.
        percent: of how many percent of the requests.
        traffic: the percentage of traffic of each deployment.

    Raises:
        ConfigError: it is not within 0 to 50 %, or the deployment is unknown or has traffic.
    """
    if not 0 <= percent <= MAX_MIRROR:
        raise ConfigError(
            f"between 0 and {MAX_MIRROR} % of the requests can be mirrored, not {percent} %"
        )
    if deployment is not None and deployment not in traffic:
        raise ConfigError(unknown_deployment(endpoint, deployment, traffic.keys()))
    if deployment is not None and percent and traffic[deployment]:
        raise ConfigError(f"{deployment} cannot be mirrored to while it has traffic of its own")


def check_removal(
    endpoint: str, deployment: str, traffic: Mapping[str, int], mirror: Mapping[str, int]
) -> None:
    """Check that a deployment can be removed.

    Raises:
        ConfigError: it is unknown, has traffic or is mirrored to.
    """
    if deployment not in traffic:
        raise ConfigError(unknown_deployment(endpoint, deployment, traffic.keys()))
    if share := traffic[deployment]:
        raise ConfigError(f"{deployment} cannot be deleted: it has {share} % of the traffic")
    if share := mirror.get(deployment, 0):
        raise ConfigError(
            f"{deployment} cannot be deleted: {share} % of the requests are mirrored to it"
        )
