"""A message is retried within limits, and its address is never told."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from fakes.clock import FakeClock
from mlops.monitoring.alerting.deliver import Courier, Letter, Patience, Sent

MARK = "sig-4f2a9c"


class Hook(BaseHTTPRequestHandler):
    """Answers as it is told, and remembers what came."""

    server: "Server"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((self.path, json.loads(body)))
        status, text, headers = self.server.answers[
            min(len(self.server.came), len(self.server.answers)) - 1
        ]
        if status == 0:
            self.server.released.wait(5)
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_arguments: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hook)
        self.answers: list[tuple[int, str, dict[str, str]]] = [(202, "", {})]
        self.came: list[tuple[str, Any]] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?sig={MARK}"


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    found.released.set()
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def bring(
    url: str, clock: FakeClock, *, says_ok: bool = False, patience: Patience | None = None
) -> Sent:
    letter = Letter(url, {"text": "hello"}, (200, 202), says_ok=says_ok)
    assert MARK not in repr(letter)
    courier = Courier(patience or Patience(), clock.monotonic, clock.sleep)
    sent = courier.bring(letter)
    assert MARK not in sent.reason
    return sent


def test_a_message_arrives(server: Server, clock: FakeClock) -> None:
    assert bring(server.url, clock) == Sent(True, "it answered 202", 1)
    assert server.came == [(f"/hook?sig={MARK}", {"text": "hello"})]


def test_nothing_of_it_is_logged(
    server: Server, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        bring(server.url, clock)
        assert MARK not in caplog.text
        requests.post(server.url, json={}, timeout=5)
    assert "/hook" in caplog.text, "another request is"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_what_may_pass_is_tried_again(server: Server, clock: FakeClock, status: int) -> None:
    server.answers = [(status, "", {}), (status, "", {}), (200, "", {})]
    assert bring(server.url, clock) == Sent(True, "it answered 200", 3)
    assert clock.now == 4


def test_there_is_an_end_to_it(server: Server, clock: FakeClock) -> None:
    server.answers = [(500, f"no {MARK}", {})]
    assert bring(server.url, clock) == Sent(False, "it answered 500 (4 attempts)", 4)
    assert clock.now == 1 + 3 + 9
    assert len(server.came) == 4


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 404, 410])
def test_a_final_answer_is_not_tried_again(server: Server, clock: FakeClock, status: int) -> None:
    server.answers = [(status, f"no {MARK}", {"Location": server.url})]
    assert bring(server.url, clock) == Sent(False, f"it answered {status}", 1)
    assert len(server.came) == 1


@pytest.mark.parametrize(
    ("asked", "slept", "arrived"),
    [("7", 7, True), ("0", 1, True), ("soon", 1, True), ("21", 0, False)],
)
def test_the_other_side_says_how_long_to_wait(
    server: Server, clock: FakeClock, asked: str, slept: float, arrived: bool
) -> None:
    server.answers = [(429, "", {"Retry-After": asked}), (202, "", {})]
    assert bring(server.url, clock).arrived is arrived
    assert clock.now == slept


def test_who_hangs_is_given_up(server: Server, clock: FakeClock) -> None:
    server.answers = [(0, "", {})]
    sent = bring(server.url, clock, patience=Patience(attempts=2, read=0.05))
    assert sent == Sent(False, "no answer in time (2 attempts)", 2)


def test_all_attempts_together_have_a_limit(server: Server, clock: FakeClock) -> None:
    server.answers = [(500, "", {})]
    assert bring(server.url, clock, patience=Patience(whole=3)).attempts == 2


def test_who_is_not_there(clock: FakeClock) -> None:
    sent = bring(f"http://127.0.0.1:9/{MARK}", clock)
    assert sent == Sent(False, "it cannot be reached (4 attempts)", 4)


@pytest.mark.parametrize(
    "url", [f"no address {MARK}", f"https:///{MARK}", f"http://[{MARK}/x", f"https://a..b/{MARK}"]
)
def test_an_address_that_is_none(clock: FakeClock, url: str) -> None:
    sent = bring(url, clock)
    assert not sent.arrived
    assert sent.reason.partition(" (")[0] in ("its address is not valid", "it cannot be reached")


def test_slack_must_say_ok(server: Server, clock: FakeClock) -> None:
    server.answers = [(200, "ok", {})]
    assert bring(server.url, clock, says_ok=True).arrived
    server.answers = [(200, "invalid_payload", {})]
    assert bring(server.url, clock, says_ok=True) == Sent(False, "it answered 200, and not ok", 1)
