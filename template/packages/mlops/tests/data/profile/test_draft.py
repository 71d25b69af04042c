"""A drafted contract.py: valid Python, as right as the data were, and careful with people."""

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fakes.messy_data import ALL, Messy
from fakes.project import TODAY
from mlops.data.personal import Personal, declared
from mlops.data.profile.draft import UNKNOWN_KEY, Known, draft_contract, literal
from mlops.data.profile.report import Terms, profile_folder
from mlops.steps.validate import Rules, validate_folder

RUFF = [sys.executable, "-m", "ruff"]
SETTINGS = Path(__file__).parents[3] / "pyproject.toml"
FORMAT_CHECK = ["format", "--check", "--config", str(SETTINGS)]
LINT = ["check", "--config", str(SETTINGS), "--ignore", "ERA,N"]


def draft(folder: Path, known: Known = Known(), *, show_values: bool = True) -> str:  # noqa: B008
    columns = profile_folder(folder, (), Terms()).columns
    return draft_contract(columns, TODAY, known, show_values=show_values).text


def drafted(text: str) -> dict[str, Any]:
    """Run a draft as a module."""
    module: dict[str, Any] = {"__name__": "drafted"}
    exec(compile(text, "contract.py", "exec"), module)
    return module


def accepts(text: str, frame: pl.DataFrame, folder: Path) -> list[str]:
    """Check a table against a draft, as `mlops data validate` does; return what is refused."""
    folder.mkdir()
    frame.write_csv(folder / "data.csv")
    module = drafted(text)
    key, day = module["KEY"], module["DATE_COLUMN"]
    rules = Rules(TODAY, key, day, None, () if day else (key,))
    report, _ = validate_folder(folder, module["contract"](), rules)
    return [finding.check for finding in report.failures]


def of(frame: pl.DataFrame, folder: Path, **options: Any) -> str:
    folder.mkdir()
    frame.write_parquet(folder / "data.parquet")
    return draft(folder, **options)


def personal_in(text: str) -> set[str]:
    columns = drafted(text)["contract"]().to_schema().columns
    return set(declared({name: column.metadata for name, column in columns.items()}).columns)


@pytest.mark.parametrize("make", ALL)
def test_the_draft_of_a_messy_file_takes_it_cleaned_and_refuses_five_faults(
    tmp_path: Path, make: Callable[[], Messy]
) -> None:
    messy = make()
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / messy.name).write_bytes(messy.content)
    text = draft(tmp_path / "raw")
    types = drafted(text)["contract"]().to_schema().columns
    assert {name: types[name].dtype.type for name in messy.types} == messy.types
    assert accepts(text, messy.clean, tmp_path / "clean") == []
    assert len(messy.faults) == 5
    for fault, change in messy.faults.items():
        found = accepts(text, change(messy.clean), tmp_path / fault)
        assert found, f"{fault} is not refused"


@pytest.mark.parametrize("make", ALL)
def test_the_draft_is_formatted_and_has_no_fault_of_style(
    tmp_path: Path, make: Callable[[], Messy]
) -> None:
    messy = make()
    (tmp_path / messy.name).write_bytes(messy.content)
    require_style(draft(tmp_path))


def require_style(text: str) -> None:
    for asked in (LINT, FORMAT_CHECK):
        command = [*RUFF, *asked, "--stdin-filename", "src/contract.py", "-"]
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode() + text


def test_names_and_categories_of_any_letters_are_kept(tmp_path: Path) -> None:
    names = ["class", "Order id", "order_id", "validate", "1st", "größe", 'a "b"', "a\\b'c", "_x"]
    values = ["it's", 'say "hi"', "back\\slash", "ü\u2013ß", "x" * 39]
    frame = pl.DataFrame(dict.fromkeys(names, values * 20) | {"key_id": [*range(100)]})
    text = of(frame, tmp_path / "d")
    columns = drafted(text)["contract"]().to_schema().columns
    assert list(columns) == [*names, "key_id"]
    require_style(text)
    for column in columns.values():
        for check in column.checks:
            if check.name == "isin":
                assert set(check.statistics["allowed_values"]) == set(values)
    assert accepts(text, frame, tmp_path / "again") == []


@pytest.mark.parametrize(
    "text", ["a", "'", '"', "\"'", "\\", "\\'", "\n\t", "ü", "\u2013", "\U0001f600"]
)
def test_a_text_is_written_as_python_reads_it(text: str) -> None:
    assert eval(literal(text)) == text


def test_what_looks_personal_is_declared_so_and_holds_no_value(tmp_path: Path) -> None:
    count = 60
    frame = pl.DataFrame(
        {
            "order_id": range(count),
            "customerName": ["zq7-a", "zq7-b"] * (count // 2),
            "contact": ["zq7-c"] * count,
            "reply": [f"zq7{n}@example.test" for n in range(count)],
            "town": [f"zq7{'abcdefghij'[n % 10]}{'xyzuvw'[n // 10]}" for n in range(count)],
            "birth_date": [date(1980, 1, 1)] * count,
            "plan": ["basic", "full"] * (count // 2),
        }
    ).with_columns(pl.col("town").str.replace_all("[0-9]", ""))
    text = of(frame, tmp_path / "d")
    assert personal_in(text) == {"customerName", "contact", "reply", "town", "birth_date"}
    assert "zq7" not in text
    assert 'isin=["basic", "full"]' in text


def test_of_values_a_draft_has_names_of_frequent_categories_alone(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "order_id": [77345 + n for n in range(60)],
            "score": [77345.25 + n for n in range(60)],
            "plan": ["basic"] * 55 + ["zq7"] * 5,
            "state": ["up"] * 30 + ["down"] * 30,
        }
    )
    text = of(frame, tmp_path / "d")
    assert not any(mark in text for mark in ("77", "zq7", "basic"))
    assert 'isin=["down", "up"]' in text
    assert "isin" not in of(frame, tmp_path / "e", show_values=False).partition("class")[2]


def test_what_a_person_said_is_kept(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "order_id": range(60),
            "row": range(60),
            "name": ["a", "b"] * 30,
            "plan": ["basic", "full"] * 30,
        }
    )
    names = frozenset({"name", "plan", "row"})
    known = Known(names, Personal(frozenset({"plan"})), key="row")
    text = of(frame, tmp_path / "d", known=known)
    assert personal_in(text) == {"plan"}
    assert drafted(text)["KEY"] == "row"


def test_key_and_date_are_guessed_and_doubt_is_said(tmp_path: Path) -> None:
    days = {"bought": [TODAY] * 60, "sent": [TODAY] * 60, "due": [date(2030, 1, 1)] * 60}
    numbers = {"amount": [1.5] * 60, "order_id": [*range(60)], "shop_id": [1, 2] * 30}
    text = of(pl.DataFrame(days | numbers), tmp_path / "d")
    module = drafted(text)
    assert (module["KEY"], module["DATE_COLUMN"]) == ("order_id", "bought")
    assert '# AMBIGUOUS: whom or what a row is about: others may be it ("shop_id").' in text
    assert '# AMBIGUOUS: when the row came about: others may be it ("sent").' in text


def test_a_key_once_a_day_is_asked_for(tmp_path: Path) -> None:
    days = [date(2024, 6, 1), date(2024, 6, 2)] * 30
    frame = pl.DataFrame({"machine_id": [n // 2 for n in range(60)], "day": days})
    text = of(frame, tmp_path / "d")
    require_style(text)
    assert accepts(text, frame, tmp_path / "same") == []
    twice = pl.concat([frame, frame.head(1)])
    assert accepts(text, twice, tmp_path / "twice") != []


def test_keys_that_repeat_without_a_date_are_said(tmp_path: Path) -> None:
    frame = pl.DataFrame({"shop_id": [1, 2] * 30, "amount": [n / 2 for n in range(60)]})
    text = of(frame, tmp_path / "d")
    assert "AMBIGUOUS: keys repeat and rows have no date" in text
    require_style(text)


def test_no_key_is_invented(tmp_path: Path) -> None:
    frame = pl.DataFrame({"email": [f"a{n}@example.test" for n in range(60)], "x": [1.5] * 60})
    text = of(frame, tmp_path / "d")
    assert drafted(text)["KEY"] == UNKNOWN_KEY
    assert "AMBIGUOUS: whom or what a row is about: no column looks like it." in text


def test_moments_and_what_is_left_out(tmp_path: Path) -> None:
    moments = pl.Series([0] * 60, dtype=pl.Datetime("us"))
    frame = pl.DataFrame(
        {
            "a_id": range(60),
            "seen": moments,
            "zoned": moments.dt.replace_time_zone("UTC"),
            "blob": [b"x"] * 60,
            "void": pl.Series([None] * 60, dtype=pl.String),
        }
    )
    text = of(frame, tmp_path / "d")
    columns = drafted(text)["contract"]().to_schema().columns
    assert columns["seen"].dtype.type == pl.Datetime("us")
    assert columns["zoned"].dtype.type == pl.Datetime("us", "UTC")
    assert set(columns) == {"a_id", "seen", "zoned"}
    assert '"blob" is left out: not read.' in text
    require_style(text)
