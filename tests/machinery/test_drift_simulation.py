"""The check for drift keeps its promise, by simulation: unchanged data hardly ever drift.

Each check has a baseline and a window of its own, both finite samples of one population. A rate is
judged by the exact one-sided lower bound of 99 % (Clopper and Pearson): that is below `alpha`
unless the true rate is above it.
"""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support import MACHINERY, machinery_python
from tools.worktree import ROOT

pytestmark = pytest.mark.slow

ALPHA, SURE = 0.01, 0.01
SEEDS = 200
SIZES = (20, 50, 500, 5_000, 50_000)
COLUMNS = (5, 30)
EXAMPLE = ROOT / "template" / "src" / "{% if example == 'rfm' %}{{package_name}}{% endif %}"
MOVED = {"recency", "frequency", "average_gap"}
"""What the sample's drift moves by one and a half times a limit or more."""
HARDLY = "monetary"
"""Customers buy for more and less often: what they spend moves by 0.12 standard deviations, which
is just beyond the limit. Since when somebody is a customer stays as it was."""


@cache
def simulated(*arguments: object) -> Any:
    """Return what a simulation printed."""
    script = Path(__file__).with_name("drift") / "simulate.py"
    done = subprocess.run(
        [machinery_python(), script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(MACHINERY / "tests"), "POLARS_MAX_THREADS": "1"},
        check=True,
        stdout=subprocess.PIPE,
        timeout=3600,
    )
    return json.loads(done.stdout)


def lower_bound(alarms: int, checks: int) -> float:
    """Return the least true rate at which so many alarms come in more than 1 % of all series."""
    low, high = 0.0, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        if at_least(alarms, checks, rate) > SURE:
            high = rate
        else:
            low = rate
    return low if alarms else 0.0


def at_least(alarms: int, checks: int, rate: float) -> float:
    """Return the chance of at least so many alarms."""
    fewer, term = 0.0, (1 - rate) ** checks
    for k in range(alarms):
        fewer += term
        term *= (checks - k) / (k + 1) * rate / max(1 - rate, 1e-300)
    return 1 - fewer


@pytest.mark.parametrize(
    ("alarms", "checks", "bound"), [(0, 200, 0.0), (6, 200, 0.00895), (7, 200, 0.01164)]
)
def test_the_bound_is_that_of_clopper_and_pearson(alarms: int, checks: int, bound: float) -> None:
    assert lower_bound(alarms, checks) == pytest.approx(bound, abs=3e-4)


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("rows", SIZES)
def test_unchanged_data_hardly_ever_drift(rows: int, columns: int) -> None:
    found = simulated("false-alarms", columns, rows, SEEDS)
    print(f"{columns} columns, {rows:,} rows: {sum(found)} alarms in {len(found)} checks")
    assert len(found) == SEEDS
    assert lower_bound(sum(found), SEEDS) <= ALPHA


def test_nor_do_they_all_in_all() -> None:
    every = [
        alarm
        for rows in SIZES
        for columns in COLUMNS
        for alarm in simulated("false-alarms", columns, rows, SEEDS)
    ]
    print(f"{sum(every)} alarms in {len(every)} checks: {100 * sum(every) / len(every):.2f} %")
    assert lower_bound(sum(every), len(every)) <= ALPHA


@pytest.mark.parametrize("rows", [50, 500, 50_000])
def test_nor_do_they_beside_a_baseline_of_quantiles_alone(rows: int) -> None:
    """As versions have it that were registered before."""
    found = simulated("false-alarms", 12, rows, 100, "old")
    print(f"old baseline, {rows:,} rows: {sum(found)} alarms in {len(found)} checks")
    assert lower_bound(sum(found), len(found)) <= ALPHA


@pytest.mark.parametrize(("rows", "least"), [(500, 0.0), (2000, 0.95)])
def test_the_sample_that_drifts_is_found_and_what_moved_is_named(rows: int, least: float) -> None:
    found = simulated("power", EXAMPLE, rows, 60)
    shares = {name: count / found["seeds"] for name, count in found["named"].items()}
    print(f"{rows:,} rows: found in {found['found'] / found['seeds']:.0%}, named: {shares}")
    assert found["found"] / found["seeds"] >= least
    stray = {name: n for name, n in found["named"].items() if name not in {*MOVED, HARDLY}}
    assert lower_bound(sum(stray.values()), found["seeds"]) <= ALPHA
    if least:
        assert all(shares.get(name, 0) >= least for name in MOVED)
