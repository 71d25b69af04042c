"""Callers ask about what sample.py makes, as of today, and know what will come true."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from fakes.project import TODAY
from fakes.tiny_use_case.labels import WINDOW_DAYS
from mlops.settings.loading import LoadedSettings
from mlops.simulation import callers
from mlops.simulation.callers import label_days, people
from mlops.usecase.use_case import LABEL

SEED = 3


@pytest.fixture
def today(settings: LoadedSettings) -> LoadedSettings:
    noon = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
    return replace(settings, clock=lambda: noon)


def test_a_label_is_complete_when_labels_py_says_so(settings: LoadedSettings) -> None:
    assert label_days(settings.use_case, settings.values.params, TODAY) == WINDOW_DAYS


def test_the_same_seed_asks_the_same(today: LoadedSettings) -> None:
    first = people(today, {}, SEED, 0.0)
    assert 0 < len(first) <= callers.REQUESTS * callers.ROWS
    assert people(today, {}, SEED, 0.0) == first
    assert people(today, {}, SEED + 1, 0.0) != first


def test_everybody_has_a_key_and_a_label(today: LoadedSettings) -> None:
    found = people(today, {}, SEED, 0.0)
    assert len({each.key for each in found}) == len(found)
    assert {each.label for each in found} == {0, 1}


def test_of_a_split_in_time_the_newest_do_not_ask(load: Callable[..., LoadedSettings]) -> None:
    table = pl.DataFrame(
        {
            "machine": [f"m{number}" for number in range(100)],
            "seen": [date(2024, 1, 1) + timedelta(days=number) for number in range(100)],
            LABEL: [0, 1] * 50,
        }
    )
    by_key, by_time = load(), load(split__by="time", split__date="seen")
    assert callers._alike(table, by_key).height == 100
    asked = callers._alike(table, by_time)
    assert asked["seen"].max() == date(2024, 1, 1) + timedelta(days=74)
