"""Do two trainings agree: one word for each thing that is compared, and what may be the cause."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from mlops.metrics import decimal

TOLERANCE = 1e-6
"""So far metrics, in parts of one that is larger than 1, and predictions may be from one another,
in probabilities or standard deviations of the label: other processors round otherwise."""
_HASH = 16
"""Characters of a hash that are shown to people."""


class Word(StrEnum):
    """What came of a comparison."""

    SAME = "same"
    DIFFERS = "differs"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True)
class Agreement:
    """One thing that was compared.

    Attributes:
        what: such as `data hash`.
        word: what came of it.
        recorded, found: both in short.
        remark: more about it, as a sentence without its point.
        changed_by: the request by which data were changed on purpose; None: none is known.
    """

    what: str
    word: Word
    recorded: str
    found: str
    remark: str = ""
    changed_by: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON content."""
        return asdict(self)


@dataclass(frozen=True)
class FoundData:
    """The data of the repetition.

    Attributes:
        hash: their content hash; empty if they do not satisfy the contract, which leaves none.
        is_recorded: whether they have the recorded hash, of the kind that was recorded.
        rows: how many there are.
        files: the SHA-256 of each file, by name; empty if nothing was read.
        refused: why they do not satisfy the contract, if they do not.
    """

    hash: str
    is_recorded: bool
    rows: int
    files: Mapping[str, str]
    refused: str = ""


@dataclass(frozen=True)
class RecordedData:
    """The data of the version, as its lineage has them."""

    hash: str
    rows: int | None
    files: Mapping[str, str]


def data_agreement(
    recorded: RecordedData, found: FoundData, changed_by: str | None = None
) -> Agreement:
    """Compare the data.

    Args:
        recorded: those of the version.
        found: those that are there now.
        changed_by: the request by which the source was changed since, if one is known.
    """
    known = f"{recorded.hash[:_HASH]}…"
    if found.refused:
        remark = f"the data that are there now are refused: {found.refused}"
        return Agreement("data hash", Word.NOT_COMPARABLE, known, "refused", remark, changed_by)
    shown = known if found.is_recorded else f"{found.hash[:_HASH]}…"
    if found.is_recorded:
        return Agreement("data hash", Word.SAME, known, shown, f"{found.rows:,} rows")
    remark = ", ".join([_rows(recorded.rows, found.rows), *_files(recorded.files, found.files)])
    if changed_by:
        remark = f"source changed by request {changed_by}, {remark}"
    return Agreement("data hash", Word.DIFFERS, known, shown, remark, changed_by)


def _rows(recorded: int | None, found: int) -> str:
    if recorded is None:
        return f"{found:,} rows, and how many there were is not recorded"
    if recorded == found:
        return f"{found:,} rows as recorded, so values were changed"
    word = "more" if found > recorded else "fewer"
    return f"{found:,} rows, {abs(found - recorded):,} {word} than the recorded {recorded:,}"


def _files(recorded: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Say which files are others; of files under other names nothing is known."""
    words = {
        "changed": [name for name in recorded if found.get(name, recorded[name]) != recorded[name]],
        "missing": [name for name in recorded if name not in found],
        "new": [name for name in found if name not in recorded],
    }
    return [
        f"{word}: {', '.join(sorted(names))}" for word, names in words.items() if names and recorded
    ]


def metrics_agreement(
    recorded: Mapping[str, float | None] | None, found: Mapping[str, float | None] | None
) -> Agreement:
    """Compare the metrics on the holdout."""
    if recorded is None or found is None:
        why = "none are recorded" if recorded is None else "there is no model to measure"
        return Agreement("metrics", Word.NOT_COMPARABLE, _count(recorded), _count(found), why)
    others = sorted(set(recorded) ^ set(found))
    if others or not recorded:
        why = f"measured only once: {', '.join(others)}" if others else "none are recorded"
        return Agreement("metrics", Word.NOT_COMPARABLE, _count(recorded), _count(found), why)
    differing = [name for name in recorded if not _close(recorded[name], found[name])]
    if not differing:
        remark = ", ".join(f"{name} {decimal(found[name])}" for name in recorded)
        return Agreement("metrics", Word.SAME, _count(recorded), _count(found), remark)
    remark = ", ".join(
        f"{name} {decimal(recorded[name])}, now {decimal(found[name])}" for name in differing
    )
    word = f"{len(differing)} of {len(recorded)} differ"
    return Agreement("metrics", Word.DIFFERS, _count(recorded), word, remark)


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _count(metrics: Mapping[str, float | None] | None) -> str:
    return "none" if metrics is None else f"{len(metrics)} metrics"


def predictions_agreement(rows: int, gap: float | None, why_not: str = "") -> Agreement:
    """Compare the predictions of both models on the same rows.

    Args:
        rows: how many both answered.
        gap: the largest difference, in probabilities or standard deviations of the label; None if
            they cannot be compared.
        why_not: why they cannot.
    """
    if gap is None or rows == 0:
        remark = why_not or "there are no rows to predict"
        return Agreement("predictions", Word.NOT_COMPARABLE, "", "", remark)
    word = Word.SAME if gap <= TOLERANCE else Word.DIFFERS
    remark = f"largest difference {gap:.1e} on {rows:,} rows of the holdout"
    return Agreement("predictions", word, f"{rows:,} rows", f"{rows:,} rows", remark)


_CIRCUMSTANCES = {
    "python": "Python",
    "system": "operating system",
    "packages_sha256": "packages",
    "lock_sha256": "lock of packages",
}


def surroundings_agreement(
    recorded: Mapping[str, str], found: Mapping[str, str]
) -> tuple[Agreement, ...]:
    """Compare what the trainings ran with, which decides nothing and may explain a difference."""
    return tuple(
        _circumstance(what, recorded.get(key, ""), found.get(key, ""))
        for key, what in _CIRCUMSTANCES.items()
    )


def code_agreement(recorded: str, found: str, *, recorded_dirty: bool, dirty: bool) -> Agreement:
    """Compare the commits; uncommitted changes make a code that nobody can compare."""
    agreed = _circumstance("commit", recorded, found)
    if not (recorded_dirty or dirty):
        return agreed
    where = [name for name, is_so in (("then", recorded_dirty), ("now", dirty)) if is_so]
    remark = f"with uncommitted changes {' and '.join(where)}"
    word = agreed.word if agreed.word is Word.DIFFERS else Word.NOT_COMPARABLE
    return Agreement("commit", word, agreed.recorded, agreed.found, remark)


def _circumstance(what: str, recorded: str, found: str) -> Agreement:
    shown = [each if len(each) <= _HASH else f"{each[:_HASH]}…" for each in (recorded, found)]
    if not (recorded and found):
        words = [each or "not recorded" for each in shown]
        return Agreement(what, Word.NOT_COMPARABLE, words[0], words[1])
    return Agreement(what, Word.SAME if recorded == found else Word.DIFFERS, shown[0], shown[1])


def verdict(agreements: Sequence[Agreement]) -> Word:
    """Return one word for all: a difference counts more than what cannot be compared."""
    words = {each.word for each in agreements}
    if Word.DIFFERS in words:
        return Word.DIFFERS
    return Word.SAME if words == {Word.SAME} else Word.NOT_COMPARABLE


def causes(agreements: Sequence[Agreement], circumstances: Sequence[Agreement]) -> tuple[str, ...]:
    """Return what may be why the trainings do not agree; nothing if they do."""
    if verdict(agreements) is Word.SAME:
        return ()
    by = {each.what: each for each in agreements}
    data = by.get("data hash")
    found = []
    if data is not None and data.word is not Word.SAME:
        reason = f"by request {data.changed_by}" if data.changed_by else "since"
        found.append(f"the data are others than recorded, changed {reason}")
    found += [
        f"{each.what}: recorded {each.recorded}, now {each.found}"
        + (f" ({each.remark})" if each.remark else "")
        for each in circumstances
        if each.word is not Word.SAME
    ]
    return tuple(found) or (
        "nothing that is recorded differs: the training itself is not the same each time, such as "
        "by threads or a seed that it does not take",
    )
