"""What is removed of the events on this machine, and in which order."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlops.artifacts.event_folders import EventFolders
from mlops.monitoring.event_retention import remove_old_events

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
KB = 1e-6
"""In GB."""


@pytest.fixture
def folders(tmp_path: Path) -> EventFolders:
    return EventFolders(tmp_path / "tiny-dev")


def add(folders: EventFolders, day: int, *, scored: bool = False, size: int = 1000) -> Path:
    """Write a file of a server or of a scoring run on a day in May."""
    at = datetime(2026, 5, day, 6, tzinfo=UTC)
    path = folders.requests / f"{at:%Y-%m-%d}" / "blue-1-a.jsonl"
    if scored:
        path = folders.score(str(day)) / "part-00000.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def test_what_is_too_old_goes_with_its_folder_and_what_checks_found_stays(
    folders: EventFolders,
) -> None:
    old = [add(folders, 1), add(folders, 2, scored=True)]
    new = [add(folders, 3), add(folders, 4, scored=True), add(folders, 10)]
    check = folders.checks / "2026-01-01.jsonl"
    check.parent.mkdir()
    check.touch()
    assert remove_old_events(folders, 7, 1.0, NOW) == old
    assert [path.exists() for path in new] == [True] * 3
    assert [path.parent.exists() for path in old] == [False] * 2
    assert check.exists()
    assert remove_old_events(folders, 7, 1.0, NOW) == []


def test_the_oldest_go_where_there_are_too_many(folders: EventFolders) -> None:
    files = [add(folders, day, scored=day % 2 == 0) for day in (5, 6, 7, 8)]
    today = add(folders, 10, size=5000)
    assert remove_old_events(folders, 90, 7 * KB, NOW) == files[:2]
    assert remove_old_events(folders, 90, 5 * KB, NOW) == files[2:]
    assert today.exists(), "it is written to"
    assert remove_old_events(folders, 90, 4 * KB, NOW) == [today]


def test_what_a_server_writes_to_goes_after_what_was_scored_since(folders: EventFolders) -> None:
    today, scored = add(folders, 10), add(folders, 10, scored=True)
    later = (NOW - timedelta(minutes=1)).timestamp()
    os.utime(scored, (later, later))
    assert remove_old_events(folders, 90, 1 * KB, NOW) == [scored]
    assert today.exists()


def test_days_that_reach_before_all_time_keep_everything(folders: EventFolders) -> None:
    kept = add(folders, 1)
    assert remove_old_events(folders, 999_999, 1.0, NOW) == []
    assert remove_old_events(folders, 700_000, 1.0, NOW) == []
    assert kept.exists()


def test_an_endpoint_without_events_has_nothing_to_remove(folders: EventFolders) -> None:
    assert remove_old_events(folders, 1, 1.0, NOW + timedelta(days=9)) == []


def test_it_needs_no_library_that_takes_long_to_load() -> None:
    """It runs beside the router."""
    code = "import sys, mlops.platforms.local.router; print('polars' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
