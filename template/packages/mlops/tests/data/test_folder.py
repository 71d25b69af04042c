"""Nothing of a folder is left out silently."""

from pathlib import Path

import pytest

from mlops.data.folder import Listing, list_files
from mlops.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "raw"
    path.mkdir()
    (path / "a.csv").write_text("x\n1\n")
    return path


def said(listing: Listing) -> list[str]:
    return [finding.sentence() for finding in listing.failures]


@pytest.mark.parametrize("name", ["b.csv", "b.CSV", "b.csv.gz", "b.Parquet", "deep/er/b.csv"])
def test_files_of_the_known_kinds_are_read(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).touch()
    listing = list_files(folder)
    assert sorted(listing.files) == sorted(["a.csv", name])
    assert not listing.failures + listing.warnings


@pytest.mark.parametrize(
    "name",
    [
        *("b.tsv", "b.TSV", "b.parq", "b.parquet.gz", "b.csv.bz2", "b.csv.zip", "b.csv.bak"),
        *("b.xlsx", "b.jsonl", "b.feather", "b.db", "deep/b.parquet.tmp"),
    ],
)
def test_what_looks_like_data_is_refused_unless_conf_leaves_it_out(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).touch()
    assert said(list_files(folder)) == [
        f"{name}: this looks like data and is not read: .parquet, .csv and .csv.gz are "
        "(data.ignore leaves it out)"
    ]
    listing = list_files(folder, [f"*{name[-5:]}"])
    assert not listing.failures
    assert [each.sentence() for each in listing.warnings] == [
        f"{name}: this is not read (data.ignore)"
    ]


def test_other_files_and_hidden_data_are_named(folder: Path) -> None:
    for name in ("README.md", "notes.csv.md", "_b.csv", ".b.csv", ".gitkeep", "_SUCCESS"):
        (folder / name).touch()
    listing = list_files(folder)
    assert list(listing.files) == ["a.csv"]
    assert not listing.failures
    hidden = "this file was not read, as its name begins with . or _"
    assert [each.sentence() for each in listing.warnings] == [
        f".b.csv: {hidden}",
        "README.md: this file was not read",
        f"_b.csv: {hidden}",
        "notes.csv.md: this file was not read",
    ]


def test_a_hidden_folder_with_data_is_named(folder: Path) -> None:
    for name in (
        *("_2024/o.csv", "deep/.old/_er/_b.parquet", ".git/HEAD", "_temporary/0/_SUCCESS"),
        "_pictures/Thumbs.db",
    ):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).touch()
    (folder / "_back").symlink_to(folder)
    listing = list_files(folder)
    assert list(listing.files) == ["a.csv"]
    assert not listing.failures
    why = "this folder was not read, as its name begins with . or _"
    assert [each.sentence() for each in listing.warnings] == [
        f"_2024: {why}",
        f"deep/.old: {why}",
    ]
    assert listing.warnings[0].sentence(values=False) == "_2024: not_read (1)"


@pytest.mark.parametrize(
    "name", ["Thumbs.db", "desktop.ini", "~$orders.xlsx", ".DS_Store", "deep/thumbs.db"]
)
def test_what_file_managers_and_office_leave_is_passed_over(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).touch()
    listing = list_files(folder)
    assert list(listing.files) == ["a.csv"]
    assert not listing.failures
    assert [each.sentence() for each in listing.warnings] == [
        f"{name}: this file was not read: a file manager or Office made it"
    ]


def test_links_are_followed_once_and_dangling_ones_refused(folder: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    (away / "far.csv").touch()
    (away / "alone.csv").touch()
    (folder / "linked").symlink_to(away)
    (folder / "alone.csv").symlink_to(away / "alone.csv")
    (folder / "back").symlink_to(folder)
    (folder / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    (folder / "same.csv").symlink_to(folder / "a.csv")
    listing = list_files(folder)
    assert list(listing.files) == ["a.csv", "alone.csv", "linked/far.csv"]
    assert said(listing) == [
        "back: this link leads back to a folder that it is in",
        f"gone.csv: this link leads nowhere ({tmp_path / 'nowhere.csv'})",
        "linked/alone.csv: this is alone.csv, which is read already",
        "same.csv: this is a.csv, which is read already",
    ]
    assert not list_files(folder, ["back", "gone.csv", "linked/*", "same.csv"]).failures


def test_a_delta_table_is_no_folder_of_files(folder: Path) -> None:
    (folder / "table" / "_delta_log").mkdir(parents=True)
    (folder / "table" / "part-0.parquet").touch()
    listing = list_files(folder)
    assert said(listing) == [
        "table: this is a Delta table: its files alone also hold rows that were deleted"
    ]
    assert list(listing.files) == ["a.csv"]


def test_a_folder_that_does_not_exist_is_an_error(folder: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        list_files(folder / "none")
