"""Each client sends the Authorization header that it was given, whatever `~/.netrc` knows."""

import ast
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

import mlops
from fakes.waiting import wait_for
from mlops.ci.github import GitHub
from mlops.platforms.azure import client, credentials, log_analytics, observations
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.credentials import github_assertion
from mlops.platforms.http import OwnSession, post
from mlops.platforms.local.http import get_observations, local_session
from mlops.release.rehearsal import generated_traffic
from mlops.settings.loading import LoadedSettings

SOURCE = Path(mlops.__file__).parent
OURS = "Bearer ours"
TABLE = '{"tables": [{"columns": [], "rows": []}]}'
ANSWERS = {"/query": TABLE, "/token": '{"value": "said"}', "/observations": "[]"}


class Recorder(ThreadingHTTPServer):
    """Remembers the Authorization header of each request; /moved leads to another path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Recorder

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(self.headers["Authorization"])
        path = self.path.partition("?")[0]
        self.send_response(307 if path == "/moved" else 200)
        if path == "/moved":
            self.send_header("Location", "/score")
        body = ANSWERS.get(path, "{}").encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """A server for whose host, as for any other, there is a password in the file of passwords."""
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login x password y\ndefault login x password z\n")
    monkeypatch.setenv("NETRC", str(file))
    with Recorder() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def github(server: Recorder) -> None:
    variables = {"GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": "ours", "GITHUB_API_URL": server.url}
    GitHub(variables).get("actions/runs/1")


def assertion(server: Recorder) -> None:
    variables = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{server.url}/token",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "ours",
    }
    assert github_assertion(variables) == "said"


def traffic_log(server: Recorder) -> None:
    observations.query_fresh(OwnSession(), "ours", server.url, "tiny", datetime.now(UTC))


def scoring(server: Recorder) -> None:
    post(OwnSession(), f"{server.url}/score", {}, {"Authorization": OURS}, 30)


def moved(server: Recorder) -> None:
    post(OwnSession(), f"{server.url}/moved", {}, {"Authorization": OURS}, 30)


def local_scoring(server: Recorder) -> None:
    post(local_session(), f"{server.url}/score", {}, {"Authorization": OURS}, 30)


def local_observations(server: Recorder) -> None:
    assert get_observations(local_session(), server.server_port, "ours", 0, 1.0, 30) == []


def rehearsal(server: Recorder) -> None:
    with generated_traffic(f"{server.url}/score", "ours", [{}], per_second=50):
        wait_for(lambda: server.seen)


CLIENTS: list[Callable[[Recorder], None]] = [
    github,
    assertion,
    traffic_log,
    scoring,
    moved,
    local_scoring,
    local_observations,
    rehearsal,
]


@pytest.mark.parametrize("send", CLIENTS, ids=lambda send: str(send.__name__))
def test_a_file_of_passwords_replaces_no_header(
    server: Recorder, monkeypatch: pytest.MonkeyPatch, send: Callable[[Recorder], None]
) -> None:
    monkeypatch.setattr(log_analytics, "API", "{workspace}/query")
    send(server)
    assert set(server.seen) == {OURS}


def test_nor_those_of_azures_own_clients(
    server: Recorder, monkeypatch: pytest.MonkeyPatch, load: Callable[..., LoadedSettings]
) -> None:
    """They make sessions that nobody could prepare."""
    monkeypatch.setattr(client, "require_extra", lambda: None)
    monkeypatch.setattr(credentials, "open_credential", lambda: "who is signed in")
    assert AzureClients(load(azure__subscription_id="s")).credential == "who is signed in"
    requests.get(server.url, headers={"Authorization": OURS}, timeout=30)
    assert server.seen == [OURS]


def test_without_this_it_would(server: Recorder) -> None:
    requests.get(server.url, headers={"Authorization": OURS}, timeout=30)
    assert set(server.seen) != {OURS}


def test_a_proxy_is_asked_all_the_same(server: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "")
    post(OwnSession(), "http://nowhere.example/score", {}, {"Authorization": OURS}, 30)
    assert server.seen == [OURS]


def test_a_redirect_to_another_host_gets_no_header(server: Recorder) -> None:
    answer = requests.Response()
    answer.request = requests.Request("GET", server.url).prepare()
    moved_to = requests.Request("GET", "http://x.example/", headers={"Authorization": OURS})
    prepared = moved_to.prepare()
    OwnSession().rebuild_auth(prepared, answer)
    assert "Authorization" not in prepared.headers


def test_nothing_is_sent_with_a_session_of_another_kind() -> None:
    """What is sent by `requests.get` or `requests.Session()` takes what the file says."""
    sessions = {"platforms/http.py", "platforms/local/http.py"}
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("requests", "httpx", "urllib")
    }
    assert found <= sessions
