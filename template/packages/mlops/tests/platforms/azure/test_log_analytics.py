"""What Log Analytics answers, page by page, and what it cannot."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlops.errors import ConfigError, PlatformError
from mlops.platforms.azure.log_analytics import TIME, LogTable, TooMuch, pages, query, rows_of
from mlops.platforms.base import NotObserved

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
TABLE = LogTable("AppEvents", "the log of events", "something writes there", may_lack=True)


class Answer:
    def __init__(self, status: int, text: str = "", **content: Any) -> None:
        self.headers: dict[str, str] = {}
        self.status_code, self.text, self._content = status, text, content

    def json(self) -> dict[str, Any]:
        return self._content


class Session:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def post(self, *_arguments: Any, **_options: Any) -> Answer:
        return self._answer


def asked(answer: Answer, table: LogTable = TABLE) -> list[dict[str, Any]]:
    session: Any = Session(answer)
    return query(session, "token", "workspace", "AppEvents", table)


def test_a_table_that_no_row_has_reached_yet_has_no_rows() -> None:
    lacking = Answer(400, "SEM0100: 'where': Failed to resolve table 'AppEvents'")
    assert asked(lacking) == []
    with pytest.raises(ConfigError, match="that something writes there"):
        asked(lacking, LogTable("AppEvents", "the log", "something writes there"))
    with pytest.raises(ConfigError, match="does not answer the query for AppEvents"):
        asked(Answer(400, "SYN0002: a semicolon is missing in AppEvents"))
    with pytest.raises(ConfigError):
        asked(Answer(404, "The workspace could not be found"))


def test_a_part_of_the_rows_is_not_taken_for_all() -> None:
    table = {"columns": [{"name": "n"}], "rows": [[1]]}
    assert asked(Answer(200, tables=[table])) == [{"n": 1}]
    with pytest.raises(TooMuch, match="a part of the log of events only"):
        asked(Answer(200, tables=[table], error={"code": "PartialError"}))


def test_an_answer_without_rows_is_refused() -> None:
    with pytest.raises(PlatformError, match="without rows"):
        rows_of({"error": "x"})


class Log:
    """Rows a second apart, of which so many are answered at once."""

    def __init__(self, times: list[int], most: int) -> None:
        self.times, self.most = times, most
        self.asked: list[tuple[datetime, int]] = []

    def ask(self, text: str) -> list[dict[str, Any]]:
        start, size = text.split(" ")
        self.asked.append((datetime.fromisoformat(start), int(size)))
        if int(size) > self.most:
            raise TooMuch("too much")
        at = [START + timedelta(seconds=second) for second in self.times]
        found = [each for each in at if each >= datetime.fromisoformat(start)]
        return [{TIME: each.isoformat()} for each in found[: int(size)]]

    def read(self, size: int) -> list[str]:
        found = pages(self.ask, lambda start, rows: f"{start.isoformat()} {rows}", START, size)
        return [row[TIME] for page in found for row in page]


def test_pages_follow_each_other_in_time() -> None:
    log = Log([0, 1, 2, 3, 4], most=10)
    assert len(set(log.read(2))) == 5
    assert [start for start, _ in log.asked] == [START + timedelta(seconds=n) for n in range(5)]


def test_what_is_too_much_at_once_comes_in_smaller_pages() -> None:
    log = Log(list(range(9)), most=3)
    assert len(set(log.read(8))) == 9
    assert [size for _, size in log.asked][:2] == [8, 2]


def test_what_cannot_be_had_in_parts_is_said() -> None:
    with pytest.raises(TooMuch):
        Log([0, 1], most=0).read(8)
    with pytest.raises(NotObserved, match="more than 2 rows of Log Analytics are of one moment"):
        Log([0, 0, 0], most=10).read(2)
