"""Memory and time of scoring 10 million transactions of a million keys, killed and resumed.

It measures this repository's machinery in its own environment, each run in a process of its own,
with the features of the example and 150 boosted trees. The resumed run must give what an
undisturbed one gives, but for the times.
"""

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support import machinery_python
from tools.worktree import ROOT

ROWS = 10_000_000
KEYS = 1_000_000
LIMIT_GIGABYTES = 2.0
EXAMPLE = ROOT / "template" / "src" / "{% if example == 'rfm' %}{{package_name}}{% endif %}"

CASE = """
import datetime, json, os, resource, shutil, signal, sys, time
from pathlib import Path
import numpy as np
import polars as pl

what = sys.argv[1]
folder, example = map(Path, sys.argv[2:4])
rows, keys = map(int, sys.argv[4:])
project, data = folder / "project", folder / "data"
sys.path.insert(0, str(folder))
day = datetime.date(2026, 1, 1)
now = lambda: datetime.datetime.now(datetime.UTC)

def write():
    package = folder / "bench_case"
    package.mkdir()
    for name in ("__init__", "contract", "features"):
        shutil.copyfile(example / f"{name}.py", package / f"{name}.py")
    (project / "conf").mkdir(parents=True)
    facts = dict(name="bench", package="bench_case", title="Bench", description="It is measured.",
                 team="Bench", contact="bench@example.com")
    lines = [f"{name} = {json.dumps(value)}" for name, value in facts.items()]
    text = chr(10).join(["[tool.mlops]", *lines, "maturity_level = 1", ""])
    (project / "pyproject.toml").write_text(text)
    (project / "conf" / "dev.yaml").write_text("")
    chance = np.random.default_rng(1)
    data.mkdir()
    each = np.concatenate([np.arange(keys), chance.integers(0, keys, rows - keys)])
    start, days = pl.lit(datetime.date(2024, 1, 1)), pl.Series(chance.integers(0, 730, rows))
    pl.DataFrame({"n": each}).select(
        customer_id=pl.format("C{}", pl.col("n").cast(pl.String).str.zfill(7)),
        order_date=start + pl.duration(days=days),
        amount=pl.Series(np.round(chance.gamma(2, 40, rows), 2)),
    ).with_columns(pl.col("order_date").cast(pl.Date)).write_parquet(data / "sales.parquet")
    version()

def version():
    from sklearn.ensemble import HistGradientBoostingClassifier
    from mlops.artifacts.documents import LINEAGE, SIGNATURE
    from mlops.files import file_hashes
    from mlops.steps.fit import fit_model
    from mlops.steps.onnx_model import convert
    chance = np.random.default_rng(2)
    inputs = chance.gamma(2, [60, 5, 200, 150, 40], (20_000, 5)).astype(np.float32)
    labels = (inputs[:, 0] < 100 + 20 * chance.normal(size=len(inputs))).astype(int)
    model = fit_model(HistGradientBoostingClassifier(max_iter=150, random_state=0), inputs, labels)
    place = folder / "version"
    place.mkdir()
    (place / "model.onnx").write_bytes(convert(model, 5))
    names = ["recency", "frequency", "monetary", "tenure", "average_gap"]
    number = dict(kind="number", nullable=True, optional=False, example=1.0)
    features = [dict(name=name, **number) for name in names]
    told = dict(model_name="bench", model_version=1, decision_threshold=0.5, features=features)
    SIGNATURE.write(place, told)
    model = dict(name="bench", version=1)
    LINEAGE.write(place, dict(model=model, git=dict(commit="0"), files=file_hashes(place)))

def score(name, dies_after=0):
    from mlops.data.source import Located
    from mlops.scoring import job, parts
    from mlops.scoring.raw_data import AsOf
    from mlops.settings.loading import load_settings
    from mlops.settings.project import find_project
    usual, seen = parts.append_line, []
    def counted(path, line):
        usual(path, line)
        seen.append(line)
        if len(seen) == dies_after:
            os.kill(os.getpid(), signal.SIGKILL)
    parts.append_line = counted
    settings = load_settings(find_project(project), variables={})
    events = folder / f"events-{name}"
    request = job.Request(
        Located(data, "folder", "data"), folder / "version", folder / name,
        AsOf(day, day, False), events=events,
    )
    start = time.monotonic()
    scored = job.score(request, settings, lambda line: None, now)
    seconds, cpu = time.monotonic() - start, time.process_time()
    units = 1e9 if sys.platform == "darwin" else 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units
    found = dict(gigabytes=peak, seconds=seconds, cpu=cpu, rows=scored.rows, kept=scored.kept)
    print(json.dumps(found))

def compare():
    def read(name, time):
        paths = sorted((folder / name).glob("part-*.parquet"))
        return pl.concat([pl.read_parquet(path).drop(time) for path in paths])
    whole, resumed = read("whole", "scored_at"), read("resumed", "scored_at")
    events, others = read("events-resumed", "time"), read("events-whole", "time")
    print(json.dumps({
        "rows": resumed.height,
        "equal": resumed.equals(whole),
        "events equal": events.equals(others),
        "keys once": resumed["customer_id"].is_unique().all(),
        "events once": events["inference_id"].is_unique().all(),
    }))

if what == "write":
    write()
elif what == "compare":
    compare()
elif what == "killed":
    score("resumed", dies_after=5)
else:
    score(what)
"""


def run(what: str, folder: Path, *, dies: bool = False) -> dict[str, float]:
    """Run one case in a process of its own; return what it measured."""
    command = [machinery_python(), "-c", CASE, what, folder, EXAMPLE, ROWS, KEYS]
    done = subprocess.run([str(each) for each in command], check=not dies, stdout=subprocess.PIPE)
    if dies and done.returncode != -signal.SIGKILL:
        raise RuntimeError(f"{what} ended with {done.returncode} and was to be killed")
    said = "" if dies else done.stdout.decode()
    return dict(json.loads(said[said.index("{") :])) if said else {}


def main() -> int:
    """Measure, print a table, and compare with the limit and the undisturbed run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run("write", folder)
        met = True
        for what in ("whole", "killed", "resumed"):
            found = run(what, folder, dies=what == "killed")
            if found:
                met &= found["gigabytes"] <= LIMIT_GIGABYTES
                print(
                    f"{what:8} {found['rows']:,} keys, {found['kept']} files made before  "
                    f"{found['seconds']:6.1f} s  {found['cpu']:6.1f} s CPU  "
                    f"{found['gigabytes']:5.2f} GB",
                    flush=True,
                )
        compared = run("compare", folder)
    print(", ".join(f"{what}: {found}" for what, found in compared.items()))
    met &= all(compared.values()) and compared["rows"] == KEYS
    limit = f"{ROWS:,} transactions of {KEYS:,} keys within {LIMIT_GIGABYTES:g} GB"
    print(f"limit: {limit}, resumed as if undisturbed: {'met' if met else 'passed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
