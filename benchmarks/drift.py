"""Time and memory of a check for drift of a million rows of 30 columns, beside Evidently's.

Floor: Polars reading these rows once. Peer: Evidently's default preset of the same rows against as
many of the training part, whole. Each runs in a process of its own, in the machinery's environment.
What is timed is the check alone, without imports; rows come from a Parquet file in each.

Servers write lines of JSON, whose reading is most of the work: a tenth of these rows is written so,
read and checked, and the time is told beside the others.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support import machinery_python

ROWS, COLUMNS, WRITTEN = 1_000_000, 30, 100_000
FASTER, LIMIT_GIGABYTES = 100, 1.0

CASE = """
import json, resource, sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
import numpy as np
import polars as pl

what, folder = sys.argv[1], Path(sys.argv[2])
rows, columns, written = map(int, sys.argv[3:])
names = [f"x{i}" for i in range(columns)]
files = {part: folder / f"{part}.parquet" for part in ("train", "window", "baseline")}
now = datetime(2026, 6, 30, tzinfo=UTC)

def signature():
    from mlops.features import Feature, Features
    return Features(tuple(Feature(name, has_nulls=False, example=1.0) for name in names))

def write():
    from mlops.artifacts.predictions import FEATURE, event_schema
    from mlops.monitoring.baseline import drift_baseline
    schema = event_schema(signature())
    for part, seed in (("train", 1), ("window", 2)):
        random = np.random.default_rng(seed)
        moved = (3, 4, 5) if part == "window" else ()
        table = pl.DataFrame({name: _drawn(i, random, moved) for i, name in enumerate(names)})
        answers = 1 / (1 + np.exp(-table["x0"].to_numpy()))
        if part == "train":
            table.write_parquet(files[part])
            drift_baseline(table.cast(pl.Float32), signature(), answers).write_parquet(
                files["baseline"]
            )
            continue
        known = {
            "time": pl.repeat(now - timedelta(hours=1), rows, dtype=schema["time"], eager=True),
            "model_version": pl.repeat(1, rows, dtype=pl.Int64, eager=True),
            "source": pl.repeat("request", rows, dtype=pl.String, eager=True),
            "status": pl.repeat(200, rows, dtype=pl.Int64, eager=True),
            "row": pl.repeat(0, rows, dtype=pl.Int64, eager=True),
            "has_features": pl.repeat(True, rows, dtype=pl.Boolean, eager=True),
            "prediction": pl.repeat("1", rows, dtype=pl.String, eager=True),
            "value": pl.Series(answers),
            **{f"{FEATURE}{name}": table[name] for name in names},
        }
        nothing = {
            name: pl.repeat(None, rows, dtype=kind, eager=True)
            for name, kind in schema.items() if name not in known
        }
        pl.DataFrame({**known, **nothing}).select(list(schema)).write_parquet(files[part])
        write_lines(table.head(written), answers)

def events():
    from mlops.artifacts.event_folders import EventFolders
    return EventFolders(folder / "bench")

def write_lines(table, answers):
    time = now - timedelta(hours=1)
    path = events().requests / f"{time:%Y-%m-%d}" / "blue-1-a.jsonl"
    path.parent.mkdir(parents=True)
    same = dict(schema=1, time=time.isoformat(), source="request", environment="prod",
                endpoint="bench", deployment="blue", model_name="bench", model_version=1,
                latency_ms=1.5, status=200, error_type=None, key=None, row=0, prediction=1)
    with path.open("w", encoding="utf-8") as file:
        for n, features in enumerate(table.iter_rows(named=True)):
            told = dict(inference_id=f"{n:032x}", probability=answers[n], features=features)
            file.write(json.dumps({**same, **told}) + "\\n")

def _drawn(i, random, moved):
    drawn = (
        lambda: random.normal(size=rows),
        lambda: random.lognormal(3, 1, rows),
        lambda: random.poisson(3, rows).astype(float),
    )
    return drawn[i % 3]() + (0.4 if i in moved else 0.0)

def floor():
    rows = pl.scan_parquet(files["window"])
    rows.select(pl.all().count()).collect(engine="streaming")

def ours(from_lines=False):
    from mlops.artifacts.predictions import Predictions
    from mlops.monitoring.event_store import read_events
    from mlops.monitoring.drift import Asked, Reference, check
    from mlops.monitoring.profile import read_profiles
    from mlops.settings.monitoring_sections import DriftSettings
    from mlops.window import Window
    import scipy.special
    started = time.monotonic(), time.process_time()
    reference = Reference("prod", "bench", "blue", "bench", 1, signature(),
                          read_profiles(files["baseline"]))
    window = Window.last(timedelta(days=7), now)
    asked = Asked(window, now, DriftSettings())
    if from_lines:
        predictions = read_events(events(), window, reference.features)
    else:
        predictions = Predictions(pl.scan_parquet(files["window"]))
    found = check(reference, predictions, asked)
    told = {"rows": found.volume.rows, "unread": len(found.volume.unread)}
    return started, {"columns": len(found.columns), "drifted": len(found.drifted), **told}

def lines():
    return ours(from_lines=True)

def evidently():
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset
    from mlops.artifacts.predictions import FEATURE
    train = pl.read_parquet(files["train"]).to_pandas()
    window = pl.read_parquet(files["window"], columns=[f"{FEATURE}{name}" for name in names])
    window = window.rename({f"{FEATURE}{name}": name for name in names}).to_pandas()
    started = time.monotonic(), time.process_time()
    definition = DataDefinition(numerical_columns=names)
    current, before = (Dataset.from_pandas(each, data_definition=definition)
                       for each in (window, train))
    Report([DataDriftPreset()]).run(current, before).dict()
    return started, {}

if what == "write":
    write()
    sys.exit()
if what == "floor":
    started = time.monotonic(), time.process_time()
    floor()
    more = {}
else:
    started, more = {"ours": ours, "lines": lines, "evidently": evidently}[what]()
seconds, cpu = time.monotonic() - started[0], time.process_time() - started[1]
units = 1e9 if sys.platform == "darwin" else 1e6
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units
print(json.dumps(dict(seconds=seconds, cpu=cpu, gigabytes=peak, **more)))
"""


def run(what: str, folder: Path) -> dict[str, float]:
    """Run one case in a process of its own; return what it measured."""
    command = [machinery_python(), "-c", CASE, what, folder, ROWS, COLUMNS, WRITTEN]
    done = subprocess.run([str(each) for each in command], check=True, stdout=subprocess.PIPE)
    said = done.stdout.decode().strip().splitlines()
    return dict(json.loads(said[-1])) if said else {}


def main() -> int:
    """Measure, print a table, and compare with the limits."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run("write", folder)
        found = {}
        for what in ("floor", "ours", "lines", "evidently"):
            found[what] = each = run(what, folder)
            print(
                f"{what:10} {each['seconds']:7.2f} s  {each['cpu']:7.2f} s CPU  "
                f"{each['gigabytes']:5.2f} GB",
                flush=True,
            )
    faster = found["evidently"]["seconds"] / found["ours"]["seconds"]
    met = faster >= FASTER and found["ours"]["gigabytes"] < LIMIT_GIGABYTES
    for what, rows in (("ours", ROWS), ("lines", WRITTEN)):
        said = found[what]
        assert (said["rows"], said["columns"], said["unread"]) == (rows, COLUMNS + 1, 0)
    each_second = WRITTEN / found["lines"]["seconds"]
    print(
        f"of lines as servers write them {WRITTEN:,} were read and checked, {each_second:,.0f} a s"
    )
    print(
        f"{ROWS:,} rows of {COLUMNS} columns: {faster:.0f} times as fast as Evidently's default; "
        f"limit: {FASTER} times, {LIMIT_GIGABYTES:g} GB: {'met' if met else 'passed'}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
