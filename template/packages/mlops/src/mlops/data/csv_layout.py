"""How a CSV file is laid out, and whether each of its rows is what the header promises.

Spreadsheets write CSV in many ways. The bytes are gone through once, whole blocks at a time, so
that what any reader of RFC 4180 would take alike is told from what one would guess at: that is
refused, with its row.
"""

import codecs
import csv
import io
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops.data.findings import ROWS_STORED

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
"""The bytes of a text: shape (bytes,)."""

SEPARATORS = ",;\t|"
BLOCK = 1 << 19
_HEADER_BYTES = 1 << 20
_QUOTE, _LF, _CR = 34, 10, 13
_SEP_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class Unreadable(Exception):
    """A file that cannot be read for certain.

    Args:
        check: what was looked at, in one word.
        message: what it is.
        rows: the rows at fault, from 1, and what to say of each.
        count: how many rows are at fault.
        unquoted: the message without a word of the file; empty if the message has none.
    """

    def __init__(
        self,
        check: str,
        message: str,
        rows: tuple[tuple[int, str], ...] = (),
        count: int = 1,
        unquoted: str = "",
    ) -> None:
        super().__init__(message)
        self.check, self.message, self.rows, self.count = check, message, rows, count
        self.unquoted = unquoted or message


@dataclass(frozen=True)
class Layout:
    """A CSV text and how to read it.

    Attributes:
        text: its bytes in UTF-8, from the header to the end of the last row.
        separator: between two fields.
        newline: between two rows.
        header: the names of the columns, none twice.
        rows: how many follow the header.
        as_stored: whether the file's own bytes, all of them, are this text.
    """

    text: Bytes
    separator: str
    newline: str
    header: tuple[str, ...]
    rows: int
    as_stored: bool


def lay_out(content: Bytes, wanted: Collection[str]) -> Layout:
    """Find out how a CSV file is to be read.

    Args:
        content: the bytes of the file.
        wanted: the columns that are asked for; the separator is the one that yields most of them.

    Raises:
        Unreadable: it cannot be read for certain.
    """
    text = _in_utf8(content)
    untouched = text is content
    newline = _newline(text)
    first = _first_record(text, newline)
    declared = _SEP_LINE.fullmatch(first.strip("\r"))
    if declared:
        text = text[len(first.encode()) + 1 :]
        first = _first_record(text, newline)
    separator, header = _separate(first.strip("\r"), declared and declared[1], wanted)
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise Unreadable(
            "header",
            f"the header names the column {', '.join(twice)} more than once",
            unquoted="the header has the same name more than once",
        )
    text = _without_blank_end(text, single=len(header) == 1)
    start = min(len(first.encode()) + 1, len(text))
    rows = _Scan(ord(separator), ord(newline), len(header)).run(text, start)
    rest = content[len(text) :].tobytes() if untouched and not declared else None
    as_stored = rest in (b"", b"\n", b"\r\n", b"\r")
    return Layout(text, separator, newline, tuple(header), rows, as_stored)


def _in_utf8(content: Bytes) -> Bytes:
    """Return the text in UTF-8 without a byte order mark."""
    begin = content[:4].tobytes()
    for mark, encoding in _MARKS:
        if begin.startswith(mark):
            try:
                decoded = content.tobytes().decode(encoding)
            except UnicodeDecodeError as error:
                raise Unreadable(
                    "encoding", f"this is no complete {encoding} ({error.reason})"
                ) from None
            return np.frombuffer(decoded.encode(), dtype=np.uint8)
    return content[3:] if begin.startswith(codecs.BOM_UTF8) else content


def _newline(text: Bytes) -> str:
    for start in range(0, len(text), BLOCK):
        block = text[start : start + BLOCK]
        if (block == _LF).any():
            return "\n"
        if (block == _CR).any():
            return "\r"
    return "\n"


def _first_record(text: Bytes, newline: str) -> str:
    """Return the first line without its end; an end between quotes does not count."""
    begin = text[:_HEADER_BYTES].tobytes()
    inside = False
    for position, byte in enumerate(begin):
        if byte == _QUOTE:
            inside = not inside
        elif byte == ord(newline) and not inside:
            begin = begin[:position]
            break
    else:
        if len(text) > _HEADER_BYTES:
            raise Unreadable("header", "the first line has no end: this is no CSV file")
    if b"\0" in begin:
        raise Unreadable("encoding", "the header holds zero bytes: this is no CSV file in UTF-8")
    try:
        return begin.decode()
    except UnicodeDecodeError as error:
        byte = begin[error.start]
        raise Unreadable(
            "encoding", f"the header is not UTF-8 (byte 0x{byte:02X}): save it as UTF-8"
        ) from None


def _separate(line: str, declared: str | None, wanted: Collection[str]) -> tuple[str, list[str]]:
    if declared and (not declared.isascii() or declared.isalnum() or declared in '" '):
        raise Unreadable(
            "separator",
            f"its line sep={declared} names no separator",
            unquoted="its line sep= names no separator",
        )
    best: tuple[str, list[str]] | None = None
    for separator in declared or SEPARATORS:
        quoted, plain = r'"(?:[^"]|"")*"', rf'[^"\r\n{re.escape(separator)}]*'
        field = f"(?:{quoted}|{plain})"
        if not re.fullmatch(f"{field}(?:{re.escape(separator)}{field})*", line):
            continue
        fields = next(csv.reader(io.StringIO(line, newline=""), delimiter=separator), [""])
        if best is None or _merit(fields, wanted) > _merit(best[1], wanted):
            best = separator, fields
    if best is None:
        raise Unreadable(
            "header", "the header has a quote inside a field, or one that is not closed"
        )
    return best


def _merit(fields: Collection[str], wanted: Collection[str]) -> tuple[int, int]:
    return len(set(fields) & set(wanted)), len(fields)


def _without_blank_end(text: Bytes, *, single: bool) -> Bytes:
    """Leave blank last lines out; in a file of one column each may be a row without a value."""
    end = len(text)
    while end and text[end - 1] in (_LF, _CR) and not single:
        end -= 1
    return text[:end]


class _Scan:
    """Goes through the rows of a CSV text, a block of bytes at a time."""

    def __init__(self, separator: int, newline: int, width: int) -> None:
        self._separator, self._newline, self._width = separator, newline, width
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._inside = False
        self._fields = 0
        self._line = 0
        self._rows = 0
        self._ragged: list[tuple[int, str]] = []
        self._ragged_count = 0

    def run(self, text: Bytes, start: int) -> int:
        """Return how many rows follow the position `start`.

        Raises:
            Unreadable: a row has too few or too many fields, or cannot be told for certain.
        """
        self._text, self._line = text, start
        for begin in range(start, len(text), BLOCK):
            self._block(begin, text[begin : begin + BLOCK])
        if self._inside:
            raise Unreadable(
                "quotes", "a quote is not closed", ((self._rows + 1, "it opens there"),)
            )
        if self._line < len(text):
            self._take_rows(np.array([len(text)]), np.array([self._fields]))
        if self._ragged:
            raise Unreadable(
                "fields",
                f"{self._ragged_count:,} "
                f"{'row has' if self._ragged_count == 1 else 'rows have'} another number of "
                f"fields than the header, {self._width}",
                tuple(self._ragged),
                self._ragged_count,
            )
        return self._rows

    def _block(self, begin: int, block: Bytes) -> None:
        quotes = block == _QUOTE
        marks = (block == self._separator) | (block == self._newline)
        outside = None
        if self._inside or quotes.any():
            inside = np.bitwise_xor.accumulate(quotes) ^ self._inside
            outside = ~inside
            marks &= outside
            self._inside = bool(inside[-1])
        places = np.flatnonzero(marks)
        at_end = np.flatnonzero(block[places] == self._newline)
        ends = places[at_end] + begin
        self._check_bytes(begin, block, ends)
        if outside is not None:
            self._check_quotes(begin, quotes, outside, ends)
        self._check_returns(begin, block, outside, ends)
        counts = np.diff(at_end, prepend=-1) - 1
        if len(counts):
            counts[0] += self._fields
            self._fields = len(places) - int(at_end[-1]) - 1
        else:
            self._fields += len(places)
        self._take_rows(ends, counts)

    def _take_rows(self, ends: Any, counts: Any) -> None:
        """Count rows that end at these places with so many separators, and note the wrong ones."""
        if not len(ends):
            return
        wrong = np.flatnonzero(counts != self._width - 1)
        starts = np.concatenate([[self._line], ends[:-1] + 1])
        lengths = ends - starts
        blank = (lengths == 0) | ((lengths == 1) & (self._text[ends - 1] == _CR))
        if blank.any():
            row = self._rows + int(blank.argmax()) + 1
            raise Unreadable("blank", "a line is blank", ((row, "blank"),))
        room = ROWS_STORED - len(self._ragged)
        self._ragged += [
            (self._rows + int(place) + 1, f"{counts[place] + 1:,} fields") for place in wrong[:room]
        ]
        self._ragged_count += len(wrong)
        self._rows += len(ends)
        self._line = int(ends[-1]) + 1

    def _check_bytes(self, begin: int, block: Bytes, ends: Any) -> None:
        waiting = len(self._decoder.getstate()[0])
        if block.view(np.int8).min() > 0 and not waiting:  # plain ASCII
            return
        if block.min() == 0:
            place = begin + int(block.argmin())
            self._refuse("encoding", "there is a zero byte: this is no text in UTF-8", place, ends)
        try:
            self._decoder.decode(block.tobytes(), final=begin + len(block) == len(self._text))
        except UnicodeDecodeError as error:
            position = begin - waiting + error.start
            byte = f"0x{self._text[position]:02X}"
            what = f"there is a byte that is not UTF-8 ({byte}): save it as UTF-8"
            self._refuse("encoding", what, position, ends)

    def _check_quotes(self, begin: int, quotes: Any, outside: Any, ends: Any) -> None:
        """Let a quote open a field, close one, or stand twice between such two, and nothing else.

        Raises:
            Unreadable: a reader could take it in another way.
        """
        places = np.flatnonzero(quotes)
        closing = outside[places]
        places = places + begin
        opens, closes = places[~closing], places[closing]
        before = self._text[opens - 1]
        after = self._text[np.minimum(closes + 1, len(self._text) - 1)]
        good_open = np.isin(before, (self._separator, self._newline, _QUOTE))
        good_close = np.isin(after, (self._separator, self._newline, _QUOTE, _CR))
        good_close |= closes + 1 == len(self._text)
        wrong = np.concatenate([opens[~good_open], closes[~good_close]])
        if len(wrong):
            self._refuse(
                "quotes",
                "there is a quote inside a field that is not quoted",
                int(wrong.min()),
                ends,
            )

    def _check_returns(self, begin: int, block: Bytes, outside: Any, ends: Any) -> None:
        other = _LF if self._newline == _CR else _CR
        strays = block == other
        if not strays.any():
            return
        places = np.flatnonzero(strays if outside is None else strays & outside) + begin
        if self._newline == _LF:
            last = len(self._text) - 1
            followed = self._text[np.minimum(places + 1, last)] == _LF
            places = places[~followed & (places < last)]
        if len(places):
            self._refuse("lines", "there are line ends of two kinds", int(places[0]), ends)

    def _refuse(self, check: str, what: str, position: int, ends: Any) -> None:
        row = self._rows + int(np.searchsorted(ends, position)) + 1
        raise Unreadable(check, what, ((row, "there"),))
