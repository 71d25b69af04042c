"""A release with nobody's traffic: requests made from the sample, and something to compare with.

An endpoint on this machine has no callers, and none outlives a pipeline's runner. A rehearsal
therefore brings up the previous version first if nothing serves, sends requests at a steady rate,
and uses larger shares, so that the A/B test ends within seconds. Margins and error probability are
those of the environment.
"""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import polars as pl

from mlops.artifacts.predictions import ANSWERED
from mlops.artifacts.prepared import holdout_file, read_table
from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.version_folder import VersionFolder, source_of_version, typical_row
from mlops.errors import ConfigError, MlopsError, Refused
from mlops.governance.standing import Standing, standing
from mlops.hints import typed
from mlops.platforms import platform_class
from mlops.platforms.answers import NO_ANSWER, described, is_answer
from mlops.platforms.base import ALL_TRAFFIC, Endpoint, ModelVersion, Platform
from mlops.platforms.traffic_rules import REHEARSAL_AGENT
from mlops.progress import Report
from mlops.release.ab_test.command import compare_deployments
from mlops.release.ab_test.run import check_arms
from mlops.release.ab_test.settings import has_ab_test
from mlops.release.candidate import ReleaseOptions, release_version
from mlops.release.compatibility import replacement
from mlops.release.traffic import (
    AB_TEST_LEVEL,
    RELEASE_LEVEL,
    other_colour,
    require_level,
    sole_deployment,
)
from mlops.release.watchers import NOBODY, Ended, Watchers
from mlops.settings.loading import LoadedSettings
from mlops.settings.sections import AbTestSettings

REQUESTS_PER_SECOND = 150
MOST_OPEN_REQUESTS = 64
"""A machine that answers more slowly than they come gets fewer: it would never catch up."""
ROWS = 500
ROWS_WITHOUT_A_COMPARISON = 50
_LARGER = {
    "mirror_percent": 50,
    "mirror_requests": 100,
    "share_percent": 50,
    "batch_seconds": 0.5,
}
_LONGEST_SECONDS = 60.0
_LAST_ANSWERS_SECONDS = 10.0

FeatureRow = Mapping[str, Any]
"""The features of one row of a scoring request, by name."""


@dataclass
class Load:
    """What was sent and answered so far: the number of answers by status, 0 for none."""

    answers: Counter[int] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        """Requests whose answer is known."""
        return self.answers.total()

    @property
    def failed(self) -> int:
        """Requests that got another answer than 200."""
        return self.sent - self.answers[ANSWERED]


def rehearse(
    platform: Platform,
    settings: LoadedSettings,
    model_version: int,
    watchers: Watchers = NOBODY,
    breaking: str = "",
) -> tuple[Ended, Load]:
    """Release a version under generated requests, beside another one whatever served before.

    A version that refuses the requests of before, or replaces one of made-up data, is not compared:
    its own rows are sent to it before the switch.

    Args:
        platform: has the versions and the endpoint.
        settings: of the environment that is played.
        model_version: the registered version.
        watchers: are told of the progress.
        breaking: why it may refuse the requests of before, where somebody said so.

    Returns:
        How it ended, and what became of the requests; some may have failed after the switch.

    Raises:
        Refused: a generated request was not answered before the switch: all is as it was.
        MlopsError: as `release_version` does.
    """
    require_level(settings.project, RELEASE_LEVEL, "release")
    require_local(settings)
    version = platform.version(model_version)
    endpoint = platform.endpoint(settings.endpoint_name)
    said = bring_up_previous(platform, endpoint, version, watchers.report)
    baseline = sole_deployment(endpoint.traffic())
    means = replacement(platform, endpoint, baseline, version)
    chosen = rehearsal_settings(settings.values.ab_test)
    compared = has_ab_test(settings) and not means.uncompared
    note = "; ".join(part for part in (describe(chosen if compared else None), said) if part)
    rows = rows_of(platform, version)

    def release(before_switch: Callable[[], None]) -> Ended:
        options = ReleaseOptions(chosen, note, breaking, means, bool(said), before_switch)
        return release_version(platform, settings, model_version, watchers, options)

    if means.uncompared:
        load = Load()  # what serves may refuse these rows, so only the candidate gets them
        ended = release(lambda: send_to(endpoint, other_colour(baseline), rows, load))
    else:
        with generated_traffic(endpoint.url(), endpoint.key(), rows) as load:
            ended = release(lambda: require_answers(load))
    watchers.report(f"{load.sent:,} generated requests, {load.failed:,} failed")
    return ended, load


def rehearse_ab_test(
    platform: Platform,
    settings: LoadedSettings,
    arms: tuple[str, str],
    watchers: Watchers = NOBODY,
) -> Ended:
    """Compare two deployments under generated requests.

    Raises:
        MlopsError: as `compare_deployments` does.
    """
    require_level(settings.project, AB_TEST_LEVEL, "ab-test")
    require_local(settings)
    endpoint = platform.endpoint(settings.endpoint_name)
    check_arms(endpoint, *arms)
    endpoint.repair(watchers.report)
    chosen = rehearsal_settings(settings.values.ab_test)
    versions = {each.name: each.model_version for each in endpoint.deployments()}
    rows = rows_of(platform, platform.version(versions[arms[0]]))
    with generated_traffic(endpoint.url(), endpoint.key(), rows):
        return compare_deployments(platform, settings, arms, watchers, chosen, describe(chosen))


def send_to(endpoint: Endpoint, deployment: str, rows: Sequence[FeatureRow], load: Load) -> None:
    """Send some rows to one deployment, one after the other, and count what it answers.

    Raises:
        Refused: one was not answered with 200.
    """
    for row in rows[:ROWS_WITHOUT_A_COMPARISON]:
        load.answers[endpoint.invoke({"data": [row]}, deployment).status] += 1
    require_answers(load)


def require_answers(load: Load) -> None:
    """Check that every request so far was answered with 200.

    Raises:
        Refused: one was not.
    """
    if load.failed:
        raise Refused(
            f"{load.failed:,} of {load.sent:,} generated requests failed: "
            f"{_by_status(load.answers)}",
            f"{typed('smoke-test')} tells what the endpoint answers",
        )


def require_none_lost(load: Load, model_version: int) -> None:
    """Check that every request of a rehearsal that ended well was answered with 200.

    Raises:
        Refused: one was not, after the switch; the version is released all the same.
    """
    if load.failed:
        raise Refused(
            f"version {model_version} is released, and {load.failed:,} of {load.sent:,} generated "
            f"requests failed after the switch: {_by_status(load.answers)}",
            f"{typed('smoke-test')} tells what the endpoint answers, and {typed('rollback')} goes "
            "back",
        )


def _by_status(answers: Counter[int]) -> str:
    failed = sorted((status, n) for status, n in answers.items() if not is_answer(status))
    return ", ".join(f"{n:,} times {described(status)}" for status, n in failed)


def require_local(settings: LoadedSettings) -> None:
    """Check that an endpoint may be rehearsed with: one in the cloud has callers of its own.

    Raises:
        ConfigError: endpoints of the settings' platform have callers of their own.
    """
    if platform_class(settings).has_callers:
        raise ConfigError(
            f"a rehearsal is for this machine: on {settings.values.platform} the requests of real "
            "callers decide",
            "leave --rehearsal out",
        )


def rehearsal_settings(settings: AbTestSettings) -> AbTestSettings:
    """Return the settings of an A/B test under generated load."""
    duration = min(settings.duration_seconds, _LONGEST_SECONDS)
    return settings.model_copy(update={**_LARGER, "duration_seconds": duration})


def describe(settings: AbTestSettings | None) -> str:
    """Return what is said of a rehearsal, so that nobody takes it for the real thing.

    Args:
        settings: of the A/B test; None if there is none.
    """
    generated = f"{REQUESTS_PER_SECOND} requests/s generated from the sample"
    if settings is None:
        return generated
    return (
        f"{generated}, {settings.share_percent} % of them to the candidate, "
        f"decision within {settings.duration_seconds:g} s"
    )


def bring_up_previous(
    platform: Platform, endpoint: Endpoint, version: ModelVersion, report: Report
) -> str:
    """Let the previous version serve if nothing does, and return the sentence that says so.

    For the very first version it is that version itself.
    """
    endpoint.repair(report)
    if sole_deployment(endpoint.traffic()):
        return ""
    # a version in a list need not have its folder in place
    previous = platform.version(previous_version(platform.versions(), version).version)
    beside = other_colour(None)
    endpoint.deploy(beside, previous, report)
    if endpoint.traffic().get(beside) != ALL_TRAFFIC:
        endpoint.set_traffic({beside: ALL_TRAFFIC})
    kind = "the same version" if previous.version == version.version else "the previous version"
    said = f"nothing served at {endpoint.name}: {kind}, {previous.version}, plays {beside}"
    report(said)
    return said


def previous_version(versions: Sequence[ModelVersion], version: ModelVersion) -> ModelVersion:
    """Return the highest version below that it may be compared with, or itself if there is none."""
    ours = source_of_version(version.folder, version.tags)
    below = [
        each
        for each in versions
        if each.version < version.version
        and standing(ours, source_of_version(each.folder, each.tags)) is Standing.COMPARED
    ]
    return max(below, key=lambda each: each.version, default=version)


def rows_of(platform: Platform, version: ModelVersion) -> Sequence[FeatureRow]:
    """Return rows of the holdout on which a version was evaluated, else its typical row."""
    folder = VersionFolder(version.folder)
    signature = folder.signature()
    features = {each["name"]: bool(each["nullable"]) for each in signature["features"]}
    try:
        run_id = folder.lineage().get("run_id", "")
        run = RunFolder(platform.run(str(run_id)).folder)
        holdout = read_table(holdout_file(run.prepared_path))
        required = [name for name, nullable in features.items() if not nullable]
        rows = holdout.select(pl.col(list(features)).cast(pl.Float64).fill_nan(None))
        rows = rows.drop_nulls(required).head(ROWS)
    except (MlopsError, OSError, pl.exceptions.PolarsError):
        rows = pl.DataFrame()
    return rows.to_dicts() or [typical_row(signature)]


@contextmanager
def generated_traffic(
    url: str, key: str, rows: Sequence[FeatureRow], per_second: float = REQUESTS_PER_SECOND
) -> Iterator[Load]:
    """Send requests of one row at a steady rate, however late the earlier ones are answered.

    No more than MOST_OPEN_REQUESTS wait for an answer: what would be one more is left out.

    Args:
        url: the scoring URL.
        key: its key.
        rows: sent one after the other, again and again.
        per_second: how many requests to start in a second.

    Yields:
        The counts, which grow until the block ends.
    """
    load = Load()
    stop = threading.Event()
    bodies = [json.dumps({"data": [row]}).encode() for row in rows]
    work = _send(url, key, bodies, per_second, load, stop)
    thread = threading.Thread(target=lambda: asyncio.run(work), name="generated traffic")
    thread.start()
    try:
        yield load
    finally:
        stop.set()
        thread.join()


async def _send(
    url: str,
    key: str,
    bodies: Sequence[bytes],
    per_second: float,
    load: Load,
    stop: threading.Event,
) -> None:
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "User-Agent": REHEARSAL_AGENT,
    }
    clock = asyncio.get_running_loop()
    open_requests: set[asyncio.Task[None]] = set()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), headers=headers
    ) as client:
        started, count = clock.time(), 0
        while not stop.is_set():
            while count < (clock.time() - started) * per_second:
                if len(open_requests) < MOST_OPEN_REQUESTS:
                    body = bodies[count % len(bodies)]
                    task = asyncio.create_task(_post(client, url, body, load))
                    open_requests.add(task)
                    task.add_done_callback(open_requests.discard)
                count += 1
            await asyncio.sleep(1 / per_second)
        if open_requests:
            await asyncio.wait(open_requests, timeout=_LAST_ANSWERS_SECONDS)


async def _post(client: aiohttp.ClientSession, url: str, body: bytes, load: Load) -> None:
    try:
        async with client.post(url, data=body) as answer:
            await answer.read()
            load.answers[answer.status] += 1
    except (aiohttp.ClientError, TimeoutError, OSError):
        load.answers[NO_ANSWER] += 1
