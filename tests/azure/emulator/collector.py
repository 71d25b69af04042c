"""Azure ML's data collector: the process beside a deployment, to which its code sends.

It writes a line an object to the workspace's storage, one file an hour.
"""

import json
import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from .azurite import Azurite
from .state import Store

ROOT = "modelDataCollector"
_PATH = "/modeldata/log"
_TYPE = "azureml.inference."


class Collector:
    """The collector of one deployment, which listens on this machine.

    Args:
        azurite: keeps its files.
        store: the workspace's storage.
        deployment: `<endpoint>/<deployment>`.
        settings: the deployment's `dataCollector`.
        folder: gets the file that tells the deployment's code what is collected.
    """

    def __init__(
        self,
        azurite: Azurite,
        store: Store,
        deployment: str,
        settings: Mapping[str, Any],
        folder: Path,
    ) -> None:
        self._azurite, self._store, self._deployment = azurite, store, deployment
        enabled = {
            name: {
                "enabled": str(each.get("dataCollectionMode")).lower() == "enabled",
                "sampleRatePercentage": 100 * (each.get("samplingRate") or 1.0),
            }
            for name, each in settings["collections"].items()
        }
        self._configuration = folder / "collector.json"
        self._configuration.write_text(json.dumps({"runMode": "cloud", "collections": enabled}))
        self._instance = uuid.uuid4().hex
        self._written: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def variables(self) -> dict[str, str]:
        """What tells the deployment's code where it is."""
        return {
            "AZUREML_MDC_CONFIG_PATH": str(self._configuration),
            "AZUREML_MDC_HOST": "127.0.0.1",
            "AZUREML_MDC_PORT": str(self._server.server_address[1]),
        }

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collect = self._collect

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                known = self.path == _PATH
                if known:
                    collect(dict(self.headers), content)
                self.send_response(200 if known else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                """Say nothing."""

        return Handler

    def _collect(self, headers: Mapping[str, str], content: bytes) -> None:
        said = {name.lower(): value for name, value in headers.items()}
        at = datetime.now(UTC)
        line = {
            "specversion": "1.0",
            "id": said["trace-id"],
            "source": self._deployment,
            "type": said["ce-type"],
            "time": at.isoformat().replace("+00:00", "Z"),
            "data": json.loads(content),
            "correlationid": said.get("ce-x-request-id"),
            "collectdatatype": said["ce-collect-data-type"],
            "agent": said["ce-agent"],
        }
        collection = said["ce-type"].removeprefix(_TYPE)
        name = f"{ROOT}/{self._deployment}/{collection}/{at:%Y/%m/%d/%H}/{self._instance}.jsonl"
        with self._lock:
            self._written[name] = self._written.get(name, b"") + json.dumps(line).encode() + b"\n"
            self._azurite.write(self._store, name, self._written[name])
