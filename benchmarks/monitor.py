"""Time of `mlops monitor` on a day of a million events, all by itself, as a team calls it.

So does `--act` that looks back on the whole day, as after a day without a look: it has to parse
each event, where a usual look passes over what is older than its windows.
Floor: reading the bytes of these events once. Each runs in a process of its own, in the machinery's
environment. The events are lines as a server writes them, of ten features, in four files.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support import MACHINERY, machinery_python

EVENTS, LIMIT_SECONDS, LOOK_BACK_LIMIT_SECONDS = 1_000_000, 5.0, 10.0

CASE = """
import json, sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path

what, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
now = datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)

def write():
    from mlops.artifacts.event_folders import event_folders
    from fakes.project import write_project
    project = write_project(folder / "project")
    day = event_folders(project.state_dir, "tiny-dev").requests / "2026-06-30"
    day.mkdir(parents=True)
    shared = dict(environment="dev", endpoint="tiny-dev", deployment="blue", model_name="tiny",
                  model_version=1, status=200, error_type=None)
    features = {f"feature_{n}": 12.5 * n for n in range(10)}
    for part in range(4):
        with (day / f"blue-{part}-a.jsonl").open("w", encoding="utf-8") as file:
            for n in range(part, count, 4):
                at = now - timedelta(seconds=86_000 * (1 - n / count))
                told = dict(schema=1, time=at.isoformat(timespec="microseconds"), source="request",
                            **shared, latency_ms=3.5 + n % 40, inference_id=f"{n:032x}", key=None,
                            row=0, prediction=n % 2, probability=0.25, features=features)
                file.write(json.dumps(told, separators=(",", ":")) + "\\n")

def floor():
    for path in sorted(folder.rglob("*.jsonl")):
        path.read_bytes()

def look(*flags, level=1, looked=()):
    import shutil
    import fakes.endpoint, fakes.places
    from mlops.artifacts.event_folders import event_folders
    from mlops.monitoring.event_store import read_events
    from mlops.monitoring.rules.reading import ALERTS
    from mlops.platforms.local.platform import LocalPlatform
    from mlops.cli.main import mlops
    root = folder / "project"
    config = root / "pyproject.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("maturity_level = 1", f"maturity_level = {level}"), "utf-8")
    (root / ALERTS).parent.mkdir(exist_ok=True)
    shutil.copy(fakes.places.PROJECT / ALERTS, root / ALERTS)
    endpoint = fakes.endpoint.FakeEndpoint("tiny-dev")
    endpoint.serve("blue", 1, share=100)
    endpoint.keep_checks(dict(check="look", time=each.isoformat()) for each in looked)
    asked = []
    folders = event_folders(root / ".mlops", "tiny-dev")
    def predictions(window, features=None):
        found = read_events(folders, window, features)
        asked.append(found.rows.select("row").collect().height)
        return found
    endpoint.predictions = predictions
    LocalPlatform.endpoint = lambda _platform, _name: endpoint
    import contextlib, io, os
    os.chdir(root)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(Exception):
        mlops(["monitor", "--json", *flags], standalone_mode=False, obj=lambda: now)
    found = {each["id"]: each for each in json.loads(said.getvalue())["alerts"]}
    assert found["latency"]["outcome"] == "ok", found["latency"]
    print(json.dumps({"events": found["error-rate"]["rows"], "read": max(asked)}))

def ours():
    look()

def back():
    look("--act", level=2, looked=[now - timedelta(days=1)])

{"write": write, "floor": floor, "ours": ours, "back": back}[what]()
"""


def run(what: str, folder: Path) -> tuple[float, str]:
    """Run one case in a process of its own; return its seconds, from start to end, and its word."""
    command = [machinery_python(), "-c", TIMED, CASE, what, folder, EVENTS]
    done = subprocess.run(
        [str(each) for each in command],
        check=True,
        stdout=subprocess.PIPE,
        cwd=MACHINERY,
        env={"PYTHONPATH": str(MACHINERY / "tests"), "PATH": ""},
    )
    lines = done.stdout.decode().strip().splitlines()
    return float(lines[-1]), lines[0] if len(lines) > 1 else ""


TIMED = """
import sys, time
started = time.monotonic()
case = sys.argv.pop(1)
exec(case)
print(time.monotonic() - started)
"""


def main() -> int:
    """Measure, print a table, and compare with the limit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run("write", folder)
        floor, _ = run("floor", folder)
        seconds, said = run("ours", folder)
        back, looked = run("back", folder)
    print(f"floor      {floor:7.2f} s")
    print(
        f"ours       {seconds:7.2f} s  {json.loads(said)['events']:,} events in the last 10 minutes"
    )
    print(f"looks back {back:7.2f} s  --act on {json.loads(looked)['read']:,} events of the day")
    if json.loads(looked)["read"] < EVENTS:
        raise SystemExit("it did not look back on the whole day")
    met = seconds < LIMIT_SECONDS and back < LOOK_BACK_LIMIT_SECONDS
    print(
        f"{EVENTS:,} events of a day: mlops monitor takes {seconds:.1f} s "
        f"(limit: {LIMIT_SECONDS:g} s), --act after a day without a look {back:.1f} s "
        f"(limit: {LOOK_BACK_LIMIT_SECONDS:g} s): {'met' if met else 'passed'}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
