"""CPU time and memory of validating 10 million rows, against reading them and the first hash.

It measures this repository's machinery in its own environment, each case in a process of its own:
CPU time, the best of three, in turns with reading, so that a busy machine changes little; the most
memory that it held.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support import machinery_python

ROWS = 10_000_000
LIMIT_RATIO = 4.0
LIMIT_GIGABYTES = 1.5
TIMES = 3

CASE = """
import datetime, json, math, resource, sys, time
from pathlib import Path
import numpy as np
import pandera.polars as pa
import polars as pl
from mlops.data.fingerprint import fingerprint
from mlops.data.fingerprint_v1 import fingerprint_v1
from mlops.steps.validate import Rules, validate_folder

class Sales(pa.DataFrameModel):
    customer: str = pa.Field(str_length={"min_value": 1})
    day: pl.Date = pa.Field()
    amount: float = pa.Field(ge=0, lt=math.inf)

def write(folder, rows):
    chance = np.random.default_rng(1)
    start = pl.lit(datetime.date(2024, 1, 1))
    frame = pl.DataFrame({"n": chance.integers(0, rows // 10, rows)}).select(
        customer=pl.format("C{}", pl.col("n").cast(pl.String).str.zfill(7)),
        day=start + pl.duration(days=pl.Series(chance.integers(0, 730, rows))),
        amount=pl.Series(np.round(chance.gamma(2, 40, rows), 2)),
    ).with_columns(pl.col("day").cast(pl.Date))
    for kind in ("parquet", "csv"):
        (folder / kind).mkdir()
    frame.write_parquet(folder / "parquet" / "sales.parquet")
    frame.write_csv(folder / "csv" / "sales.csv")

def read(folder):
    path = next(folder.iterdir())
    csv = path.suffix == ".csv"
    return pl.read_csv(path, infer_schema=False) if csv else pl.read_parquet(path)

def validate(folder):
    rules = Rules(datetime.date(2026, 1, 1), "customer", "day", 30, ())
    report, _ = validate_folder(folder, Sales, rules)
    assert report.passed

what, folder, times = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
if what == "write":
    write(folder, times)
    sys.exit()
hashes = {"hash": fingerprint, "first hash": fingerprint_v1}
if what in hashes:
    frame = read(folder)
    do = lambda: hashes[what](frame)
else:
    do = lambda: {"read": read, "validate": validate}[what](folder)
def timed(do):
    start = time.process_time()
    do()
    return time.process_time() - start

seconds, floors = zip(*[(timed(do), timed(lambda: read(folder))) for _ in range(times)])
units = 1e9 if sys.platform == "darwin" else 1e6
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units
print(json.dumps({"seconds": min(seconds), "floor": min(floors), "gigabytes": peak}))
"""


def measure(what: str, folder: Path, times: int = TIMES) -> dict[str, float]:
    """Return the CPU seconds and the peak memory of one case."""
    command = [machinery_python(), "-c", CASE, what, folder, times]
    done = subprocess.run([str(each) for each in command], check=True, stdout=subprocess.PIPE)
    said = done.stdout.decode()
    return dict(json.loads(said[said.index("{") :])) if said else {}


def main() -> int:
    """Measure, print a table, and compare with the limits."""
    met = True
    with tempfile.TemporaryDirectory() as name:
        measure("write", Path(name), ROWS)
        for kind in ("parquet", "csv"):
            folder = Path(name) / kind
            for what in ("read", "hash", "first hash", "validate"):
                found = measure(what, folder, 1 if what == "first hash" else TIMES)
                ratio = found["seconds"] / found["floor"]
                print(
                    f"{kind:8} {what:11} {found['seconds']:6.2f} s  {ratio:5.1f} x read"
                    f"  {found['gigabytes']:5.2f} GB"
                )
            met &= ratio <= LIMIT_RATIO and found["gigabytes"] <= LIMIT_GIGABYTES
    limits = f"{LIMIT_RATIO:g} x reading, {LIMIT_GIGABYTES:g} GB"
    print(f"limit of validating {ROWS:,} rows: {limits}: {'met' if met else 'passed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
