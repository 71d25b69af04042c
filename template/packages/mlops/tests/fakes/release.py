"""What the tests of a release pretend: settings at a maturity level, and a smoke test."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from fakes.endpoint import FakeEndpoint
from mlops.checks import Check
from mlops.platforms.base import Endpoint
from mlops.progress import Report
from mlops.release.smoke import Signature, SmokeResult
from mlops.settings.loading import LoadedSettings
from mlops.settings.sections import SmokeTestSettings


class AtLevel(Protocol):
    """Makes settings of a maturity level, some of them changed."""

    def __call__(self, level: int, **overrides: Any) -> LoadedSettings: ...


@dataclass
class PretendedSmokeTest:
    """A smoke test that asks nothing and passes, or not."""

    passes: bool = True
    traffic: list[dict[str, int]] = field(default_factory=list)
    """Who answered callers at the moment of each test."""

    def __call__(
        self,
        endpoint: Endpoint,
        signature_of: Callable[[int], Signature],
        settings: SmokeTestSettings,
        deployment: str,
        report: Report,
    ) -> SmokeResult:
        assert callable(signature_of)
        assert settings
        report(f"smoke test {deployment}")
        self.traffic.append(endpoint.traffic())
        if isinstance(endpoint, FakeEndpoint):
            endpoint.calls.append(f"smoke test {deployment}")
        return SmokeResult(endpoint.name, (Check("health", "found", "asked", self.passes),))


def holds_at_removal(endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that receives what holds the lease whenever a deployment is removed."""
    held: list[str] = []
    delete = endpoint.delete

    def noted(deployment: str) -> None:
        pending = endpoint.pending()
        held.append(pending.purpose if pending else "nobody")
        delete(deployment)

    monkeypatch.setattr(endpoint, "delete", noted)
    return held
