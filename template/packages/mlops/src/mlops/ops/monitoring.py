"""One look at an endpoint, and what follows from it: what `mlops monitor` does."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from mlops.ci.job import set_output
from mlops.errors import ConfigError, MlopsError, PlatformError
from mlops.governance.audit.entry import Act
from mlops.governance.audit.record import noted
from mlops.monitoring.alert_state import Deed, Monitored, Outcome
from mlops.monitoring.alerting.act import Actions, Done, act
from mlops.monitoring.alerting.episodes import FAILED
from mlops.monitoring.alerting.notice import Notice, of_alarm, of_withdrawal
from mlops.monitoring.alerting.receivers import Told
from mlops.monitoring.decisions import Decision, Kind
from mlops.monitoring.monitor import evaluate_alerts, served_by
from mlops.monitoring.past_alarms import keep_look, look_back
from mlops.monitoring.retraining.command import Steps, retrain
from mlops.monitoring.retraining.steps import steps_of
from mlops.monitoring.retraining.telling import Hearers
from mlops.monitoring.rules.alerts import Alert
from mlops.monitoring.rules.generated import ALERTS_MODULE
from mlops.monitoring.rules.reading import read_alerts
from mlops.platforms.base import Endpoint, Platform
from mlops.platforms.watching import RuleState
from mlops.progress import Report
from mlops.release.candidate_end import FAILED as CANDIDATE_FAILED
from mlops.release.tidy import tidy
from mlops.release.withdraw import withdraw
from mlops.settings.loading import LoadedSettings

ACTING, BY_ITSELF = 2, 3
"""The maturity levels from which a monitor tells and tidies, and from which it does the rest."""


def look(platform: Platform, settings: LoadedSettings) -> Monitored:
    """Return how the alerts of an environment's endpoint stand, and do nothing.

    Raises:
        ConfigError: observability/alerts.yaml is missing or wrong.
        PlatformError: the endpoint cannot be read.
    """
    alerts = read_alerts(settings.project.root)
    endpoint = platform.endpoint(settings.endpoint_name)
    now = settings.clock()
    return Monitored(
        environment=settings.values.environment,
        endpoint=endpoint.name,
        time=now,
        serves=served_by(endpoint).version is not None,
        states=tuple(evaluate_alerts(endpoint, settings, alerts, now)),
        rules=_rules(platform, settings, alerts),
    )


def look_and_act(
    platform: Platform, settings: LoadedSettings, actions: Actions, receivers: Sequence[Told]
) -> Monitored:
    """Return how the alerts stand, and what was done about it.

    Args:
        platform: where it serves.
        settings: of the environment.
        actions: what may be done.
        receivers: who is told.

    Raises:
        ConfigError: the project's maturity level has no actions yet, or as for `look`.
        PlatformError: the endpoint cannot be read.
    """
    require_acting(settings)
    found = look(platform, settings)
    endpoint = platform.endpoint(settings.endpoint_name)
    notices, problem = _since_the_last_look(endpoint, settings, found)
    deeds = act(
        endpoint,
        settings,
        found.states,
        actions,
        receivers,
        serving=served_by(endpoint).versions,
        now=found.time,
        notices=notices,
    )
    # what could not be read is looked back on by the next one
    whole = found.states and all(each.outcome is not Outcome.UNREAD for each in found.states)
    if whole and not problem:
        problem = keep_look(endpoint, settings, found.time, found.outcome)
    if problem:
        deeds.append(Deed(Kind.ALERT, "", FAILED, problem, failed=True))
    return replace(found, deeds=tuple(deeds))


def _since_the_last_look(
    endpoint: Endpoint, settings: LoadedSettings, found: Monitored
) -> tuple[list[Notice], str]:
    """Return what happened since then and is over, and what of that cannot be known."""
    back = look_back(endpoint, settings, read_alerts(settings.project.root), found.time)
    notices = [of_alarm(each) for each in back.alarms]
    problem = back.problem
    try:
        withdrawal = of_withdrawal(endpoint)
    except PlatformError as error:
        return notices, problem or error.message
    return [*notices, *([withdrawal] if withdrawal else [])], problem


def require_acting(settings: LoadedSettings) -> None:
    """Refuse to act below the level that brings it.

    Raises:
        ConfigError: so.
    """
    level = settings.project.maturity_level
    if level < ACTING:
        raise ConfigError(
            f"acting on alerts comes with maturity level {ACTING}, and this project is at {level}",
            f"raise it with `uvx copier update -d maturity_level={ACTING}`, or leave --act out",
        )


def actions_of(
    platform: Platform, settings: LoadedSettings, hearers: Hearers, report: Report
) -> Actions:
    """Return what may be done about an alarm at the project's maturity level.

    Args:
        platform: where it serves.
        settings: of the environment.
        hearers: who is told, and what opens an incident.
        report: is told what is being done.
    """
    endpoint = platform.endpoint(settings.endpoint_name)

    def tidied(awaited: frozenset[int]) -> list[str]:
        now = settings.clock()
        removed = tidy(platform, endpoint, settings, now, report, awaited=awaited)
        return [f"{name} was kept long enough" for name in removed]

    def withdrawn(version: int, _cause: str) -> Done:
        found = withdraw(platform, endpoint, version, settings, report)
        returned = None if found.returned is None else f"version {found.returned}"
        return Done(found.outcome.value, found.reason, returned)

    audited = partial(_audited, platform, settings, report)
    if settings.project.maturity_level < BY_ITSELF:
        return Actions(hearers.incident, tidied, audit=audited)
    retrained = partial(_retrained, platform, settings, steps_of(platform, hearers), report)
    return Actions(hearers.incident, tidied, withdrawn, retrained, audited)


def _audited(
    platform: Platform, settings: LoadedSettings, report: Report, decision: Decision
) -> None:
    """Write down in the audit log that an alarm begins or is over."""
    known = {"version": decision.model_version, "deployment": decision.deployment}
    noted(
        platform,
        settings,
        Act.ALARM,
        {
            "alert": decision.cause,
            "endpoint": decision.endpoint,
            **{name: value for name, value in known.items() if value is not None},
        },
        decision.outcome,
        decision.reason,
        report=report,
        details={"value": decision.value, "limit": decision.limit},
    )


def _retrained(
    platform: Platform, settings: LoadedSettings, steps: Steps, report: Report, cause: str
) -> list[Deed]:
    """Have the policy decide; what it decides to train is trained here, or by the pipeline."""
    found = retrain(platform, settings, steps, report)
    if found.candidate is not None:
        set_output("candidate", found.candidate.line())
    subject = None if found.new_version is None else f"version {found.new_version}"
    failed = found.outcome == CANDIDATE_FAILED
    return [
        Deed(Kind.RETRAINING, cause, found.outcome, found.reason, subject, failed),
        *found.told,
    ]


def _rules(
    platform: Platform, settings: LoadedSettings, alerts: Sequence[Alert]
) -> tuple[tuple[str, str], ...]:
    """Return what is wrong with the rules by which the platform itself watches."""
    if not (settings.project.root / ALERTS_MODULE).is_file():
        return ()
    try:
        found = platform.alert_rules([alert.id for alert in alerts])
    except MlopsError as error:
        return (("all", f"cannot be read: {error.message}"),)
    if found is None:
        return ()
    return tuple((name, state.value) for name, state in found.items() if state is not RuleState.ON)
