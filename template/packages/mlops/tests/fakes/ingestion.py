"""Application Insights' ingestion endpoint on this machine: takes events, refuses, or waits."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "00000000-0000-0000-0000-000000000001"


class Ingestion(ThreadingHTTPServer):
    """What was sent, as the exporter sent it.

    Attributes:
        items: all items that were taken.
        batches: how many of them came at once.
        status: what is answered.
        gate: while it is not set, nothing is answered.
        reached: is set once something was sent.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.items: list[dict[str, Any]] = []
        self.batches: list[int] = []
        self.status = 200
        self.gate = threading.Event()
        self.gate.set()
        self.reached = threading.Event()

    @property
    def connection_string(self) -> str:
        """What leads the exporter here."""
        return connection_string(self.server_port)

    def named(self, name: str) -> list[dict[str, Any]]:
        """The properties of all events of a name."""
        events = [item["data"]["baseData"] for item in self.items]
        return [each["properties"] for each in events if each["name"] == name]


class _Handler(BaseHTTPRequestHandler):
    server: Ingestion

    def do_POST(self) -> None:
        items = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.reached.set()
        self.server.gate.wait()
        status = self.server.status if self.path == "/v2.1/track" else 404
        if status == 200:
            self.server.items += items
            self.server.batches.append(len(items))
        errors = [{"index": 0, "statusCode": 400, "message": "refused"}] if status == 206 else []
        accepted = len(items) - len(errors)
        answer = {"itemsReceived": len(items), "itemsAccepted": accepted, "errors": errors}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


def connection_string(port: int) -> str:
    return f"InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:{port}/"


@contextmanager
def ingestion() -> Iterator[Ingestion]:
    """Listen while the block runs."""
    server = Ingestion()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.gate.set()
        server.shutdown()
        server.server_close()
