"""Fixtures of a release: an endpoint that pretends, settings at a maturity level."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.project import with_level
from fakes.release import AtLevel, PretendedSmokeTest
from mlops.settings.loading import LoadedSettings


@pytest.fixture
def platform(tmp_path: Path) -> FakePlatform:
    return FakePlatform(tmp_path / "platform")


@pytest.fixture
def endpoint(platform: FakePlatform) -> FakeEndpoint:
    """The endpoint of dev, to which nothing was deployed."""
    return platform.endpoint("tiny-dev")


@pytest.fixture
def serving(endpoint: FakeEndpoint) -> FakeEndpoint:
    """An endpoint where blue, version 1, has all traffic."""
    endpoint.serve("blue", 1, share=100)
    return endpoint


@pytest.fixture
def both(serving: FakeEndpoint) -> FakeEndpoint:
    """An endpoint where green, version 2, waits beside blue."""
    serving.serve("green", 2)
    return serving


@pytest.fixture
def smoke(monkeypatch: pytest.MonkeyPatch) -> PretendedSmokeTest:
    """Replace the smoke test: it passes, until `passes` is set to False."""
    pretended = PretendedSmokeTest()
    monkeypatch.setattr("mlops.release.traffic.smoke_test", pretended)
    return pretended


@pytest.fixture
def small_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing; drawing is tested in test_evidence_picture."""
    draw = "mlops.release.evidence_picture.draw"
    monkeypatch.setattr(draw, lambda _result: Figure(figsize=(1, 1)))


@pytest.fixture
def at_level(load: Callable[..., LoadedSettings]) -> AtLevel:
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
