"""Raw data with marks in their personal columns, good ones and each kind of bad ones."""

import gzip
import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fakes.marks import BORN, EARLY, NUMBER, TEXT
from fakes.personal_use_case.sample import make_sample
from fakes.project import PYPROJECT, TODAY, write_project
from mlops.settings.project import Project, find_project

HEADER = "machine,day,reading,email,salary,born,badge,plan"
ROW = ("m1", "2024-06-01", "1.5", f"{TEXT}@example.test", f"{NUMBER}", f"{BORN}", "7345129", "full")


@dataclass(frozen=True)
class Bad:
    """A data file that is refused: its content, and the checks that have to find it."""

    name: str
    content: bytes
    checks: tuple[str, ...]


def good(size: int = 300) -> pl.DataFrame:
    return make_sample(size, 1, 0.0, TODAY)


def write_bad(folder: Path) -> None:
    """Write all bad files."""
    folder.mkdir()
    for bad in BAD:
        (folder / bad.name).write_bytes(bad.content)


def _line(**changed: str) -> str:
    cells = dict(zip(HEADER.split(","), ROW, strict=True))
    return ",".join((cells | changed).values())


def _csv(*lines: str) -> bytes:
    return "\n".join([HEADER, _line(machine="m0"), *lines]).encode() + b"\n"


def _parquet(**changed: pl.Series) -> bytes:
    frame = good(3).head(3).with_columns(**changed)
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def _typed(column: str, kind: str) -> bytes:
    texts = pl.Series([TEXT, TEXT, None])
    values = {
        "text": texts,
        "binary": texts.cast(pl.Binary),
        "category": texts.cast(pl.Categorical),
        "list": pl.Series([[TEXT]] * 3),
        "structure": pl.Series([{TEXT: TEXT}] * 3),
        "number": pl.Series([NUMBER] * 3),
        "decimal": pl.Series([f"{NUMBER}"] * 3).cast(pl.Decimal(20, 4)),
        "day": pl.Series([EARLY] * 3),
    }
    return _parquet(**{column: values[kind]})


_BROKEN = f"broken-{TEXT}@example.test"
_WITHOUT_HEADER = "\n".join([_line(), _line(machine="m2")]).encode()
_TWICE = f"{TEXT},{TEXT},{int(NUMBER)},machine\na,b,1,m\n".encode()

BAD = (
    Bad("number.csv", _csv(_line(salary=TEXT)), ("type",)),
    Bad("whole-number.csv", _csv(_line(badge=f"{NUMBER}")), ("type",)),
    Bad("day.csv", _csv(_line(born=f"{BORN} {TEXT}")), ("type",)),
    Bad("category.csv", _csv(_line(plan=TEXT)), ("type",)),
    Bad("digits.csv", _csv(_line(salary=f"{int(NUMBER)}00000000000000000001")), ("type",)),
    Bad("no-day.csv", _csv(_line(born=f"{EARLY}")), ("dates",)),
    Bad("null.csv", _csv(_line(email="", salary="")), ("not_nullable",)),
    Bad("range.csv", _csv(_line(salary=f"-{NUMBER}")), ("greater_than_or_equal_to(0)",)),
    Bad("pattern.csv", _csv(_line(email=TEXT)), ("str_contains('@')",)),
    Bad("own-check.csv", _csv(_line(email=_BROKEN)), ("email_fails",)),
    Bad("whole-row.csv", _csv(_line(salary="1")), ("earns_enough",)),
    Bad("few-fields.csv", _csv(f"m9,{TEXT}"), ("fields",)),
    Bad("many-fields.csv", _csv(f"{_line()},{TEXT}"), ("fields",)),
    Bad("stray-quote.csv", _csv(_line(email=f'{TEXT}"@')), ("quotes",)),
    Bad("open-quote.csv", _csv(_line(email=f'"{TEXT}@')), ("quotes",)),
    Bad("zero-byte.csv", _csv(_line(email=f"{TEXT}\0@")), ("encoding",)),
    Bad("latin.csv", _csv(_line(email=f"é{TEXT}@")).decode().encode("latin-1"), ("encoding",)),
    Bad("utf16.csv", b"\xff\xfe" + _csv(_line()).decode().encode("utf-16-le")[:-1], ("encoding",)),
    Bad("line-ends.csv", _csv(f"{_line()}\r{_line()}"), ("lines",)),
    Bad("blank.csv", _csv("", _line()), ("blank",)),
    Bad("without-header.csv", _WITHOUT_HEADER, ("column",)),
    Bad("names-twice.csv", _TWICE, ("header",)),
    Bad("separator.csv", f'sep=7\n{TEXT}"'.encode(), ("separator",)),
    Bad("open-header.csv", f'"{TEXT}'.encode(), ("header",)),
    Bad("latin-header.csv", f"é{TEXT},machine\n".encode("latin-1"), ("encoding",)),
    Bad("zipped.csv.gz", gzip.compress(_csv(_line(salary=TEXT))), ("type",)),
    Bad("no-zip.csv.gz", _csv(_line()), ("readable",)),
    Bad("half-zip.csv.gz", gzip.compress(_csv(_line()))[:-9], ("readable",)),
    Bad("text.parquet", _typed("salary", "text"), ("type",)),
    Bad("category.parquet", _typed("salary", "category"), ("type",)),
    Bad("binary.parquet", _typed("email", "binary"), ("type",)),
    Bad("list.parquet", _typed("email", "list"), ("type",)),
    Bad("structure.parquet", _typed("email", "structure"), ("type",)),
    Bad("number.parquet", _typed("email", "number"), ("type",)),
    Bad("decimal.parquet", _typed("badge", "decimal"), ("type",)),
    Bad("no-whole-number.parquet", _typed("badge", "number"), ("type",)),
    Bad("day.parquet", _typed("born", "day"), ("dates",)),
    Bad("no-category.parquet", _typed("plan", "text"), ("type",)),
    Bad("half.parquet", _typed("email", "text")[:-50], ("readable",)),
    Bad("text-only.parquet", TEXT.encode(), ("readable",)),
)


def write_personal_project(root: Path) -> Project:
    """Write a project of the use case with personal columns."""
    write_project(root)
    text = PYPROJECT.replace("tiny_use_case", "personal_use_case")
    (root / "pyproject.toml").write_text(text)
    return find_project(root)
