"""Drafts contract.py from data: a beginning, of which a person reads and corrects every line."""

import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from mlops.data.personal import NOTHING_PERSONAL, Personal
from mlops.data.profile.columns import Column
from mlops.data.profile.keys import Guess, guess_date, guess_key
from mlops.data.profile.kinds import Kind
from mlops.data.profile.looks_personal import unaccented, why_personal
from mlops.data.profile.remarks import Remark, Weight

UNKNOWN_KEY = "fill_in_your_key_column"
"""What KEY is where no column looks like one."""

_WIDTH, _INDENT = 100, 4
_TYPES = {
    Kind.WHOLE: "int",
    Kind.NUMBER: "float",
    Kind.BOOLEAN: "bool",
    Kind.DATE: "pl.Date",
    Kind.TIMESTAMP: "pl.Datetime",
    Kind.ZONED: 'Annotated[pl.Datetime, "us", "UTC"]',
    Kind.TEXT: "str",
}
_OF_MODELS = frozenset(
    (
        *("build_schema_", "empty", "example", "from_json", "from_yaml", "get_metadata"),
        *("pydantic_validate", "strategy", "to_json", "to_json_schema", "to_schema", "to_yaml"),
        *("validate", "Config"),
    )
)
"""Names that a model of pandera has itself."""
_OF_MODULE = frozenset(("pa", "pl", "math", "contract", "Annotated", "Rows", *keyword.kwlist))
_BUILTINS = frozenset(("str", "int", "float", "bool", "type"))
_HEAD = '''\
"""What a raw table must look like. DRAFTED from data: read every line.

`uv run mlops data profile` wrote it.
GUESS marks what the data looked like, which need not be what is meant. AMBIGUOUS marks what the
data leave open, TO CLEAN what is refused until the files are mended. A column that looks as if it
told of a person is declared personal: take that back only if you know that it does not. Names of
categories (`isin`) are values of your data: see that they name nobody. A label that stands in the
row is `… | None` and nullable: rows that are to be predicted have none. Delete the marks as you go.
"""
'''
_REPEATS = (
    "keys repeat and rows have no date: they are refused as repeated until data.unique_key in conf "
    "names what identifies a row, or is []."
)
_TAIL = '''

def contract() -> type[pa.DataFrameModel]:
    """Return the model that every raw table has to satisfy."""
    return Rows
'''


@dataclass(frozen=True)
class _Argument:
    """An argument of a call: its text, and the items of the list that it ends with, if any."""

    text: str
    items: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """All of it on one line."""
        return f"{self.text}[{', '.join(self.items)}]" if self.items else self.text

    def lines(self) -> list[str]:
        """Return it with the comma after it, an item a line where one line is too short."""
        if not self.items or len(self.line) + 1 + 2 * _INDENT <= _WIDTH:
            return [f"{self.line},"]
        return [f"{self.text}[", *(f"    {item}," for item in self.items), "],"]


@dataclass(frozen=True)
class Known:
    """What a person has said already, in a contract that there is.

    Attributes:
        names: the columns that it names.
        personal: those of them that it declares personal.
        key: KEY.
        day: DATE_COLUMN.
    """

    names: frozenset[str] = frozenset()
    personal: Personal = NOTHING_PERSONAL
    key: str | None = None
    day: str | None = None


@dataclass(frozen=True)
class Draft:
    """The text of a module, and what of it is certain to need a person.

    Attributes:
        text: valid Python.
        key: what KEY may be.
    """

    text: str
    key: Guess


def draft_contract(
    columns: Sequence[Column], today: date, known: Known, *, show_values: bool = True
) -> Draft:
    """Draft the module that says what raw data like these must look like.

    Args:
        columns: what the data have.
        today: no row may be dated later.
        known: what a contract said already.
        show_values: whether names of categories may be in it.
    """
    used = [each for each in columns if each.everywhere and each.kind in _TYPES]
    there = {column.name for column in used}
    day = Guess(known.day) if known.day in there else guess_date(used, today)
    dated = day.name is not None
    key = Guess(known.key) if known.key in there else guess_key(used, dated=dated)
    repeats = any(each.name == key.name and not each.unique for each in used) and not day.name
    fields = {}
    names = _attributes([column.name for column in used])
    for column in used:
        why = _why_personal(column, known, key, day)
        fields[column.name] = _field(names[column.name], column, key, why, show_values=show_values)
    body = [line for lines in fields.values() for line in lines]
    body += _left_out([each for each in columns if each not in used])
    rows = "\n".join(f"    {line}" if line else "" for line in body) or "    # GUESS: no column."
    text = (
        f"{_HEAD}\n{_imports(body)}\n{_key_lines(key, day, repeats=repeats)}\n\n"
        'class Rows(pa.DataFrameModel):\n    """GUESS: one row is what KEY names."""\n\n'
        f"{rows}\n{_unique_together(used, key, day)}{_TAIL}"
    )
    return Draft(text, key)


def _imports(body: Sequence[str]) -> str:
    code = "\n".join(body)
    lines = ["import math"] if "math." in code else []
    lines += ["from typing import Annotated"] if "Annotated[" in code else []
    lines += [""] if lines else []
    lines += ["import pandera.polars as pa"]
    lines += ["import polars as pl"] if "pl." in code else []
    return "\n".join(lines) + "\n"


def _key_lines(key: Guess, day: Guess, *, repeats: bool) -> str:
    lines = _wrapped(f"AMBIGUOUS: {_REPEATS}") if repeats else []
    lines += _named("KEY", key, "whom or what a row is about", UNKNOWN_KEY)
    lines += _named("DATE_COLUMN", day, "when the row came about", None)
    return "\n".join(lines) + "\n"


def _named(constant: str, guess: Guess, meaning: str, otherwise: str | None) -> list[str]:
    if guess.name is None:
        found = "no column looks like it" if otherwise else "no column of past days"
        mark = "AMBIGUOUS" if otherwise else "GUESS"
        comment = f"{mark}: {meaning}: {found}."
    elif guess.others:
        others = ", ".join(literal(name) for name in guess.others[:5])
        comment = f"AMBIGUOUS: {meaning}: others may be it ({others})."
    else:
        comment = f"GUESS: {meaning}."
    value = literal(guess.name) if guess.name else literal(otherwise) if otherwise else "None"
    typed = f"{constant}: str | None" if constant == "DATE_COLUMN" else constant
    return [*_wrapped(comment), f"{typed} = {value}"]


def _why_personal(column: Column, known: Known, key: Guess, day: Guess) -> str:
    """Return why a column is to be declared personal; what a person said counts first."""
    if column.name in (key.name, day.name):
        return ""
    if column.name in known.personal.columns:
        return "as the contract said"
    if column.name in known.names:
        return ""
    return why_personal(column.name, column.kind, column.values)


def _field(attribute: str, column: Column, key: Guess, why: str, *, show_values: bool) -> list[str]:
    """Return the lines of one column: remarks, and its field."""
    is_key = column.name == key.name
    hidden = bool(why) or not show_values or is_key
    arguments = _checks(column, hidden=hidden)
    arguments += [_Argument("nullable=True")] if column.nulls else []
    arguments += [_Argument("unique=True")] if is_key and column.unique else []
    arguments += [_Argument(f"alias={literal(column.name)}")] if attribute != column.name else []
    arguments += [_Argument('metadata={"personal": True}')] if why else []
    said = f"GUESS: {column.kind}, {'some' if column.nulls else 'never'} null"
    said += f", looks personal ({why})." if why else "."
    lines = _wrapped(said)
    for remark in sorted(column.remarks, key=lambda each: (-each.weight, each.value)):
        lines += _wrapped(f"{_mark(remark)}: {remark.text}.")
    return [*lines, *_call(f"{attribute}: {_TYPES[column.kind]} = pa.Field", arguments)]


def _mark(remark: Remark) -> str:
    return {Weight.NOTE: "GUESS", Weight.TO_CLEAN: "TO CLEAN", Weight.AMBIGUOUS: "AMBIGUOUS"}[
        remark.weight
    ]


def _checks(column: Column, *, hidden: bool) -> list[_Argument]:
    """Return the checks that the values pass; of values there are names of categories alone."""
    if column.kind is Kind.TEXT:
        if not hidden and column.categories and not column.rarer:
            return [_Argument("isin=", tuple(map(literal, column.categories)))]
        empty = (column.values == "").any()
        return [] if empty else [_Argument('str_length={"min_value": 1}')]
    if column.kind in (Kind.WHOLE, Kind.NUMBER):
        return [_Argument(bound) for bound in _bounds(column)]
    return []


def _bounds(column: Column) -> list[str]:
    """Return bounds that follow from the sign, and from whether all are shares, and no others."""
    span, fractions = column.range, column.kind is Kind.NUMBER
    if Remark.NOT_FINITE in column.remarks:
        return []
    least, greatest = span if span else (None, None)
    above = isinstance(least, int | float) and least >= 0
    if above and isinstance(greatest, int | float) and greatest <= 1:
        return ["ge=0", "le=1"]
    low = ["ge=0"] if above else ["gt=-math.inf"] if fractions else []
    return [*low, *(["lt=math.inf"] if fractions else [])]


def _unique_together(used: Sequence[Column], key: Guess, day: Guess) -> str:
    """Return the rule that a key comes once a day, if it holds in the data."""
    by_name = {column.name: column for column in used}
    if key.name is None or day.name is None or by_name[key.name].unique:
        return ""
    values = {"key": by_name[key.name].values, "day": by_name[day.name].values}
    pairs = pl.DataFrame([series.alias(name) for name, series in values.items()])
    if not by_name[day.name].certain or pairs.n_unique() < pairs.height:
        return ""
    names = ", ".join(literal(name) for name in (key.name, day.name))
    return (
        '\n    class Config:\n        """GUESS: no key has two rows of one day."""\n\n'
        f"        unique = ({names})\n"
    )


def _left_out(columns: Sequence[Column]) -> list[str]:
    lines = []
    for column in columns:
        why = "it is not in every file" if not column.everywhere else str(column.kind)
        lines += _wrapped(f"GUESS: the column {literal(column.name)} is left out: {why}.")
    return lines


def _call(head: str, arguments: Sequence[_Argument]) -> list[str]:
    """Return a call as ruff formats it: on one line, its arguments on one, or each on its own."""
    inside = ", ".join(argument.line for argument in arguments)
    if len(f"{head}({inside})") + _INDENT <= _WIDTH:
        return [f"{head}({inside})"]
    if len(inside) + 2 * _INDENT <= _WIDTH:
        return [f"{head}(", f"    {inside}", ")"]
    lines = [f"    {line}" for argument in arguments for line in argument.lines()]
    return [f"{head}(", *lines, ")"]


def _wrapped(comment: str) -> list[str]:
    """Return a comment, broken between words."""
    lines, line = [], "#"
    for word in comment.split():
        if len(line) + 1 + len(word) + _INDENT > _WIDTH:
            lines.append(line)
            line = "#  "
        line += f" {word}"
    return [*lines, line]


def _attributes(names: Sequence[str]) -> Mapping[str, str]:
    """Return a name in Python for each column, none twice; a plain one stays as it is."""
    taken = set(_OF_MODELS | _OF_MODULE | _BUILTINS)
    found: dict[str, str] = {}
    plain = [name for name in names if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)]
    for name in [*plain, *(name for name in names if name not in plain)]:
        base = re.sub(r"[^a-z0-9]+", "_", unaccented(name).lower()).strip("_") or "column"
        base = f"column_{base}" if base[0].isdigit() else base
        wanted = name if name in plain else base
        number = 2
        while wanted in taken:
            wanted, number = f"{base}_{number}", number + 1
        taken.add(wanted)
        found[name] = wanted
    return found


def literal(text: str) -> str:
    """Return a text as Python writes it: between double quotes, or as needs fewer backslashes.

    What is no letter, digit or sign of ASCII is escaped, as it may look like another sign.
    """
    mark = "'" if text.count('"') > text.count("'") else '"'
    return mark + "".join(_escaped(each, mark) for each in text) + mark


def _escaped(sign: str, mark: str) -> str:
    if sign in ("\\", mark):
        return f"\\{sign}"
    if sign.isprintable() and (sign.isascii() or sign.isalnum()):
        return sign
    return sign.encode("unicode_escape").decode()
