"""Events of predictions of a real server: what a kill leaves of them, and whose time they have."""

from collections.abc import Iterator
from datetime import timedelta

import polars as pl
import psutil
import pytest

from contracts.endpoint import TINY_FEATURES, kept
from fakes.rig import Rig
from fakes.tiny_version import ROW
from fakes.waiting import LONGEST_SECONDS
from mlops.clock import shifted, system_clock
from mlops.monitoring.telemetry import Telemetry
from mlops.progress import silent
from mlops.settings.monitoring_sections import TelemetrySettings
from mlops.window import Window

AHEAD = timedelta(days=30)


@pytest.fixture
def own(rig: Rig) -> Iterator[Rig]:
    """The rig, as it was before: with a server that is told the usual."""
    telemetry = rig.telemetry
    yield rig
    rig.clock, rig.telemetry = system_clock, telemetry
    kill(rig)


def kill(rig: Rig) -> None:
    """Kill the server of blue with its workers, at once."""
    server = rig.process()
    family = [server, *server.children(recursive=True)]
    for process in family:
        process.kill()
    psutil.wait_procs(family, LONGEST_SECONDS)


def ids(events: pl.DataFrame) -> set[str]:
    return set(events["inference_id"])


def test_a_kill_loses_at_most_the_last_batch_and_a_restart_is_told_anew(own: Rig) -> None:
    start = system_clock()
    first = {own.endpoint.invoke({"data": [ROW]}).body["inference_id"][0] for _ in range(5)}
    kept(own.endpoint, start, lambda events: first <= ids(events))
    last = {own.endpoint.invoke({"data": [ROW]}).body["inference_id"][0] for _ in range(5)}
    kill(own)
    window = Window(start, start + timedelta(days=1))
    found = own.endpoint.predictions(window, TINY_FEATURES)
    assert first <= ids(found.rows.collect()) <= first | last
    assert (dict(found.unread), found.dropped) == ({}, 0)

    version = own.version(own.served())
    own.telemetry = Telemetry("dev", TelemetrySettings(keys=False))
    own.clock = shifted(AHEAD.total_seconds())
    own.endpoint.repair(silent)
    assert own.endpoint.is_current("blue", version)
    own.telemetry = Telemetry("dev", TelemetrySettings(keys=False, keep_days=5))
    assert not own.endpoint.is_current("blue", version)
    own.telemetry = Telemetry("dev", TelemetrySettings(keys=True))
    assert not own.endpoint.is_current("blue", version)
    answer = own.endpoint.invoke({"data": [ROW], "keys": ["k"]})
    then = start + AHEAD
    told = set(answer.body["inference_id"])
    events = kept(own.endpoint, then, lambda events: told <= ids(events))
    (event,) = events.filter(pl.col("inference_id").is_in(told)).iter_rows(named=True)
    assert event["key"] is None
    assert then <= event["time"] <= system_clock() + AHEAD
