"""Labels that labels.py makes of raw data, for the days on which was predicted."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import ibis
import polars as pl
import pytest

from fakes.labelled_events import TARGETS
from fakes.project import TODAY
from fakes.tiny_use_case import labels as labels_module
from fakes.tiny_use_case.labels import ALARM, WINDOW_DAYS
from mlops.errors import ConfigError, MlopsError, Refused
from mlops.monitoring import raw_labels
from mlops.monitoring.labels import By, Labels
from mlops.monitoring.raw_labels import labels_of_raw_data, reference_of
from mlops.settings.loading import LoadedSettings
from mlops.tasks import Task

PREDICTED = TODAY - timedelta(days=WINDOW_DAYS)
"""The last day whose labels the data hold."""
Load = Callable[..., LoadedSettings]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Machine m1 raises an alarm five days before the data end, m2 never does."""
    rows = [
        ("m1", TODAY - timedelta(days=30), 1.0),
        ("m2", TODAY - timedelta(days=30), 1.0),
        ("m1", TODAY - timedelta(days=5), ALARM),
        ("m2", TODAY, 2.0),
    ]
    raw = tmp_path / "raw"
    raw.mkdir()
    schema = {"machine": pl.String, "day": pl.Date, "reading": pl.Float64}
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(raw / "data.parquet")
    return raw


def labels(
    folder: Path, settings: LoadedSettings, *asked: tuple[str, date], task: Task = Task.BINARY
) -> Labels:
    schema = {"key": pl.String, "day": pl.Date}
    keys = pl.DataFrame(list(asked), schema=schema, orient="row")
    return labels_of_raw_data(folder, keys, TARGETS[task], settings)


def told(found: Labels) -> dict[tuple[str, date], float]:
    return {(key, day): label for key, day, label, _ in found.rows.iter_rows()}


def test_a_label_looks_at_what_came_after_the_day_of_the_prediction(
    folder: Path, settings: LoadedSettings
) -> None:
    earlier = PREDICTED - timedelta(days=10)
    asked = [(key, day) for key in ("m1", "m2") for day in (PREDICTED, earlier)]
    found = labels(folder, settings, *asked)
    assert found.by is By.KEY
    assert told(found) == {
        ("m1", PREDICTED): 1.0,
        ("m2", PREDICTED): 0.0,
        ("m1", earlier): 0.0,  # the alarm came later than the window of this label
        ("m2", earlier): 0.0,
    }


def test_labels_of_keys_that_nobody_asked_about_are_counted(
    folder: Path, settings: LoadedSettings
) -> None:
    found = labels(folder, settings, ("m1", PREDICTED), ("m9", PREDICTED))
    assert told(found) == {("m1", PREDICTED): 1.0}
    assert (found.count, found.unknown) == (2, 1)


def test_a_day_whose_labels_are_not_complete_has_none(
    folder: Path, settings: LoadedSettings
) -> None:
    """A label of 0 would only mean that nothing is known yet."""
    later = PREDICTED + timedelta(days=1)
    found = labels(folder, settings, ("m1", PREDICTED), ("m1", later), ("m2", later))
    assert set(told(found)) == {("m1", PREDICTED)}
    assert found.notes == (
        f"the data end on {TODAY}: labels of {later} are not complete and left out",
    )


def test_there_is_no_label_where_nothing_was_predicted(
    folder: Path, settings: LoadedSettings
) -> None:
    found = labels(folder, settings)
    assert (found.rows.height, found.count) == (0, 0)


def test_labels_py_runs_for_so_many_days_at_most(
    folder: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_labels, "MOST_DAYS", 3)
    asked = [("m1", PREDICTED - timedelta(days=n)) for n in range(4)]
    assert labels(folder, settings, *asked[:3]).rows.height == 3
    with pytest.raises(ConfigError, match="predictions of 4 days") as error:
        labels(folder, settings, *asked)
    assert "--since 2d" in error.value.remedy, "from noon on two days touch three"


def test_labels_of_another_task_are_left_out(folder: Path, settings: LoadedSettings) -> None:
    found = labels(folder, settings, ("m1", PREDICTED), task=Task.MULTICLASS)
    assert found.rows.is_empty()
    assert found.left_out == {
        "a class that the version lacks: 0": 1,
        "a class that the version lacks: 1": 1,
    }


def test_data_that_break_the_contract_are_refused(folder: Path, settings: LoadedSettings) -> None:
    pl.DataFrame({"machine": ["m1"]}).write_parquet(folder / "other.parquet")
    with pytest.raises(Refused, match=r"other\.parquet"):
        labels(folder, settings, ("m1", PREDICTED))


def test_labels_py_without_a_label_is_named(
    folder: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(readings: ibis.Table, _cutoff: date, _reference: date) -> ibis.Table:
        return readings.select("machine")

    monkeypatch.setattr(labels_module, "build_labels", nothing)
    with pytest.raises(ConfigError, match=r"labels\.py returned no column label"):
        labels(folder, settings, ("m1", PREDICTED))


def test_an_error_of_labels_py_quotes_no_hidden_data(
    folder: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_readings: ibis.Table, _cutoff: date, _reference: date) -> ibis.Table:
        raise ValueError("machine m1")

    monkeypatch.setattr(labels_module, "build_labels", failing)
    with pytest.raises(MlopsError) as error:
        labels(folder, load(data__show_values=False), ("m1", PREDICTED))
    assert "m1" not in str(error.value)


def test_a_day_that_is_nobody_s_cutoff_has_no_label(
    folder: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first_of_month(reference: date, _params: Any) -> date:
        return reference.replace(day=1)

    monkeypatch.setattr(labels_module, "label_cutoff", first_of_month)
    use_case = settings.use_case
    assert reference_of(date(2024, 6, 1), use_case, None) == date(2024, 6, 1)
    assert reference_of(date(2024, 6, 2), use_case, None) is None
    found = labels(folder, settings, ("m1", date(2024, 6, 2)), ("m1", date(2024, 6, 1)))
    assert set(told(found)) == {("m1", date(2024, 6, 1))}
    assert found.notes == ("label_cutoff has no reference date for 2024-06-02",)
