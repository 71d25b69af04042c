"""Every kind of bad data is refused with file, column and rows."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandera.polars as pa
import polars as pl
import pytest

from fakes.project import TODAY
from mlops.artifacts.documents import VALIDATION_RESULTS
from mlops.data.findings import Finding, ValidationReport
from mlops.errors import ConfigError
from mlops.settings.loading import LoadedSettings
from mlops.steps.validate import run
from mlops.usecase.use_case import UseCase

GOOD: dict[str, Any] = {
    "machine": ["a", "b", "c", "d", "e", "f", "g"],
    "day": [TODAY - timedelta(days=n) for n in range(7)],
    "reading": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
}

Load = Callable[..., LoadedSettings]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "raw"
    path.mkdir()
    return path


def validate(folder: Path, settings: LoadedSettings) -> ValidationReport:
    return run(folder, folder.parent / "out", settings)


def only(report: ValidationReport) -> Finding:
    assert not report.passed
    assert len(report.failures) == 1, [finding.sentence() for finding in report.failures]
    return report.failures[0]


def write(folder: Path, name: str = "data.parquet", **changed: Any) -> None:
    pl.DataFrame({**GOOD, **changed}).write_parquet(folder / name)


def test_good_data_pass_and_are_written_in_the_contracts_types(
    folder: Path, settings: LoadedSettings
) -> None:
    write(folder, extra=["ignored"] * 7)
    report = validate(folder, settings)
    assert report.passed
    assert report.rows == 7
    assert report.files == {"data.parquet": 7}
    data = pl.read_parquet(folder.parent / "out" / "data.parquet")
    assert data.equals(pl.DataFrame(GOOD))
    assert report.data_hash is not None
    assert report.days == ((TODAY - timedelta(days=6)).isoformat(), TODAY.isoformat())


def test_csv_and_parquet_with_the_same_rows_have_the_same_hash(
    folder: Path, settings: LoadedSettings
) -> None:
    write(folder)
    first = validate(folder, settings)
    pl.read_parquet(folder / "data.parquet").write_csv(folder / "data.csv")
    (folder / "data.parquet").unlink()
    second = validate(folder, settings)
    assert second.passed
    assert second.data_hash == first.data_hash


def test_timestamps_become_dates_and_whole_numbers_become_floats(
    folder: Path, settings: LoadedSettings
) -> None:
    frame = pl.DataFrame(GOOD).with_columns(
        pl.col("day").cast(pl.Datetime("us")), pl.col("reading").cast(pl.Int32)
    )
    frame.write_parquet(folder / "data.parquet")
    assert validate(folder, settings).passed
    data = pl.read_parquet(folder.parent / "out" / "data.parquet")
    assert data.equals(pl.DataFrame(GOOD))


def test_missing_column(folder: Path, settings: LoadedSettings) -> None:
    pl.DataFrame(GOOD).drop("reading").write_parquet(folder / "data.parquet")
    finding = only(validate(folder, settings))
    assert finding.sentence() == (
        "data.parquet: column reading: the column is missing (have: machine, day)"
    )


def test_wrong_type_in_parquet(folder: Path, settings: LoadedSettings) -> None:
    write(folder, reading=["1", "2", "3", "4", "5", "6", "7"])
    finding = only(validate(folder, settings))
    assert finding.sentence() == (
        "data.parquet: column reading: 7 values are no Float64: "
        "row 1 (1), row 2 (2), row 3 (3), row 4 (4), row 5 (5) and 2 more"
    )


def test_wrong_type_in_csv_names_the_cells(folder: Path, settings: LoadedSettings) -> None:
    (folder / "data.csv").write_text(
        f"machine,day,reading\na,{TODAY},1\nb,31.05.2024,2\nc,{TODAY},many\n"
    )
    report = validate(folder, settings)
    assert [finding.sentence() for finding in report.failures] == [
        "data.csv: column day: 1 value is no date: row 2 (31.05.2024)",
        "data.csv: column reading: 1 value is no Float64: row 3 (many)",
    ]


def test_all_that_is_wrong_with_a_column_is_told_in_one_round(
    folder: Path, settings: LoadedSettings
) -> None:
    late = TODAY + timedelta(days=1)
    (folder / "data.csv").write_text(
        f"machine,day,reading\n,{late},-1\nb,31.05.2024,\nc,1.6.2024,many\nd,{TODAY},-2\n"
    )
    report = validate(folder, settings)
    assert sorted(finding.sentence() for finding in report.failures) == [
        "data.csv: column day: 2 values are no date: row 2 (31.05.2024), row 3 (1.6.2024)",
        f"data.csv: column day: must not be after the reference date {TODAY}: row 1 ({late})",
        "data.csv: column machine: must not be null: row 1 (null)",
        "data.csv: column reading: 1 value is no Float64: row 3 (many)",
        "data.csv: column reading: must be at least 0: row 1 (-1.0), row 4 (-2.0)",
        "data.csv: column reading: must not be null: row 2 (null)",
    ]


def test_null_key(folder: Path, settings: LoadedSettings) -> None:
    write(folder, machine=["a", None, "c", "d", "e", "f", None])
    finding = only(validate(folder, settings))
    assert finding.sentence() == (
        "data.parquet: column machine: must not be null: row 2 (null), row 7 (null)"
    )


def test_negative_amount(folder: Path, settings: LoadedSettings) -> None:
    write(folder, reading=[1.0, -2.5, 3.0, 4.0, 5.0, 6.0, 7.0])
    finding = only(validate(folder, settings))
    assert finding.sentence() == "data.parquet: column reading: must be at least 0: row 2 (-2.5)"


def test_future_date(folder: Path, settings: LoadedSettings) -> None:
    days = [*GOOD["day"][:6], TODAY + timedelta(days=1)]
    write(folder, day=days)
    finding = only(validate(folder, settings))
    assert finding.sentence() == (
        "data.parquet: column day: must not be after the reference date 2024-06-30: "
        "row 7 (2024-07-01)"
    )


def test_stale_data_unless_allowed(folder: Path, settings: LoadedSettings, load: Load) -> None:
    days = [day - timedelta(days=60) for day in GOOD["day"]]
    write(folder, day=days)
    sentence = only(validate(folder, settings)).sentence()
    assert "its newest day is 2024-05-01, 60 days before the reference date" in sentence
    assert "data.max_age_days allows 30" in sentence
    assert validate(folder, load(data__max_age_days=60)).passed
    assert validate(folder, load(data__max_age_days=None)).passed


def test_empty_file(folder: Path, settings: LoadedSettings) -> None:
    write(folder)
    (folder / "more.parquet").touch()
    finding = only(validate(folder, settings))
    assert finding.sentence() == "more.parquet: the file is empty"


def test_file_without_rows(folder: Path, settings: LoadedSettings) -> None:
    pl.DataFrame(GOOD).clear().write_parquet(folder / "data.parquet")
    assert only(validate(folder, settings)).sentence() == "data.parquet: there are no rows"


def test_a_file_without_rows_among_good_ones(folder: Path, settings: LoadedSettings) -> None:
    write(folder)
    (folder / "b.csv").write_text("machine,day,reading\n")
    assert only(validate(folder, settings)).sentence() == "b.csv: there are no rows"


def test_other_files_are_named_and_data_that_are_not_read_refused(
    folder: Path, settings: LoadedSettings, load: Load
) -> None:
    write(folder)
    (folder / "notes.txt").touch()
    report = validate(folder, settings)
    assert report.passed
    assert [found.sentence() for found in report.warnings] == ["notes.txt: this file was not read"]
    (folder / "more.tsv").touch()
    assert "more.tsv: this looks like data" in only(validate(folder, settings)).sentence()
    assert validate(folder, load(data__ignore=["*.tsv"])).passed


def test_a_check_of_several_rows_sees_all_files(
    folder: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unique(pa.DataFrameModel):
        machine: str = pa.Field(unique=True)
        day: pl.Date = pa.Field()
        reading: float

    monkeypatch.setattr(UseCase, "contract", lambda _self: Unique)
    write(folder, "a.parquet")
    pl.DataFrame(GOOD).head(1).with_columns(reading=9.0).write_parquet(folder / "b.parquet")
    found = validate(folder, settings)
    assert [finding.sentence() for finding in found.failures] == [
        "a.parquet: column machine: must not repeat: row 1 (a)",
        "b.parquet: column machine: must not repeat: row 1 (a)",
    ]


def test_an_optional_column_may_be_missing(
    folder: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class WithOptional(pa.DataFrameModel):
        machine: str
        day: pl.Date = pa.Field()
        reading: float
        note: str | None = pa.Field(nullable=True)

    monkeypatch.setattr(UseCase, "contract", lambda _self: WithOptional)
    write(folder)
    assert validate(folder, settings).passed
    data = pl.read_parquet(folder.parent / "out" / "data.parquet")
    assert data["note"].null_count() == 7


@pytest.mark.parametrize("name", ["key", "date_column"])
def test_a_key_or_date_that_is_no_column_is_an_error(
    folder: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(UseCase, name, "order_dat")
    write(folder)
    with pytest.raises(ConfigError, match=r"contract\.py: .* is 'order_dat'"):
        validate(folder, settings)


def test_a_number_that_a_float_cannot_hold_is_refused(
    folder: Path, settings: LoadedSettings
) -> None:
    write(folder, reading=[2**53 + 1, 1, 1, 1, 1, 1, 1])
    sentence = only(validate(folder, settings)).sentence()
    assert "1 value would change as Float64: row 1 (9007199254740993)" in sentence


def test_not_a_parquet_file(folder: Path, settings: LoadedSettings) -> None:
    (folder / "data.parquet").write_text("machine,day,reading\n")
    sentence = only(validate(folder, settings)).sentence()
    assert sentence.startswith("data.parquet: this is not a readable Parquet file")


def test_folder_without_data_files(folder: Path, settings: LoadedSettings) -> None:
    (folder / "notes.txt").write_text("no data")
    (folder / ".hidden.csv").write_text("machine\n")
    sentence = only(validate(folder, settings)).sentence()
    assert sentence.endswith("the folder holds no .parquet or .csv file")


def test_repeated_rows_are_a_warning_unless_a_key_is_declared(
    folder: Path, settings: LoadedSettings, load: Load
) -> None:
    write(folder, "a.parquet")
    pl.DataFrame(GOOD).head(1).write_parquet(folder / "b.parquet")
    report = validate(folder, settings)
    assert report.passed
    expected = "b.parquet: 1 repeat the whole row of an earlier row: row 1 (a, 2024-06-30, 1.0)"
    assert [finding.sentence() for finding in report.warnings] == [expected]

    pl.DataFrame(GOOD).head(1).with_columns(reading=9.0).write_parquet(folder / "b.parquet")
    assert not validate(folder, settings).warnings
    finding = only(validate(folder, load(data__unique_key=["machine", "day"])))
    assert finding.sentence() == (
        "b.parquet: column machine, day: 1 repeat the key (machine, day) of an earlier row: "
        "row 1 (a, 2024-06-30)"
    )


def test_rows_that_share_a_key_are_refused_where_rows_have_no_date(
    folder: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, machine=["a", "b", "a", "d", "e", "f", "g"])
    assert validate(folder, load()).passed
    monkeypatch.setattr(UseCase, "date_column", None)
    assert only(validate(folder, load())).sentence() == (
        "data.parquet: column machine: 1 repeat the key (machine) of an earlier row: row 3 (a)"
    )
    assert validate(folder, load(data__unique_key=[])).passed
    assert validate(folder, load(data__unique_key=["machine", "day"])).passed


def test_days_beyond_the_plausible_are_refused_unless_the_contract_declares_them(
    folder: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contract(_self: UseCase, days: Any = None) -> type[pa.DataFrameModel]:
        class Born(pa.DataFrameModel):
            machine: str
            day: pl.Date = pa.Field()
            born: pl.Date = pa.Field(metadata=days and {"days": days})

        return Born

    monkeypatch.setattr(UseCase, "contract", contract)
    born = [date(1899, 12, 31), date(1900, 1, 1), date(2200, 12, 31), date(2201, 1, 1)]
    write(folder, born=[*born, *born[1:3], date(2000, 1, 1)])
    assert only(validate(folder, settings)).sentence() == (
        "data.parquet: column born: must be from 1900-01-01 to 2200-12-31, unless contract.py "
        "declares other days: row 1 (1899-12-31), row 4 (2201-01-01)"
    )
    wider = (date(1850, 1, 1), date(2300, 1, 1))
    monkeypatch.setattr(UseCase, "contract", lambda self: contract(self, wider))
    assert validate(folder, settings).passed
    monkeypatch.setattr(UseCase, "contract", lambda self: contract(self, ("1850", "2300")))
    with pytest.raises(ConfigError, match=r"contract\.py: the column born has days="):
        validate(folder, settings)


def test_a_contract_with_a_type_that_is_not_read_is_an_error(
    folder: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lists(pa.DataFrameModel):
        machine: str
        day: pl.Date = pa.Field()
        parts: pl.List = pa.Field(dtype_kwargs={"inner": pl.Int64})

    monkeypatch.setattr(UseCase, "contract", lambda _self: Lists)
    write(folder)
    with pytest.raises(ConfigError, match=r"the column parts has the type List.*is not read"):
        validate(folder, settings)


def test_a_check_that_cannot_be_asked_of_its_column_is_no_fault_of_the_data(
    folder: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mixed(pa.DataFrameModel):
        machine: str
        day: pl.Date = pa.Field()
        reading: float = pa.Field(isin=[1, 2])

    monkeypatch.setattr(UseCase, "contract", lambda _self: Mixed)
    write(folder)
    with pytest.raises(ConfigError, match=r"contract\.py: column reading: .* one of \[1, 2\]"):
        validate(folder, settings)


def test_unknown_key_column(folder: Path, load: Load) -> None:
    write(folder)
    finding = only(validate(folder, load(data__unique_key=["order"])))
    assert "data.unique_key names order" in finding.sentence()


def test_the_results_hold_everything_and_refused_data_are_not_passed_on(
    folder: Path, settings: LoadedSettings
) -> None:
    write(
        folder,
        machine=[None] * 7,
        reading=[-1.0] * 7,
        day=[TODAY + timedelta(days=1)] * 7,
    )
    validate(folder, settings)
    out = folder.parent / "out"
    results = json.loads((out / VALIDATION_RESULTS.name).read_text())
    assert results["schema"] == 1
    assert results["passed"] is False
    assert {failure["column"] for failure in results["failures"]} == {"machine", "reading", "day"}
    assert [len(failure["rows"]) for failure in results["failures"]] == [7, 7, 7]
    assert sorted(path.name for path in out.iterdir()) == [VALIDATION_RESULTS.name]


def test_the_reference_date_is_today_unless_conf_says_otherwise(load: Load) -> None:
    assert load(data__reference_date=None).reference_date >= date(2026, 1, 1)
