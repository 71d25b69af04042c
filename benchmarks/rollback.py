"""How long a rollback to a deployment that is kept takes, under requests that go on.

An endpoint on this machine serves two versions with real inference servers. Requests come at a
steady rate, however late the earlier ones are answered, while what `mlops rollback` does is done
there and back, several times; the start of Python is not in it. Run in the machinery's environment,
with its tests on the path.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from fakes.rig import Rig
from fakes.tiny_version import ROW
from mlops.clock import system_clock
from mlops.platforms.lease_terms import RELEASE, WayBack
from mlops.progress import silent
from mlops.release.rehearsal import generated_traffic
from mlops.release.traffic import rollback
from mlops.settings.sections import SmokeTestSettings

LIMIT_SECONDS = 2.0
TURNS, PER_SECOND = 5, 100


class NoRegistry:
    """A platform that must not be asked: a rollback to what is kept needs no registry."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"the registry was asked: {name}")


def main() -> int:
    """Measure, print a table, and compare with the limit."""
    with tempfile.TemporaryDirectory() as name:
        rig = Rig(Path(name).resolve() / "project", Path(name) / "environments")
        try:
            return measured(rig)
        finally:
            rig.endpoint.stop()


def measured(rig: Rig) -> int:
    """Roll back again and again under load; return the exit code."""
    rig.endpoint.deploy("blue", rig.version(1), silent)
    rig.endpoint.deploy("green", rig.version(2), silent)
    endpoint, until = rig.endpoint, system_clock()
    with endpoint.lease("the release of version 2", RELEASE):
        way = WayBack("blue", 1, until, withdraws=2)
        endpoint.set_traffic({"green": 100}, completes=True, way_back=way)
    seconds: list[float] = []
    with generated_traffic(endpoint.url(), endpoint.key(), [ROW], PER_SECOND) as load:
        while load.sent < PER_SECOND:
            time.sleep(0.01)
        for _ in range(TURNS):
            started = time.perf_counter()
            rollback(NoRegistry(), rig.endpoint, SmokeTestSettings(), kept_until=until)  # type: ignore[arg-type]
            seconds.append(time.perf_counter() - started)
        until_sent = load.sent + PER_SECOND
        while load.sent < until_sent:
            time.sleep(0.01)
    print(f"rollback   median {statistics.median(seconds):.3f} s, slowest {max(seconds):.3f} s")
    print(f"requests   {load.sent:,} at {PER_SECOND}/s, {load.failed} failed")
    met = statistics.median(seconds) <= LIMIT_SECONDS and not load.failed
    print(f"limit {LIMIT_SECONDS:g} s and no failed request: {'met' if met else 'passed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
