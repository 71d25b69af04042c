"""Whom the list leaves out of raw data: by the key as the contract has it, however written."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from mlops.data.reader import Column, read_file
from mlops.data.suppression import (
    NOBODY,
    Entry,
    Secret,
    Suppression,
    canonical,
    list_file,
    make_secret,
    read_entries,
    read_secret,
    secret_file,
    suppression_of,
    write_entries,
)
from mlops.errors import ConfigError
from mlops.settings.loading import LoadedSettings

Load = Callable[..., LoadedSettings]
SECRET = Secret("s1", bytes(range(32)))


def suppression(*keys: str, whole: bool = False) -> Suppression:
    hashes = frozenset(SECRET.digest(canonical(each, whole=whole)) for each in keys)
    return Suppression("who", whole, SECRET, hashes)


@pytest.mark.parametrize(
    ("written", "whole", "text"),
    [
        (" a ", False, "a"),
        ("e\u0301", False, "\u00e9"),
        ("007", False, "007"),
        ("007", True, "7"),
        (" -07", True, "-7"),
        (7, True, "7"),
        ("000", True, "0"),
        ("x7", True, "x7"),
    ],
)
def test_a_key_has_one_form(written: object, whole: bool, text: str) -> None:
    assert canonical(written, whole=whole) == text


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_rows_are_left_out_before_anything_is_said_of_them(tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame({"who": [7, 8, 7], "much": ["no number", "2", "3"]})
    path = tmp_path / name
    if name.endswith("csv"):
        path.write_text("who,much\n007,no number\n8,2\n 7 ,3\n")
        kind: pl.DataType = pl.Float64()
    else:
        frame.write_parquet(path)
        kind = pl.String()
    columns = {"who": Column(pl.Int64()), "much": Column(kind)}
    found = read_file(path, name, columns, suppression=suppression("7", whole=True))
    assert (found.rows, found.forgotten, found.findings) == (1, 2, ())
    assert found.frame["who"].to_list() == [8]
    assert read_file(path, name, columns).rows == 3


def test_a_file_of_forgotten_keys_alone_is_read_and_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("who,day\na,2024-01-01\n")
    columns = {"who": Column(pl.String()), "day": Column(pl.Date())}
    found = read_file(path, "a.csv", columns, suppression=suppression("a"))
    assert (found.rows, found.forgotten, found.findings) == (0, 1, ())


def test_null_is_nobody() -> None:
    assert suppression("None", "null", "").of(pl.Series([None, "None"])).to_list() == [False, True]


def test_another_secret_makes_another_hash() -> None:
    assert SECRET.digest("a") != Secret("s2", bytes(32)).digest("a")
    assert str(SECRET.value) not in repr(SECRET)


@pytest.mark.parametrize("text", ["", "{", '{"schema": 1}', '{"schema": 2, "entries": []}'])
def test_a_damaged_list_is_no_empty_list(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.json"
    path.write_text(text)
    with pytest.raises(ConfigError):
        read_entries(path)


def test_a_list_that_is_out_of_reach_is_no_empty_list(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "list.json").symlink_to(tmp_path / "not mounted" / "list.json")
    for path in (tmp_path / "list.json", tmp_path / "file" / "list.json"):
        with pytest.raises(ConfigError):
            read_entries(path)
    assert read_entries(tmp_path / "none.json") == ()


def test_another_secret_than_the_lists_lets_nobody_back(load: Load, tmp_path: Path) -> None:
    settings = load(forget__secret_file=str(tmp_path / "elsewhere" / "secret.json"))
    assert suppression_of(settings) == NOBODY
    made = make_secret(secret_file(settings))
    write_entries(list_file(settings), [Entry(made.digest("m1"), made.id, "r1", "t1")])
    assert suppression_of(settings).of(pl.Series(["m1", "m2"])).to_list() == [True, False]
    make_secret(secret_file(settings))
    with pytest.raises(ConfigError, match="was made by another secret"):
        suppression_of(settings)


def test_a_short_secret_is_none(tmp_path: Path) -> None:
    path = tmp_path / "secret.json"
    path.write_text('{"schema": 1, "id": "a", "secret": "00"}')
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="shorter than"):
        read_secret(path)


def test_a_list_tells_no_order(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    entries = (Entry("b", "s1", "r1", "t1"), Entry("a", "s1", "r2", "t2"))
    write_entries(path, entries)
    assert [each.hmac for each in read_entries(path)] == ["a", "b"]
    assert path.stat().st_mode & 0o77 == 0
