"""What a check of the data found, in a form for people and for `validation-results.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mlops.artifacts.documents import VALIDATION_RESULTS

DATA_REFUSED = "the data is refused"
"""How a step says so; a platform that has only its log knows the refusal by these words."""

DATA_HASH_SCHEMA = 2
"""The kind of content hash that data get (`fingerprint.py`)."""

ROWS_SHOWN = 5
ROWS_STORED = 10_000


@dataclass(frozen=True)
class Row:
    """One offending row: its file, its number (from 1, the header not counted) and the value."""

    file: str
    row: int
    value: str


@dataclass(frozen=True)
class Finding:
    """One check that did not hold, with how often and where."""

    check: str
    message: str
    file: str
    column: str | None = None
    count: int = 1
    rows: tuple[Row, ...] = ()

    def sentence(self, *, values: bool = True) -> str:
        """Return one line that names file, column and up to five rows.

        Args:
            values: without them it names the check and how often it failed, and nothing of the
                data.
        """
        place = self.file if self.column is None else f"{self.file}: column {self.column}"
        if not values:
            return f"{place}: {self.check} ({self.count:,})"
        text = f"{place}: {self.message}"
        if not self.rows:
            return text
        several = len({row.file for row in self.rows}) > 1
        shown = ", ".join(
            f"{row.file + ' ' if several else ''}row {row.row} ({row.value})"
            for row in self.rows[:ROWS_SHOWN]
        )
        more = self.count - min(len(self.rows), ROWS_SHOWN)
        return f"{text}: {shown}" + (f" and {more:,} more" if more > 0 else "")


@dataclass(frozen=True)
class ValidationReport:
    """The outcome of validating one folder of raw data.

    `days` are the first and the last day of its rows, if they are dated. `forgotten` counts the
    rows that were left out, since their keys were forgotten; a warning tells it.
    """

    files: dict[str, int]
    rows: int
    reference_date: str
    data_hash: str | None
    failures: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    days: tuple[str, str] | None = None
    forgotten: int = 0

    @property
    def passed(self) -> bool:
        """Whether the data may be used."""
        return not self.failures

    def to_dict(self, *, values: bool = True) -> dict[str, Any]:
        """Return the content of `validation-results.json`, with or without values of the data."""
        results = VALIDATION_RESULTS.with_schema(
            {
                "passed": self.passed,
                "files": self.files,
                "rows": self.rows,
                "reference_date": self.reference_date,
                "data_hash": self.data_hash,
                "data_hash_schema": DATA_HASH_SCHEMA,
                "days": list(self.days) if self.days else None,
                "failures": _as_dicts(self.failures),
                "warnings": _as_dicts(self.warnings),
            }
        )
        return results if values else without_values(results)


def without_values(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return validation results without any value of the raw data: which check, where, how often.

    For whoever may see the project but not its data, as in MLflow or the artifacts of a pipeline.
    """
    kept = ("check", "file", "column", "count")
    bare = {
        kind: [{name: finding[name] for name in kept} for finding in results[kind]]
        for kind in ("failures", "warnings")
    }
    return {**results, **bare, "days": None}


def stored_sentence(finding: Mapping[str, Any], *, values: bool) -> str:
    """Return the sentence of a finding of `validation-results.json`, as far as it was kept."""
    if values and "sentence" in finding:
        return str(finding["sentence"])
    kept = {name: finding[name] for name in ("check", "file", "column", "count")}
    return Finding(**kept, message="").sentence(values=False)


def _as_dicts(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [{**asdict(finding), "sentence": finding.sentence()} for finding in findings]
