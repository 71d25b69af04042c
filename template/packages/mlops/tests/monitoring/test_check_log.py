"""What checks found is kept, and read again."""

import errno
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlops.errors import PlatformError
from mlops.full_disk import DiskFull
from mlops.monitoring.check_log import CheckLog
from mlops.platforms.base import NotObserved
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


@pytest.mark.parametrize(
    "line",
    ["[1]", "{}", '{"time": 7}', '{"time": "today"}', '{"time": "2026-06-30T11:00:00"}'],
)
def test_a_file_of_something_else_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "2026-06-30.jsonl").write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(PlatformError, match=r"2026-06-30\.jsonl, line 1"):
        CheckLog(tmp_path).read("drift", WEEK)


def test_a_line_that_is_nested_too_deep_counts_for_nothing(tmp_path: Path) -> None:
    log = CheckLog(tmp_path)
    log.add([finding(NOON - timedelta(minutes=m)) for m in (20, 10)])
    with (tmp_path / "2026-06-30.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n" + "[" * 100_000 + "\n")
    assert len(log.read("drift", WEEK)) == 2


def test_what_cannot_be_kept_or_read_is_a_failure_of_the_platform(tmp_path: Path) -> None:
    (tmp_path / "checks").touch()
    with pytest.raises(PlatformError, match=r"cannot be kept in .*checks: .*; let this user"):
        CheckLog(tmp_path / "checks").add([finding(NOON)])
    (tmp_path / "2026-06-30.jsonl").mkdir()
    with pytest.raises(NotObserved, match=r"cannot be read: .*2026-06-30\.jsonl"):
        CheckLog(tmp_path).read("drift", WEEK)


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_asked: object, **_named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(DiskFull, match="checks could not be written"):
        CheckLog(tmp_path / "checks").add([finding(NOON)])
