"""A front end that gives a pretended endpoint a real address."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fakes.endpoint import FakeEndpoint


@contextmanager
def fronted(endpoint: FakeEndpoint) -> Iterator[None]:
    """Answer requests to the endpoint's URL while the block runs; only its key opens it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            status, body = 401, "null"
            if self.headers["Authorization"] == f"Bearer {endpoint.key()}":
                answer = endpoint.invoke(raw)
                status, body = answer.status, json.dumps(answer.body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        endpoint.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
