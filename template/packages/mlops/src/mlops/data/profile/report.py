"""The profile of a folder: its outcome, and what of it may be told to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from mlops.data.folder import list_files
from mlops.data.personal import NOTHING_PERSONAL, Personal
from mlops.data.profile.columns import LIMIT, Column, columns_of
from mlops.data.profile.keys import Guess, guess_key
from mlops.data.profile.looks_personal import why_personal
from mlops.data.profile.remarks import Remark, Weight, heaviest
from mlops.data.profile.tables import Asked, Opened, open_file


class Outcome(StrEnum):
    """What is to be done about the data before they can be read."""

    CLEAN = "clean"
    TO_CLEAN = "to clean"
    AMBIGUOUS = "ambiguous"
    TOO_FEW = "too few rows"
    UNREADABLE = "unreadable"
    NO_FILES = "no files"


class Hidden(StrEnum):
    """Why no value of a column is told."""

    NO_CONTRACT = "no contract"
    PERSONAL = "personal"
    KEY = "key"
    NOT_NAMED = "not in the contract"
    SETTING = "data.show_values"


@dataclass(frozen=True)
class Terms:
    """What may be told of values.

    Attributes:
        names: the columns that a contract names; None without a contract.
        texts: those of them that are text.
        personal: those of them that it declares personal.
        key: the one that says whom or what a row is about.
        show_values: whether anything of the data may be told at all.
    """

    names: frozenset[str] | None = None
    texts: frozenset[str] = frozenset()
    personal: Personal = NOTHING_PERSONAL
    key: str | None = None
    show_values: bool = True

    def hides(self, column: str) -> Hidden | None:
        """Return why no value of a column may be told; None if it may."""
        if self.names is None:
            return Hidden.NO_CONTRACT
        if column not in self.names:
            return Hidden.NOT_NAMED
        if column in self.personal.columns:
            return Hidden.PERSONAL
        if column == self.key:
            return Hidden.KEY
        return None if self.show_values else Hidden.SETTING

    def names_column(self, column: str) -> bool:
        """Tell whether a column may be named: others than the contract's may be called by values.

        As in every message, that counts where a contract declares columns personal.
        """
        return self.names is None or not self.personal or column in self.names


@dataclass(frozen=True)
class Profile:
    """What raw data look like.

    Attributes:
        files: what was opened.
        refused: files that are not read, and why; of their names alone.
        passed_over: files that were passed over, and why.
        columns: of all files that can be read.
        terms: what may be told.
    """

    files: tuple[Opened, ...]
    refused: tuple[tuple[str, str], ...]
    passed_over: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    terms: Terms

    @property
    def rows(self) -> int:
        """How many rows could be read."""
        return sum(file.rows for file in self.files)

    @property
    def readable(self) -> tuple[Opened, ...]:
        """The files of which the columns are known."""
        return tuple(file for file in self.files if not file.problem)

    @property
    def outcome(self) -> Outcome:
        """What is to be done before the data can be read."""
        if not (self.files or self.refused):
            return Outcome.NO_FILES
        if self.refused or len(self.readable) < len(self.files):
            return Outcome.UNREADABLE
        if self.rows < LIMIT:
            return Outcome.TOO_FEW
        of_columns = [remark for column in self.columns for remark in column.remarks]
        of_files = [remark for file in self.files for remark in file.remarks]
        weight = heaviest([*of_columns, *of_files])
        return {
            Weight.NOTE: Outcome.CLEAN,
            Weight.TO_CLEAN: Outcome.TO_CLEAN,
            Weight.AMBIGUOUS: Outcome.AMBIGUOUS,
        }[weight]

    def to_dict(self) -> dict[str, Any]:
        """Return what may be told."""
        told = [column for column in self.columns if self.terms.names_column(column.name)]
        key = guess_key(self.columns, dated=True)
        return {
            "outcome": str(self.outcome),
            "contract": self.terms.names is not None,
            "hidden_below": LIMIT,
            "rows": self._told_rows(),
            "files": [_file(file) for file in self.files],
            "refused": [{"name": name, "why": why} for name, why in self.refused],
            "passed_over": [{"name": name, "why": why} for name, why in self.passed_over],
            "columns": [_column(column, self.terms, key) for column in told],
            "further_columns": len(told) < len(self.columns),
        }

    def _told_rows(self) -> int | None:
        """Return the count of all rows, unless it says how many a single file has that hides it."""
        counts = [told_count(file.rows) for file in self.readable]
        return None if counts.count(None) == 1 else told_count(self.rows)


def profile_folder(folder: Path, ignore: Sequence[str], terms: Terms) -> Profile:
    """Look at every data file of a folder.

    Args:
        folder: the folder.
        ignore: patterns of names that are not to be read.
        terms: what a contract says of its columns, and what may be told.

    Raises:
        ConfigError: the folder does not exist.
    """
    listing = list_files(folder, ignore)
    asked = Asked(terms.names, terms.texts)
    files = tuple(open_file(path, name, asked) for name, path in listing.files.items())
    return Profile(
        files,
        tuple((each.file, each.message) for each in listing.failures),
        tuple((each.file, each.message) for each in listing.warnings),
        tuple(columns_of([file for file in files if not file.problem])),
        terms,
    )


def told_count(count: int, of: int | None = None) -> int | None:
    """Return a count of rows, or None if it may not be told.

    Hidden is a count below the limit, and one that leaves so few of all.

    Args:
        count: how many rows.
        of: of how many.
    """
    rest = LIMIT if of is None else of - count
    told = all(each == 0 or each >= LIMIT for each in (count, rest))
    return count if told else None


def _file(file: Opened) -> dict[str, Any]:
    return {
        "name": file.name,
        "rows": told_count(file.rows),
        "form": file.form,
        "encoding": file.encoding or None,
        "separator": file.separator or None,
        "problem": file.problem or None,
        "remarks": _remarks(file.remarks),
    }


def _column(column: Column, terms: Terms, key: Guess) -> dict[str, Any]:
    hidden = terms.hides(column.name)
    span = None if hidden else column.range
    looks = ""
    if hidden is Hidden.NO_CONTRACT:
        is_key = column.name == key.name
        looks = why_personal(column.name, column.kind, column.values, is_key=is_key)
    return {
        "name": column.name,
        "kind": str(column.kind),
        "nulls": told_count(column.nulls, column.rows),
        "has_nulls": column.nulls > 0,
        "distinct": told_count(column.distinct, column.rows - column.nulls),
        "unique": column.unique and column.rows >= LIMIT,
        "hidden": str(hidden) if hidden else None,
        "looks_personal": looks or None,
        "least": span[0] if span else None,
        "greatest": span[1] if span else None,
        "categories": None if hidden or not column.categories else list(column.categories),
        "rarer_categories": None if hidden else column.rarer,
        "remarks": _remarks(column.remarks),
    }


def _remarks(remarks: frozenset[Remark]) -> list[dict[str, Any]]:
    ordered = sorted(remarks, key=lambda remark: (-remark.weight, remark.value))
    return [
        {"what": remark.value, "weight": remark.weight.name.lower(), "text": remark.text}
        for remark in ordered
    ]
