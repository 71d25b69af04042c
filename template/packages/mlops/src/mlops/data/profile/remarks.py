"""What a profile remarks on a file or a column: a word, what it means, and how much it weighs."""

from collections.abc import Iterable
from enum import IntEnum, StrEnum


class Weight(IntEnum):
    """What follows from a remark."""

    NOTE = 0
    """The reader takes the data as they are."""
    TO_CLEAN = 1
    """The reader refuses the data as they are."""
    AMBIGUOUS = 2
    """Only a person can tell what is meant."""


class Remark(StrEnum):
    """What was remarked, in a word or two."""

    ENCODING = "encoding"
    SEPARATOR = "separator"
    UNNAMED = "unnamed"
    NULL_WORDS = "null words"
    NULL_WORDS_IN_TEXT = "null words in text"
    DECIMAL_COMMA = "decimal comma"
    DECIMAL_COMMA_REFUSED = "decimal comma between commas"
    THOUSANDS = "thousands"
    MARK_IN_DOUBT = "decimal or thousands"
    DAY_SHAPE = "shape of days"
    DAY_SHAPES = "shapes of days"
    DAY_ORDER = "day or month"
    CENTURY = "century"
    DIGITS = "days in digits"
    IMPLAUSIBLE = "implausible days"
    LEADING_ZEROS = "digits as a name"
    MIXED = "mixed"
    NOT_FINITE = "not finite"
    EMPTY = "no values"
    NOT_READ = "not read"
    NOT_EVERYWHERE = "not in every file"
    FILES_DIFFER = "files differ"

    @property
    def weight(self) -> Weight:
        """What follows from it."""
        return _MEANINGS[self][0]

    @property
    def text(self) -> str:
        """What it means, without a value of the data."""
        return _MEANINGS[self][1]

    def __str__(self) -> str:
        """Return what people read."""
        words = {Weight.NOTE: "", Weight.TO_CLEAN: "to clean: ", Weight.AMBIGUOUS: "ambiguous: "}
        return words[self.weight] + self.text


_NOTE, _CLEAN, _AMBIGUOUS = Weight
_MEANINGS = {
    Remark.ENCODING: (
        _AMBIGUOUS,
        "it is not UTF-8, and its bytes do not say which encoding they are of (Windows-1252, "
        "ISO 8859-1 and others fit): save it as UTF-8 where it was made",
    ),
    Remark.SEPARATOR: (
        _AMBIGUOUS,
        "more than one separator makes a table of it: write a line such as sep=; before the header",
    ),
    Remark.UNNAMED: (_NOTE, "a column without a name is passed over"),
    Remark.NULL_WORDS: (
        _CLEAN,
        "a word such as NA or - stands where a value is missing: write an empty field",
    ),
    Remark.NULL_WORDS_IN_TEXT: (
        _AMBIGUOUS,
        "a word such as NA or None is a value like others here, or a missing one: an empty field "
        "is null",
    ),
    Remark.DECIMAL_COMMA: (_NOTE, "numbers have a decimal comma"),
    Remark.DECIMAL_COMMA_REFUSED: (
        _CLEAN,
        "numbers have a decimal comma where commas part fields: write points",
    ),
    Remark.THOUSANDS: (_CLEAN, "thousands are parted by a mark: write numbers without it"),
    Remark.MARK_IN_DOUBT: (
        _AMBIGUOUS,
        "a comma or a point is a decimal mark or parts thousands: write 1234 or 1.2340",
    ),
    Remark.DAY_SHAPE: (_CLEAN, "days are not written as 2026-01-31"),
    Remark.DAY_SHAPES: (_CLEAN, "days are written in more than one way: write 2026-01-31"),
    Remark.DAY_ORDER: (
        _AMBIGUOUS,
        "the day or the month comes first, and no value says which for all: write 2026-01-31",
    ),
    Remark.CENTURY: (_AMBIGUOUS, "years have two digits: write 2026-01-31"),
    Remark.DIGITS: (_AMBIGUOUS, "whole numbers that may be days, as 20260131: write 2026-01-31"),
    Remark.IMPLAUSIBLE: (
        _CLEAN,
        "there are days outside 1900 to 2200: clean them, or declare days in the contract",
    ),
    Remark.LEADING_ZEROS: (_NOTE, "digits that are a name and no amount, taken as text"),
    Remark.MIXED: (
        _AMBIGUOUS,
        "most values are of this kind, some are of none: clean them, or declare text",
    ),
    Remark.NOT_FINITE: (_NOTE, "there are numbers that are not finite (NaN, inf)"),
    Remark.EMPTY: (_NOTE, "there is no value, so nothing can be told"),
    Remark.NOT_READ: (_NOTE, "a type that is not read (binary, a list, a structure …)"),
    Remark.NOT_EVERYWHERE: (_NOTE, "it is not in every file"),
    Remark.FILES_DIFFER: (_AMBIGUOUS, "its values are of another kind in another file"),
}


def heaviest(remarks: Iterable[Remark]) -> Weight:
    """Return the largest weight of some remarks; that of a note if there are none."""
    return max((remark.weight for remark in remarks), default=Weight.NOTE)
