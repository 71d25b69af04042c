"""Fixtures of a release: an endpoint that pretends, settings at a maturity level."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.endpoint import FakePlatform
from fakes.project import with_level
from mlops.checks import Check
from mlops.release.smoke import SmokeResult
from mlops.settings.loading import LoadedSettings


@pytest.fixture
def platform(tmp_path: Path) -> Any:
    return FakePlatform(tmp_path)


@pytest.fixture
def endpoint(platform: Any) -> Any:
    return platform.fake


@pytest.fixture
def serving(endpoint: Any) -> Any:
    """An endpoint where blue, version 1, has all traffic."""
    endpoint.serving, endpoint.shares = {"blue": 1}, {"blue": 100}
    return endpoint


@pytest.fixture
def smoke(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Replace the smoke test: it passes, until `passes` is set to False."""
    said = {"passes": True}

    def pretend(endpoint: Any, _signature_of: Any, _settings: Any, name: str, _report: Any) -> Any:
        endpoint.calls.append(f"smoke test {name}")
        return SmokeResult(endpoint.name, (Check("health", "found", "asked", said["passes"]),))

    monkeypatch.setattr("mlops.release.traffic.smoke_test", pretend)
    return said


@pytest.fixture
def at_level(load: Callable[..., LoadedSettings]) -> Callable[..., LoadedSettings]:
    """Settings at a maturity level, with an A/B test that looks often and ends soon."""

    def make(level: int, **overrides: Any) -> LoadedSettings:
        quick = {
            "ab_test__enabled": True,
            "ab_test__batch_seconds": 0.001,
            "ab_test__duration_seconds": 20.0,
        }
        settings = load(**{**quick, **overrides})
        return replace(settings, project=with_level(settings.project, level))

    return make
