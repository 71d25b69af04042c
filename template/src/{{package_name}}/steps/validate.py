"""Step 1: does the raw data satisfy the contract?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from ..data.findings import ROWS_STORED, Finding, Row, ValidationReport
from ..data.fingerprint import fingerprint
from ..data.reader import RawFile, list_files, offending_rows, read_file
from ..files import new_folder, write_json
from ..settings import LoadedSettings

DATA_FILE = "data.parquet"
RESULTS_FILE = "validation-results.json"

_WORDS = {
    "not_nullable": "must not be null",
    "greater_than_or_equal_to": "must be at least",
    "greater_than": "must be greater than",
    "less_than_or_equal_to": "must be at most",
    "less_than": "must be less than",
    "in_range": "must be in the range",
    "isin": "must be one of",
    "str_matches": "must match",
}


@dataclass(frozen=True)
class Rules:
    """What the data must satisfy beyond the contract's own columns."""

    reference_date: date
    date_column: str | None
    max_age_days: int | None
    unique_key: tuple[str, ...]


def validate_folder(
    folder: Path, contract: type[pa.DataFrameModel], rules: Rules
) -> tuple[ValidationReport, pl.DataFrame]:
    """Check every data file of `folder`; return the report and the rows in the contract's types.

    The frame is empty unless every file could be read.
    """
    schema = contract.to_schema()
    types = column_types(schema)
    paths = list_files(folder)
    if not paths:
        finding = Finding("files", "the folder holds no .parquet or .csv file", str(folder))
        return _report({}, rules, pl.DataFrame(), [finding], []), pl.DataFrame()

    files = [read_file(path, path.relative_to(folder).as_posix(), types) for path in paths]
    failures = [finding for file in files for finding in _check_file(file, schema, rules)]
    counts = {file.name: file.frame.height for file in files}
    complete = [file for file in files if set(file.frame.columns) == set(types)]
    together = _concat(complete)
    if not any(counts.values()) and not failures:
        failures.append(Finding("rows", "there are no rows", ", ".join(counts)))
    failures += _check_freshness(together, rules)
    repeated = _check_repeated(together, rules.unique_key)
    warnings = repeated if not rules.unique_key else []
    failures += repeated if rules.unique_key else []
    readable = together.height > 0 and len(complete) == len(files)
    data = together.select(list(types)) if readable else pl.DataFrame()
    return _report(counts, rules, data, failures, warnings), data


def column_types(schema: pa.DataFrameSchema) -> dict[str, pl.DataType]:
    """Return the Polars type of each column that the contract names."""
    types = {}
    for name, column in schema.columns.items():
        found = column.dtype.type
        types[name] = found() if isinstance(found, type) else found
    return types


def rules_of(settings: LoadedSettings) -> Rules:
    """Collect the rules that conf and the use case state."""
    data = settings.values.data
    return Rules(
        reference_date=settings.reference_date,
        date_column=settings.use_case.date_column,
        max_age_days=data.max_age_days,
        unique_key=data.unique_key,
    )


def run(data_dir: Path, output: Path, settings: LoadedSettings) -> ValidationReport:
    """Validate `data_dir` and write the folder `output`.

    It holds validation-results.json and, if the data passed, data.parquet.
    """
    report, data = validate_folder(data_dir, settings.use_case.contract(), rules_of(settings))
    with new_folder(output) as new:
        write_json(new / RESULTS_FILE, report.to_dict())
        if report.passed:
            data.write_parquet(new / DATA_FILE)
    return report


def _report(
    counts: dict[str, int],
    rules: Rules,
    data: pl.DataFrame,
    failures: Sequence[Finding],
    warnings: Sequence[Finding],
) -> ValidationReport:
    return ValidationReport(
        files=counts,
        rows=sum(counts.values()),
        reference_date=rules.reference_date.isoformat(),
        data_hash=fingerprint(data) if data.height and not failures else None,
        failures=tuple(failures),
        warnings=tuple(warnings),
    )


def _check_file(file: RawFile, schema: pa.DataFrameSchema, rules: Rules) -> list[Finding]:
    findings = list(file.findings)
    if file.frame.is_empty():
        return findings
    missing = [name for name in schema.columns if name not in file.frame.columns]
    if missing:
        schema = schema.remove_columns(missing)
        schema.checks = []
    try:
        schema.validate(file.frame, lazy=True)
    except SchemaErrors as errors:
        findings += _contract_findings(file, errors.failure_cases)
    if rules.date_column in file.frame.columns:
        dates = file.frame[rules.date_column]
        late = (dates.cast(pl.Date) > rules.reference_date).fill_null(value=False)
        if late.any():
            findings.append(
                Finding(
                    check="future",
                    message=f"must not be after the reference date {rules.reference_date}",
                    file=file.name,
                    column=rules.date_column,
                    count=int(late.sum()),
                    rows=offending_rows(file.name, dates, late),
                )
            )
    return findings


def _contract_findings(file: RawFile, cases: pl.DataFrame) -> list[Finding]:
    findings = []
    for (column, check), group in cases.group_by(["column", "check"], maintain_order=True):
        stored = group.head(ROWS_STORED)
        rows = tuple(
            Row(file.name, int(index) + 1, "null" if value is None else str(value))
            for index, value in zip(stored["index"], stored["failure_case"], strict=True)
            if index is not None
        )
        known = str(column) if column in file.frame.columns else None
        findings.append(
            Finding(
                check=str(check),
                message=_in_words(str(check)),
                file=file.name,
                column=known,
                count=group.height,
                rows=rows,
            )
        )
    return findings


def _in_words(check: str) -> str:
    name, _, arguments = check.partition("(")
    words = _WORDS.get(name, name.replace("_", " "))
    return f"{words} {arguments.rstrip(')')}".strip()


def _concat(files: Sequence[RawFile]) -> pl.DataFrame:
    """Stack the files; `__file` and `__row` say where a row came from."""
    frames = [
        file.frame.with_columns(
            pl.lit(file.name).alias("__file"),
            pl.int_range(1, pl.len() + 1).alias("__row"),
        )
        for file in files
        if file.frame.height
    ]
    return pl.concat(frames) if frames else pl.DataFrame()


def _check_freshness(data: pl.DataFrame, rules: Rules) -> list[Finding]:
    if rules.max_age_days is None or rules.date_column not in data.columns:
        return []
    newest = data[rules.date_column].cast(pl.Date).max()
    oldest_allowed = rules.reference_date - timedelta(days=rules.max_age_days)
    if not isinstance(newest, date) or newest >= oldest_allowed:
        return []
    message = (
        f"the data is not fresh: its newest day is {newest}, "
        f"{(rules.reference_date - newest).days:,} days before the reference date "
        f"{rules.reference_date} (data.max_age_days allows {rules.max_age_days})"
    )
    files = data["__file"].unique(maintain_order=True).to_list()
    return [Finding("freshness", message, ", ".join(files), rules.date_column)]


def _check_repeated(data: pl.DataFrame, key: Sequence[str]) -> list[Finding]:
    if data.is_empty():
        return []
    columns = list(key) or [c for c in data.columns if not c.startswith("__")]
    unknown = [column for column in columns if column not in data.columns]
    if unknown:
        message = f"data.unique_key names {', '.join(unknown)}, which the contract does not have"
        return [Finding("unique_key", message, "conf")]
    again = data.filter(~data.select(pl.struct(columns).is_first_distinct()).to_series())
    if again.is_empty():
        return []
    what = f"the key ({', '.join(key)})" if key else "the whole row"
    stored = again.head(ROWS_STORED)
    rows = tuple(
        Row(row["__file"], row["__row"], _values(row, columns)) for row in stored.to_dicts()
    )
    files = ", ".join(again["__file"].unique(maintain_order=True).to_list())
    return [
        Finding(
            check="duplicates",
            message=f"{again.height:,} repeat {what} of an earlier row",
            file=files,
            column=", ".join(key) or None,
            count=again.height,
            rows=rows,
        )
    ]


def _values(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    return ", ".join(str(row[column]) for column in columns)
