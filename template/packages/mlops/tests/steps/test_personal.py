"""No finding, and no error of the team's code, tells a value of a column declared personal."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import ibis
import polars as pl
import pytest

from fakes.marked_data import BAD, HEADER, ROW, Bad, good, write_personal_project
from fakes.marks import NUMBER, TEXT, marks_in
from fakes.personal_use_case import contract, features, slices
from fakes.project import TODAY
from mlops.artifacts.documents import VALIDATION_RESULTS
from mlops.data import reader
from mlops.data.findings import ValidationReport
from mlops.errors import ConfigError, MlopsError
from mlops.settings.loading import LoadedSettings
from mlops.settings.project import Project
from mlops.steps import prepare, validate

Load = Callable[..., LoadedSettings]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return write_personal_project(tmp_path / "project")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "raw"
    path.mkdir()
    return path


def checked(folder: Path, settings: LoadedSettings) -> tuple[ValidationReport, str]:
    """Return the report, and all that is said of it: in memory, in messages, in the results."""
    report = validate.run(folder, folder.parent / "out", settings)
    found = [*report.failures, *report.warnings]
    written = (folder.parent / "out" / VALIDATION_RESULTS.name).read_text(encoding="utf-8")
    return report, "\n".join([repr(report), written, *(each.sentence() for each in found)])


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: str(bad.name))
def test_bad_data_are_refused_without_a_personal_value(
    bad: Bad, folder: Path, settings: LoadedSettings
) -> None:
    (folder / bad.name).write_bytes(bad.content)
    report, said = checked(folder, settings)
    assert {each.check for each in report.failures} >= set(bad.checks)
    assert marks_in(said) == []


def test_a_finding_says_where_and_how_often(folder: Path, settings: LoadedSettings) -> None:
    lines = [",".join(ROW).replace(TEXT, f"{TEXT}{row}") for row in range(3)]
    without = ",".join(ROW).replace("@", " at ")
    (folder / "data.csv").write_text("\n".join([HEADER, *lines, without, without]))
    report, _ = checked(folder, settings)
    assert [each.sentence() for each in report.failures] == [
        "data.csv: column email: str contains '@': row 4 (personal), row 5 (personal)"
    ]


def test_other_columns_are_quoted_as_ever(folder: Path, settings: LoadedSettings) -> None:
    good().with_columns(reading=pl.lit(-4.5)).head(1).write_parquet(folder / "data.parquet")
    report, _ = checked(folder, settings)
    assert [each.sentence() for each in report.failures] == [
        "data.parquet: column reading: must be at least 0: row 1 (-4.5)"
    ]


@pytest.mark.parametrize("key", [[], ["email"], ["machine", "email", "salary"]])
def test_repeated_rows_are_told_by_their_other_columns(
    key: list[str], folder: Path, load: Load
) -> None:
    row = good(3).filter(pl.col("salary") == NUMBER).head(1)
    pl.concat([row, row]).write_parquet(folder / "data.parquet")
    report, said = checked(folder, load(data__unique_key=key))
    (found,) = report.failures or report.warnings
    machine = [row["machine"].item()] if "email" not in key[:1] else []
    assert found.rows[0].value.split(", ")[: len(machine)] == machine
    assert found.rows[0].value.count("personal") == (len(set(key) & {"email", "salary"}) or 5)
    assert marks_in(said) == []


def test_the_rows_of_a_table_called_like_a_column_are_hidden(
    folder: Path, settings: LoadedSettings
) -> None:
    """For pandera the table is called `reading` here, as one of its columns is."""
    row = good(3).filter(pl.col("salary") == NUMBER).head(1)
    row.with_columns(salary=pl.lit(1.0)).write_parquet(folder / "data.parquet")
    report, said = checked(folder, settings)
    (found,) = report.failures
    assert (found.check, found.column, found.rows[0].value) == ("earns_enough", None, "personal")
    assert marks_in(said) == []


def prepared(folder: Path, settings: LoadedSettings) -> None:
    good().write_parquet(folder / "data.parquet")
    report, _ = checked(folder, settings)
    assert report.passed
    prepare.run(folder.parent / "out", folder.parent / "prepared", settings)


def test_features_are_made_of_personal_columns(folder: Path, settings: LoadedSettings) -> None:
    prepared(folder, settings)
    written = json.loads((folder.parent / "prepared" / "prepared.json").read_text())
    assert "earns_well" in [each["name"] for each in written["features"]]


def _casts(readings: ibis.Table) -> ibis.Table:
    return readings.group_by("machine").aggregate(total=readings.email.cast("float64").sum())


def _reads(readings: ibis.Table) -> ibis.Table:
    raise KeyError(readings.limit(1).to_polars()["email"][0])


def _chains(readings: ibis.Table) -> ibis.Table:
    try:
        return _reads(readings)
    except KeyError as error:
        raise RuntimeError("this cannot be") from error


def _opens(readings: ibis.Table) -> ibis.Table:
    return Path(readings.limit(1).to_polars()["email"][0]).read_text()


@pytest.mark.parametrize(
    ("fails", "kind"),
    [
        (_casts, "ConversionException"),
        (_reads, "KeyError"),
        (_chains, "RuntimeError"),
        (_opens, "FileNotFoundError"),
    ],
)
@pytest.mark.parametrize("function", ["build_features", "build_labels"])
def test_code_that_fails_on_a_personal_value_does_not_tell_it(
    fails: Callable[[ibis.Table], ibis.Table],
    kind: str,
    function: str,
    folder: Path,
    settings: LoadedSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = function.replace("build_", "fakes.personal_use_case.")
    label = "label" if function == "build_labels" else "total"

    def fail(readings: ibis.Table, *_days: date) -> ibis.Table:
        return fails(readings).rename({label: "total"})

    monkeypatch.setattr(f"{module}.{function}", fail)
    with pytest.raises(MlopsError) as failure:
        prepared(folder, settings)
    assert f"features.py or labels.py failed with {kind}" in str(failure.value)
    assert marks_in(str(failure.getrepr(style="long", funcargs=True))) == []


def test_without_the_data_an_error_is_told_in_its_own_words(
    folder: Path, settings: LoadedSettings, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project that declares nothing personal reads what the library says."""
    schema = _nothing_personal()
    monkeypatch.setattr(contract.Readings, "to_schema", lambda: schema)
    monkeypatch.setattr(features, "build_features", lambda table, _day: _casts(table))
    with pytest.raises(Exception, match=TEXT):
        prepared(folder, settings)
    with pytest.raises(
        MlopsError, match=r"data\.show_values: true|where data\.show_values"
    ) as told:
        prepared(folder, load(data__show_values=False))
    assert marks_in(str(told.value)) == []


def _nothing_personal() -> Any:
    schema = deepcopy(contract.Readings.to_schema())
    for column in schema.columns.values():
        column.metadata = None
    schema.columns["born"].metadata = {"days": (date(1850, 1, 1), date(2200, 1, 1))}
    return schema


@pytest.mark.parametrize("name", ["email", "EMAIL"])
def test_a_feature_with_the_name_of_a_personal_column_is_refused(
    name: str, folder: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(readings: ibis.Table, _day: date) -> ibis.Table:
        return readings.group_by("machine").aggregate(**{name: readings.email.max()})

    monkeypatch.setattr(features, "build_features", build)
    with pytest.raises(ConfigError, match=rf"features\.py: the feature {name} has the name of a"):
        prepared(folder, settings)


def test_a_slice_with_the_name_of_a_personal_column_is_refused(
    folder: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICES", {"salary": pl.col("highest")})
    with pytest.raises(ConfigError, match=r"slices\.py: the slice salary has the name of a"):
        prepared(folder, settings)


@pytest.mark.parametrize("column", ["KEY", "DATE_COLUMN"])
def test_key_and_date_cannot_be_declared_personal(
    column: str, folder: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the check of the data nor the step after it begins."""
    prepared(folder, settings)
    monkeypatch.setattr(contract, column, "email" if column == "KEY" else "born")
    for step in (
        lambda: checked(folder, settings),
        lambda: prepare.run(folder.parent / "out", folder.parent / "prepared", settings),
    ):
        with pytest.raises(ConfigError, match=rf"{column} \(\w+\) cannot be declared personal"):
            step()


@pytest.mark.parametrize("function", ["convert", "_open_parquet"])
def test_what_a_library_says_of_a_file_is_not_told(
    function: str, folder: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise pl.exceptions.ComputeError(f"no such value: {TEXT}")

    good().write_parquet(folder / "data.parquet")
    monkeypatch.setattr(reader, function, fail)
    report, said = checked(folder, settings)
    assert not report.passed
    assert marks_in(said) == []


def test_an_unexpected_failure_of_the_check_tells_no_value(
    folder: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise ValueError(f"cannot hash {TEXT}")

    good().write_parquet(folder / "data.parquet")
    monkeypatch.setattr(validate, "row_hashes", fail)
    with pytest.raises(MlopsError, match="the check of the data failed with ValueError, whose own"):
        checked(folder, settings)


def test_old_data_are_told_by_the_day_of_the_date_column(folder: Path, load: Load) -> None:
    late = pl.col("day") - timedelta(days=400)
    good().with_columns(late).write_parquet(folder / "data.parquet")
    report, said = checked(folder, load(data__max_age_days=30))
    assert f"its newest day is {TODAY - timedelta(days=400)}" in report.failures[0].sentence()
    assert marks_in(said) == []
