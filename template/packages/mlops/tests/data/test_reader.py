"""Files are read as they are, or refused in one sentence that names file and place."""

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.data.reader import Column, RawFile, read_file

KINDS: dict[str, pl.DataType] = {
    "name": pl.String(),
    "day": pl.Date(),
    "amount": pl.Float64(),
}
ROWS = [("a", date(2024, 6, 30), 1.5), ("ö", date(2024, 2, 29), -2.0), ("c", None, None)]
PLAIN = "name,day,amount\na,2024-06-30,1.5\nö,2024-02-29,-2\nc,,\n"


def read(path: Path, kinds: dict[str, pl.DataType] | None = None) -> RawFile:
    return read_file(
        path, path.name, {name: Column(kind) for name, kind in (kinds or KINDS).items()}
    )


@pytest.fixture
def csv(tmp_path: Path) -> Callable[..., RawFile]:
    def read_content(content: str | bytes, **kinds: pl.DataType) -> RawFile:
        path = tmp_path / "f.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read(path, kinds or None)

    return read_content


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[..., RawFile]:
    def read_column(values: Any, kind: pl.DataType) -> RawFile:
        path = tmp_path / "f.parquet"
        pl.DataFrame({"x": values}).write_parquet(path)
        return read(path, {"x": kind})

    return read_column


Read = Callable[..., RawFile]


def sentence(found: RawFile) -> str:
    assert len(found.findings) == 1, [each.sentence() for each in found.findings]
    return found.findings[0].sentence()


def semicolons(text: str) -> str:
    return text.replace(",", ";").replace(".", ",")


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        semicolons(PLAIN).encode(),
        ("sep=;\n" + semicolons(PLAIN)).encode(),
        ("SEP=,\r\n" + PLAIN.replace("\n", "\r\n")).encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", "|").encode(),
        PLAIN.replace(",", "\t").encode("utf-16"),
        b"\xfe\xff" + semicolons(PLAIN).replace("\n", "\r\n").encode("utf-16-be"),
        PLAIN.encode("utf-8-sig"),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        (PLAIN + "\n").encode(),
        (PLAIN + "\r\n\r\n").encode(),
        PLAIN.rstrip("\n").encode(),
        PLAIN.replace("a,", '"a",').replace("1.5", '" 1.5 "').encode(),
        PLAIN.replace("name,", "name,,")
        .replace("\n", "\n", 1)
        .replace("a,2", "a,,2")
        .encode()
        .replace("ö,".encode(), "ö,,".encode())
        .replace(b"c,,", b"c,,,"),
    ],
    ids=[
        *("plain", "semicolons", "sep", "sep-crlf", "tabs", "bars", "utf16", "utf16-be", "mark"),
        *("cr", "crlf", "blank", "blanks", "no-end", "quotes", "unnamed"),
    ],
)
def test_spreadsheets_csv_is_read(csv: Read, content: bytes) -> None:
    found = csv(content)
    assert found.frame.rows() == ROWS
    assert not found.findings


def test_a_zipped_file_is_read_and_a_broken_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "F.CSV.GZ"
    path.write_bytes(gzip.compress(PLAIN.encode()))
    assert read(path).frame.rows() == ROWS
    path.write_bytes(gzip.compress(PLAIN.encode())[:-9])
    assert "not a readable gzip file" in sentence(read(path))
    path.write_bytes(PLAIN.encode())
    assert "not a readable gzip file" in sentence(read(path))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            PLAIN.replace("a,2", "a,x,2"),
            "1 row has another number of fields than the header, 3: row 1 (4 fields)",
        ),
        (
            PLAIN.replace(",-2", ""),
            "1 row has another number of fields than the header, 3: row 2 (2 fields)",
        ),
        (
            PLAIN.replace("c,,", "c"),
            "1 row has another number of fields than the header, 3: row 3 (1 fields)",
        ),
        (PLAIN.replace("\nc", "\n\nc"), "a line is blank: row 3 (blank)"),
        (
            PLAIN.replace("ö,", 'b"x",'),
            "there is a quote inside a field that is not quoted: row 2 (there)",
        ),
        (
            PLAIN.replace("ö,", '"b"x,'),
            "there is a quote inside a field that is not quoted: row 2 (there)",
        ),
        (PLAIN.replace("ö,", '"b,'), "a quote is not closed: row 2 (it opens there)"),
        (
            PLAIN.encode("latin-1"),
            "there is a byte that is not UTF-8 (0xF6): save it as UTF-8: row 2 (there)",
        ),
        (
            PLAIN.encode()[:-2] + b"\xc3",
            "there is a byte that is not UTF-8 (0xC3): save it as UTF-8: row 3 (there)",
        ),
        (PLAIN.replace("ö", "\0"), "there is a zero byte: this is no text in UTF-8: row 2 (there)"),
        (PLAIN.replace("\nc", "\rc"), "there are line ends of two kinds: row 2 (there)"),
        (PLAIN.encode("utf-16")[2:], "the header holds zero bytes: this is no CSV file in UTF-8"),
        (PLAIN.encode("utf-16")[:-1], "this is no complete UTF-16 (truncated data)"),
        (PLAIN.replace("amount", "name"), "the header names the column name more than once"),
        (
            "day,x,x,name,amount,day\n1,2,3,4,5,6\n",
            "the header names the column day, x more than once",
        ),
        ("sep=a\n" + PLAIN, "its line sep=a names no separator"),
        ("", "the file is empty"),
        (PLAIN[:16], "there are no rows"),
    ],
)
def test_what_is_not_certain_is_refused_with_its_row(
    csv: Read, content: str | bytes, expected: str
) -> None:
    assert sentence(csv(content)) == f"f.csv: {expected}"


def test_quotes_hold_separators_line_ends_and_quotes(csv: Read) -> None:
    found = csv('name,x\r\n"a,b",1\r\n"c\r\nd",2\r\n"e ""f""",3\r\n"",4\r\n', name=pl.String())
    assert found.frame["name"].to_list() == ["a,b", "c\r\nd", 'e "f"', ""]


def test_a_quote_and_a_character_may_lie_across_two_blocks(
    csv: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "name,x\n" + '"a,\nö€🙂 ""q""",1\nb,2\n' * 20
    whole = csv(text, name=pl.String()).frame
    for size in range(1, 12):
        monkeypatch.setattr("mlops.data.csv_layout.BLOCK", size)
        assert csv(text, name=pl.String()).frame.equals(whole)
        assert "row 41 (3 fields)" in sentence(csv(text + "c,3,4\n", name=pl.String()))
        assert "not UTF-8 (0x82)" in sentence(csv(text.encode() + b"\x82,3\n", name=pl.String()))


@pytest.mark.parametrize(
    ("separator", "values", "expected"),
    [
        (";", ["1,5", "-0,25", "3"], [1.5, -0.25, 3.0]),
        (";", ["1,500", "2,25"], [1.5, 2.25]),
        (";", ["1,500", "0,250"], [1.5, 0.25]),
        (";", ["1.500", "2.25"], [1.5, 2.25]),
        (";", ["1.5", "2.25"], [1.5, 2.25]),
        ("\t", ["1,5", "0,125"], [1.5, 0.125]),
        *(
            (
                separator,
                [f"1{mark}234", "5", f"2{mark}345"],
                f"2 values are no Float64 (a {name} may be a decimal mark or part thousands: "
                f"write 1234 or 1{mark}2340): row 1 (1{mark}234), row 3 (2{mark}345)",
            )
            for separator in (";", "\t", "|")
            for name, mark in (("comma", ","), ("point", "."))
        ),
        (";", ["1,234", "x,y"], "2 values are no Float64 (a comma may be"),
        (";", ["1.234", "x.y"], "2 values are no Float64 (a point may be"),
        (";", ["x,y", "5"], "1 value is no Float64: row 1 (x,y)"),
        (
            ";",
            ["1.234,56", "1,5"],
            "2 values are no Float64 (commas and points in one column: write thousands without a "
            "mark): row 1 (1.234,56), row 2 (1,5)",
        ),
        (";", ["1,234,567", "1,5"], "1 value is no Float64: row 1 (1,234,567)"),
    ],
)
def test_a_decimal_comma_is_read_where_it_is_certain(
    csv: Read, separator: str, values: list[str], expected: Any
) -> None:
    rows = "".join(f"{value}{separator}k\n" for value in values)
    found = csv(f"x{separator}k\n{rows}", x=pl.Float64())
    if isinstance(expected, str):
        assert expected in sentence(found)
    else:
        assert found.frame["x"].to_list() == expected


NO_DAYS = [
    *(
        "13-06-26",
        "202-06-30",
        "2026-02-30",
        "2023-02-29",
        "+2024-06-30",
        "-2024-06-30",
        "20240630",
    ),
    *("2024-6-3", "2024-06-30T", "2024-06-30 24:00:00", "2024-06-30 23:59:60", "2024-06-3023:59"),
    *(
        "02024-06-30",
        "\uff12\uff10\uff12\uff14-06-30",
        "30.06.2024",
        "2024/06/30",
        "2024-06-30T10:00:00+2",
    ),
]


@pytest.mark.parametrize("text", NO_DAYS)
@pytest.mark.parametrize("kind", [pl.Date(), pl.Datetime("us")])
def test_what_is_no_date_is_refused(csv: Read, text: str, kind: pl.DataType) -> None:
    what = "date" if kind == pl.Date else "timestamp"
    said = sentence(csv(f"x\n2024-06-30\n{text}\n", x=kind))
    assert said == f"f.csv: column x: 1 value is no {what}: row 2 ({text})"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-06-30", date(2024, 6, 30)),
        ("2024-06-30 00:00", date(2024, 6, 30)),
        ("2024-06-30T23:59:59.999999", date(2024, 6, 30)),
        ("2024-07-01T00:00:00+02:00", date(2024, 7, 1)),
        ("2024-06-30T23:30:00-0800", date(2024, 6, 30)),
        ("2024-06-30 23:30:00Z", date(2024, 6, 30)),
    ],
)
def test_a_moment_is_on_the_day_of_its_own_zone(csv: Read, text: str, day: date) -> None:
    assert csv(f"x\n{text}\n", x=pl.Date()).frame["x"].to_list() == [day]


def test_zones_are_declared_never_implied(csv: Read, parquet: Read) -> None:
    berlin, naive = pl.Datetime("us", "Europe/Berlin"), pl.Datetime("us")
    midnight = pl.Series([datetime(2024, 6, 30, 22, tzinfo=UTC)]).dt.convert_time_zone(
        "Europe/Berlin"
    )
    assert parquet(midnight, pl.Date()).frame["x"].to_list() == [date(2024, 7, 1)]
    assert "the time zone Europe/Berlin, which the contract has to declare" in sentence(
        parquet(midnight, naive)
    )
    utc = parquet(midnight, pl.Datetime("us", "UTC"))
    assert utc.frame["x"].to_list() == [datetime(2024, 6, 30, 22, tzinfo=UTC)]
    plain = pl.Series([datetime(2024, 7, 1)])
    assert "they have no time zone" in sentence(parquet(plain, berlin))
    assert "needs a time zone" in sentence(csv("x\n2024-07-01 00:00:00\n", x=berlin))
    assert "has no time zone" in sentence(csv("x\n2024-07-01 00:00:00Z\n", x=naive))
    read_back = csv("x\n2024-07-01 00:00:00+02\n2024-06-30T22:00Z\n", x=berlin)
    assert read_back.frame["x"].to_list() == midnight.to_list() * 2


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("16777217", pl.Float32()),
        ("1e39", pl.Float32()),
        ("1e-50", pl.Float32()),
        ("9007199254740993", pl.Float64()),
        ("-9007199254740993.0", pl.Float64()),
        ("9007199254740992.5", pl.Float64()),
        ("1e400", pl.Float64()),
        ("1e-400", pl.Float64()),
        ("1.239", pl.Decimal(10, 2)),
        ("2024-06-30 10:00:00.1234567", pl.Datetime("us")),
        ("2024-06-30 10:00:00.123456", pl.Datetime("ms")),
    ],
)
def test_a_text_that_its_type_would_change_is_refused(
    csv: Read, text: str, kind: pl.DataType
) -> None:
    said = sentence(csv(f"x\n{text}\n", x=kind))
    assert said == f"f.csv: column x: 1 value would change as {kind}: row 1 ({text})"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pl.Series([16777217.0]), pl.Float32()),
        (pl.Series([1e39]), pl.Float32()),
        (pl.Series([1e-50]), pl.Float32()),
        (pl.Series([16777217]), pl.Float32()),
        (pl.Series([2**63 - 1]), pl.Float64()),
        (pl.Series([2**63], dtype=pl.UInt64), pl.Int64()),
        (pl.Series([300]), pl.Int8()),
        (pl.Series([-1]), pl.UInt32()),
        (pl.Series([Decimal("1.239")]), pl.Decimal(10, 2)),
        (pl.Series([Decimal("12345678901234567.89")]), pl.Float64()),
        (pl.Series([datetime(2024, 6, 30, 1, 2, 3, 4)]), pl.Datetime("ms")),
    ],
)
def test_a_stored_value_that_its_type_would_change_is_refused(
    parquet: Read, values: pl.Series, kind: pl.DataType
) -> None:
    assert f"1 value would change as {kind}" in sentence(parquet(values, kind))


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("16777216", pl.Float32(), 16777216.0),
        ("0.1", pl.Float32(), 0.10000000149011612),
        ("1e308", pl.Float64(), 1e308),
        ("-inf", pl.Float64(), float("-inf")),
        ("0.0e9", pl.Float64(), 0.0),
        ("1.230", pl.Decimal(10, 2), Decimal("1.23")),
        (" 7 ", pl.Int8(), 7),
        ("TRUE", pl.Boolean(), True),
        ("2024-06-30 10:00:00.123000", pl.Datetime("ms"), datetime(2024, 6, 30, 10, 0, 0, 123000)),
    ],
)
def test_a_value_that_its_type_keeps_is_read(
    csv: Read, text: str, kind: pl.DataType, value: Any
) -> None:
    assert csv(f"x,k\n{text},\n", x=kind).frame["x"].to_list() == [value]


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        (pl.Series([b"ab"]), pl.String(), "1 value is no String, the column holds Binary"),
        (pl.Series([[1, 2]]), pl.Float64(), "1 value is no Float64, the column holds List(Int64)"),
        (pl.Series([{"a": 1}]), pl.String(), "1 value is no String, the column holds Struct"),
        (
            pl.Series([2**31 - 1], dtype=pl.Int32).cast(pl.Date),
            pl.Date(),
            "row 1 (+2,147,483,647 days from 1970)",
        ),
        (pl.Series([-(2**31)], dtype=pl.Int32).cast(pl.Date), pl.Date(), "must be from 1900-01-01"),
        (
            pl.Series([2**63 - 1]).cast(pl.Datetime("us")),
            pl.Date(),
            "row 1 (+9,223,372,036,854,775,807 us",
        ),
        (pl.Series([-(2**62)]).cast(pl.Datetime("ms", "Europe/Berlin")), pl.Date(), "must be from"),
        (
            pl.Series([2**63 - 1]).cast(pl.Datetime("ns", "UTC")),
            pl.Datetime("us", "UTC"),
            "must be from",
        ),
    ],
)
def test_absurd_dates_and_types_that_are_not_read_are_findings(
    parquet: Read, values: pl.Series, kind: pl.DataType, said: str
) -> None:
    assert said in sentence(parquet(values, kind))


def test_all_that_is_wrong_with_a_column_is_told_at_once(csv: Read, parquet: Read) -> None:
    kind = pl.Datetime("ms")
    rows = ["abc", "2024-06-30 10:00:00.1234", "0001-01-01", "2024-06-30"]
    found = csv("".join(f"{row}\n" for row in ("x", *rows)), x=kind)
    assert [each.sentence() for each in found.findings] == [
        "f.csv: column x: 1 value is no timestamp: row 1 (abc)",
        f"f.csv: column x: 1 value would change as {kind}: row 2 ({rows[1]})",
        "f.csv: column x: must be from 1900-01-01 to 2200-12-31, unless contract.py declares "
        "other days: row 3 (0001-01-01)",
    ]
    assert found.frame["x"].to_list() == [None, None, None, datetime(2024, 6, 30)]
    assert found.unread["x"].to_list() == [True, True, True, False]

    numbers = csv("x\nabc\n1e39\n1.5\n", x=pl.Float32())
    assert [each.message for each in numbers.findings] == [
        "1 value is no Float32",
        "1 value would change as Float32",
    ]
    assert numbers.frame["x"].to_list() == [None, None, 1.5]

    days = pl.Series([2**31 - 1, 0, 2**30], dtype=pl.Int32).cast(pl.Date)
    stored = parquet(days, pl.Date())
    assert stored.findings[0].count == 2
    assert stored.frame["x"].to_list() == [None, date(1970, 1, 1), None]
    assert {each.check for each in parquet(days, pl.Float64()).findings} == {"type", "dates"}

    edges = [datetime(1899, 12, 31, 23, 30), datetime(1, 1, 1), datetime(2024, 1, 1)]
    zoned = parquet(
        pl.Series(edges).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"),
        pl.Datetime("us", "UTC"),
    )
    assert [(each.check, each.count) for each in zoned.findings] == [("dates", 2)]
    assert zoned.frame["x"].to_list() == [None, None, datetime(2024, 1, 1, tzinfo=UTC)]


def test_a_decimal_that_does_not_fit_is_told_once(csv: Read) -> None:
    assert "1 value is no Decimal" in sentence(csv("x\n123456.789\n", x=pl.Decimal(5, 2)))


@pytest.mark.parametrize("cut", [4, 10, 100, -1, -5, -9, -40])
def test_a_damaged_parquet_file_is_a_finding(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "f.parquet"
    pl.DataFrame({"x": list(range(1000))}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:cut])
    assert "f.parquet: this is not a readable Parquet file" in sentence(
        read(path, {"x": pl.Int64()})
    )


def test_a_panic_of_a_library_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def panics(*_: Any, **__: Any) -> None:
        raise pl.exceptions.PanicException("called unwrap on a None value")

    path = tmp_path / "f.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setattr("pyarrow.parquet.ParquetFile", panics)
    assert "(called unwrap on a None value)" in sentence(read(path))


@pytest.mark.parametrize("name", ["sales[1]", "sales*", "sales?", "a%20b", "a#b", "year=2024"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_name_is_never_a_pattern(tmp_path: Path, name: str, suffix: str) -> None:
    def write(stem: str, number: int) -> Path:
        path = tmp_path / f"{stem}{suffix}"
        frame = pl.DataFrame({"x": [number]})
        frame.write_csv(path) if suffix == ".csv" else frame.write_parquet(path)
        return path

    for other in ("sales1", "salesX", "a b", "a"):
        write(other, 1)
    found = read(write(name, 2), {"x": pl.Int64()})
    assert found.frame["x"].to_list() == [2]
