"""Raw files as people send them, each with what it would be when cleaned."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

ROWS = 120
_RANDOM = random.Random(7)


@dataclass(frozen=True)
class Messy:
    """A file that was written by hand or by a spreadsheet.

    Attributes:
        name: of the file.
        content: its bytes.
        clean: the same rows as a program would have written them.
        types: the contract's types, by column.
        remarks: what has to be said of each column, by words of `Remark`.
        outcome: of the profile.
        faults: changes of a clean table by which the draft of the contract has to refuse it.
    """

    name: str
    content: bytes
    clean: pl.DataFrame
    types: dict[str, pl.DataType]
    remarks: dict[str, set[str]]
    outcome: str
    faults: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = field(default_factory=dict)


def semicolons() -> Messy:
    """Semicolons, decimal commas, Latin-1, days with points, of a spreadsheet in German."""
    clean = pl.DataFrame(
        {
            "Auftrag Nr": [f"A-{number:04}" for number in range(ROWS)],
            "Datum": _days(),
            "Betrag": [round(_RANDOM.uniform(0, 2000), 2) for _ in range(ROWS)],
            "Größe": [_RANDOM.choice(["S", "M", "L"]) for _ in range(ROWS)],
        }
    )
    lines = ["Auftrag Nr;Datum;Betrag;Größe"]
    for number, day, amount, size in clean.rows():
        written = f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))
        lines.append(f"{number};{day:%d.%m.%Y};{written};{size}")
    return Messy(
        "aufträge.csv",
        "\r\n".join(lines).encode("latin-1"),
        clean,
        {"Auftrag Nr": pl.String(), "Datum": pl.Date(), "Betrag": pl.Float64()},
        {
            "Datum": {"shape of days"},
            "Betrag": {"decimal comma", "thousands"},
            "Größe": {"encoding"},
        },
        "ambiguous",
        {
            "wrong type": _set("Betrag", pl.lit("viel")),
            "null where none": _set("Datum", pl.lit(None, dtype=pl.Date)),
            "out of range": _set("Betrag", pl.lit(-1.0)),
            "empty": _set("Auftrag Nr", pl.lit("")),
            "duplicate key": _set("Auftrag Nr", pl.lit("A-0002")),
        },
    )


def mixed_days() -> Messy:
    """Days of three shapes in a file, of which one leaves open which number is the month."""
    clean = pl.DataFrame(
        {
            "visit_id": list(range(1000, 1000 + ROWS)),
            "visited": _days(),
            "billed": _days(shift=3),
            "site": [_RANDOM.choice(["north", "south"]) for _ in range(ROWS)],
            "share": [_RANDOM.random() for _ in range(ROWS)],
        }
    )
    shapes = ("%Y-%m-%d", "%d.%m.%Y", "%d %b %Y")
    lines = ["visit_id,visited,billed,site,share"]
    for row, (number, visited, billed, site, share) in enumerate(clean.rows()):
        billed_on = billed.replace(day=1 + billed.day % 12)
        shown = visited.strftime(shapes[row % 2])
        lines.append(f"{number},{shown},{billed_on:%m/%d/%Y},{site},{share!r}")
    return Messy(
        "visits.csv",
        "\n".join(lines).encode(),
        clean,
        {"visit_id": pl.Int64(), "visited": pl.Date(), "billed": pl.Date(), "share": pl.Float64()},
        {"visited": {"shapes of days"}, "billed": {"shape of days", "day or month"}},
        "ambiguous",
        {
            "wrong type": _set("visit_id", pl.lit("first")),
            "null where none": _set("billed", pl.lit(None, dtype=pl.Date)),
            "out of range": _set("share", pl.lit(1.5)),
            "unknown category": _set("site", pl.lit("east")),
            "duplicate key": _set("visit_id", pl.lit(1001)),
        },
    )


def null_words() -> Messy:
    """Missing values as NA, - and n/a, names of people, a tab between fields."""
    clean = pl.DataFrame(
        {
            "machine_id": [f"m{number:03}" for number in range(ROWS)],
            "cost": [None if n % 9 == 0 else n / 4 for n in range(ROWS)],
            "visits": [None if n % 7 == 0 else n for n in range(ROWS)],
            "state": [_RANDOM.choice(["ok", "worn", "broken"]) for _ in range(ROWS)],
            "contact email": [f"person{n}@example.test" for n in range(ROWS)],
        }
    )
    lines = ["\t".join(clean.columns)]
    for row in clean.rows():
        words = ["NA" if cell is None else str(cell) for cell in row]
        words[2] = "-" if row[2] is None else words[2]
        lines.append("\t".join(words))
    return Messy(
        "machines.csv",
        "\n".join(lines).encode(),
        clean,
        {
            "machine_id": pl.String(),
            "cost": pl.Float64(),
            "visits": pl.Int64(),
            "state": pl.String(),
        },
        {"cost": {"null words"}, "visits": {"null words"}},
        "to clean",
        {
            "wrong type": _set("visits", pl.lit("many")),
            "null where none": _set("state", pl.lit(None, dtype=pl.String)),
            "out of range": _set("cost", pl.lit(-0.5)),
            "unknown category": _set("state", pl.lit("gone")),
            "duplicate key": _set("machine_id", pl.lit("m002")),
        },
    )


ALL = (semicolons, mixed_days, null_words)


def _days(shift: int = 0) -> list[date]:
    return [date(2024, 6, 29) - timedelta(days=shift + number) for number in range(ROWS)]


def _set(column: str, value: pl.Expr) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Return what sets a column of the first row."""

    def change(frame: pl.DataFrame) -> pl.DataFrame:
        first = pl.int_range(pl.len()) == 0
        kept = pl.col(column)
        if value.meta.eq(pl.lit("")) or _is_text(value):
            kept = kept.cast(pl.String)
        return frame.with_columns(pl.when(first).then(value).otherwise(kept).alias(column))

    return change


def _is_text(value: pl.Expr) -> bool:
    return pl.select(value).to_series().dtype == pl.String
