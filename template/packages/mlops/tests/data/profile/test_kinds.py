"""What a column of text is told to be, and what is said to be in doubt."""

from datetime import date

import polars as pl
import pytest

from mlops.data.profile.kinds import Kind, kind_of_stored, kind_of_text
from mlops.data.profile.remarks import Remark, Weight, heaviest


def kind(*cells: str | None, separator: str = ",") -> tuple[str, set[str]]:
    found = kind_of_text(pl.Series("x", cells, dtype=pl.String), separator)
    assert len(found.values) == len(found.missing) == len(cells)
    return str(found.kind), {str(remark.value) for remark in found.remarks}


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (("1", "-2", None), "whole number"),
        (("1", " 2 "), "whole number"),
        (("1.5", "2"), "number"),
        (("1e5", "3"), "number"),
        (("true", "FALSE"), "boolean"),
        (("2026-01-31", "2025-12-01"), "date"),
        (("2026-01-31 10:00", "2026-02-01T11:30:10"), "timestamp"),
        (("2026-01-31T10:00Z", "2026-02-01 11:30+02:00"), "timestamp with a zone"),
        (("red", "blue", None), "text"),
        (("10.0.0.1", "10.0.0.2"), "text"),
        (("99.99.2026", "01.01.2026"), "text"),
        (("A1", "2"), "text"),
    ],
)
def test_plain_columns_need_no_remark(cells: tuple[str, ...], wanted: str) -> None:
    assert kind(*cells) == (wanted, set())


@pytest.mark.parametrize(
    ("cells", "separator", "wanted", "remarks"),
    [
        (("1,5", "2,25"), ";", "number", {"decimal comma"}),
        (("1,5", "2,25"), ",", "number", {"decimal comma between commas"}),
        (("1.234,56", "2,5"), ";", "number", {"decimal comma", "thousands"}),
        (("1,234.56", "2"), ";", "number", {"thousands"}),
        (("1 234,5", "2"), ";", "number", {"decimal comma", "thousands"}),
        (("1,234", "2,345"), ";", "number", {"decimal or thousands"}),
        (("1.234", "2.345"), ";", "number", {"decimal or thousands"}),
        (("1,234", "2,345"), ",", "number", {"decimal or thousands"}),
        (("1.5", "NA", "-"), ",", "number", {"null words"}),
        (("nan", "2"), ",", "whole number", {"null words"}),
        (("NA", "-"), ",", "nothing", {"no values", "null words"}),
        ((None, ""), ",", "nothing", {"no values"}),
        (("DE", "NA"), ",", "text", {"null words in text"}),
        (("1.5", "inf"), ",", "number", {"not finite"}),
        (("007", "12"), ",", "text", {"digits as a name"}),
        (("+491701234567", "+491701234568"), ",", "text", {"digits as a name"}),
        (("12345678901234567890123", "1"), ",", "text", {"digits as a name"}),
        (("20260131", "20251201"), ",", "whole number", {"days in digits"}),
        (("31.01.2026", "01.02.2026"), ",", "date", {"shape of days"}),
        (("31/01/2026", "05/06/2026"), ",", "date", {"shape of days"}),
        (("2026/01/31", "2026/02/01"), ",", "date", {"shape of days"}),
        (("31 Jan 2026", "1 Feb 2026"), ",", "date", {"shape of days"}),
        (("2026-01-31", "31.01.2026"), ",", "date", {"shapes of days"}),
        (("2026-1-5", "2026-01-31"), ",", "date", {"shapes of days"}),
        (("03/04/2026", "05/06/2026"), ",", "date", {"shape of days", "day or month"}),
        (("13/04/2026", "04/13/2026"), ",", "date", {"shape of days", "day or month"}),
        (("31/12/26", "01/02/25"), ",", "date", {"shape of days", "century"}),
        (("31.01.2026 10:00", "01.02.2026 9:30"), ",", "timestamp", {"shape of days"}),
        (("9999-12-31", "2026-01-31"), ",", "date", {"implausible days"}),
        (("1.5",) * 19 + ("x",), ",", "number", {"mixed"}),
        (("2026-01-31",) * 19 + ("soon",), ",", "date", {"mixed"}),
    ],
)
def test_what_is_not_plain_is_said(
    cells: tuple[str, ...], separator: str, wanted: str, remarks: set[str]
) -> None:
    assert kind(*cells, separator=separator) == (wanted, remarks)


def test_one_value_settles_the_order_of_days() -> None:
    found = kind_of_text(pl.Series("x", ["01/31/2026", "05/06/2026"]), ",")
    assert found.values.to_list() == [date(2026, 1, 31), date(2026, 5, 6)]
    found = kind_of_text(pl.Series("x", ["31/01/2026", "05/06/2026"]), ",")
    assert found.values.to_list() == [date(2026, 1, 31), date(2026, 6, 5)]


def test_values_in_doubt_stay_text() -> None:
    for cells in (["03/04/2026", "05/06/2026"], ["1,234", "2,345"]):
        found = kind_of_text(pl.Series("x", cells), ";")
        assert found.in_doubt
        assert found.values.to_list() == cells


def test_words_for_null_are_missing_and_no_values() -> None:
    found = kind_of_text(pl.Series("x", ["1", "n/a", None, "-"]), ",")
    assert found.missing.to_list() == [False, True, True, True]
    assert found.values.to_list() == [1, None, None, None]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (pl.Series([1, None], dtype=pl.UInt8), Kind.WHOLE),
        (pl.Series([1.5]), Kind.NUMBER),
        (pl.Series(["1"], dtype=pl.Decimal(10, 2)), Kind.NUMBER),
        (pl.Series([True]), Kind.BOOLEAN),
        (pl.Series(["1"]), Kind.TEXT),
        (pl.Series(["a"], dtype=pl.Categorical), Kind.TEXT),
        (pl.Series([date(2024, 1, 1)]), Kind.DATE),
        (pl.Series([0], dtype=pl.Datetime("us")), Kind.TIMESTAMP),
        (pl.Series([0], dtype=pl.Datetime("us", "UTC")), Kind.ZONED),
        (pl.Series([None]), Kind.EMPTY),
        (pl.Series([[1]]), Kind.OTHER),
        (pl.Series([b"x"]), Kind.OTHER),
    ],
)
def test_a_parquet_file_says_its_types(values: pl.Series, wanted: Kind) -> None:
    assert kind_of_stored(values).kind is wanted


def test_every_remark_has_a_meaning_and_the_heaviest_counts() -> None:
    assert all(remark.text and remark.weight in Weight for remark in Remark)
    assert heaviest([]) is Weight.NOTE
    assert heaviest([Remark.THOUSANDS, Remark.CENTURY, Remark.EMPTY]) is Weight.AMBIGUOUS
