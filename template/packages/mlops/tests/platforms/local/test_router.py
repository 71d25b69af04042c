"""The router, served in this process in front of fake scoring servers."""

import asyncio
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fakes.waiting import LONGEST_SECONDS, wait_for
from mlops.clock import system_clock
from mlops.platforms.local import processes, router
from mlops.platforms.local.mirror import MAX_COPIES_IN_FLIGHT
from mlops.platforms.local.processes import LOCALHOST, ProcessRecord
from mlops.platforms.local.router import Router, create_app
from mlops.platforms.local.state import DeploymentState, EndpointState, StateFile
from mlops.platforms.traffic_rules import DEPLOYMENT_HEADER

NAME = "tiny-dev"


@contextmanager
def serving(app: Starlette) -> Iterator[int]:
    """Serve an application in a thread; yield its port."""
    server = uvicorn.Server(uvicorn.Config(app, host=LOCALHOST, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def hanging_server(received: list[bytes], gate: threading.Event) -> Starlette:
    """Return a server that keeps every request without an answer until the gate opens."""

    async def score(request: Request) -> Response:
        received.append(await request.body())
        while not gate.is_set():
            await asyncio.sleep(0.01)
        return JSONResponse({"server": "hanging"})

    return Starlette(routes=[Route("/score", score, methods=["POST"])])


def fake_server(name: str) -> Starlette:
    async def score(request: Request) -> Response:
        asked: dict[str, Any] = await request.json()
        seen = {"server": name, "headers": dict(request.headers), "asked": asked}
        return JSONResponse(seen, asked.get("status", 200), headers={"x-from": name})

    return Starlette(routes=[Route("/score", score, methods=["POST"])])


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("state")
    with (
        serving(fake_server("blue")) as blue,
        serving(fake_server("green")) as green,
        serving(create_app(folder, NAME, system_clock)) as front,
    ):
        dead = processes.free_port()
        yield {"folder": folder, "router": front, "blue": blue, "green": green, "dead": dead}


class Front:
    """The router under test and the state that it goes by."""

    def __init__(self, ports: dict[str, Any]) -> None:
        self.ports = ports
        self.state = StateFile(ports["folder"])
        self.key = self.state.key(NAME)
        self.url = f"http://{LOCALHOST}:{ports['router']}"

    def route(
        self,
        timeout: float = LONGEST_SECONDS,
        mirror: dict[str, int] | None = None,
        **traffic: int,
    ) -> None:
        deployments = {
            name: DeploymentState(
                "tiny", 1, "", "", "", "", ProcessRecord(name, self.ports[name], "")
            )
            for name in traffic
        }
        self.state.change(
            NAME,
            lambda e: replace(
                e,
                traffic=traffic,
                mirror=mirror or {},
                deployments=deployments,
                request_timeout_seconds=timeout,
            ),
        )

    def observed(self, after: int = 0, **patience: float) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.key}"}
        found: list[dict[str, Any]] = []
        while True:
            params = {"after": found[-1]["sequence"] if found else after, **patience}
            url = f"{self.url}/observations"
            page = requests.get(url, params=params, headers=headers, timeout=LONGEST_SECONDS).json()
            if not page:
                return found
            found += page

    def last(self) -> int:
        """The number of the newest observation."""
        return max((each["sequence"] for each in self.observed()), default=0)

    def wait_for_copies(self, after: int, count: int) -> list[dict[str, Any]]:
        def copies() -> list[dict[str, Any]]:
            found = [each for each in self.observed(after) if each["mirrored"]]
            return found if len(found) >= count else []

        return wait_for(copies)

    def post(self, to: str | None = None, **asked: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        if to is not None:
            headers[DEPLOYMENT_HEADER] = to
        return self.send(headers, **asked)

    def send(self, headers: dict[str, str], **asked: Any) -> requests.Response:
        body = json.dumps(asked).encode()
        return requests.post(
            f"{self.url}/score", data=body, headers=headers, timeout=LONGEST_SECONDS
        )


@pytest.fixture
def front(ports: dict[str, Any]) -> Front:
    front = Front(ports)
    front.route(blue=100, green=0)
    return front


def test_a_request_goes_to_the_deployment_with_the_traffic(front: Front) -> None:
    answer = front.post(data=[1])
    assert answer.status_code == 200
    assert answer.json()["server"] == "blue"
    assert answer.json()["asked"] == {"data": [1]}
    assert answer.headers[DEPLOYMENT_HEADER] == "blue"
    assert answer.headers["x-from"] == "blue"


def test_a_change_of_traffic_holds_from_the_next_request(front: Front) -> None:
    for name, other in (("green", "blue"), ("blue", "green"), ("green", "blue")):
        shares = {name: 100, other: 0}
        front.route(blue=shares["blue"], green=shares["green"])
        assert front.post().json()["server"] == name


class Driven:
    """Router handlers without any network: each deployment answers at once with its name."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, traffic: dict[str, int], **mirror: int
    ) -> None:
        state = StateFile(folder)
        deployments = {name: DeploymentState("tiny", 1, "", "", "", "") for name in traffic}
        state.change(
            NAME, lambda e: replace(e, traffic=traffic, mirror=mirror, deployments=deployments)
        )
        self.headers = [(b"authorization", f"Bearer {state.key(NAME)}".encode())]
        self.reached: Counter[str] = Counter()
        monkeypatch.setattr(Router, "_forward", self.forward)
        self.router = Router(folder, NAME, system_clock)

    async def forward(self, name: str, _request: object) -> Response:
        self.reached[name] += 1
        await asyncio.sleep(0)
        return Response(name.encode())

    def answers(self, requests: int, to: str | None = None) -> Counter[str]:
        """Return how often each deployment's answer reached the caller."""
        named = [(DEPLOYMENT_HEADER.encode(), to.encode())] if to else []
        scope = {"type": "http", "headers": self.headers + named}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"{}", "more_body": False}

        async def send_all() -> Counter[str]:
            bodies = [
                bytes((await self.router.score(Request(scope, receive))).body)
                for _ in range(requests)
            ]
            if copies := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(copies)
            return Counter(body.decode() for body in bodies)

        return asyncio.run(send_all())


REQUESTS = 10_000


def assert_share(count: int, percent: int) -> None:
    """Assert that so many of the requests are within five standard deviations of a share."""
    share = percent / 100
    assert abs(count - REQUESTS * share) <= 5 * (REQUESTS * share * (1 - share)) ** 0.5


def test_ten_thousand_requests_are_split_as_the_traffic_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driven = Driven(tmp_path, monkeypatch, {"blue": 90, "green": 10, "red": 0})
    answers = driven.answers(REQUESTS)
    assert answers.total() == REQUESTS
    assert_share(answers["green"], 10)
    assert answers["red"] == 0


def test_the_header_always_hits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driven = Driven(tmp_path, monkeypatch, {"blue": 90, "green": 10}, red=50)
    assert driven.answers(1000, to="green") == {"green": 1000}
    assert driven.reached == {"green": 1000}


def test_the_mirror_gets_its_share_and_the_caller_none_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driven = Driven(tmp_path, monkeypatch, {"blue": 100, "green": 0}, green=20)
    assert driven.answers(REQUESTS) == {"blue": REQUESTS}
    assert_share(driven.reached["green"], 20)


def test_a_copy_is_the_request_itself(front: Front) -> None:
    front.route(mirror={"green": 100}, blue=100, green=0)
    after = front.last()
    assert front.post(data=[1], status=418).json()["server"] == "blue"
    front.wait_for_copies(after, 1)
    observed = front.observed(after)
    seen = {(each["deployment"], each["status"], each["mirrored"]) for each in observed}
    assert seen == {("blue", 418, False), ("green", 418, True)}


def test_a_dead_mirror_disturbs_nobody(front: Front) -> None:
    front.route(mirror={"dead": 100}, blue=100, dead=0)
    after = front.last()
    answers = [front.post() for _ in range(10)]
    assert [answer.json()["server"] for answer in answers] == ["blue"] * 10
    assert {each["status"] for each in front.wait_for_copies(after, 10)} == {502}


def test_nobody_waits_for_a_mirror_that_hangs_and_copies_do_not_pile_up(front: Front) -> None:
    received: list[bytes] = []
    gate = threading.Event()
    with serving(hanging_server(received, gate)) as front.ports["hanging"]:
        front.route(timeout=60, mirror={"hanging": 50}, blue=100, hanging=0)
        after = front.last()
        try:
            # every one of these is answered while not a single copy is
            answers = [front.post(n=n) for n in range(100)]
            assert [answer.json()["server"] for answer in answers] == ["blue"] * 100
            assert [each for each in front.observed(after) if each["mirrored"]] == []
            # nothing is lost: those there was no room for count as not answered, like the others
            copies = [each for each in front.observed(after, patience=0) if each["mirrored"]]
            assert len(copies) > MAX_COPIES_IN_FLIGHT
            assert {(each["deployment"], each["status"]) for each in copies} == {("hanging", 0)}
        finally:
            gate.set()
        copies = front.wait_for_copies(after, MAX_COPIES_IN_FLIGHT)
    assert len(copies) == len(received) == MAX_COPIES_IN_FLIGHT


def test_what_was_answered_is_observed(front: Front) -> None:
    after = front.last()
    front.post()
    front.post(status=500)
    front.route(dead=100)
    front.post()
    front.route(blue=100)
    front.post(to="blue")  # names its deployment, so it tells nothing about a split
    observed = front.observed(after)
    assert [(each["deployment"], each["status"]) for each in observed] == [
        ("blue", 200),
        ("blue", 500),
        ("dead", 502),
    ]
    assert all(each["seconds"] > 0 and not each["mirrored"] for each in observed)
    assert front.observed(observed[0]["sequence"]) == observed[1:]


def test_a_request_that_hangs_is_seen_once_the_patience_is_over(front: Front) -> None:
    gate = threading.Event()
    with serving(hanging_server([], gate)) as front.ports["hanging"]:
        front.route(timeout=60, hanging=100)
        after = front.last()
        caller = threading.Thread(target=front.post)
        caller.start()
        try:
            seen = wait_for(lambda: front.observed(after, patience=0.05))
            assert [(each["deployment"], each["status"]) for each in seen] == [("hanging", 0)]
            assert seen[0]["seconds"] >= 0.05
            assert front.observed(after, patience=LONGEST_SECONDS) == []
        finally:
            gate.set()
            caller.join()
    assert [each["status"] for each in front.observed(after, patience=LONGEST_SECONDS)] == [200]


def test_what_was_observed_is_not_for_everybody(front: Front) -> None:
    url = f"{front.url}/observations"
    assert requests.get(url, timeout=LONGEST_SECONDS).status_code == 401
    headers = {"Authorization": f"Bearer {front.key}"}
    for name, wrong in (("after", "-1"), ("patience", "-1"), ("patience", "nan")):
        answer = requests.get(url, params={name: wrong}, headers=headers, timeout=LONGEST_SECONDS)
        assert answer.status_code == 400
        assert name in answer.json()["error"]


def test_the_header_names_the_deployment(front: Front) -> None:
    answer = front.post(to="green")
    assert answer.json()["server"] == "green"
    assert answer.headers[DEPLOYMENT_HEADER] == "green"


def test_an_unknown_deployment_is_a_404(front: Front) -> None:
    answer = front.post(to="red")
    assert answer.status_code == 404
    assert "'red'" in answer.json()["error"]
    assert "blue, green" in answer.json()["error"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_an_encoded_request_is_a_400_that_says_so(front: Front, encoding: str) -> None:
    answer = front.send({"Authorization": f"Bearer {front.key}", "Content-Encoding": encoding})
    assert answer.status_code == 400
    assert f"is encoded ({encoding})" in answer.json()["error"]


@pytest.mark.parametrize("status", [400, 500])
def test_the_status_of_the_deployment_is_passed_on(front: Front, status: int) -> None:
    answer = front.post(status=status)
    assert answer.status_code == status
    assert answer.headers[DEPLOYMENT_HEADER] == "blue"


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer wrong", "Basic {key}", "{key}", "Bearer {key}x"]
)
def test_without_the_key_nothing_is_scored(front: Front, authorization: str | None) -> None:
    given = {"Authorization": authorization.replace("{key}", front.key)} if authorization else {}
    answer = front.send(given)
    assert answer.status_code == 401
    assert "key" in answer.json()["error"]


def test_the_key_is_not_told_to_the_deployment(front: Front) -> None:
    answer = front.send({"Authorization": f"bearer {front.key}", "x-request-id": "r1"})
    headers = answer.json()["headers"]
    assert "authorization" not in headers
    assert headers["x-request-id"] == "r1"


def test_a_deployment_that_takes_too_long_is_a_504(front: Front) -> None:
    gate = threading.Event()
    with serving(hanging_server([], gate)) as front.ports["hanging"]:
        front.route(timeout=0.1, hanging=100)
        try:
            answer = front.post()
        finally:
            gate.set()
    assert answer.status_code == 504
    assert "hanging" in answer.json()["error"]


def test_a_dead_deployment_is_a_502(front: Front) -> None:
    front.route(dead=100)
    answer = front.post()
    assert answer.status_code == 502
    assert "dead" in answer.json()["error"]
    assert answer.headers[DEPLOYMENT_HEADER] == "dead"


def test_what_a_dead_deployment_was_to_answer_another_one_with_traffic_answers(
    front: Front,
) -> None:
    front.route(blue=50, dead=50)
    after = front.last()
    answers = [front.post() for _ in range(30)]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers[DEPLOYMENT_HEADER] for answer in answers} == {"blue"}
    seen = [(each["deployment"], each["status"]) for each in front.observed(after)]
    assert seen.count(("blue", 200)) == 30
    assert 0 < seen.count(("dead", 502)) < 30
    assert front.post(to="dead").status_code == 502


def test_a_stopped_deployment_is_a_502(front: Front) -> None:
    def without_process(endpoint: EndpointState) -> EndpointState:
        blue = replace(endpoint.deployments["blue"], process=None)
        return replace(endpoint, deployments={"blue": blue})

    front.state.change(NAME, without_process)
    assert front.post().status_code == 502


def test_without_traffic_there_is_a_503(front: Front) -> None:
    front.route(blue=0, green=0)
    answer = front.post()
    assert answer.status_code == 503
    assert DEPLOYMENT_HEADER in answer.json()["error"]
    assert front.post(to="blue").status_code == 200


def test_health_tells_the_revision_and_the_open_requests(front: Front) -> None:
    def health() -> Any:
        return requests.get(f"{front.url}/", timeout=LONGEST_SECONDS).json()

    gate = threading.Event()
    with serving(hanging_server([], gate)) as port:
        front.ports["hanging"] = port
        front.route(hanging=100)
        endpoint = front.state.endpoint(NAME)
        assert endpoint
        assert health()["revision"] == endpoint.revision
        assert health()["in_flight"] == {}
        slow = threading.Thread(target=front.post)
        slow.start()
        try:
            wait_for(lambda: health()["in_flight"] == {str(port): 1})
        finally:
            gate.set()
            slow.join()
    assert health()["in_flight"] == {}


def test_what_was_known_last_holds_while_the_state_cannot_be_read(front: Front) -> None:
    assert front.post().json()["server"] == "blue"
    path = front.state.folder / "state.json"
    before = path.read_bytes()
    path.write_text("{")
    assert front.post().json()["server"] == "blue"
    path.write_bytes(before)


def test_scoring_is_a_post(front: Front) -> None:
    assert requests.get(f"{front.url}/score", timeout=LONGEST_SECONDS).status_code == 405


def test_when_the_project_is_deleted_its_servers_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "_WATCH_SECONDS", 0.01)
    record = processes.new_record("blue", 1, "logs")
    command = [sys.executable, "-S", "-E", "-c", "import time; time.sleep(600)", record.token]
    record = processes.start(record, command, tmp_path, os.environ)
    blue = DeploymentState("tiny", 1, "", "", "", "", record)
    state = StateFile(tmp_path)
    state.key(NAME)
    # an older version of the project took so many days
    state.change(NAME, lambda e: replace(e, deployments={"blue": blue}, keep_days=999_999))
    ended = []

    async def delete_the_state() -> None:
        watching = Router(tmp_path, NAME, system_clock)
        assert (await watching.health(Request({"type": "http"}))).status_code == 200
        watcher = asyncio.create_task(watching.watch(lambda: ended.append(True)))
        await asyncio.sleep(0.1)  # some looks, at which the state is there
        assert not ended
        (tmp_path / "state.json").unlink()
        await watcher

    try:
        asyncio.run(delete_the_state())
        assert ended
        assert processes.find(record, tmp_path) is None
    finally:
        processes.stop([record], tmp_path)
