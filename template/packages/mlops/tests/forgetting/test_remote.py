"""A key is forgotten where the platform keeps rows: what goes, what stays, what is said of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.remote import Files, Log, remote
from mlops.artifacts.forgotten import Forgetting
from mlops.errors import ConfigError, PlatformError
from mlops.forgetting.needle import Needle
from mlops.forgetting.remote import RemoteSearch
from mlops.monitoring.events import Source, events_of, write_events
from mlops.platforms.remote_rows import FileChanged, RemoteRows
from mlops.progress import silent

KEY, OTHER = "m00017", "m00004"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FILE = "modelDataCollector/tiny-prod/blue/features/2026/05/01/12/one.jsonl"


class Search:
    """A search, its request as it was kept last, and what is searched."""

    def __init__(self, rows: RemoteRows, files: Files, log: Log) -> None:
        self.rows, self.files, self.log = rows, files, log
        self.request = Forgetting("r1", NOON.isoformat())
        self.keeps = 0

    @property
    def _search(self) -> RemoteSearch:
        return RemoteSearch(self.rows, Needle(KEY, "machine", whole=False), "tiny", "prod", silent)

    def clear(self, now: datetime = NOON + 2 * HOUR) -> tuple[str, ...]:
        """Call it once; return what is left."""
        found = self._search.clear(replace(self.request, pending=()), self._keep, now)
        self.request = found
        assert KEY not in json.dumps(found.to_dict())
        return found.pending

    def look(self) -> Any:
        return self._search.look()

    def _keep(self, request: Forgetting) -> None:
        self.request = request
        self.keeps += 1


@pytest.fixture
def search() -> Search:
    return Search(*remote())


def lines(*ids: str, **more: Any) -> bytes:
    return b"".join(
        json.dumps({"data": [{"inference_id": each, **more}]}).encode() + b"\n" for each in ids
    )


def scored(folder: Path, model: str = "tiny", environment: str = "prod") -> bytes:
    import polars as pl

    source = Source("run", environment, None, model, 7, keys=True)
    scores = pl.DataFrame({"prediction": [1, 0], "probability": [0.75, 0.25]})
    write_events(events_of(scores, [KEY, OTHER], source, NOON, scores), folder / "part.parquet")
    return (folder / "part.parquet").read_bytes()


def test_lines_are_found_by_the_events_of_the_key_and_the_log_goes_last(search: Search) -> None:
    search.files.kept[FILE] = lines("id1", "id2", "id3")
    search.log.happened(KEY, "id1", "id3", at=NOON)
    search.log.happened(OTHER, "id2", at=NOON)
    (left,) = search.clear()
    assert search.files.kept[FILE] == lines("id2")
    assert search.request.removed == {"collected": 2}
    assert search.log.asked == [("id1", "id3")]
    assert search.request.purges == {"prod": {"purge-1": 2}}
    assert left == (
        "prod, app_events: the purge purge-1 of 2 rows was asked for and has not ended, which may "
        "take 30 days: call again to see whether it has"
    )
    assert search.files.endpoints[0] == {"tiny-prod"}, "of another endpoint, too"
    assert search.files.tidied == 1

    assert search.clear() == (left,)
    assert len(search.log.asked) == 1, "not asked twice"
    search.log.complete()
    assert search.clear() == ()
    assert search.request.removed == {"collected": 2, "app_events": 2}
    assert search.request.purges == {"prod": {}}


def test_no_purge_is_asked_of_a_key_that_the_log_does_not_name(search: Search) -> None:
    search.log.happened(OTHER, "id2", at=NOON)
    search.files.kept[FILE] = lines("id2")
    assert search.clear() == ()
    assert (search.log.asked, search.request.removed) == ([], {})


def test_what_came_while_a_purge_was_under_way_is_purged_after_it(search: Search) -> None:
    search.log.happened(KEY, "id1", at=NOON)
    search.clear()
    search.log.happened(KEY, "id2", at=NOON)
    search.log.complete()
    assert "purge-2 of 1 rows" in search.clear()[0]
    assert search.log.asked == [("id1",), ("id2",)]


def test_a_file_that_changes_is_read_again_and_keeps_what_was_added(search: Search) -> None:
    search.files.kept[FILE] = lines("id1", "id2")
    search.log.happened(KEY, "id1", "id4", at=NOON)
    added = [lines("id4"), lines("id3")]

    def add(name: str) -> None:
        if added:
            search.files.kept[name] += added.pop()

    search.files.before_replace = add
    assert "purge" in search.clear()[0]
    assert search.files.kept[FILE] == lines("id2", "id3")
    assert search.request.removed["collected"] == 2


def test_a_file_that_changes_all_the_time_is_left_and_the_log_waits(search: Search) -> None:
    search.files.kept[FILE] = lines("id1")
    search.log.happened(KEY, "id1", at=NOON)

    def add(name: str) -> None:
        search.files.kept[name] += lines("id2")

    search.files.before_replace = add
    left = search.clear()
    assert left == (
        f"prod, collected: {FILE} is written to all the time: call again later",
        "prod, app_events: the purge is asked for once the places above are done",
    )
    assert search.log.asked == []


def test_what_comes_after_a_file_was_written_is_found_by_the_second_search(search: Search) -> None:
    search.files.kept[FILE] = lines("id1")
    search.log.happened(KEY, "id1", "id4", at=NOON)

    def add(times: int) -> None:
        if times == 2:
            search.files.kept[FILE] += lines("id4")

    search.files.before_list = add
    assert search.clear()[0] == f"prod, collected: {FILE} has it still"
    assert search.log.asked == []
    assert "purge-1" in search.clear()[0]
    assert search.files.kept[FILE] == b""


def test_an_answer_that_was_lost_counts_what_it_removed(search: Search) -> None:
    search.files.kept[FILE] = lines("id1", "id2")
    search.log.happened(KEY, "id1", at=NOON)

    def written(name: str) -> None:
        search.files.kept[name] = lines("id2")

    search.files.before_replace = written
    search.clear()
    assert search.request.removed == {"collected": 1}


@pytest.mark.parametrize("how", ["read", "replace"])
def test_a_file_that_cannot_be_read_or_written_is_left_and_the_log_waits(
    search: Search, how: str
) -> None:
    search.files.kept[FILE] = lines("id1")
    search.log.happened(KEY, "id1", at=NOON)
    refusal = ConfigError("a role is missing", "give it")
    if how == "read":
        search.files.failing[FILE] = refusal
    else:

        def refuse(_name: str) -> None:
            raise refusal

        search.files.before_replace = refuse
    left = search.clear()
    assert left[0] == f"prod, collected: {FILE} stays (a role is missing: give it)"
    assert left[-1].endswith("once the places above are done")
    assert search.log.asked == []
    assert search.request.removed == {}


def test_files_that_cannot_be_listed_or_tidied_are_said(search: Search) -> None:
    search.files.unlisted = PlatformError("listing: Azure failed", "try again")
    search.log.happened(KEY, "id1", at=NOON)
    left = search.clear()
    assert left[0] == "prod: listing: Azure failed: try again"
    assert search.log.asked == []


def test_a_log_that_cannot_be_searched_is_said_and_nothing_asked(search: Search) -> None:
    search.log.unread = ConfigError("AppEvents cannot be searched", "give the role")
    assert search.clear() == ("prod: AppEvents cannot be searched: give the role",)
    assert search.log.asked == []


def test_a_file_that_goes_meanwhile_is_no_problem(search: Search) -> None:
    search.files.kept[FILE] = lines("id1")
    search.log.happened(KEY, "id1", at=NOON - HOUR)

    def go(name: str) -> None:
        search.files.kept.pop(name)

    search.files.before_replace = go
    assert "purge-1" in search.clear()[0]


def test_who_may_not_purge_is_told_the_role_and_nothing_is_noted(search: Search) -> None:
    search.log.happened(KEY, "id1", at=NOON)
    search.log.refusal = ConfigError("who runs this may not purge", "give them Data Purger")
    assert search.clear() == (
        "prod, app_events: the purge was not taken: who runs this may not purge: give them Data "
        "Purger",
    )
    assert search.request.purges == {}


def test_an_operation_whose_status_is_not_told_stays_open(search: Search) -> None:
    search.log.happened(KEY, "id1", at=NOON)
    search.clear()
    search.log.untold = PlatformError("Azure failed", "try again")
    assert search.clear() == (
        "prod, app_events: the purge purge-1 was asked for: Azure failed: try again",
    )
    assert search.request.purges == {"prod": {"purge-1": 1}}


def test_the_log_waits_for_lines_that_may_still_come(search: Search) -> None:
    search.log.happened(KEY, "id1", at=NOON)
    left = search.clear(NOON + HOUR / 2)
    assert left == (
        "prod, app_events: the purge is asked for after 2026-05-01 13:00 UTC, as lines of its "
        "newest event may still come: call again then",
    )
    assert search.log.asked == []
    search.clear(NOON + HOUR)
    assert search.log.asked == [("id1",)]


def test_many_events_are_named_in_parts_and_a_part_that_is_refused_comes_later() -> None:
    search = Search(*remote(at_once=2, most=2))
    search.log.happened(KEY, *(f"id{number}" for number in range(5)), at=NOON)
    assert len(search.clear()) == 2
    assert [len(each) for each in search.log.asked] == [2, 2]
    search.log.complete()
    assert len(search.clear()) == 1
    assert search.log.asked[2] == ("id4",)
    search.log.complete()
    assert search.clear() == ()
    assert search.request.removed == {"app_events": 5}


def test_each_step_is_kept_so_that_a_kill_loses_nothing(search: Search) -> None:
    search.files.kept = {f"{number}.jsonl": lines("id1") for number in range(3)}
    search.log.happened(KEY, "id1", at=NOON)

    class Killed(BaseException):
        pass

    def die(name: str) -> None:
        if name.startswith("2"):
            raise Killed

    search.files.before_replace = die
    with pytest.raises(Killed):
        search.clear()
    assert search.request.removed == {"collected": 2}
    search.files.before_replace = lambda _name: None
    search.clear()
    assert search.request.removed == {"collected": 3}
    assert search.request.purges == {"prod": {"purge-1": 1}}


def test_the_key_s_text_elsewhere_in_a_file_is_named(search: Search) -> None:
    search.files.kept[FILE] = lines("id9", features=f'{{"a": "{KEY}"}}')
    before = dict(search.files.kept)
    assert search.clear() == (f"prod, collected: {FILE} has it",)
    assert search.files.kept == before
    search.files.kept = {f"{KEY}.jsonl": lines("id9", note=KEY)}
    assert search.clear() == ("prod, collected: ….jsonl has it",)


def test_events_of_scores_lose_the_key_s_rows(search: Search, tmp_path: Path) -> None:
    import polars as pl

    search.files.kept = {
        "scored-events/a/part.parquet": scored(tmp_path),
        "scored-events/b/part.parquet": scored(tmp_path, model="other"),
        "scored-events/c/part.parquet": scored(tmp_path, environment="dev"),
    }
    before = dict(search.files.kept)
    assert search.clear() == ()
    assert search.request.removed == {"scored_events": 1}
    (tmp_path / "after.parquet").write_bytes(search.files.kept["scored-events/a/part.parquet"])
    assert pl.read_parquet(tmp_path / "after.parquet")["key"].to_list() == [OTHER]
    assert pl.read_parquet_metadata(tmp_path / "after.parquet")["mlops.events.schema"] == "1"
    for name in "bc":
        path = f"scored-events/{name}/part.parquet"
        assert search.files.kept[path] == before[path], "of another model or environment"


def test_a_table_that_is_damaged_is_named(search: Search) -> None:
    search.files.kept["scored-events/a/part.parquet"] = b"PAR1 and no table"
    (left,) = search.clear()
    assert left.startswith("prod, scored_events: scored-events/a/part.parquet stays (it is damaged")


def test_a_dry_run_counts_and_changes_nothing(search: Search, tmp_path: Path) -> None:
    search.files.kept = {
        FILE: lines("id1", "id2"),
        "bad.jsonl": lines("id1"),
        "more.jsonl": lines("id9", note=KEY),
        "scored-events/a/part.parquet": scored(tmp_path),
    }
    search.files.failing["bad.jsonl"] = PlatformError("Azure failed", "try again")
    search.log.happened(KEY, "id1", at=NOON)
    before = dict(search.files.kept)
    counts, left = search.look()
    assert counts == {"collected": 1, "scored_events": 1, "app_events": 1}
    assert left == (
        "prod, collected: bad.jsonl cannot be read (Azure failed: try again)",
        "prod, collected: more.jsonl has it",
    )
    assert search.files.kept == before
    assert (search.log.asked, search.keeps, search.files.tidied) == ([], 0, 0)


def test_a_file_that_changes_while_it_is_read_is_named(search: Search) -> None:
    search.files.kept[FILE] = lines("id2")

    def changing(_name: str) -> None:
        raise FileChanged

    search.files.read = changing  # type: ignore[assignment, method-assign]
    assert search.look()[1] == (
        f"prod, collected: {FILE} cannot be read (it is written to all the time)",
    )
    assert search.clear()[0].endswith("is written to all the time: call again later")


def test_what_is_clean_is_not_read_twice(search: Search) -> None:
    search.files.kept = {"a.jsonl": lines("id2"), "b.jsonl": lines("id1", "id2")}
    search.log.happened(KEY, "id1", at=NOON)
    search.clear()
    assert search.files.reads == ["a.jsonl", "b.jsonl", "b.jsonl"]
