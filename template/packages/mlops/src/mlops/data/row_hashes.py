"""A 64-bit hash of each row of a table, the same in any order of columns, process and version.

A cell becomes 64-bit words: a number its bits, a text its length and its UTF-8 bytes, eight at a
time. Words are mixed by the finalizer of SplitMix64 (Steele, Lea and Flood, "Fast Splittable
Pseudorandom Number Generators", 2014), starting from a constant that SHA-256 makes of the column's
name and type. A row's hash is the sum of its cells', mixed once more. Equal rows have equal hashes;
different ones share one by accident in 1 of 2^64 pairs. Whoever chooses the cells can make such a
pair: it is no cryptographic hash.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

Words = np.ndarray[Any, np.dtype[np.uint64]]
"""64-bit words, one a row."""

BATCH_ROWS = 1 << 15
"""Few enough for the processor's cache. Threads cost twice the CPU time here, for Python's lock."""
LONG_TEXT = 256
"""A text of more bytes than this counts as its SHA-256, so that one of megabytes costs no more."""

_WORD = 8
_KEPT_BITS = np.array([(1 << (8 * n)) - 1 for n in range(_WORD + 1)], dtype=np.uint64)
_ROW = np.uint64(0x9E3779B97F4A7C15)
_INTEGERS = (
    *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
    *(pl.Boolean, pl.Date, pl.Datetime, pl.Time, pl.Duration),
)


def type_name(kind: pl.DataType) -> str:
    """Return this module's own name of a type, which no version of a library changes.

    Raises:
        TypeError: values of this type have no hash.
    """
    if isinstance(kind, pl.Datetime):
        return f"datetime[{kind.time_unit},{kind.time_zone or ''}]"
    if isinstance(kind, pl.Duration):
        return f"duration[{kind.time_unit}]"
    if isinstance(kind, pl.Decimal):
        return f"decimal[{kind.scale}]"
    if isinstance(kind, pl.Categorical | pl.Enum):
        return "category"
    plain = (*_INTEGERS, pl.Float32, pl.Float64, pl.String)
    if kind in plain:
        return str(kind.base_type().__name__).lower()
    raise TypeError(f"values of the type {kind} have no hash")


def row_hashes(frame: pl.DataFrame) -> Words:
    """Return the hash of each row: shape (rows,).

    Raises:
        TypeError: a column has a type without a hash.
    """
    keys = {name: _key(name, type_name(kind)) for name, kind in frame.schema.items()}
    hashes = np.zeros(frame.height, dtype=np.uint64)

    for start in range(0, frame.height, BATCH_ROWS):
        rows = hashes[start : start + BATCH_ROWS]
        _add_cells(rows, frame.slice(start, BATCH_ROWS), keys)
        rows ^= _ROW
        mix(rows)
    return hashes


def mix(words: Words) -> Words:
    """Mix each word in place, so that each bit of it depends on every other; return `words`."""
    shifted = words >> np.uint64(30)
    words ^= shifted
    words *= np.uint64(0xBF58476D1CE4E5B9)
    np.right_shift(words, np.uint64(27), out=shifted)
    words ^= shifted
    words *= np.uint64(0x94D049BB133111EB)
    np.right_shift(words, np.uint64(31), out=shifted)
    words ^= shifted
    return words


def _add_cells(rows: Words, batch: pl.DataFrame, keys: Mapping[str, tuple[int, int]]) -> None:
    for column in batch.iter_columns():
        key, null = keys[column.name]
        if not column.null_count():
            rows += _cells(column, np.uint64(key))
            continue
        missing = column.is_null().to_numpy()
        cells = np.full(len(column), null, dtype=np.uint64)
        cells[~missing] = _cells(column.drop_nulls(), np.uint64(key))
        rows += cells


def _key(name: str, kind: str) -> tuple[int, int]:
    """Return the constants of a column: where its cells begin, and what a null is."""
    digest = hashlib.sha256(f"{len(name.encode())}:{name}:{kind}".encode()).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")


def _cells(column: pl.Series, key: np.uint64) -> Words:
    kind = column.dtype
    if kind.is_float():
        return mix(_float_bits(column) ^ key)
    if kind in _INTEGERS:
        numbers = column.to_physical().to_numpy()
        wide = np.uint64 if kind == pl.UInt64 else np.int64
        return mix(numbers.astype(wide).view(np.uint64) ^ key)
    if isinstance(kind, pl.Decimal):
        return _decimal_cells(column, key)
    return _text_cells(column if kind == pl.String else column.cast(pl.String), key)


def _float_bits(column: pl.Series) -> Words:
    """Return the bits of each number, of equal numbers the same: 0.0 for -0.0, one NaN."""
    wide = np.float32 if column.dtype == pl.Float32 else np.float64
    numbers = column.to_numpy() + wide(0)
    numbers[np.isnan(numbers)] = np.nan
    bits = numbers.view(np.uint32 if wide is np.float32 else np.uint64)
    return bits.astype(np.uint64)


def _decimal_cells(column: pl.Series, key: np.uint64) -> Words:
    """Take the 128 bits of the unscaled number, the lower 64 first."""
    array = column.to_arrow(compat_level=pl.CompatLevel.oldest())
    words = np.frombuffer(array.buffers()[1], dtype="<u8").reshape(-1, 2)
    words = words[array.offset : array.offset + len(array)]
    return mix(mix(words[:, 0] ^ key) ^ words[:, 1])


def _text_cells(column: pl.Series, key: np.uint64) -> Words:
    lengths, starts, data = _utf8(column)
    cells = _length_cells(lengths, key)
    if (long := lengths > LONG_TEXT).any():
        lengths, starts, data = _digested(lengths, starts, data, long)
    padded = np.concatenate([data, np.zeros(_WORD, dtype=np.uint8)])
    words_at = np.ndarray((len(padded) - _WORD + 1,), "<u8", padded, strides=(1,))
    shortest = int(lengths.min(initial=LONG_TEXT))
    for position in range(0, int(lengths.max(initial=0)), _WORD):
        active = slice(None) if shortest > position else lengths > position
        words = words_at[starts[active] + position]
        if shortest < position + _WORD:
            words &= _KEPT_BITS[np.minimum(lengths[active] - position, _WORD)]
        cells[active] = mix(cells[active] ^ words)
    return cells


def _length_cells(lengths: Any, key: np.uint64) -> Words:
    """Return where the cells of texts begin; there are few lengths, and many rows of each."""
    known = np.arange(int(lengths.max(initial=0)) + 1, dtype=np.uint64)
    if len(known) > len(lengths):
        return mix(lengths.astype(np.uint64) ^ key)
    cells: Words = mix(known ^ key)[lengths]
    return cells


def _utf8(column: pl.Series) -> tuple[Any, Any, Any]:
    """Return the length of each text in bytes, where it starts, and the bytes of all."""
    array = column.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, content = array.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int64, count=array.offset + len(array) + 1)
    bounds = bounds[array.offset :]
    data = np.frombuffer(content or b"", dtype=np.uint8)
    return np.diff(bounds), bounds[:-1], data


def _digested(lengths: Any, starts: Any, data: Any, long: Any) -> tuple[Any, Any, Any]:
    """Put the SHA-256 of each long text, 32 bytes, into its place."""
    positions = np.flatnonzero(long)
    digests = [
        hashlib.sha256(data[starts[i] : starts[i] + lengths[i]].tobytes()).digest()
        for i in positions
    ]
    lengths, starts = lengths.copy(), starts.copy()
    lengths[positions] = 32
    starts[positions] = len(data) + 32 * np.arange(len(positions))
    return lengths, starts, np.concatenate([data, np.frombuffer(b"".join(digests), np.uint8)])
