import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from mlops.data.fingerprint import fingerprint, matches
from mlops.data.row_hashes import BATCH_ROWS, row_hashes

TABLE = pl.DataFrame({"name": ["a", "b", None], "value": [1.0, 2.0, 2.0]})


def test_order_of_rows_and_columns_does_not_matter() -> None:
    other = TABLE.reverse().select("value", "name")
    assert fingerprint(other) == fingerprint(TABLE)


@pytest.mark.parametrize(
    "changed",
    [
        TABLE.with_columns(value=pl.Series([1.0, 2.0, 3.0])),
        TABLE.with_columns(name=pl.Series(["a", "b", ""])),
        TABLE.with_columns(name=pl.Series(["a", "b", "null"])),
        TABLE.with_columns(pl.col("value").cast(pl.Float32)),
        TABLE.rename({"name": "title"}),
        pl.concat([TABLE, TABLE.tail(1)]),
        TABLE.head(2),
    ],
    ids=["cell", "empty-for-null", "text-for-null", "type", "name", "repeated row", "lost row"],
)
def test_every_change_changes_it(changed: pl.DataFrame) -> None:
    assert fingerprint(changed) != fingerprint(TABLE)


def test_cells_do_not_run_into_each_other() -> None:
    left = pl.DataFrame({"a": ["1"], "b": ["23"]})
    right = pl.DataFrame({"a": ["12"], "b": ["3"]})
    assert fingerprint(left) != fingerprint(right)


def test_another_process_gives_the_same() -> None:
    code = (
        "import polars as pl; "
        "from mlops.data.fingerprint import fingerprint; "
        "print(fingerprint(pl.DataFrame([['a', 'b', None], [1.0, 2.0, 2.0]], "
        "schema=['name', 'value'])))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == fingerprint(TABLE)


EVERY_TYPE = pl.DataFrame(
    {
        "text": ["", "a", "äöü€🙂", None, "x" * 255, "y" * 256, "z" * 257, "12345678"],
        "whole": [0, 1, -1, 2**62, -(2**62), None, 7, 8],
        "unsigned": pl.Series([0, 1, 2**64 - 1, 3, None, 5, 6, 7], dtype=pl.UInt64),
        "number": [0.0, 0.1, -1.5, 1e300, float("inf"), float("nan"), None, 5e-324],
        "narrow": pl.Series([0.0, 0.1, -1.5, 1e30, None, 1, 2, 3], dtype=pl.Float32),
        "truth": [True, False, None, True, True, False, False, True],
        "day": [date(1900, 1, 1), date(2200, 12, 31), None, *[date(2024, 2, 29)] * 5],
        "moment": pl.Series([datetime(2024, 2, 29, 1, 2, 3, 456789)] * 8, dtype=pl.Datetime("us")),
        "zoned": pl.Series(
            [datetime(2024, 7, 1, 12)] * 8, dtype=pl.Datetime("ms", "UTC")
        ).dt.convert_time_zone("Europe/Berlin"),
        "money": pl.Series(
            [Decimal("1.20"), Decimal("-0.01"), None, *[Decimal("12345678901.99")] * 5],
            dtype=pl.Decimal(18, 2),
        ),
        "kind": pl.Series(["a", "b", None, "a", "a", "b", "b", "c"], dtype=pl.Categorical),
    }
)
FROZEN_ROWS = [
    "2a65dd5abe637164",
    "ba5c6fac713c6c65",
    "7b920250b7c5744e",
    "cb95261c989b95ef",
    "8cbbef0ab4dc1b73",
    "439b5dc88d60e048",
    "1b901c4d6a2c65a9",
    "0acd101b79c0b3a5",
]
FROZEN_HASH = "9c58653858d1d9cbf31edecff8ff50401839ffc4d56365aa422699fcc50551c9"


def test_frozen_vectors_hold_on_every_platform_and_version() -> None:
    assert [f"{each:016x}" for each in row_hashes(EVERY_TYPE)] == FROZEN_ROWS
    assert fingerprint(EVERY_TYPE) == FROZEN_HASH
    (row,) = row_hashes(pl.DataFrame({"n": [1]})).tolist()
    assert row == _by_hand("n", "int64", 1)


def _by_hand(name: str, kind: str, number: int) -> int:
    """Compute the hash of a row of one number from the module's description, without numpy."""
    import hashlib

    def mixed(word: int) -> int:
        word = ((word ^ word >> 30) * 0xBF58476D1CE4E5B9) % 2**64
        word = ((word ^ word >> 27) * 0x94D049BB133111EB) % 2**64
        return word ^ word >> 31

    key = hashlib.sha256(f"{len(name)}:{name}:{kind}".encode()).digest()[:8]
    return mixed(mixed(number ^ int.from_bytes(key, "little")) ^ 0x9E3779B97F4A7C15)


@pytest.mark.parametrize("column", EVERY_TYPE.columns)
def test_each_cell_of_each_type_counts(column: str) -> None:
    for row in range(EVERY_TYPE.height):
        if (one := EVERY_TYPE[column][row]) is None or one == EVERY_TYPE[column][0]:
            continue
        changed = EVERY_TYPE[column].gather([0 if i == row else i for i in range(8)])
        assert fingerprint(EVERY_TYPE.with_columns(changed)) != fingerprint(EVERY_TYPE)


def test_equal_values_are_equal_however_a_column_is_stored() -> None:
    numbers = pl.DataFrame({"n": [0.0, float("nan"), None]})
    other = pl.DataFrame({"n": pl.Series([-0.0, -float("nan"), None])})
    assert fingerprint(numbers) == fingerprint(other)
    parts = pl.concat([EVERY_TYPE.slice(5), EVERY_TYPE.slice(0, 5)], rechunk=False)
    assert fingerprint(parts) == fingerprint(EVERY_TYPE)


def test_many_rows_in_batches_have_the_hashes_that_each_has_alone() -> None:
    numbers = np.random.default_rng(1).integers(0, 10**6, 2 * BATCH_ROWS + 3)
    frame = pl.DataFrame({"n": numbers, "t": pl.Series(numbers).cast(pl.String)})
    hashes = row_hashes(frame)
    assert (row_hashes(frame.reverse()) == hashes[::-1]).all()
    assert len(np.unique(hashes)) == len(np.unique(numbers))
    assert (
        row_hashes(frame[BATCH_ROWS - 2 : BATCH_ROWS + 2]) == hashes[BATCH_ROWS - 2 :][:4]
    ).all()


def test_texts_that_share_words_differ() -> None:
    texts = [
        "",
        "\0",
        "\0\0",
        "a",
        "a\0",
        "abcdefgh",
        "abcdefgh\0",
        "hgfedcba",
        "x" * 300,
        "x" * 301,
    ]
    assert len(set(row_hashes(pl.DataFrame({"t": texts})).tolist())) == len(texts)


def test_a_hash_of_the_first_kind_stays_verifiable() -> None:
    first = "d53a656f770f9f14df5fb60cffe64f1e29d22d83f1456cd0d31451d3c612cb58"
    assert matches(TABLE, first, 1)
    assert not matches(TABLE.head(2), first, 1)
    assert matches(TABLE, fingerprint(TABLE), 2)
    with pytest.raises(ValueError, match="schema 3"):
        matches(TABLE, first, 3)
