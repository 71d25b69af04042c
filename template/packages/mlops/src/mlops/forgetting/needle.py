"""The key that is looked for, and whether bytes hold it."""

import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from mlops.data.suppression import among, canonical

LETTERS_NEEDED = 5
"""A key with a letter, of so many characters at least, is looked for in any file …"""
DIGITS_NEEDED = 9
"""… and one of digits alone if it has so many: shorter ones stand everywhere by chance."""


@dataclass(frozen=True)
class Needle:
    """A key in its canonical form.

    Attributes:
        text: the key.
        column: what the data call it.
        whole: whether keys are whole numbers.
    """

    text: str
    column: str
    whole: bool

    def mask(self, values: pl.Series) -> pl.Series:
        """Return which values are the key."""
        return among(values, self.is_key, whole=self.whole)

    def is_key(self, value: object) -> bool:
        """Tell whether a value is the key."""
        return value is not None and canonical(value, whole=self.whole) == self.text

    @property
    def is_rare(self) -> bool:
        """Whether a file that has the key's text has the key, and not the same text by chance."""
        needed = DIGITS_NEEDED if self.text.lstrip("-").isdecimal() else LETTERS_NEEDED
        return len(self.text) >= needed

    def stands_in(self, data: bytes) -> bool:
        """Tell whether bytes, or what is packed in them, have the key's text; True only if rare."""
        return self.is_rare and any(self._within(part) for part in _unpacked(data))

    def stands_in_text(self, text: str) -> bool:
        """Tell whether a text has the key as a word of its own, however short it is."""
        return self._word.search(text.encode()) is not None

    def hidden_in(self, name: str) -> str:
        """Return the name of a file without the key in it."""
        return name.replace(self.text, "…") if self.is_rare else name

    def _within(self, data: bytes) -> bool:
        if b"\0" in data:  # what stands beside a text in a binary file is no text
            return any(form in data for form in self._forms)
        return self._word.search(data) is not None

    @cached_property
    def _forms(self) -> tuple[bytes, ...]:
        escaped = json.dumps(self.text)[1:-1]
        return tuple({self.text.encode(), self.text.encode("utf-16-le"), escaped.encode()})

    @cached_property
    def _word(self) -> re.Pattern[bytes]:
        either = b"|".join(re.escape(form) for form in self._forms)
        return re.compile(rb"(?<![0-9A-Za-z_.])(?:" + either + rb")(?![0-9A-Za-z_])")


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Yield bytes, and the contents of the archive that they may be."""
    yield data
    try:
        if data.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for name in archive.namelist():
                    yield name.encode()
                    yield from _unpacked(archive.read(name))
        elif data.startswith(b"\x1f\x8b"):
            yield from _unpacked(gzip.decompress(data))
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, RuntimeError, NotImplementedError):
        raise OSError("it is a damaged archive") from None
