"""A candidate's version is released by the usual path, with the scoring code of its commit."""

from dataclasses import replace
from pathlib import Path

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.project import with_level
from mlops.monitoring.retraining import releasing
from mlops.monitoring.retraining.training import Trained
from mlops.platforms.base import Platform
from mlops.progress import silent
from mlops.release.evidence import record_of
from mlops.release.rehearsal import Load
from mlops.release.watchers import Ended, Watchers
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import Project

SERVING = Path("serving of the commit")
TRAINED = Trained("run-1", 12, SERVING)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, Path | None]]:
    """What is called in which environment, with which scoring code."""
    made: list[tuple[str, str, Path | None]] = []

    def note(name: str, settings: LoadedSettings) -> Ended:
        made.append((name, settings.values.environment, settings.project.served_code))
        record = record_of(FakeEndpoint(), "green", {}, "promoted", "no worse")
        return Ended(replace(record, reason=settings.values.environment), None)

    def release(_platform: Platform, settings: LoadedSettings, version: int, _: Watchers) -> Ended:
        assert version == 12
        return note("release", settings)

    def rehearse(
        _platform: Platform, settings: LoadedSettings, version: int, _: Watchers
    ) -> tuple[Ended, Load]:
        assert version == 12
        return note("rehearse", settings), Load()

    monkeypatch.setattr(releasing, "release_version", release)
    monkeypatch.setattr("mlops.release.rehearsal.rehearse", rehearse)
    return made


def settings_of(project: Project, *environments: str) -> LoadedSettings:
    for name in environments:
        (project.root / "conf" / f"{name}.yaml").touch()
    return load_settings(with_level(project, 3), environments[-1], variables={})


def test_it_goes_to_test_and_then_to_prod(
    project: Project, calls: list[tuple[str, str, Path | None]]
) -> None:
    settings = settings_of(project, "test", "prod")
    assert releasing.release_candidate(TRAINED, settings, silent) == "prod"
    assert calls == [("release", "test", SERVING), ("release", "prod", SERVING)]


def test_a_rehearsal_sends_requests_to_prod_alone(
    project: Project, calls: list[tuple[str, str, Path | None]]
) -> None:
    settings = settings_of(project, "test", "prod")
    releasing.release_candidate(TRAINED, settings, silent, rehearsal=True)
    assert calls == [("release", "test", SERVING), ("rehearse", "prod", SERVING)]


@pytest.mark.parametrize("environments", [("dev",), ("prod",), ("prod", "test")])
def test_without_another_test_it_goes_to_its_place_at_once(
    project: Project,
    calls: list[tuple[str, str, Path | None]],
    environments: tuple[str, ...],
) -> None:
    releasing.release_candidate(TRAINED, settings_of(project, *environments), silent)
    assert calls == [("release", environments[-1], SERVING)]
