"""A full disk is known by what each library says of it."""

import errno
import sqlite3
from collections.abc import Callable
from contextlib import closing

import duckdb
import polars as pl
import pytest

from mlops.errors import ConfigError, PlatformError
from mlops.full_disk import DiskFull, is_full, writing


def full_database() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.execute("PRAGMA max_page_count = 2")
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")


def raising(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def wrapped() -> None:
    try:
        full_database()
    except sqlite3.Error as error:
        raise RuntimeError("the store failed") from error


# as these libraries say it of /dev/full
NO_SPACE = "No space left on device (os error 28)"
PARQUET = f"parquet: File out of specification: underlying IO error: {NO_SPACE}"
DUCKDB = 'IO Error: Could not write file "x": No space left on device'


@pytest.mark.parametrize(
    "write",
    [
        raising(OSError(errno.ENOSPC, "x")),
        raising(OSError(errno.EDQUOT, "x")),
        raising(OSError(NO_SPACE)),
        raising(pl.exceptions.ComputeError(PARQUET)),
        raising(duckdb.IOException(DUCKDB)),
        full_database,
        wrapped,
    ],
)
def test_a_full_disk_is_a_sentence_that_says_what_was_written(write: Callable[[], None]) -> None:
    with pytest.raises(DiskFull) as refusal, writing("the model"):
        write()
    assert refusal.value.message == "the disk is full: the model could not be written"
    assert refusal.value.exit_code == PlatformError.exit_code == 3
    assert "nothing that was there before is lost" in refusal.value.remedy


def test_the_innermost_name_stands() -> None:
    with pytest.raises(DiskFull, match="inner"), writing("outer"), writing("inner"):
        full_database()


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "x"), ConfigError("y"), ValueError("z")])
def test_what_else_goes_wrong_stays_what_it_is(error: Exception) -> None:
    assert not is_full(error)
    with pytest.raises(type(error)) as found, writing("the model"):
        raise error
    assert found.value is error
