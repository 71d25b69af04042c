"""Requests from the sample, and something to compare with."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.records import SETTINGS
from fakes.release import AtLevel
from fakes.tiny_version import FEATURES, ROW, write_version
from fakes.waiting import wait_for
from mlops.errors import ConfigError, Refused
from mlops.platforms.base import Answer, ModelVersion, Run
from mlops.platforms.traffic_rules import REHEARSAL_AGENT
from mlops.progress import silent
from mlops.release import rehearsal
from mlops.release.rehearsal import (
    MOST_OPEN_REQUESTS,
    ROWS,
    FeatureRow,
    Load,
    bring_up_previous,
    describe,
    generated_traffic,
    previous_version,
    rehearsal_settings,
    rehearse,
    rehearse_ab_test,
    rows_of,
)


class Server(ThreadingHTTPServer):
    """Fails every third request, or as a test says; remembers the others' rows."""

    daemon_threads = True
    lock = threading.Lock()
    count = 0
    fails_every = 3
    request_queue_size = 500

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.rows: list[Any] = []
        self.agents: set[str | None] = set()
        self.answers = threading.Event()
        self.answers.set()
        self.open = self.most_open = 0


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.count += 1
            self.server.agents.add(self.headers["User-Agent"])
            every = self.server.fails_every
            fails = every > 0 and self.server.count % every == 0
            if not fails and self.headers["Authorization"] == "Bearer secret":
                self.server.rows += json.loads(content)["data"]
            self.server.open += 1
            self.server.most_open = max(self.server.open, self.server.most_open)
        self.server.answers.wait()
        with self.server.lock:
            self.server.open -= 1
        self.send_response(500 if fails else 200)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def quick(
    platform: FakePlatform, endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> FakePlatform:
    """A platform whose endpoint gets many requests in no time."""
    monkeypatch.setitem(rehearsal._LARGER, "batch_seconds", 0.01)
    endpoint.batch = 2000
    return platform


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def test_requests_are_sent_until_the_block_ends_and_counted(server: Server) -> None:
    url = f"http://127.0.0.1:{server.server_port}/score"
    rows: list[FeatureRow] = [{"a": 1.0}, {"a": None}]
    with generated_traffic(url, "secret", rows, per_second=500) as load:
        wait_for(lambda: server.count >= 30)
    assert load.sent == server.count
    assert load.failed == server.count // 3
    assert {"a": None} in server.rows
    assert {"a": 1.0} in server.rows
    assert server.agents == {REHEARSAL_AGENT}


def test_a_machine_that_answers_late_gets_fewer_requests(server: Server) -> None:
    server.fails_every = 0
    server.answers.clear()
    url = f"http://127.0.0.1:{server.server_port}/score"
    with generated_traffic(url, "secret", [ROW], per_second=20_000) as load:
        wait_for(lambda: server.open >= MOST_OPEN_REQUESTS)
        server.answers.set()
        wait_for(lambda: load.sent > 2 * MOST_OPEN_REQUESTS)
    assert server.most_open == MOST_OPEN_REQUESTS
    assert load.failed == 0


def test_nobody_there_counts_as_failed() -> None:
    with generated_traffic("http://127.0.0.1:9/score", "key", [ROW], per_second=100) as load:
        wait_for(lambda: load.answers[0])
    assert load.failed == load.sent


@pytest.mark.parametrize(("version", "previous"), [(11, 10), (10, 9), (9, 2), (2, 1), (1, 1)])
def test_versions_are_compared_as_numbers(
    platform: FakePlatform, version: int, previous: int
) -> None:
    found = previous_version(platform.versions(), platform.version(version))
    assert found.version == previous


@pytest.mark.parametrize(("version", "beside"), [(10, "previous version, 9"), (1, "same version")])
def test_what_nothing_served_is_brought_up_and_said(
    platform: FakePlatform, endpoint: FakeEndpoint, version: int, beside: str
) -> None:
    said = bring_up_previous(platform, endpoint, platform.version(version), silent)
    assert beside in said
    assert endpoint.traffic() == {"blue": 100}
    assert bring_up_previous(platform, endpoint, platform.version(version), silent) == ""
    assert endpoint.calls == [f"deploy blue {9 if version == 10 else 1}"]


def test_only_shares_and_times_differ_from_the_real_thing() -> None:
    assert rehearsal_settings(SETTINGS) == SETTINGS.model_copy(
        update={
            "mirror_percent": 50,
            "mirror_requests": 100,
            "share_percent": 50,
            "batch_seconds": 0.5,
            "duration_seconds": 60.0,
        }
    )


@pytest.mark.parametrize(("seconds", "rehearsed"), [(59.0, 59.0), (60.0, 60.0), (61.0, 60.0)])
def test_a_rehearsal_lasts_a_minute_at_most(seconds: float, rehearsed: float) -> None:
    settings = SETTINGS.model_copy(update={"duration_seconds": seconds})
    assert rehearsal_settings(settings).duration_seconds == rehearsed


def test_a_rehearsal_says_what_it_was() -> None:
    assert describe(None) == "150 requests/s generated from the sample"
    assert describe(SETTINGS) == (
        "150 requests/s generated from the sample, 11 % of them to the candidate, "
        "decision within 3601 s"
    )


def test_what_was_sent_is_counted_by_its_answer() -> None:
    load = Load(Counter({200: 7, 201: 2, 500: 1, 0: 3}))
    assert (load.sent, load.failed) == (13, 6)


@pytest.fixture
def answered(quick: FakePlatform, endpoint: FakeEndpoint, server: Server) -> FakePlatform:
    """A platform whose endpoint answers every generated request."""
    server.fails_every = 0
    endpoint.address = f"http://127.0.0.1:{server.server_port}"
    return quick


@pytest.mark.usefixtures("smoke")
def test_a_rehearsal_of_the_first_version_ends_with_one_deployment(
    answered: FakePlatform, endpoint: FakeEndpoint, at_level: AtLevel
) -> None:
    released, load = rehearse(answered, at_level(3), 1)
    assert endpoint.serving == {"green": 1}
    assert "plays blue" in released.record.rehearsal
    assert released.record.traffic_after == {"green": 100}
    assert load.failed == 0


@pytest.mark.usefixtures("smoke")
def test_a_rehearsal_with_a_failed_request_never_promotes(
    answered: FakePlatform,
    serving: FakeEndpoint,
    server: Server,
    at_level: AtLevel,
) -> None:
    server.fails_every = 1

    def wait() -> None:
        wait_for(lambda: server.count)

    serving.before_look = wait
    with pytest.raises(Refused, match=r"of \d+ generated requests failed: \d+ times 500"):
        rehearse(answered, at_level(3), 2)
    assert (serving.serving, serving.traffic()) == ({"blue": 1}, {"blue": 100})


@pytest.mark.usefixtures("smoke")
@pytest.mark.parametrize(
    ("gone", "change"),
    [
        (False, "c is no longer known and is refused"),
        (True, "what version 1 takes is unknown (there is no version 1)"),
    ],
)
def test_a_rehearsal_of_changed_requests_sends_them_to_who_knows_them(
    answered: FakePlatform, serving: FakeEndpoint, at_level: AtLevel, gone: bool, change: str
) -> None:
    answered.features[2] = FEATURES[:2]
    if gone:
        answered.numbers.remove(1)
    sent: list[int] = []

    def answered_200(answer: Answer) -> Answer:
        sent.append(answer.status)
        return Answer(200, {}, 0.01)

    serving.fault = answered_200
    released, load = rehearse(answered, at_level(3), 2)
    assert released.record.changes == (change,)
    assert released.record.ab_test is None
    assert serving.traffic() == {"green": 100}
    assert (load.sent, load.failed) == (len(sent), 0)
    assert load.sent > 0
    assert set(serving.invoked) == {"green"}


@pytest.mark.usefixtures("smoke")
def test_a_rehearsal_of_changed_requests_promotes_only_what_answers_all_of_them(
    answered: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    answered.features[2] = FEATURES[:2]  # the server still asks for c
    with pytest.raises(Refused, match="1 of 1 generated requests failed: 1 times 400"):
        rehearse(answered, at_level(3), 2)
    assert (serving.serving, serving.traffic()) == ({"blue": 1}, {"blue": 100})
    assert not any(call.startswith("traffic") for call in serving.calls)


@pytest.mark.usefixtures("smoke")
def test_a_rehearsal_keeps_why_callers_may_be_refused(
    answered: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    answered.features[2] = FEATURES[:2]
    serving.fault = lambda _answer: Answer(200, {}, 0.01)
    released, _ = rehearse(answered, at_level(3), 2, breaking="the shop sends no c")
    assert released.record.breaking == "the shop sends no c"
    assert released.folder
    assert "the shop sends no c" in (released.folder / "evidence.md").read_text(encoding="utf-8")


def test_an_ab_test_can_be_rehearsed_too(
    quick: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    serving.serve("green", 2)
    ended = rehearse_ab_test(quick, at_level(3), ("blue", "green"))
    assert ended.record.outcome == "promoted"
    assert "generated" in ended.record.rehearsal
    with pytest.raises(ConfigError, match="no deployment 'red'"):
        rehearse_ab_test(quick, at_level(3), ("blue", "red"))


def test_rows_come_from_the_holdout(platform: FakePlatform, tmp_path: Path) -> None:
    (tmp_path / "prepared").mkdir()
    rows = {"key": [1, 2, 3], "a": [1.0] * 3, "b": [1.0, None, 2.0], "c": [None, 1.0, 2.0]}
    pl.DataFrame({**rows, "label": 0}).write_parquet(tmp_path / "prepared" / "holdout.parquet")
    platform.known_runs[""] = Run("", tmp_path)  # the tiny version names no run
    version = ModelVersion("tiny", 1, write_version(tmp_path / "v"))
    # b must not be null
    assert rows_of(platform, version) == [
        {"a": 1.0, "b": 1.0, "c": None},
        {"a": 1.0, "b": 2.0, "c": 2.0},
    ]


def test_without_the_run_the_typical_row_is_sent(platform: FakePlatform, tmp_path: Path) -> None:
    folder = write_version(tmp_path / "v")
    assert rows_of(platform, ModelVersion("tiny", 1, folder)) == [ROW]


@pytest.mark.parametrize(("held_out", "sent"), [(ROWS, ROWS), (ROWS + 1, ROWS)])
def test_so_many_rows_are_sent_and_no_more(
    platform: FakePlatform, tmp_path: Path, held_out: int, sent: int
) -> None:
    (tmp_path / "prepared").mkdir()
    frame = pl.DataFrame({name: [1.0] * held_out for name in ("a", "b", "c")})
    frame.write_parquet(tmp_path / "prepared" / "holdout.parquet")
    platform.known_runs[""] = Run("", tmp_path)
    assert len(rows_of(platform, platform.version(1))) == sent
