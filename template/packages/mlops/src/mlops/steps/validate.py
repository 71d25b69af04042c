"""Step 1: does the raw data satisfy the contract?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from mlops.artifacts.data_source import FOLDER
from mlops.artifacts.documents import VALIDATION_RESULTS
from mlops.artifacts.run_folder import ValidatedFolder
from mlops.data.findings import ROWS_SHOWN, ROWS_STORED, Finding, Row, ValidationReport
from mlops.data.fingerprint import fingerprint
from mlops.data.reader import RawFile, list_files, read_file
from mlops.data.source import Located, shown_path
from mlops.errors import ConfigError
from mlops.files import new_folder
from mlops.settings.loading import LoadedSettings

_ORIGIN = ("__file", "__row")

_WORDS = {
    "not_nullable": "must not be null",
    "greater_than_or_equal_to": "must be at least",
    "greater_than": "must be greater than",
    "less_than_or_equal_to": "must be at most",
    "less_than": "must be less than",
    "in_range": "must be in the range",
    "isin": "must be one of",
    "str_matches": "must match",
    "str_length": "must have a length in",
    "field_uniqueness": "must not repeat",
    "multiple_fields_uniqueness": "must not repeat together",
}


@dataclass(frozen=True)
class Rules:
    """What the data must satisfy beyond the contract's own columns."""

    reference_date: date
    key: str
    date_column: str | None
    max_age_days: int | None
    unique_key: tuple[str, ...]


def validate_folder(
    folder: Path, contract: type[pa.DataFrameModel], rules: Rules
) -> tuple[ValidationReport, pl.DataFrame]:
    """Check every data file of `folder`; return the report and the rows in the contract's types.

    The frame is empty unless every file could be read.

    Raises:
        ConfigError: KEY or DATE_COLUMN is not a column of the contract.
    """
    schema = contract.to_schema()
    types = column_types(schema)
    _check_names(types, rules)
    optional = {name for name, column in schema.columns.items() if not column.required}
    paths, unread = list_files(folder)
    if not paths:
        finding = Finding("files", "the folder holds no .parquet or .csv file", str(folder))
        return _report({}, rules, pl.DataFrame(), [finding], []), pl.DataFrame()

    files = [
        read_file(path, path.relative_to(folder).as_posix(), types, optional) for path in paths
    ]
    failures = [finding for file in files for finding in file.findings]
    complete = [file for file in files if file.complete]
    together = _concat(complete)
    failures += _check_rows(together, schema, rules)
    for file in files:
        if not file.complete:
            failures += _check_rows(_concat([file]), _of_columns(schema, file), rules, file.unread)
    failures += _check_freshness(together, rules)
    repeated = _check_repeated(together, rules.unique_key)
    warnings = [] if rules.unique_key else [_briefly(finding) for finding in repeated]
    warnings += [Finding("files", "this file was not read", name) for name in unread]
    failures += repeated if rules.unique_key else []
    readable = together.height > 0 and len(complete) == len(files)
    data = together.drop(_ORIGIN) if readable else pl.DataFrame()
    counts = {file.name: file.rows for file in files}
    return _report(counts, rules, data, failures, warnings), data


def column_types(schema: pa.DataFrameSchema) -> dict[str, pl.DataType]:
    """Return the Polars type of each column that the contract names."""
    types: dict[str, pl.DataType] = {}
    for name, column in schema.columns.items():
        found = column.dtype.type
        types[name] = found() if isinstance(found, type) else found
    return types


def rules_of(settings: LoadedSettings) -> Rules:
    """Collect the rules that conf and the use case state."""
    data = settings.values.data
    return Rules(
        reference_date=settings.reference_date,
        key=settings.use_case.key,
        date_column=settings.use_case.date_column,
        max_age_days=data.max_age_days,
        unique_key=data.unique_key,
    )


def run(data: Located | Path, output: Path, settings: LoadedSettings) -> ValidationReport:
    """Validate raw data and write the folder `output`.

    It holds validation-results.json and, if the data passed, data.parquet.

    Args:
        data: where the raw data are; a bare path is a folder of this machine.
        output: the folder to write.
        settings: the rules, and whether results may quote the data.
    """
    if isinstance(data, Path):
        data = Located(data, FOLDER, shown_path(data, settings))
    report, rows = validate_folder(data.folder, settings.use_case.contract(), rules_of(settings))
    results = report.to_dict(values=settings.values.data.show_values)
    source = data.source(report.files if report.passed else ())
    with new_folder(output, replaces=VALIDATION_RESULTS.name) as new:
        VALIDATION_RESULTS.write(new, {**results, "source": source.to_dict()})
        if report.passed:
            rows.write_parquet(ValidatedFolder(new).data)
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


def _check_names(types: Mapping[str, pl.DataType], rules: Rules) -> None:
    for name, column in (("KEY", rules.key), ("DATE_COLUMN", rules.date_column)):
        if column is not None and column not in types:
            raise ConfigError(
                f"contract.py: {name} is {column!r}, which is no column of the contract "
                f"(it has: {', '.join(types)})"
            )


def _of_columns(schema: pa.DataFrameSchema, file: RawFile) -> pa.DataFrameSchema:
    """Return what the contract asks of each column alone, for those that a file has."""
    missing = [name for name in schema.columns if name not in file.frame.columns]
    found = schema.remove_columns(missing)
    found.checks = []
    found.unique = None
    return found


def _check_rows(
    data: pl.DataFrame,
    schema: pa.DataFrameSchema,
    rules: Rules,
    unread: Mapping[str, pl.Series] | None = None,
) -> list[Finding]:
    """Check rows, of one file or of several, against the contract.

    Args:
        data: the rows.
        schema: the contract for their columns.
        rules: what is asked besides.
        unread: where values are null since they could not be read; that was said already.
    """
    if data.is_empty():
        return []
    findings = []
    try:
        schema.validate(data.drop(_ORIGIN), lazy=True)
    except SchemaErrors as errors:
        findings += _contract_findings(data, _without(errors.failure_cases, unread or {}))
    if rules.date_column in data.columns:
        late = data.filter(pl.col(rules.date_column).cast(pl.Date) > rules.reference_date)
        findings += _findings_by_file(
            late.with_columns(pl.col(rules.date_column).cast(pl.String).alias("__value")),
            "future",
            f"must not be after the reference date {rules.reference_date}",
            rules.date_column,
        )
    return findings


def _without(cases: pl.DataFrame, unread: Mapping[str, pl.Series]) -> pl.DataFrame:
    """Leave out what a column is said to lack where its values could not be read."""
    for column, where in unread.items():
        there = pl.col("index").is_in(where.arg_true().to_list()).fill_null(value=False)
        cases = cases.filter(~((pl.col("column") == column) & there))
    return cases


def _contract_findings(data: pl.DataFrame, cases: pl.DataFrame) -> list[Finding]:
    findings = []
    for (column, check), group in cases.group_by(["column", "check"], maintain_order=True):
        known = str(column) if column in data.columns else None
        message = _in_words(str(check))
        rows = group.drop_nulls("index")
        if rows.is_empty():
            files = ", ".join(data["__file"].unique(maintain_order=True))
            findings.append(Finding(str(check), message, files, known, group.height))
            continue
        places = data[rows["index"].to_list()].select(_ORIGIN)
        failed = places.with_columns(rows["failure_case"].cast(pl.String).alias("__value"))
        findings += _findings_by_file(failed, str(check), message, known)
    return findings


def _findings_by_file(
    failed: pl.DataFrame, check: str, message: str, column: str | None
) -> list[Finding]:
    """Make a finding for each file of the failed rows; `__value` is what to show of a row."""
    findings = []
    for (name,), group in failed.group_by(["__file"], maintain_order=True):
        rows = tuple(
            Row(str(name), row["__row"], "null" if row["__value"] is None else row["__value"])
            for row in group.head(ROWS_STORED).to_dicts()
        )
        findings.append(Finding(check, message, str(name), column, group.height, rows))
    return findings


def _briefly(finding: Finding) -> Finding:
    """Keep few rows of a mere warning, so that data do not pile up in its record."""
    return replace(finding, rows=finding.rows[:ROWS_SHOWN])


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
    columns = list(key) or data.drop(_ORIGIN).columns
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
