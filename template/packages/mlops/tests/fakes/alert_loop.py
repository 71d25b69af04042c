"""A loop of looks at one endpoint, each with what follows from it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from fakes.alerts import ENOUGH, NOON, FakeReceiver, requests, states
from fakes.endpoint import FakeEndpoint
from mlops.errors import PlatformError
from mlops.monitoring.alert_state import Deed
from mlops.monitoring.alerting.act import Actions, Done, act
from mlops.monitoring.alerting.incident import Incident
from mlops.monitoring.alerting.notice import Notice
from mlops.monitoring.decisions import Kind, decided
from mlops.monitoring.monitor import served_by
from mlops.settings.loading import LoadedSettings
from mlops.window import Window

MINUTE = timedelta(minutes=1)
FAILING = requests(ENOUGH, 20, fault="failed")


def outcomes(deeds: Sequence[Deed]) -> list[tuple[str, str]]:
    """Return in short what was done."""
    return [(each.kind.value, each.outcome) for each in deeds]


class Loop:
    """One endpoint that is looked at again and again, each time by a machine without memory."""

    def __init__(self, settings: LoadedSettings, endpoint: FakeEndpoint) -> None:
        self.settings = settings
        self.endpoint = endpoint
        self.receivers: list[Any] = [FakeReceiver()]
        self.withdrawn: list[tuple[int, str]] = []
        self.retrained: list[str] = []
        self.before_retraining: list[str] = []
        self.incidents: list[Incident] = []
        self.answer = Done("rolled back", "version 2 serves again")
        self.fails: set[str] = set()
        self.failure: type[BaseException] = PlatformError
        self.tidied: list[str] = []
        self.awaited: list[frozenset[int]] = []
        self.notices: list[Notice] = []
        self.level = 3

    def run(self, now: datetime, *alerts: str) -> list[Deed]:
        """Look and act; return what was done."""
        before = self.endpoint.events
        moved = before.rows.with_columns(time=pl.col("time") + (now - NOON))
        self.endpoint.events = replace(before, rows=moved)
        found = states(self.endpoint, self.settings, *(alerts or ("error-rate",)), now=now)
        self.endpoint.events = before
        return act(
            self.endpoint,
            self.settings,
            found,
            self.actions,
            self.receivers,
            serving=served_by(self.endpoint).versions,
            now=now,
            notices=self.notices,
        )

    @property
    def actions(self) -> Actions:
        whole = Actions(self._incident, self._tidy, self._rollback, self._retrain)
        return whole if self.level == 3 else Actions(whole.incident, whole.tidy)

    def of(self, kind: Kind) -> list[str]:
        """Return the outcomes of all decisions of a kind."""
        window = Window(NOON - 40 * 24 * 60 * MINUTE, NOON + 40 * 24 * 60 * MINUTE)
        return [each.outcome for each in decided(self.endpoint, window, kind)]

    def _rollback(self, version: int, cause: str) -> Done:
        self._fail("rollback")
        self.withdrawn.append((version, cause))
        return self.answer

    def _retrain(self, cause: str) -> list[Deed]:
        self._fail("retrain")
        self.retrained.append(cause)
        self.before_retraining = list(self.receivers[0].news)
        return [Deed(Kind.RETRAINING, cause, "cooldown", "the last one was two days ago")]

    def _incident(self, incident: Incident) -> Done:
        self._fail("incident")
        self.incidents.append(incident)
        return Done("opened", "an issue", f"issue {len(self.incidents)}")

    def _tidy(self, awaited: frozenset[int]) -> list[str]:
        self._fail("tidy")
        self.awaited.append(awaited)
        return self.tidied

    def _fail(self, what: str) -> None:
        if what in self.fails:
            raise self.failure(f"{what} does not work")
