"""What keeping an event of each prediction costs a scoring server of one worker.

Two real inference servers serve the same model of ten numbers, one told to keep events and one not;
requests of one row take turns, so that a disturbance meets both. Then as many as they take from
eight callers, the memory that they have after it, and how long each takes from its start to the
first answer. The median, the requests per second, and that each answer left an event or is counted
as dropped, have limits. Run in the machinery's environment.

With a folder of serving code as an argument, the server without events runs that: such as the code
from before there were any.
"""

import contextlib
import hashlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import mlops
import numpy as np
import psutil
from mlops.artifacts.prepared import Prepared
from mlops.artifacts.version_folder import VersionFacts
from mlops.features import Feature, Features
from mlops.monitoring.telemetry import FILES, Telemetry
from mlops.platforms.serving_env import serving_python
from mlops.progress import silent
from mlops.steps.fit import fit_model
from mlops.steps.onnx_model import convert
from mlops.steps.register import build_signature
from sklearn.ensemble import HistGradientBoostingClassifier

MOST_TIME, LEAST_RATE = 1.1, 0.9
"""Of the median and of the requests per second, as multiples of those without events."""
TURNS, REQUESTS, WARM = 40, 50, 200
CALLERS, SECONDS, STARTS = 8, 4.0, 3
NAMES = [f"number_{i}" for i in range(10)]
BODY = json.dumps({"data": [dict.fromkeys(NAMES, 1.5)]}).encode()
HEADERS = {"Content-Type": "application/json"}
MACHINERY = Path(mlops.__file__).parents[2]
SERVING = MACHINERY.parents[1] / "serving"
LAUNCHER = Path(mlops.__file__).parent / "platforms" / "local" / "scoring_launcher.py"


@dataclass
class Server:
    """One inference server, and what was measured of it."""

    code: Path
    variables: dict[str, str]
    folder: Path
    python: Path
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None
    milliseconds: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    per_second: float = 0.0
    answered: int = 0
    counting: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Start it, and wait for its first answer."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        started = time.perf_counter()
        command = [str(self.python), "-P", str(LAUNCHER), "benchmark", "0"]
        command += ["--entry_script", str(self.code / "score.py"), "--port", str(self.port)]
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={
                    **clean,
                    **self.variables,
                    "AML_APP_ROOT": str(self.code),
                    "AZUREML_MODEL_DIR": str(self.folder.parent / "model"),
                    "GUNICORN_CMD_ARGS": "--no-control-socket",
                    "OMP_NUM_THREADS": "1",
                },
            )
        while not self.asked():
            time.sleep(0.005)
        self.starts.append(time.perf_counter() - started)

    def asked(self) -> bool:
        """Ask it once; tell whether it answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection), contextlib.suppress(ConnectionError):
            connection.request("POST", "/score", BODY, HEADERS)
            answer = connection.getresponse()
            answer.read()
            with self.counting:
                self.answered += answer.status == 200
            return answer.status == 200
        return False

    def measure(self, requests: int) -> None:
        """Ask it one after the other."""
        for _ in range(requests):
            started = time.perf_counter()
            assert self.asked()
            self.milliseconds.append(1000 * (time.perf_counter() - started))

    def press(self) -> None:
        """Let it answer callers that do not wait."""
        end = time.perf_counter() + SECONDS
        counts = [0] * CALLERS

        def call(number: int) -> None:
            while time.perf_counter() < end:
                counts[number] += self.asked()

        callers = [threading.Thread(target=call, args=(number,)) for number in range(CALLERS)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        self.per_second = max(self.per_second, sum(counts) / SECONDS)

    def memory(self) -> float:
        """Return the megabytes of its worker."""
        assert self.process
        workers = psutil.Process(self.process.pid).children(recursive=True)
        return max(worker.memory_info().rss for worker in workers) / 1e6

    def stop(self) -> None:
        """End it."""
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None


def make_model(folder: Path) -> VersionFacts:
    """Write a model that a server takes; return what a deployment knows of it."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(4_000, len(NAMES))).astype(np.float32)
    labels = (inputs[:, 0] + inputs[:, -1] > 0).astype(int)
    model = fit_model(HistGradientBoostingClassifier(random_state=0), inputs, labels)
    folder.mkdir()
    (folder / "model.onnx").write_bytes(convert(model, len(NAMES)))
    features = Features(tuple(Feature(name, False, 1.5) for name in NAMES))
    prepared = Prepared(folder, "k", features, "c", "r", "h", 9, {}, {}, "s")
    signature = build_signature("m", 1, 0.5, prepared, [])
    (folder / "signature.json").write_text(json.dumps(signature), encoding="utf-8")
    sha256 = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    example = dict.fromkeys(NAMES, 1.5)
    return VersionFacts("m", 1, sha256, "c", example, {"model.onnx": sha256})


@contextlib.contextmanager
def servers(folder: Path, without: Path) -> Iterator[dict[str, Server]]:
    """Yield the two servers, not started; at the end they are stopped."""
    requirements = SERVING / "requirements.txt"
    python = serving_python(MACHINERY, requirements, MACHINERY / ".mlops" / "serving-env", silent)
    facts = make_model(folder / "model")
    told = Telemetry("dev").told("bench", "blue", facts, FILES)
    cases = {
        "without": Server(without, facts.told(), folder / "without", python),
        "with events": Server(SERVING, {**facts.told(), **told}, folder / "with", python),
    }
    for server in cases.values():
        server.folder.mkdir()
    try:
        yield cases
    finally:
        for server in cases.values():
            server.stop()


def kept(server: Server) -> tuple[int, int]:
    """Return how many events a server wrote, and how many it says it dropped, after it ended."""
    written = dropped = 0
    for path in server.folder.rglob("*.jsonl"):
        for line in path.read_bytes().splitlines():
            lost = json.loads(line).get("dropped", 0)
            written, dropped = written + (not lost), dropped + lost
    return written, dropped


def main() -> int:
    """Measure, print a table, and compare with the limit."""
    without = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else SERVING
    with tempfile.TemporaryDirectory() as name, servers(Path(name), without) as cases:
        for _ in range(STARTS):
            for server in cases.values():
                server.stop()
                server.start()
        for server in cases.values():
            server.measure(WARM)
            server.milliseconds.clear()
        for _ in range(TURNS):
            for server in cases.values():
                server.measure(REQUESTS)
        for _ in range(2):
            for server in cases.values():
                server.press()
        memory = {title: server.memory() for title, server in cases.items()}
        for server in cases.values():
            server.stop()
        written, dropped = kept(cases["with events"])
    for title, server in cases.items():
        p50, p99 = np.quantile(server.milliseconds, [0.5, 0.99])
        print(
            f"{title:12} p50 {p50:6.3f} ms  p99 {p99:6.3f} ms  {server.per_second:6.0f} requests/s"
            f"  {memory[title]:5.0f} MB  first answer after {min(server.starts):.2f} s"
        )
    before, after = cases.values()
    ratio = statistics.median(after.milliseconds) / statistics.median(before.milliseconds)
    rate = after.per_second / before.per_second
    met = {
        f"median {ratio:.3f} times, at most {MOST_TIME}": ratio <= MOST_TIME,
        f"requests/s {rate:.3f} times, at least {LEAST_RATE}": rate >= LEAST_RATE,
        f"{written:,} events written and {dropped:,} dropped, of {after.answered:,} answers": (
            written + dropped == after.answered
        ),
    }
    for limit, holds in met.items():
        print(f"{limit}: {'met' if holds else 'not met'}")
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
