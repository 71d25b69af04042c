"""Who answers callers: choosing a colour, switching traffic, and going back to what was before."""

from collections.abc import Mapping

from ..checks import failures
from ..errors import ConfigError, PlatformError, Refused
from ..platforms.base import ALL_TRAFFIC, DeploymentShare, Endpoint, Platform, Report, silent
from ..project import Project
from ..settings import SmokeTestSettings
from .smoke import SmokeResult, signatures_of, smoke_test

COLOURS = ("blue", "green")
RELEASE_LEVEL = 2
AB_TEST_LEVEL = 3


def require_level(project: Project, level: int, command: str) -> None:
    """Refuse a command that comes with a higher maturity level.

    Raises:
        ConfigError: the project's level is lower.
    """
    present = maturity_level(project)
    if present < level:
        raise ConfigError(
            f"`mlops {command}` comes with maturity level {level}, and this project is at level "
            f"{present}: raise it with `copier update -d maturity_level={level}`"
        )


def maturity_level(project: Project) -> int:
    """Return the level that the project's pyproject.toml states."""
    return int(project.facts.get("maturity_level", 1))


def sole_deployment(traffic: Mapping[str, int]) -> str | None:
    """Return the deployment that has all traffic, or None if none has any.

    Raises:
        ConfigError: several share the traffic.
    """
    serving = [name for name, share in traffic.items() if share > 0]
    if len(serving) > 1:
        shares = ", ".join(f"{name} {traffic[name]} %" for name in serving)
        raise ConfigError(
            f"several deployments share the traffic ({shares}): "
            "`mlops switch-traffic` gives it to one, then try again"
        )
    return serving[0] if serving else None


def other_colour(deployment: str | None) -> str:
    """Return the colour for a candidate beside the serving deployment: blue if green serves."""
    return COLOURS[1] if deployment == COLOURS[0] else COLOURS[0]


def switch_traffic(endpoint: Endpoint, green_percent: int, report: Report = silent) -> None:
    """Give green so many percent of the traffic and blue the rest; what was before is recorded.

    Raises:
        ConfigError: the share is impossible, or one that is to have traffic is not deployed.
        PlatformError: a deployment is not healthy, or another command changes the endpoint.
    """
    if not 0 <= green_percent <= ALL_TRAFFIC:
        raise ConfigError(f"a share of traffic is between 0 and 100 %, not {green_percent}")
    shares = {"blue": ALL_TRAFFIC - green_percent, "green": green_percent}
    wanted = {name: share for name, share in shares.items() if share > 0}
    endpoint.repair(report)
    with endpoint.lease("a switch of traffic"):
        endpoint.set_traffic(wanted)
    report(", ".join(f"{name} {share} %" for name, share in endpoint.traffic().items()))


def has_traffic(endpoint: Endpoint, model_version: int, report: Report = silent) -> bool:
    """Tell whether callers reach a version, after mending what an interrupted change left."""
    if not endpoint.exists():
        return False
    endpoint.repair(report)
    traffic = endpoint.traffic()
    return any(
        each.model_version == model_version and traffic.get(each.name, 0) > 0
        for each in endpoint.deployments()
    )


def rollback(
    platform: Platform, endpoint: Endpoint, smoke: SmokeTestSettings, report: Report = silent
) -> dict[str, DeploymentShare]:
    """Restore what each deployment was before the last completed change; return that.

    A version that was removed is deployed again under its name and smoke-tested before it gets
    traffic. What was not there before is removed. A second rollback goes forward again.

    Raises:
        ConfigError: nothing was recorded.
        Refused: a version is not registered any more, or failed its smoke test.
        PlatformError: a deployment did not start, or another command changes the endpoint.
    """
    endpoint.repair(report)
    target = endpoint.previous()
    if target is None or not any(share.traffic for share in target.values()):
        raise ConfigError(
            f"{endpoint.name} cannot be rolled back: nothing that served before is recorded"
        )
    for share in target.values():
        platform.version(share.model_version)
    with endpoint.lease("a rollback"):
        for name, share in target.items():
            _bring_back(platform, endpoint, name, share, smoke, report)
        traffic = {name: share.traffic for name, share in target.items() if share.traffic}
        report("traffic: " + ", ".join(f"{name} {share} %" for name, share in traffic.items()))
        endpoint.set_mirror(None)
        endpoint.set_traffic(traffic)
        for each in endpoint.deployments():
            if each.name not in target:
                report(f"removing {each.name}, version {each.model_version}")
                endpoint.delete(each.name)
    return target


def try_deployment(
    platform: Platform,
    endpoint: Endpoint,
    deployment: str,
    settings: SmokeTestSettings,
    report: Report,
) -> SmokeResult:
    """Smoke-test one deployment by header, whether or not it has traffic."""
    return smoke_test(endpoint, signatures_of(platform), settings, deployment, report)


def _bring_back(
    platform: Platform,
    endpoint: Endpoint,
    name: str,
    share: DeploymentShare,
    smoke: SmokeTestSettings,
    report: Report,
) -> None:
    found = {each.name: each for each in endpoint.deployments()}.get(name)
    if found and found.healthy and found.model_version == share.model_version:
        report(f"{name} still serves version {share.model_version}")
    else:
        endpoint.deploy(name, platform.version(share.model_version), report)
    if not share.traffic:
        return
    result = try_deployment(platform, endpoint, name, smoke, report)
    if not result.passed:
        raise Refused(f"{name} failed the smoke test: {failures(result.checks)}")


def restore(endpoint: Endpoint, traffic: Mapping[str, int], mirror: Mapping[str, int]) -> None:
    """Set traffic and mirror to what they were.

    Raises:
        PlatformError: a deployment that had traffic is not healthy any more.
    """
    shares = {name: share for name, share in traffic.items() if share > 0}
    if {name: share for name, share in endpoint.traffic().items() if share > 0} != shares:
        try:
            endpoint.set_traffic(shares)
        except PlatformError:
            endpoint.repair(silent)
            endpoint.set_traffic(shares)
    if endpoint.mirror() != dict(mirror):
        name, percent = next(iter(mirror.items()), (None, 0))
        endpoint.set_mirror(name, percent)
