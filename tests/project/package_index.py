"""A package index on this machine: pypiserver, which takes what `uv publish` brings."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import free_port, uv, variables

PYPISERVER = "pypiserver==2.4.2"
_PATIENCE_SECONDS = 120


@contextmanager
def package_index(folder: Path) -> Iterator[str]:
    """Serve packages from a folder, which is made; yield the address, to which anybody uploads."""
    folder.mkdir()
    port = free_port()
    options = ("--disable-fallback", "--authenticate", ".", "--passwords", ".")
    command = [uv(), "tool", "run", "--quiet", "--from", PYPISERVER, "pypi-server", "run"]
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [*command, *options, "--interface", "127.0.0.1", "--port", str(port), str(folder)],
        env=variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait(address, process)
            yield address
        finally:
            process.terminate()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"{PYPISERVER} does not answer at {address}")
