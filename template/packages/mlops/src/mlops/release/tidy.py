"""What was kept as the way back goes once its time is over: on Azure it is billed."""

from datetime import datetime

from mlops.errors import MlopsError, PlatformError
from mlops.monitoring.decisions import Decision, Kind, keep
from mlops.platforms.base import AtWork, Endpoint, Platform
from mlops.platforms.lease_rules import EndpointBusy
from mlops.platforms.lease_terms import TIDYING, WayBack
from mlops.progress import Report, silent
from mlops.release.kept import kept
from mlops.settings.loading import LoadedSettings

CAUSE = "kept-long-enough"


def tidy(
    _platform: Platform,
    endpoint: Endpoint,
    settings: LoadedSettings,
    now: datetime,
    report: Report = silent,
    *,
    awaited: frozenset[int] = frozenset(),
) -> list[str]:
    """Remove the deployment that a change kept at 0 %, once its time is over; return what went.

    Nothing else is removed: neither a candidate that waits nor what somebody deployed by hand. What
    is recorded of before stays, so a rollback deploys it again. While another command changes the
    endpoint it is left for the next time, and so is the way back from an alarm that goes on.

    Args:
        _platform: of the endpoint; the same arguments as those of `withdraw`.
        endpoint: the endpoint.
        settings: of its environment.
        now: the present time, in UTC.
        report: receives lines about the progress.
        awaited: the versions of which an alarm goes on and that may be withdrawn yet.

    Raises:
        PlatformError: the endpoint cannot be reached, or what was kept cannot be removed.
    """
    if not endpoint.exists() or not _due(endpoint, now, awaited):
        return []
    try:
        with endpoint.lease("the removal of what was kept", TIDYING):
            way = _due(endpoint, now, awaited)
            if way is None:
                return []
            report(f"removing {way.deployment}")
            failed = _removed(endpoint, way.deployment)
    except (EndpointBusy, AtWork) as busy:
        report(f"what was kept stays for now: {busy.message}")
        return []
    if failed is not None:
        raise PlatformError(
            f"{way.deployment} could not be removed: {failed.message}", failed.remedy
        ) from failed
    _keep(endpoint, settings, way, now, report)
    return [way.deployment]


def _due(endpoint: Endpoint, now: datetime, awaited: frozenset[int]) -> WayBack | None:
    way = kept(endpoint)
    if way is None or way.withdraws in awaited:
        return None
    return way if way.until <= now else None


def _removed(endpoint: Endpoint, deployment: str) -> MlopsError | None:
    """Remove a deployment; return why it cannot be, but raise that another command is at work."""
    try:
        endpoint.delete(deployment)
    except (EndpointBusy, AtWork):
        raise
    except MlopsError as error:
        return error
    return None


def _keep(
    endpoint: Endpoint,
    settings: LoadedSettings,
    way: WayBack,
    now: datetime,
    report: Report,
) -> None:
    decision = Decision(
        time=now,
        kind=Kind.TIDYING,
        cause=CAUSE,
        outcome="removed",
        reason=f"{way.deployment}, version {way.model_version}, was kept at 0 % until then",
        environment=settings.values.environment,
        endpoint=endpoint.name,
        model_name=settings.model_name,
        deployment=way.deployment,
        model_version=way.model_version,
    )
    try:
        keep(endpoint, [decision])
    except MlopsError as error:
        report(f"that {way.deployment} was removed could not be kept: {error}")
