"""What checks found is kept, and read again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlops.errors import PlatformError
from mlops.monitoring.check_log import CheckLog
from mlops.window import Window

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
WEEK = Window.last(timedelta(days=7), NOON)


def finding(moment: datetime, check: str = "drift", **more: object) -> dict[str, object]:
    return {"check": check, "time": moment.isoformat(), **more}


def test_what_was_found_in_a_window_is_read_oldest_first(tmp_path: Path) -> None:
    log = CheckLog(tmp_path / "checks")
    hours = (1, 200, 30, 0)
    rows = [finding(NOON - timedelta(hours=h), outcome="ok", psi=0.1, note=None) for h in hours]
    log.add(rows)
    assert log.read("drift", WEEK) == [rows[2], rows[0]]  # the end is excluded
    assert log.read("performance", WEEK) == []


def test_there_may_be_nothing(tmp_path: Path) -> None:
    assert CheckLog(tmp_path / "checks").read("drift", WEEK) == []


def test_a_line_that_was_cut_off_is_lost_and_no_other(tmp_path: Path) -> None:
    log = CheckLog(tmp_path)
    first, second = (finding(NOON - timedelta(minutes=m)) for m in (20, 10))
    log.add([first])
    with (tmp_path / "2026-06-30.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"check": "drift", "ti')
    assert log.read("drift", WEEK) == [first]
    log.add([second])
    assert log.read("drift", WEEK) == [first, second]


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "2026-06-30.jsonl").write_text("[1]\n", encoding="utf-8")
    with pytest.raises(PlatformError, match=r"2026-06-30\.jsonl, line 1"):
        CheckLog(tmp_path).read("drift", WEEK)
