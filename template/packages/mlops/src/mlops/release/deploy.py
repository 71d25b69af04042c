"""Deploying a registered version: the same command for the first time and for any later one."""

from collections.abc import Callable, Mapping

from mlops.errors import ConfigError
from mlops.hints import typed
from mlops.platforms.base import ALL_TRAFFIC, Endpoint, ModelVersion, Platform
from mlops.progress import Report, silent
from mlops.release.data_rules import require_no_made_up_data
from mlops.release.traffic import require_active

Ready = Callable[[ModelVersion], object]
"""Raises Refused where the environment would refuse a version."""


def _any(_: ModelVersion) -> None:
    """Refuse no version."""


def deploy(
    platform: Platform,
    endpoint_name: str,
    model_version: int,
    deployment: str = "blue",
    traffic: int | None = None,
    report: Report = silent,
    *,
    force: bool = False,
    ready: Ready = _any,
) -> Endpoint:
    """Serve a version as a deployment of an endpoint and return the endpoint.

    A healthy one that serves it already is left alone. The first takes all traffic, whatever
    `traffic` says, and has to be ready for it.

    Args:
        platform: where to deploy.
        endpoint_name: the endpoint; it is made if it does not exist.
        model_version: the registered version.
        deployment: the deployment to create or replace.
        traffic: its percentage of traffic; None leaves the shares as they are.
        report: receives lines about the progress.
        force: give callers a version that no release has tested.
        ready: asked of the first one, unless `force`.

    Raises:
        ConfigError: there is no such version, callers would get it without `force`, a name is
            not allowed, or the rest of the traffic has nowhere to go.
        Refused: its files were altered, it is archived, made up where callers have a real one, or
            not ready.
        PlatformError: the deployment did not become healthy, or another command changes the
            endpoint; all is as it was.
    """
    version = platform.version(model_version)
    require_active(version)
    endpoint = platform.endpoint(endpoint_name)
    endpoint.repair(report)
    if not force and not endpoint.exists():
        ready(version)  # the lease makes the endpoint
    with endpoint.lease(f"the deployment of version {model_version}"):
        first = not endpoint.exists()
        shares = None
        if traffic is not None and not first:
            shares = shift_traffic(endpoint.traffic(), deployment, traffic)
        current = endpoint.is_current(deployment, version)
        if share := (shares or endpoint.traffic()).get(deployment, 0):
            if not current and not force:
                raise _untested(deployment, share, endpoint_name)
            require_no_made_up_data(platform, endpoint, [model_version])
        if current:
            report(f"{deployment} serves version {model_version} already")
        else:
            endpoint.deploy(deployment, version, report)
        if first and traffic not in (None, ALL_TRAFFIC):
            report(f"{deployment} is the first deployment: it takes all traffic, not {traffic} %")
        if shares is not None and shares != endpoint.traffic():
            report(f"{deployment} takes {traffic} % of the traffic")
            endpoint.set_traffic(shares, completes=True)
    return endpoint


def _untested(deployment: str, share: int, endpoint_name: str) -> ConfigError:
    return ConfigError(
        f"{deployment} would give {share} % of the callers of {endpoint_name} a version "
        "that nothing has tested",
        f"{typed('release')} tests it first, --force does it now",
    )


def remove_all(endpoint: Endpoint, report: Report = silent) -> None:
    """Remove all deployments of an endpoint; then nobody is answered.

    Raises:
        PlatformError: one could not be removed, or another command changes the endpoint.
    """
    endpoint.repair(report)
    with endpoint.lease("the removal of all deployments"):
        endpoint.set_mirror(None)
        endpoint.set_traffic({})
        for each in endpoint.deployments():
            report(f"removing {each.name}, version {each.model_version}")
            endpoint.delete(each.name)


def shift_traffic(current: Mapping[str, int], deployment: str, percent: int) -> dict[str, int]:
    """Return the shares after giving `deployment` so many percent and the others the rest.

    The others keep their proportions.

    Raises:
        ConfigError: `percent` is not within 0 to 100, or no other deployment takes the rest.
    """
    if not 0 <= percent <= ALL_TRAFFIC:
        raise ConfigError(f"a share of traffic is between 0 and 100 %, not {percent}")
    shares = {**current, deployment: percent}
    others = {name: share for name, share in current.items() if name != deployment and share > 0}
    rest = ALL_TRAFFIC - percent
    if not others:
        if percent == ALL_TRAFFIC or (percent == 0 and not any(current.values())):
            return shares
        raise ConfigError(
            f"{deployment} cannot have {percent} % of the traffic: "
            f"no other deployment would take the other {rest} %"
        )
    total = sum(others.values())
    for name, share in others.items():
        shares[name] = rest * share // total
    largest = max(others, key=lambda name: others[name])
    shares[largest] += ALL_TRAFFIC - sum(shares.values())
    return shares
