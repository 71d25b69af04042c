"""An endpoint whose alerts are looked at: captured rows, sound and bad, and who is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fakes.endpoint import FakeEndpoint
from fakes.places import PROJECT
from fakes.queries import events
from mlops.monitoring.alert_state import AlertState
from mlops.monitoring.alerting.deliver import Sent
from mlops.monitoring.alerting.message import Message
from mlops.monitoring.monitor import evaluate_alerts
from mlops.monitoring.rules.alerts import Alert
from mlops.monitoring.rules.reading import read_alerts
from mlops.settings.loading import LoadedSettings

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
ALERTS: Mapping[str, Alert] = {each.id: each for each in read_alerts(PROJECT)}
ENOUGH = 100


def requests(count: int, bad: int = 0, *, fault: str = "", **values: Any) -> list[dict[str, Any]]:
    """Return events of the last minutes before noon, so many of them with a fault.

    Args:
        count: how many.
        bad: how many of them have the fault.
        fault: `slow`, `failed` or `refused`.
        values: what all of them have besides.
    """
    faults: dict[str, dict[str, Any]] = {
        "": {},
        "slow": {"latency_ms": 900.0},
        "failed": {"status": 500, "error_type": "RuntimeError", "value": None},
        "refused": {"status": 400, "error_type": "BadRequest", "value": None},
    }
    sound = {
        "source": "request",
        "endpoint": "tiny-prod",
        "deployment": "green",
        "model_name": "tiny",
        "model_version": 3,
        "latency_ms": 12.5,
        "status": 200,
        "value": 0.5,
        "row": 0,
        **values,
    }
    moments = (NOON - timedelta(seconds=1 + number % 290) for number in range(count))
    return [
        {**sound, "time": moment, **(faults[fault] if number < bad else {})}
        for number, moment in enumerate(moments)
    ]


def check(name: str, outcome: str, minutes: float = 10, /, **values: Any) -> dict[str, Any]:
    """Return the row of a whole check that ended some minutes before noon."""
    return {
        "check": name,
        "time": (NOON - timedelta(minutes=minutes)).isoformat(),
        "endpoint": "tiny-prod",
        "deployment": "green",
        "model_name": "tiny",
        "model_version": 3,
        "outcome": outcome,
        **({"kind": "realised"} if name == "performance" else {}),
        **values,
    }


def watched(rows: list[dict[str, Any]], *checks: dict[str, Any]) -> FakeEndpoint:
    """Return an endpoint at which version 3 serves as green and 2 stands by, with such events."""
    endpoint = FakeEndpoint("tiny-prod")
    endpoint.serve("blue", 2, share=0)
    endpoint.serve("green", 3, share=100)
    endpoint.events = replace(endpoint.events, rows=events(*rows).lazy())
    endpoint.keep_checks(checks)
    return endpoint


def states(
    endpoint: FakeEndpoint, settings: LoadedSettings, *names: str, now: datetime = NOON
) -> list[AlertState]:
    """Return how some alerts stand, or all."""
    asked = [ALERTS[name] for name in names or ALERTS]
    return evaluate_alerts(endpoint, settings, asked, now)


@dataclass
class FakeReceiver:
    """Who is told, and remembers it; `works` says whether it can be reached."""

    name: Any = "teams"
    works: bool = True
    problem: str = ""
    heard: list[Message] = field(default_factory=list)

    def tell(self, message: Message) -> Sent:
        if not self.works:
            return Sent(False, "it answered 500 (4 attempts)", 4)
        self.heard.append(message)
        return Sent(True, "it answered 202", 1)

    @property
    def news(self) -> list[str]:
        """What it heard, in short."""
        return [f"{each.news.value}: {each.title}" for each in self.heard]
