"""The page about what serves, on 127.0.0.1, made anew each time that it is opened."""

import html
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override

from mlops.errors import MlopsError

HOST = "127.0.0.1"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, make: Callable[[], str]) -> None:
        super().__init__((HOST, port), _Handler)
        self._make = make
        self._one_at_a_time = threading.Lock()

    def page(self) -> str:
        with self._one_at_a_time:
            return self._make()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        # another site in the same browser could give this address a name of its own
        if self.headers.get("Host", "").rpartition(":")[0] not in (HOST, "localhost"):
            self._answer(HTTPStatus.FORBIDDEN, f"This page is at http://{HOST} alone.")
        elif self.path.partition("?")[0] != "/":
            self._answer(HTTPStatus.NOT_FOUND, "There is one page here, at /.")
        else:
            self._answer(*self._page())

    def _page(self) -> tuple[HTTPStatus, str]:
        try:
            return HTTPStatus.OK, self.server.page()
        except MlopsError as error:
            why = str(error)
        except Exception as error:  # the next one who asks may get a page
            why = f"{type(error).__name__}: {error}"
        said = f"<p>The page cannot be made: {html.escape(why)}</p>"
        return HTTPStatus.INTERNAL_SERVER_ERROR, said

    def _answer(self, status: HTTPStatus, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served_page(port: int, make: Callable[[], str]) -> Iterator[str]:
    """Serve a page on this machine until the block ends.

    Args:
        port: where; if another program uses it, or there is no such port, any that is free.
        make: returns the page; what it raises is told in its place.

    Yields:
        Its address.
    """
    try:
        server = _Server(port, make)
    except (OSError, OverflowError):  # above 65535 there is no port
        server = _Server(0, make)
    thread = threading.Thread(target=server.serve_forever, name="page", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
