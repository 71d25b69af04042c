"""Who answers callers: choosing a colour, switching traffic, and going back to what was before."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from mlops.checks import failures
from mlops.errors import ConfigError, MlopsError, PlatformError, Refused
from mlops.hints import typed
from mlops.platforms.base import (
    ALL_TRAFFIC,
    AtWork,
    Deployment,
    DeploymentShare,
    Endpoint,
    ModelVersion,
    Platform,
)
from mlops.platforms.lease_terms import WayBack
from mlops.progress import Report, silent
from mlops.release.data_rules import require_no_made_up_data
from mlops.release.smoke import SmokeResult, signatures_of, smoke_test
from mlops.settings.project import Project
from mlops.settings.sections import SmokeTestSettings

COLOURS = ("blue", "green")
RELEASE_LEVEL = 2
AB_TEST_LEVEL = 3


def require_level(project: Project, level: int, command: str) -> None:
    """Refuse a command that comes with a higher maturity level.

    Raises:
        ConfigError: the project's level is lower.
    """
    present = project.maturity_level
    if present < level:
        raise ConfigError(
            f"{typed(command)} comes with maturity level {level}, and this project is at level "
            f"{present}",
            f"raise it with `uvx copier update -d maturity_level={level}`",
        )


def require_active(version: ModelVersion) -> None:
    """Refuse to give callers a version that was archived, unless it goes back to them.

    Raises:
        Refused: so.
    """
    if version.archived:
        raise Refused(
            f"version {version.version} of {version.name} is archived: only a rollback may bring "
            "it back",
            "release another version, or restore this one in the studio",
        )


def require_newer(endpoint: Endpoint, serving: str, version: ModelVersion) -> None:
    """Refuse to release a version in the place of a newer one: only a rollback goes back.

    Args:
        endpoint: the endpoint.
        serving: the deployment that has all traffic.
        version: what is to take its place.

    Raises:
        Refused: so.
    """
    if served := newer_served(endpoint, serving, version):
        raise Refused(
            f"version {version.version} is older than version {served}, which callers of "
            f"{endpoint.name} reach now",
            f"{typed('rollback')} goes back to what served before; anything else is a new version",
        )


def newer_served(endpoint: Endpoint, serving: str, version: ModelVersion) -> int | None:
    """Return the number of what a deployment serves if it is newer than a version, or None."""
    served = {each.name: each.model_version for each in endpoint.deployments()}[serving]
    return served if version.version < served else None


def sole_deployment(traffic: Mapping[str, int]) -> str | None:
    """Return the deployment that has all traffic, or None if none has any.

    Raises:
        ConfigError: several share the traffic.
    """
    serving = [name for name, share in traffic.items() if share > 0]
    if len(serving) > 1:
        shares = ", ".join(f"{name} {traffic[name]} %" for name in serving)
        raise ConfigError(
            f"several deployments share the traffic ({shares})",
            f"{typed('switch-traffic')} gives it to one, then try again",
        )
    return serving[0] if serving else None


def other_colour(deployment: str | None) -> str:
    """Return the colour for a candidate beside the serving deployment: blue if green serves."""
    return COLOURS[1] if deployment == COLOURS[0] else COLOURS[0]


def switch_traffic(
    platform: Platform, endpoint: Endpoint, green_percent: int, report: Report = silent
) -> None:
    """Give green so many percent of the traffic and blue the rest; what was before is recorded.

    Raises:
        ConfigError: the share is impossible, or one that is to have traffic is not deployed.
        Refused: a version of made-up data would take callers from one of real data.
        PlatformError: a deployment is not healthy, or another command changes the endpoint.
    """
    if not 0 <= green_percent <= ALL_TRAFFIC:
        raise ConfigError(f"a share of traffic is between 0 and 100 %, not {green_percent}")
    shares = {"blue": ALL_TRAFFIC - green_percent, "green": green_percent}
    wanted = {name: share for name, share in shares.items() if share > 0}
    endpoint.url()  # it must exist: the lease would make it
    endpoint.repair(report)
    with endpoint.lease("a switch of traffic"):
        wins = [each.model_version for each in endpoint.deployments() if each.name in wanted]
        require_no_made_up_data(platform, endpoint, wins)
        endpoint.set_traffic(wanted, completes=True)
    report(", ".join(f"{name} {share} %" for name, share in endpoint.traffic().items()))


def has_traffic(endpoint: Endpoint, model_version: int, report: Report = silent) -> bool:
    """Tell whether callers reach a version, after mending what an interrupted change left.

    What the platform still works off of that gives callers nothing that they have not yet.

    Raises:
        PlatformError: they do not, but another command changes the endpoint and may let them.
    """
    if not endpoint.exists():
        return False
    endpoint.repair(report)
    if _has_traffic(endpoint, model_version):
        return True
    try:
        with endpoint.lease(f"the look at version {model_version}"):
            return _has_traffic(endpoint, model_version)
    except AtWork:
        return False


def _has_traffic(endpoint: Endpoint, model_version: int) -> bool:
    traffic = endpoint.traffic()
    return any(
        each.model_version == model_version and traffic.get(each.name, 0) > 0
        for each in endpoint.deployments()
    )


def rollback(
    platform: Platform,
    endpoint: Endpoint,
    smoke: SmokeTestSettings,
    report: Report = silent,
    kept_until: datetime | None = None,
) -> dict[str, DeploymentShare]:
    """Restore what served before the last completed change; return what was recorded of it.

    What is still there, healthy and the same, gets its traffic at once. A version that was removed
    is deployed again, with the serving code and the image that it had, and smoke-tested before it
    gets traffic. What had no traffic then is not brought back. A second rollback goes forward
    again. One of made-up data comes back, too: it served just before, and what took its place may
    be broken.

    Args:
        platform: where versions are.
        endpoint: the endpoint.
        smoke: how what is deployed again is tested.
        report: receives lines about the progress.
        kept_until: until when what loses its traffic stays without any; None: it is removed.

    Raises:
        ConfigError: nothing was recorded, or a version is not registered any more.
        Refused: a version failed its smoke test; all is as it was.
        PlatformError: a deployment did not start, or another command changes the endpoint.
    """
    endpoint.repair(report)
    target = endpoint.previous()
    if target is None or not any(share.traffic for share in target.values()):
        raise ConfigError(
            f"{endpoint.name} has nothing to go back to: nothing that served before is recorded, "
            "as after its first release",
            f"release another version, or {typed('stop')} ends what serves",
        )
    require_registered(platform, endpoint, target)
    with endpoint.lease("a rollback"):
        serve_again(platform, endpoint, target, smoke, report, kept_until)
    return target


def put_back(
    platform: Platform,
    endpoint: Endpoint,
    target: Mapping[str, DeploymentShare],
    purpose: str,
    report: Report = silent,
) -> None:
    """Let the versions that had traffic just now serve again, untested, and remove the others.

    Raises:
        ConfigError: a version is not registered any more.
        PlatformError: a deployment did not start, or another command changes the endpoint.
    """
    require_registered(platform, endpoint, target)
    with endpoint.lease(purpose):
        serve_again(platform, endpoint, target, None, report)


def require_registered(
    platform: Platform, endpoint: Endpoint, target: Mapping[str, DeploymentShare]
) -> None:
    """Check that what had traffic is registered, unless it is there still and only moves.

    Raises:
        ConfigError: a version is not registered any more.
    """
    found = {each.name: each for each in endpoint.deployments()}
    for name, share in target.items():
        if share.traffic and not _serves_still(found.get(name), share):
            platform.version(share.model_version)


def serve_again(
    platform: Platform,
    endpoint: Endpoint,
    target: Mapping[str, DeploymentShare],
    smoke: SmokeTestSettings | None,
    report: Report,
    kept_until: datetime | None = None,
) -> None:
    """Give the traffic to what had it, under the endpoint's lease; what had none stays away.

    With a test, a deployment that callers reach is never replaced: where the recorded name has
    traffic for another version, the recorded version takes the other colour.

    Args:
        platform: where versions are.
        endpoint: the endpoint.
        target: what each deployment was.
        smoke: how what is deployed again is tested; None: not at all, as it served just now.
        report: receives lines about the progress.
        kept_until: until when what loses its traffic stays without any; None: it is removed.

    Raises:
        ConfigError: both colours have traffic, so that a version has no place, or a version is
            not registered any more.
        Refused: a version failed its smoke test; all is as it was.
        PlatformError: a deployment did not start.
    """
    wanted = {name: share for name, share in target.items() if share.traffic}
    before = {each.name: each for each in endpoint.deployments()}
    way = _kept_after(endpoint, before, kept_until)
    shares: dict[str, int] = {}
    try:
        for name, share in wanted.items():
            if _serves_still(before.get(name), share):
                report(f"{name} still serves version {share.model_version}")
                place = name
            else:
                place = _place(endpoint, name, share, wanted.keys()) if smoke else name
                version = platform.version(share.model_version)
                endpoint.deploy(place, version, report, origin=share.origin)
                if smoke is not None:
                    _require_works(platform, endpoint, place, smoke, report)
            shares[place] = share.traffic
        report("traffic: " + ", ".join(f"{name} {share} %" for name, share in shares.items()))
        endpoint.set_mirror(None)
        endpoint.set_traffic(shares, completes=True, way_back=way)
    except BaseException:
        remove(endpoint, {each.name for each in endpoint.deployments()} - before.keys(), report)
        raise
    stay = {*shares, way.deployment} if way else {*shares}
    remove(endpoint, _withdrawn(endpoint, target) - stay, report)


def _kept_after(
    endpoint: Endpoint, before: Mapping[str, Deployment], until: datetime | None
) -> WayBack | None:
    """Return the way back from a way back: what has all traffic now, by a person's hand alone."""
    name = next((n for n, share in endpoint.traffic().items() if share == ALL_TRAFFIC), None)
    if name is None or until is None:
        return None
    return WayBack(name, before[name].model_version, until)


def only_moves(endpoint: Endpoint, target: Mapping[str, DeploymentShare]) -> bool:
    """Tell whether all that is to have traffic stands by without any, healthy and the same."""
    found, traffic = {each.name: each for each in endpoint.deployments()}, endpoint.traffic()
    return all(
        _serves_still(found.get(name), share) and not traffic.get(name)
        for name, share in target.items()
        if share.traffic
    )


def _serves_still(found: Deployment | None, share: DeploymentShare) -> bool:
    return found is not None and found.healthy and _is_same(found, share)


def remove(endpoint: Endpoint, names: Iterable[str], report: Report) -> tuple[str, ...]:
    """Remove deployments without traffic; report and return those that cannot be removed."""
    left = []
    for name in sorted(names):
        report(f"removing {name}")
        try:
            endpoint.delete(name)
        except MlopsError as error:
            report(f"{name} could not be removed: {error}")
            left.append(name)
    return tuple(left)


def try_deployment(
    platform: Platform,
    endpoint: Endpoint,
    deployment: str,
    settings: SmokeTestSettings,
    report: Report,
) -> SmokeResult:
    """Smoke-test one deployment by header, whether or not it has traffic."""
    return smoke_test(endpoint, signatures_of(platform), settings, deployment, report)


def _place(endpoint: Endpoint, name: str, share: DeploymentShare, taken: Collection[str]) -> str:
    """Return the name under which a version can come back: its own, or that of a free colour."""
    traffic = endpoint.traffic()
    found = {each.name: each for each in endpoint.deployments()}
    if not traffic.get(name) or _is_same(found[name], share):
        return name
    free = [each for each in COLOURS if each not in taken and not traffic.get(each)]
    if not free:
        raise ConfigError(
            f"version {share.model_version} cannot come back to {endpoint.name}: both colours have "
            "traffic",
            f"{typed('switch-traffic')} gives it to one, then try again",
        )
    return free[0]


def _withdrawn(endpoint: Endpoint, target: Mapping[str, DeploymentShare]) -> set[str]:
    """Return what was not there before, also under a name that was: on Azure it would be billed."""
    return {
        each.name
        for each in endpoint.deployments()
        if each.name not in target or not _is_same(each, target[each.name])
    }


def _is_same(found: Deployment, share: DeploymentShare) -> bool:
    """Tell whether a deployment is what was recorded; without an origin the version decides."""
    return found.model_version == share.model_version and share.origin in ("", found.origin)


def _require_works(
    platform: Platform,
    endpoint: Endpoint,
    name: str,
    smoke: SmokeTestSettings,
    report: Report,
) -> None:
    result = try_deployment(platform, endpoint, name, smoke, report)
    if not result.passed:
        raise Refused(f"{name} failed the smoke test: {failures(result.checks)}")


@contextmanager
def restored(endpoint: Endpoint, *, unless_done: bool = False) -> Iterator[None]:
    """Set traffic and mirror back at the end, or only if the block does not come to its end."""
    traffic, mirror = endpoint.traffic(), endpoint.mirror()
    done = False
    try:
        yield
        done = True
    finally:
        if not (done and unless_done):
            known = endpoint.traffic()
            kept = {name: share for name, share in traffic.items() if name in known}
            restore(endpoint, kept, mirror)


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
