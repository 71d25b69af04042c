"""Change what callers reach: releases, A/B tests, the traffic and the way back."""

from typing import TYPE_CHECKING, Any

import click

from mlops.ci.job import set_output, summarise
from mlops.cli.interrupts import tells_what_serves
from mlops.cli.options import (
    environment_option,
    json_option,
    seconds_of,
    settings_for,
    version_option,
)
from mlops.console import emit, progress, show, show_table
from mlops.errors import ConfigError, Hold, Refused
from mlops.hints import typed
from mlops.platforms import open_platform
from mlops.platforms.base import Endpoint, Platform
from mlops.platforms.lease_rules import EndpointBusy
from mlops.release.change_log import ROLLBACK, SWITCH, keep_change
from mlops.release.kept import kept_until
from mlops.release.recorded import recorded_rollback, recorded_switch
from mlops.release.traffic import (
    RELEASE_LEVEL,
    has_traffic,
    other_colour,
    require_level,
    sole_deployment,
)
from mlops.release.traffic import rollback as roll_back
from mlops.release.traffic import switch_traffic as switch

if TYPE_CHECKING:
    from mlops.release.watchers import Ended
    from mlops.settings.loading import LoadedSettings

rehearsal_option = click.option(
    "--rehearsal",
    is_flag=True,
    help="Generate requests; bring up the previous version first if nothing serves.",
)


@click.command()
@version_option
@rehearsal_option
@click.option("--breaking", is_flag=True, help="Release a version that refuses present requests.")
@click.option("--reason", default="", help="With --breaking: why; it is kept with the evidence.")
@click.option("--wait", callback=seconds_of, help="Wait while another command is at work: 90s, 1h.")
@environment_option
@json_option
@tells_what_serves
def release(
    model_version: int,
    rehearsal: bool,
    breaking: bool,
    reason: str,
    wait: float | None,
    environment: str | None,
    as_json: bool,
) -> None:
    """Bring a version to callers, step by step.

    0 %, smoke test, A/B test (in prod, from level 3 on), then all traffic. Exit 1 if it is
    rejected, 4 without a decision: the old deployment has all traffic then. A version that refuses
    requests which callers send now is rejected at once.
    """
    from mlops.release.candidate import ReleaseOptions, release_version
    from mlops.release.candidate_end import end_kept
    from mlops.release.display import release_shown
    from mlops.release.rehearsal import Load, rehearsal_settings, rehearse, require_none_lost
    from mlops.release.turn import NotItsTurn

    settings = settings_for(environment)
    reason = reason.strip()
    if breaking != bool(reason):
        raise ConfigError("--breaking and --reason go together", "say why callers may be refused")
    platform = open_platform(settings)
    chosen = settings.values.ab_test
    ends: list[Ended] = []
    load = Load()
    shown = rehearsal_settings(chosen) if rehearsal else chosen
    try:
        with (
            end_kept(platform, settings, model_version, ends, show),
            release_shown("release", shown, ends.append) as watchers,
        ):
            if rehearsal:
                _, load = rehearse(platform, settings, model_version, watchers, breaking=reason)
            else:
                options = ReleaseOptions(breaking=reason, wait_seconds=wait or 0.0)
                release_version(platform, settings, model_version, watchers, options)
    except (ConfigError, Refused, NotItsTurn):
        if not ends:
            set_output("outcome", "unchanged")
        raise
    finally:
        for end in ends:
            _show_release(end, as_json)
    require_none_lost(load, model_version)


@click.command("ab-test")
@click.option("--baseline", help="The present deployment; default: the one with all traffic.")
@click.option("--candidate", help="The one to be judged; default: the other colour.")
@click.option("--duration", callback=seconds_of, help="Hold without a decision by then: 90s, 1h.")
@rehearsal_option
@environment_option
@json_option
@tells_what_serves
def ab_test(
    baseline: str | None,
    candidate: str | None,
    duration: float | None,
    rehearsal: bool,
    environment: str | None,
    as_json: bool,
) -> None:
    """Compare two deployments under traffic.

    Exit 0: promote, 1: reject, 4: hold. Traffic is as before when it ends; `switch-traffic` acts on
    the decision.
    """
    from mlops.release.ab_test.command import compare_deployments
    from mlops.release.display import release_shown
    from mlops.release.rehearsal import rehearsal_settings, rehearse_ab_test

    overrides = {} if duration is None else {"ab_test.duration_seconds": duration}
    settings = settings_for(environment, overrides)
    platform = open_platform(settings)
    endpoint = platform.endpoint(settings.endpoint_name)
    chosen = settings.values.ab_test
    baseline = baseline or sole_deployment(endpoint.traffic()) or "blue"
    arms = (baseline, candidate or other_colour(baseline))
    if rehearsal:
        chosen = rehearsal_settings(chosen)
        with release_shown("ab-test", chosen) as watchers:
            ended = rehearse_ab_test(platform, settings, arms, watchers)
    else:
        with release_shown("ab-test", chosen) as watchers:
            ended = compare_deployments(platform, settings, arms, watchers)
    _show_release(ended, as_json)
    if ended.record.outcome == "hold":
        raise Hold(ended.record.reason)
    if ended.record.outcome == "rejected":
        raise Refused(ended.record.reason)


@click.command("switch-traffic")
@click.option(
    "--green-percent", type=click.IntRange(0, 100), required=True, help="Blue gets the rest."
)
@environment_option
@json_option
@tells_what_serves
def switch_traffic(green_percent: int, environment: str | None, as_json: bool) -> None:
    """Shift traffic between blue and green.

    What was before is recorded for `rollback`.
    """
    settings = settings_for(environment)
    require_level(settings.project, RELEASE_LEVEL, "switch-traffic")
    platform = open_platform(settings)
    endpoint = platform.endpoint(settings.endpoint_name)
    with progress("switching") as report:
        shares = {"green_percent": green_percent}
        with recorded_switch(platform, settings, endpoint, report, shares):
            switch(platform, endpoint, green_percent, report)
            keep_change(endpoint, settings, SWITCH, report)
    _show_traffic(endpoint, as_json)


@click.command()
@click.option(
    "--model-version",
    type=int,
    help="Only if callers reach this version; otherwise there is nothing to undo.",
)
@click.option(
    "--alert",
    "cause",
    metavar="CAUSE",
    help="With --model-version: withdraw it as an alert does, once a release.",
)
@click.option("--reason", default="", help="Why, for the audit log.")
@environment_option
@json_option
@tells_what_serves
def rollback(
    model_version: int | None,
    cause: str | None,
    reason: str,
    environment: str | None,
    as_json: bool,
) -> None:
    """Restore what served before the last change.

    With --alert only a release is undone, only where the version before takes the same requests,
    and nothing goes forward again: exit 1 if there is no way back, 3 if another command is at work.
    """
    if cause is not None and (model_version is None or not cause.strip()):
        raise ConfigError("an alert withdraws one version", "name it: --model-version, --alert")
    settings = settings_for(environment)
    require_level(settings.project, RELEASE_LEVEL, "rollback")
    platform = open_platform(settings)
    endpoint = platform.endpoint(settings.endpoint_name)
    if cause is not None and model_version is not None:
        _withdraw(platform, endpoint, model_version, cause.strip(), settings, as_json)
        return
    with progress("rollback") as report:
        if model_version is not None and not has_traffic(endpoint, model_version, report):
            platform.version(model_version)  # an unknown number is a mistake
            said = f"{endpoint.name}: version {model_version} has no traffic, so nothing is undone"
            said = f"{said}: callers reach {_reached(endpoint)}"
            summarise(said, (), [])
            show(said)
            if as_json:
                emit(_traffic(endpoint))
            return
        smoke = settings.values.smoke_test
        with recorded_rollback(platform, settings, endpoint, report, model_version) as recording:
            recording.reason = reason.strip()
            roll_back(platform, endpoint, smoke, report, kept_until(settings))
            keep_change(endpoint, settings, ROLLBACK, report)
    _show_traffic(endpoint, as_json)


def _withdraw(
    platform: Platform,
    endpoint: Endpoint,
    model_version: int,
    cause: str,
    settings: "LoadedSettings",
    as_json: bool,
) -> None:
    from mlops.release.withdraw import Outcome, keep_withdrawal, withdraw

    with progress("rollback") as report:
        found = withdraw(platform, endpoint, model_version, settings, report)
        keep_withdrawal(endpoint, settings, found, cause, report)
    set_output("outcome", found.outcome.value)
    said = f"{endpoint.name}: {found.outcome}: {found.reason}"
    summarise(said, (), [])
    show(said)
    if as_json:
        emit({**_traffic(endpoint), "outcome": found.outcome.value, "reason": found.reason})
    if found.outcome is Outcome.NO_WAY_BACK:
        raise Refused(found.reason, f"{typed('rollback')} goes back to what is recorded, if it is")
    if found.outcome is Outcome.BUSY:
        raise EndpointBusy(found.reason, "wait for it to end, then try again")


def _show_release(end: "Ended", as_json: bool) -> None:
    from mlops.release.display import show_record

    set_output("outcome", end.record.outcome)
    show_record(end.record)
    if end.folder:
        set_output("evidence", end.folder)
        show(f"the evidence: {end.folder / 'evidence.md'}")
    if as_json:
        emit({**end.record.to_dict(), "evidence": end.folder and str(end.folder)})


def _traffic(endpoint: Endpoint) -> dict[str, Any]:
    traffic = endpoint.traffic() if endpoint.exists() else {}
    return {"endpoint": endpoint.name, "traffic": traffic}


def _reached(endpoint: Endpoint) -> str:
    """Return which versions callers reach, in words."""
    traffic = _traffic(endpoint)["traffic"]
    there = endpoint.deployments() if traffic else []
    numbers = sorted({each.model_version for each in there if traffic.get(each.name)})
    return " and ".join(f"version {number}" for number in numbers) or "no version"


def _show_traffic(endpoint: Endpoint, as_json: bool) -> None:
    traffic = endpoint.traffic()
    if as_json:
        emit(_traffic(endpoint))
    rows = [
        (each.name, each.model_version, f"{traffic[each.name]} %")
        for each in endpoint.deployments()
    ]
    show_table(f"Traffic of {endpoint.name}", ("deployment", "version", "traffic"), rows)
