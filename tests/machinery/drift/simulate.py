"""Checks of made-up data, in the machinery's own environment; prints what they found as JSON.

simulate.py false-alarms COLUMNS ROWS SEEDS [old]
simulate.py power EXAMPLE ROWS SEEDS
"""

import json
import shutil
import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from fakes.drift_data import Population
from fakes.drift_simulation import false_alarms, judged_tables

DAY = date(2026, 6, 30)
TRAINING = 5000


def alarms(columns: str, rows: str, seeds: str, *age: str) -> list[bool]:
    """Return for each seed whether unchanged data drift."""
    old = age == ("old",)
    return false_alarms(Population(int(columns)), int(rows), range(int(seeds)), old=old)


def power(example: str, rows: str, seeds: str) -> dict[str, Any]:
    """Return how often the drifted sample is found, and how often each column is named."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "drift_example"
        shutil.copytree(example, package)
        sys.path.insert(0, folder)
        found, named = 0, Counter[str]()
        for seed in range(int(seeds)):
            train, window = (
                features(size, number, drift)
                for size, number, drift in (
                    (TRAINING, 2 * seed, 0.0),
                    (int(rows), 2 * seed + 1, 0.5),
                )
            )
            moved = [each.column for each in judged_tables(train, window) if each.outcome != "ok"]
            found += bool(moved)
            named.update(moved)
        return {"found": found, "named": named, "seeds": int(seeds)}


def features(size: int, seed: int, drift: float) -> Any:
    """Return the example's features of its own sample, without the key."""
    import ibis
    from drift_example.features import build_features  # type: ignore[import-not-found]
    from drift_example.sample import make_sample  # type: ignore[import-not-found]

    raw = make_sample(size, seed, drift, DAY)
    table = build_features(ibis.memtable(raw.to_arrow()), DAY).to_polars()
    return table.sort("customer_id").drop("customer_id")


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    found: Any = alarms(*arguments) if what == "false-alarms" else power(*arguments)
    print(json.dumps(found))
