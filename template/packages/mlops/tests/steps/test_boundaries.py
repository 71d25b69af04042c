"""Each comparison of the steps, exactly at its limit and one step beyond it."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import ibis
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

from fakes.project import TODAY
from fakes.tiny_use_case.labels import WINDOW_DAYS
from mlops.data.findings import ROWS_SHOWN, Finding, Row
from mlops.errors import Refused
from mlops.settings.loading import LoadedSettings
from mlops.steps import prepare, validate
from mlops.steps.parity import Parity, require_parity

Load = Callable[..., LoadedSettings]


def readings(*ages: int) -> pl.DataFrame:
    """One machine a reading, each so many days before the reference date."""
    return pl.DataFrame(
        {
            "machine": [f"m{number}" for number in range(len(ages))],
            "day": [TODAY - timedelta(days=age) for age in ages],
            "reading": [float(number) for number in range(len(ages))],
        }
    )


def checks(data: pl.DataFrame, folder: Path, settings: LoadedSettings) -> list[str]:
    raw = folder / "raw"
    raw.mkdir()
    data.write_parquet(raw / "data.parquet")
    report = validate.run(raw, folder / "out", settings)
    return [finding.check for finding in report.failures]


@pytest.mark.parametrize(("age", "found"), [(30, []), (31, ["freshness"])])
def test_the_newest_row_may_be_this_old(
    tmp_path: Path, load: Load, age: int, found: list[str]
) -> None:
    assert checks(readings(age + 5, age), tmp_path, load(data__max_age_days=30)) == found


def test_with_no_day_allowed_the_newest_row_is_of_today(tmp_path: Path, load: Load) -> None:
    assert checks(readings(3, 0), tmp_path, load(data__max_age_days=0)) == []


@pytest.mark.parametrize(("age", "found"), [(0, []), (-1, ["future"])])
def test_a_row_may_be_of_the_reference_date_and_no_later(
    tmp_path: Path, settings: LoadedSettings, age: int, found: list[str]
) -> None:
    assert checks(readings(1, age), tmp_path, settings) == found


@pytest.mark.parametrize(("days", "known"), [(0, 2), (1, 1)], ids=["at the cutoff", "after it"])
def test_features_see_the_day_of_the_cutoff_and_no_later_one(
    settings: LoadedSettings, days: int, known: int
) -> None:
    cutoff = TODAY - timedelta(days=WINDOW_DAYS)
    data = pl.DataFrame(
        {
            "machine": ["m", "m"],
            "day": [cutoff - timedelta(days=3), cutoff + timedelta(days=days)],
            "reading": [1.0, 2.0],
        }
    )
    table = prepare.build_table(ibis.memtable(data), settings.use_case, cutoff, TODAY)
    assert table["count"].to_list() == [known]


@pytest.mark.parametrize(
    ("gap", "refused"), [(2.0**-10, False), (math.nextafter(2.0**-10, 1), True)]
)
def test_the_difference_that_onnx_may_have(gap: float, refused: bool) -> None:
    found = Parity(gap, "the holdout", 9, 0, 0.0, (), 0.1)

    def require(parity: Parity) -> None:
        require_parity(parity, LogisticRegression(), tolerance=2.0**-10, max_load=0.1)

    if refused:
        with pytest.raises(Refused, match=r"gate\.parity_tolerance"):
            require(found)
        with pytest.raises(Refused, match="one row alone"):
            require(replace(found, gap=0.0, single_gap=gap))
    else:
        require(found)


def test_the_time_that_loading_may_take() -> None:
    found = Parity(0.0, "the holdout", 9, 0, 0.0, (), 10.0)
    require_parity(found, LogisticRegression(), tolerance=1e-4, max_load=10.0)
    with pytest.raises(Refused, match=r"takes 10\.0 s to load.*gate\.max_load_seconds allows 9\.9"):
        require_parity(found, LogisticRegression(), tolerance=1e-4, max_load=9.9)


@pytest.mark.parametrize(
    ("count", "stored", "end"),
    [
        (ROWS_SHOWN, ROWS_SHOWN, ")"),
        (ROWS_SHOWN + 1, ROWS_SHOWN + 1, " and 1 more"),
        (ROWS_SHOWN + 1, ROWS_SHOWN, " and 1 more"),
        (3, 2, " and 1 more"),
    ],
)
def test_a_sentence_shows_so_many_rows_and_counts_the_others(
    count: int, stored: int, end: str
) -> None:
    rows = tuple(Row("a.csv", number, "77") for number in range(1, stored + 1))
    sentence = Finding("isin", "must be 1", "a.csv", "x", count, rows).sentence()
    assert sentence.endswith(end)
    assert sentence.count("row ") == min(stored, ROWS_SHOWN)
