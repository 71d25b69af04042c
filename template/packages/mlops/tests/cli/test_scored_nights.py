"""A model that no request ever reaches is watched by what it scores: drift, labels, the page."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fakes.cli import Command
from fakes.project import TODAY
from fakes.tiny_use_case.labels import WINDOW_DAYS
from fakes.tiny_use_case.sample import make_sample
from mlops.cli import options

MACHINES, NIGHTS = 300, 3
Say = Callable[..., tuple[int, dict[str, Any]]]


@dataclass
class Clock:
    """The time of the commands."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


def night(number: int) -> date:
    return TODAY + timedelta(days=7 * number)


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def readings(number: int) -> pl.DataFrame:
    """What machines of a night tell up to it and after it; those of the last tell more."""
    drift = 12.0 if number == NIGHTS else 0.0
    told = make_sample(MACHINES, number, drift, night(number) + timedelta(days=WINDOW_DAYS))
    return told.with_columns(pl.format(f"{number}-{{}}", "machine").alias("machine"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(noon(TODAY))
    monkeypatch.setattr(options, "system_clock", clock)
    return clock


@pytest.fixture
def scored(inside: tuple[Command, str], clock: Clock, tmp_path: Path) -> Command:
    """Three nights have been scored, in the last of which readings are higher; nothing serves."""
    mlops, run_id = inside
    settings = "telemetry: {keys: true}\nfeedback: {delay_days: 10}\n"
    Path("conf/dev.yaml").write_text(settings, encoding="utf-8")
    for step in ("evaluate", "register"):
        assert mlops(step, "--run-id", run_id) == 0
    for number in range(1, NIGHTS + 1):
        clock.now = noon(night(number))
        raw = tmp_path / f"raw-{number}"
        raw.mkdir()
        readings(number).filter(pl.col("day") <= night(number)).write_parquet(raw / "r.parquet")
        command = ("score", "--model-version", 1, "--reference-date", night(number))
        assert mlops(*command, "--data-dir", raw, "--output", tmp_path / f"out-{number}") == 0
    return mlops


@pytest.fixture
def say(scored: Command, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command and return its exit code and what it says as JSON."""

    def call(*arguments: object) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = scored(*arguments, "--json")
        return code, json.loads(capsys.readouterr().out)

    return call


def test_each_window_is_compared_with_the_training_data(say: Say, clock: Clock) -> None:
    found = []
    for number in range(1, NIGHTS + 1):
        clock.now = noon(night(number)) + timedelta(hours=1)
        code, said = say("drift", "--since", "1d")
        assert (said["model_version"], said["deployment"]) == (1, None)
        assert said["volume"]["rows"] == MACHINES
        found.append((code, said["outcome"]))
    assert found == [(0, "ok"), (0, "ok"), (1, "drift")]


def test_their_labels_are_joined_by_key_once_they_are_due(
    say: Say, clock: Clock, tmp_path: Path
) -> None:
    labels = tmp_path / "labels"
    labels.mkdir()
    for number in range(1, NIGHTS):
        readings(number).write_parquet(labels / f"{number}.parquet")
    clock.now = noon(night(2)) + timedelta(days=WINDOW_DAYS + 1)
    code, said = say("feedback", labels, "--since", "14d")
    assert (code, said["outcome"], said["coverage"]) == (0, "ok", 1.0)
    assert said["predictions"]["mature"] == said["realised"]["rows"] == 2 * MACHINES
    assert said["predictions"]["immature"] == MACHINES
    assert [part["rows"] for part in said["realised"]["over_time"]] == [MACHINES, MACHINES]


def test_the_page_shows_them(scored: Command, clock: Clock, tmp_path: Path) -> None:
    clock.now += timedelta(hours=1)
    assert scored("drift", "--since", "1d") == 1
    page = tmp_path / "page.html"
    assert scored("report", "--output", page) == 0
    text = page.read_text(encoding="utf-8")
    assert f"{NIGHTS * MACHINES} predictions" in text
    assert "Nothing is deployed here." in text
    assert ">drift<" in text
