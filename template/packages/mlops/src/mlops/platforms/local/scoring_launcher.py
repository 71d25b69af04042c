"""Starts Azure ML's inference server on 127.0.0.1; it runs in the serving environment, as a file.

The server has no option for the address and would listen to the whole network. The first argument
only names the process, so that it can be found again; the second says by how many seconds the
server's time is ahead of the system's, which serving/telemetry.py asks for here; the rest are the
server's own.
"""

import importlib
import sys
import time
from typing import Any

AHEAD_SECONDS = float(sys.argv[2])


def scoring_time() -> float:
    """Return the time by which events of predictions go, in seconds since 1970."""
    return time.time() + AHEAD_SECONDS


def main() -> None:
    """Run the inference server."""
    server: Any = importlib.import_module("azureml_inference_server_http.amlserver")
    server.DEFAULT_HOST = "127.0.0.1"
    del sys.argv[1:3]
    server.run()


if __name__ == "__main__":
    main()
