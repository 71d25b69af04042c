"""The withdrawal of a version by an alert: callers go back to what served before it, once.

A release says what an alert may go back to, and from which version: only where both take the same
requests, and only what had all traffic until then. A withdrawal forgets that, as any other change
of traffic does. So an alarm that goes on finds no way back, and never brings the bad version back.

A release of a newer version gives way where what comes back stands by and traffic alone moves: its
traffic and mirror are put back, it notices at its next step and changes nothing more. Where
something must be deployed first, which may fail, no release is broken off: it may bring the mend.
Nothing else that holds the endpoint gives way.
"""

from dataclasses import dataclass
from enum import StrEnum

from mlops.errors import MlopsError
from mlops.governance.audit.entry import Act, Ending
from mlops.governance.audit.record import Subject, recorded, serving_of
from mlops.monitoring.decisions import Decision, Kind, keep
from mlops.platforms.base import ALL_TRAFFIC, AtWork, Endpoint, Platform
from mlops.platforms.lease_rules import EndpointBusy, Shares
from mlops.platforms.lease_terms import WITHDRAWAL, WITHDRAWAL_IN_TURN
from mlops.progress import Report, silent
from mlops.release.change_log import ROLLBACK, keep_change
from mlops.release.kept import kept_until
from mlops.release.traffic import only_moves, require_registered, serve_again
from mlops.settings.loading import LoadedSettings


class Outcome(StrEnum):
    """What came of it."""

    ROLLED_BACK = "rolled back"
    NOTHING = "nothing to withdraw"
    """Callers do not reach that version."""
    NO_WAY_BACK = "no way back"
    """Nothing that an alert may go back to: an incident."""
    BUSY = "busy"
    """Another command changes the endpoint and does not give way: to be tried again."""


@dataclass(frozen=True)
class Withdrawal:
    """What came of it, and why; `returned` is the version that callers reach again, if one does."""

    outcome: Outcome
    model_version: int
    reason: str
    returned: int | None = None


class _Ended(Exception):
    """It ends without a change."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


def withdraw(
    platform: Platform,
    endpoint: Endpoint,
    model_version: int,
    settings: LoadedSettings,
    report: Report = silent,
) -> Withdrawal:
    """Give all traffic back to what served before a version, if callers reach it.

    What is kept at 0 % gets the traffic at once. What was removed since is deployed again with what
    it was made of, and smoke-tested first.

    Args:
        platform: where versions are.
        endpoint: the endpoint.
        model_version: the version that is withdrawn.
        settings: of the endpoint's environment.
        report: receives lines about the progress.

    Raises:
        ConfigError: the version that should come back is not registered any more.
        Refused: it failed its smoke test; all is as it was.
        PlatformError: it did not start, or the endpoint cannot be reached.
    """
    subject: Subject = {"version": model_version, "endpoint": endpoint.name}
    with recorded(
        platform,
        settings,
        Act.ROLLBACK,
        subject,
        report=report,
        details={"by": "alert"},
        after=lambda: serving_of(endpoint),
        protects=True,
    ) as recording:
        found = _withdrawal(platform, endpoint, model_version, settings, report)
        rolled_back = found.outcome is Outcome.ROLLED_BACK
        recording.outcome = Ending.DONE.value if rolled_back else found.outcome.value
        recording.reason = found.reason
    report(f"{found.outcome}: {found.reason}")
    return found


def _withdrawal(
    platform: Platform,
    endpoint: Endpoint,
    model_version: int,
    settings: LoadedSettings,
    report: Report,
) -> Withdrawal:
    try:
        returned = _withdraw(platform, endpoint, model_version, settings, report)
    except _Ended as end:
        found = Withdrawal(end.outcome, model_version, end.reason)
    else:
        reason = f"version {model_version} gave way to version {returned}"
        found = Withdrawal(Outcome.ROLLED_BACK, model_version, reason, returned)
        keep_change(endpoint, settings, ROLLBACK, report)
    return found


def _withdraw(
    platform: Platform,
    endpoint: Endpoint,
    model_version: int,
    settings: LoadedSettings,
    report: Report,
) -> int:
    if not endpoint.exists():
        raise _Ended(Outcome.NOTHING, f"nothing serves at {endpoint.name}")
    endpoint.repair(report)
    # a look before it takes the lease: a release is not interrupted for nothing
    found = _target(endpoint, model_version)
    require_registered(platform, endpoint, found)
    terms = WITHDRAWAL if only_moves(endpoint, found) else WITHDRAWAL_IN_TURN
    try:
        with endpoint.lease(f"the withdrawal of version {model_version}", terms):
            target = _target(endpoint, model_version)
            until = kept_until(settings)
            serve_again(platform, endpoint, target, settings.values.smoke_test, report, until)
    except (EndpointBusy, AtWork) as busy:
        raise _Ended(Outcome.BUSY, busy.message) from None
    return next(share.model_version for share in target.values() if share.traffic)


def _target(endpoint: Endpoint, model_version: int) -> Shares:
    """Return what each deployment was before the release of a version; one had all traffic.

    Raises:
        _Ended: callers do not reach the version, or there is no way back from it.
    """
    traffic = endpoint.traffic()
    reached = {each.model_version for each in endpoint.deployments() if traffic.get(each.name)}
    if model_version not in reached:
        numbers = " and ".join(f"version {each}" for each in sorted(reached)) or "no version"
        raise _Ended(Outcome.NOTHING, f"callers of {endpoint.name} reach {numbers}")
    way, recorded = endpoint.way_back(), endpoint.previous() or {}
    had_all = [name for name, share in recorded.items() if share.traffic == ALL_TRAFFIC]
    if way is None or way.withdraws != model_version or had_all != [way.deployment]:
        held = endpoint.pending()
        if held and held.lives and held.yields and not held.done:
            raise _Ended(Outcome.BUSY, f"{held.purpose} is under way, and judges it")
        raise _Ended(
            Outcome.NO_WAY_BACK,
            f"an alert may go back to nothing from version {model_version} at {endpoint.name}",
        )
    return recorded


def keep_withdrawal(
    endpoint: Endpoint, settings: LoadedSettings, found: Withdrawal, cause: str, report: Report
) -> None:
    """Keep what came of it beside the endpoint's events; it holds also where that fails.

    Args:
        endpoint: where it was withdrawn.
        settings: of its environment.
        found: what came of it.
        cause: why, as a name that stays the same as long as the reason does, such as `error-rate`.
        report: receives lines about the progress.
    """
    decision = Decision(
        time=settings.clock(),
        kind=Kind.ROLLBACK,
        cause=cause,
        outcome=found.outcome.value,
        reason=found.reason,
        environment=settings.values.environment,
        endpoint=endpoint.name,
        model_name=settings.model_name,
        model_version=found.model_version,
        subject=None if found.returned is None else f"version {found.returned}",
    )
    try:
        keep(endpoint, [decision])
    except MlopsError as error:
        report(f"what came of the withdrawal could not be kept: {error}")
