import subprocess
import sys

import polars as pl
import pytest

from mlops.data.fingerprint import fingerprint

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
