"""What a profile tells of files and columns, and what it never does."""

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fakes.messy_data import ALL, Messy
from mlops.data.personal import Personal
from mlops.data.profile.report import Profile, Terms, profile_folder, told_count
from mlops.ops.profile_text import lines_of

HEADER = "order_id,plan,score,day,person"


def rows(count: int = 60) -> list[str]:
    plans = ["basic"] * (count - 3) + ["zq7-rare"] * 3
    return [
        f"o{n},{plans[n]},{n / 2},2024-0{1 + n % 6}-1{n % 10},zq7-{n}@example.test"
        for n in range(count)
    ]


def write(folder: Path, *lines: str, name: str = "data.csv") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def look(folder: Path, **terms: Any) -> dict[str, Any]:
    found = profile_folder(folder, (), Terms(**terms)).to_dict()
    return dict(json.loads(json.dumps(found, default=str)))


def contract(*names: str, personal: tuple[str, ...] = (), key: str = "order_id") -> dict[str, Any]:
    return {"names": frozenset(names), "personal": Personal(frozenset(personal)), "key": key}


def said(profile: Profile) -> str:
    """Return all that is ever told of a profile."""
    told = profile.to_dict()
    return json.dumps(told, default=str, ensure_ascii=False) + "\n".join(lines_of(told))


@pytest.mark.parametrize("make", ALL)
def test_messy_files_are_told_and_nothing_is_guessed_silently(
    tmp_path: Path, make: Callable[[], Messy]
) -> None:
    messy = make()
    (tmp_path / messy.name).write_bytes(messy.content)
    found = look(tmp_path)
    assert found["outcome"] == messy.outcome
    told = {
        column["name"]: {remark["what"] for remark in column["remarks"]}
        for column in found["columns"]
    }
    assert {name: remarks for name, remarks in told.items() if remarks} == messy.remarks


def test_with_a_contract_ranges_and_categories_are_told(tmp_path: Path) -> None:
    found = look(write(tmp_path / "d", HEADER, *rows()), **contract("order_id", "plan", "score"))
    by_name = {column["name"]: column for column in found["columns"]}
    assert (by_name["score"]["least"], by_name["score"]["greatest"]) == (0.0, 29.5)
    assert by_name["plan"]["categories"] == ["basic"]
    assert by_name["plan"]["rarer_categories"] is True
    assert by_name["order_id"]["hidden"] == "key"
    assert by_name["day"]["hidden"] == by_name["person"]["hidden"] == "not in the contract"


def test_without_a_contract_no_value_is_told(tmp_path: Path) -> None:
    found = look(write(tmp_path / "d", HEADER, *rows()))
    for column in found["columns"]:
        assert column["hidden"] == "no contract"
        assert column["least"] is column["greatest"] is column["categories"] is None
    looks = {column["name"]: bool(column["looks_personal"]) for column in found["columns"]}
    assert looks == {
        "order_id": False,
        "plan": False,
        "score": False,
        "day": False,
        "person": True,
    }


def test_where_values_are_not_to_be_shown_none_is(tmp_path: Path) -> None:
    terms = contract("order_id", "plan", "score", "day")
    found = look(write(tmp_path / "d", HEADER, *rows()), **terms, show_values=False)
    assert all(column["least"] is None for column in found["columns"])
    assert all(column["categories"] is None for column in found["columns"])


def test_beside_personal_columns_those_of_no_contract_have_no_name(tmp_path: Path) -> None:
    terms = contract("order_id", "person", personal=("person",))
    found = look(write(tmp_path / "d", HEADER, *rows()), **terms)
    assert [column["name"] for column in found["columns"]] == ["order_id", "person"]
    assert found["further_columns"] is True


@pytest.mark.parametrize(
    ("count", "of", "told"),
    [
        (0, 100, True),
        (9, 100, False),
        (10, 100, True),
        (90, 100, True),
        (91, 100, False),
        (100, 100, True),
        (9, None, False),
        (10, None, True),
    ],
)
def test_no_count_below_the_limit_is_told_nor_what_says_it(
    count: int, of: int | None, told: bool
) -> None:
    assert told_count(count, of) == (count if told else None)


def test_the_sum_does_not_say_how_many_rows_a_small_file_has(tmp_path: Path) -> None:
    folder = write(tmp_path / "d", HEADER, *rows())
    write(folder, HEADER, *rows(4), name="small.csv")
    found = look(folder)
    assert [file["rows"] for file in found["files"]] == [60, None]
    assert found["rows"] is None
    write(folder, HEADER, *rows(5), name="tiny.csv")
    assert look(folder)["rows"] == 69


def test_of_few_values_no_range_is_told(tmp_path: Path) -> None:
    lines = [f"o{n},{n if n < 9 else ''}" for n in range(60)]
    terms = contract("order_id", "score")
    found = look(write(tmp_path / "d", "order_id,score", *lines), **terms)
    assert found["columns"][1]["least"] is None


def test_too_few_rows_are_an_outcome_of_their_own(tmp_path: Path) -> None:
    assert look(write(tmp_path / "d", HEADER, *rows(9)))["outcome"] == "too few rows"
    assert look(write(tmp_path / "d", HEADER, *rows(10)))["outcome"] == "clean"


@pytest.mark.parametrize(
    "header",
    ["o0,basic,0.5,a,b", "a,b,c,2024-01-01,e", "a,b,c,d,zq7@example.test", "a,basic,c,d,e"],
)
def test_a_first_row_of_values_is_no_header(tmp_path: Path, header: str) -> None:
    folder = write(tmp_path / "d", header, *rows())
    profile = profile_folder(folder, (), Terms())
    assert profile.outcome == "unreadable"
    assert not profile.columns
    assert not any(cell in said(profile) for cell in ("basic", "0.5", "2024", "zq7"))


def test_with_a_contract_its_columns_tell_a_header(tmp_path: Path) -> None:
    folder = write(tmp_path / "d", *rows())
    found = look(folder, **contract("order_id", "plan"))
    assert (found["outcome"], found["columns"]) == ("unreadable", [])
    assert "names no column of the contract" in found["files"][0]["problem"]


def test_an_encoding_is_not_guessed(tmp_path: Path) -> None:
    lines = ["order_id;town", *(f"o{n};K\u00f6ln" for n in range(30))]
    (tmp_path / "data.csv").write_bytes("\n".join(lines).encode("latin-1"))
    found = look(tmp_path, **contract("order_id", "town"))
    assert found["outcome"] == "ambiguous"
    assert found["files"][0]["encoding"] is None
    assert found["columns"][1]["categories"] is None


@pytest.mark.parametrize(("encoding", "said"), [("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16")])
def test_encodings_that_are_certain_are_named(tmp_path: Path, encoding: str, said: str) -> None:
    (tmp_path / "data.csv.gz").write_bytes(
        gzip.compress("\n".join([HEADER, *rows()]).encode(encoding))
    )
    found = look(tmp_path)
    assert (found["outcome"], found["files"][0]["encoding"]) == ("clean", said)
    assert found["columns"][0]["name"] == "order_id"


def test_two_separators_that_both_fit_are_ambiguous(tmp_path: Path) -> None:
    folder = write(tmp_path / "d", "a_id;b,c", *(f"x{n};1,y{n}" for n in range(30)))
    found = look(folder)
    assert found["outcome"] == "ambiguous"
    assert [each["what"] for each in found["files"][0]["remarks"]] == ["separator"]
    assert look(folder, **contract("a_id", key="a_id"))["files"][0]["remarks"] == []


def test_a_separator_that_makes_no_table_is_none(tmp_path: Path) -> None:
    lines = [f"x{n};{n % 7};z" for n in range(30)]
    found = look(write(tmp_path / "d", "a_id;size, cm;c", *lines))
    assert found["files"][0]["separator"] == ";"
    assert found["outcome"] == "clean"


def test_files_of_one_folder_are_compared(tmp_path: Path) -> None:
    folder = write(tmp_path / "d", "a_id,n,extra", *(f"x{n},{n},1" for n in range(30)))
    write(folder, "a_id,n", *(f"y{n},red" for n in range(30)), name="other.csv")
    found = look(folder)
    told = {each["name"]: [said["what"] for said in each["remarks"]] for each in found["columns"]}
    assert told == {"a_id": [], "n": ["files differ"], "extra": ["not in every file"]}
    assert found["outcome"] == "ambiguous"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("a.csv", b"a,b\n"),
        ("a.csv", b'a,b\n"zq7,1\n'),
        ("a.csv", b"a,b\nzq7,1,2\n"),
        ("a.csv", b"zq7,zq7\n1,2\n"),
        ("a.csv.gz", b"zq7"),
        ("a.parquet", b"zq7"),
        ("a.xlsx", b"zq7"),
    ],
)
def test_what_cannot_be_read_is_said_without_its_words(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    profile = profile_folder(tmp_path, (), Terms())
    assert profile.outcome == "unreadable"
    assert "zq7" not in said(profile)


def test_nothing_to_read_is_no_clean_data(tmp_path: Path) -> None:
    assert look(tmp_path)["outcome"] == "no files"
    (tmp_path / "notes.txt").write_text("a,b\n1,2\n", encoding="utf-8")
    assert look(tmp_path)["outcome"] == "no files"


NAMES = ("order_id", "plan", "score", "day", "count", "flag", "note")


@pytest.mark.parametrize("seed", range(40))
def test_no_value_of_a_hidden_column_is_ever_told(tmp_path: Path, seed: int) -> None:
    """Columns hold marks of all kinds, some rare, some frequent; which are hidden is drawn."""
    rng = random.Random(seed)
    count = rng.choice([12, 60])
    marks = {name: _marks(rng, f"{place + 1}") for place, name in enumerate(NAMES)}
    table = {name: [rng.choice(marks[name]) for _ in range(count)] for name in NAMES}
    personal = tuple(name for name in NAMES[1:] if rng.random() < 0.5)
    named = tuple(name for name in NAMES if name == "order_id" or rng.random() < 0.8)
    hidden = {*NAMES} if seed % 3 == 0 else {*personal, "order_id", *({*NAMES} - {*named})}
    terms = {} if seed % 3 == 0 else contract(*named, *personal, personal=personal)
    separator = rng.choice(";\t")
    lines = [separator.join(NAMES), *map(separator.join, zip(*table.values(), strict=True))]
    if rng.random() < 0.3:
        lines.insert(rng.randrange(1, count), separator.join(["zq7"] * rng.choice([7, 8])))
    if rng.random() < 0.2:
        lines = lines[1:]
    folder = write(tmp_path / "d", *lines)
    if rng.random() < 0.3:
        pl.DataFrame(table).write_parquet(folder / "b.parquet")
    text = said(profile_folder(folder, (), Terms(**terms)))
    leaked = {name for name in hidden if any(mark in text for mark in marks[name])}
    assert not leaked


def _marks(rng: random.Random, digit: str) -> list[str]:
    """Return values that stand nowhere else: of one kind, few or many."""
    few = rng.choice([1, 3, 200])
    forms = (
        "zq{digit}-{n}",
        "zq{digit}x{n}@example.test",
        "77{digit}{n:03}45",
        "77{digit}{n:03}45.25",
        "77{digit}{n:03}45,25",
        "19{digit}{last}-0{month}-1{last}",
        "1{last}.0{month}.19{digit}{last}",
    )
    form = rng.choice(forms)
    return [form.format(digit=digit, n=n, last=n % 10, month=1 + n % 9) for n in range(few)]
