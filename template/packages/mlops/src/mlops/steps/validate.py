"""Step 1: does the raw data satisfy the contract?"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrorReason, SchemaErrors

from mlops.artifacts.data_source import FOLDER
from mlops.artifacts.documents import VALIDATION_RESULTS
from mlops.artifacts.run_folder import ValidatedFolder
from mlops.data.findings import ROWS_SHOWN, ROWS_STORED, Finding, ValidationReport
from mlops.data.fingerprint import digest
from mlops.data.folder import list_files
from mlops.data.origins import Table
from mlops.data.personal import Personal, declared, guarded
from mlops.data.reader import PLAUSIBLE, Column, RawFile, read_file
from mlops.data.repeated import repeated_rows
from mlops.data.row_hashes import Words, row_hashes, type_name
from mlops.data.source import Located, shown_path
from mlops.data.suppression import NOBODY, Suppression, suppression_of
from mlops.errors import ConfigError
from mlops.files import new_folder
from mlops.settings.loading import LoadedSettings

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
    """What the data must satisfy beyond the contract's own columns.

    Attributes:
        reference_date: the day that counts as today.
        key: the column that names an entity.
        date_column: the column that dates a row, if there is one.
        max_age_days: so old the newest row may be; None: any age.
        unique_key: the columns that identify a row.
        ignore: patterns of files that are not read.
        last_day: no row may be later; None: the reference date.
        suppression: whose rows are left out.
    """

    reference_date: date
    key: str
    date_column: str | None
    max_age_days: int | None
    unique_key: tuple[str, ...]
    ignore: tuple[str, ...] = ()
    show_values: bool = True
    last_day: date | None = None
    suppression: Suppression = NOBODY


def validate_folder(
    folder: Path, contract: type[pa.DataFrameModel], rules: Rules
) -> tuple[ValidationReport, pl.DataFrame]:
    """Check every data file of `folder`; return the report and the rows in the contract's types.

    The frame is empty unless every file could be read.

    Raises:
        ConfigError: KEY or DATE_COLUMN is not a column of the contract, or it is declared personal.
        MlopsError: the check itself failed, and the error may have quoted what must not be shown.
    """
    schema = contract.to_schema()
    columns = asked_columns(schema)
    _check_names(columns, rules)
    metadata = {name: column.metadata for name, column in schema.columns.items()}
    personal = declared(metadata, rules.key, rules.date_column)
    return guarded(
        lambda: _validated(folder, schema, rules, personal),
        "the check of the data",
        personal=personal,
        show_values=rules.show_values,
    )


def _validated(
    folder: Path, schema: pa.DataFrameSchema, rules: Rules, personal: Personal
) -> tuple[ValidationReport, pl.DataFrame]:
    columns = asked_columns(schema)
    listing = list_files(folder, rules.ignore)
    if not listing.files:
        nothing = Finding("files", "the folder holds no .parquet or .csv file", str(folder))
        failures = [*(listing.failures or [nothing])]
        return _report({}, rules, None, failures, listing.warnings), pl.DataFrame()

    files = [
        read_file(path, name, columns, personal, rules.suppression)
        for name, path in listing.files.items()
    ]
    failures = [*listing.failures, *(finding for file in files for finding in file.findings)]
    complete = [file for file in files if file.complete]
    together = Table.of(complete)
    forgotten = sum(file.forgotten for file in files)
    if forgotten and not (failures or together.rows.height):
        failures.append(Finding("rows", "there are only rows of forgotten keys", str(folder)))
    failures += _check_rows(together, schema, rules, personal)
    for file in files:
        if not file.complete:
            table = Table.of([file])
            asked = _of_columns(schema, file)
            failures += _check_rows(table, asked, rules, personal, file.unread)
    failures += _check_freshness(together, rules)
    hashes = row_hashes(together.rows)
    repeated = _check_repeated(together, rules.unique_key, hashes, personal)
    warnings = [] if rules.unique_key else [_briefly(finding) for finding in repeated]
    warnings += [*listing.warnings, *_left_out(forgotten)]
    failures += repeated if rules.unique_key else []
    readable = together.rows.height > 0 and len(complete) == len(files)
    data = together.rows if readable else pl.DataFrame()
    counts = {file.name: file.rows for file in files}
    content = digest(data.schema, hashes) if readable and not failures else None
    report = _report(counts, rules, content, failures, warnings)
    days = _first_and_last(data, rules.date_column)
    return replace(report, days=days, forgotten=forgotten), data


def _left_out(forgotten: int) -> list[Finding]:
    """Tell how many rows of forgotten keys were left out, and never which."""
    if not forgotten:
        return []
    what = "rows of forgotten keys were left out, and rows are numbered without them"
    return [Finding("forgotten", f"{forgotten:,} {what}", "all files", count=forgotten)]


def _first_and_last(data: pl.DataFrame, column: str | None) -> tuple[str, str] | None:
    """Return the days of the oldest and the newest row; None where rows have none."""
    if column is None or column not in data.columns:
        return None
    days = data[column].cast(pl.Date)
    first, last = days.min(), days.max()
    if not (isinstance(first, date) and isinstance(last, date)):
        return None
    return first.isoformat(), last.isoformat()


def asked_columns(schema: pa.DataFrameSchema) -> dict[str, Column]:
    """Return what the contract asks of each column that it names.

    Raises:
        ConfigError: a type that is not read, or no range of days.
    """
    columns: dict[str, Column] = {}
    for name, column in schema.columns.items():
        found = column.dtype.type
        kind = found() if isinstance(found, type) else found
        try:
            type_name(kind)
        except TypeError:
            raise ConfigError(
                f"contract.py: the column {name} has the type {kind}, which is not read",
                "numbers, booleans, text, categories, dates and timestamps are",
            ) from None
        columns[name] = Column(kind, not column.required, _days(name, column.metadata))
    return columns


def _days(name: str, metadata: dict[str, Any] | None) -> tuple[date, date]:
    """Return the first and the last day that a column may hold."""
    declared = (metadata or {}).get("days", PLAUSIBLE)
    try:
        first, last = declared
        if type(first) is date and type(last) is date and first <= last:
            return first, last
    except (TypeError, ValueError):
        pass
    raise ConfigError(
        f"contract.py: the column {name} has days={declared!r}",
        'give the first and the last one: metadata={"days": (date(1850, 1, 1), date(2200, 1, 1))}',
    )


def rules_of(settings: LoadedSettings) -> Rules:
    """Collect the rules that conf and the use case state."""
    data = settings.values.data
    return Rules(
        reference_date=settings.reference_date,
        key=settings.use_case.key,
        date_column=settings.use_case.date_column,
        max_age_days=data.max_age_days,
        unique_key=_unique_key(settings),
        ignore=data.ignore,
        show_values=data.show_values,
        suppression=suppression_of(settings),
    )


def _unique_key(settings: LoadedSettings) -> tuple[str, ...]:
    """Return what identifies a row: KEY where nothing is declared and rows have no date."""
    declared, use_case = settings.values.data.unique_key, settings.use_case
    if declared is None:
        return () if use_case.date_column else (use_case.key,)
    return declared


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
    data_hash: str | None,
    failures: Sequence[Finding],
    warnings: Sequence[Finding],
) -> ValidationReport:
    return ValidationReport(
        files=counts,
        rows=sum(counts.values()),
        reference_date=rules.reference_date.isoformat(),
        data_hash=data_hash,
        failures=tuple(failures),
        warnings=tuple(warnings),
    )


def _check_names(columns: Collection[str], rules: Rules) -> None:
    for name, column in (("KEY", rules.key), ("DATE_COLUMN", rules.date_column)):
        if column is not None and column not in columns:
            raise ConfigError(
                f"contract.py: {name} is {column!r}, which is no column of the contract "
                f"(it has: {', '.join(columns)})"
            )


def _of_columns(schema: pa.DataFrameSchema, file: RawFile) -> pa.DataFrameSchema:
    """Return what the contract asks of each column alone, for those that a file has."""
    missing = [name for name in schema.columns if name not in file.frame.columns]
    found = schema.remove_columns(missing)
    found.checks = []
    found.unique = None
    return found


def _check_rows(
    table: Table,
    schema: pa.DataFrameSchema,
    rules: Rules,
    personal: Personal,
    unread: Mapping[str, pl.Series] | None = None,
) -> list[Finding]:
    """Check rows, of one file or of several, against the contract.

    Args:
        table: the rows.
        schema: the contract for their columns.
        rules: what is asked besides.
        personal: the columns whose values no finding may quote.
        unread: where values are null since they could not be read; that was said already.
    """
    data = table.rows
    if data.is_empty():
        return []
    findings = []
    try:
        schema.validate(data, lazy=True)
    except SchemaErrors as errors:
        _require_askable(errors)
        cases = _without(errors.failure_cases, unread or {})
        findings += [personal.finding(each) for each in _contract_findings(table, cases)]
    if rules.date_column in data.columns:
        days = data[rules.date_column]
        last_day = rules.last_day or rules.reference_date
        message = f"must not be after the reference date {last_day}"
        if rules.last_day:
            message = f"must not be after today {last_day}"
        late = (days.cast(pl.Date) > last_day).arg_true()
        failed = pl.DataFrame({"position": late, "value": days[late].cast(pl.String)})
        findings += table.findings("future", message, rules.date_column, failed)
    return findings


def _require_askable(errors: SchemaErrors) -> None:
    """Refuse a contract with a check of pandera's that cannot be asked of its column's kind.

    That says nothing about the data. A team's own check may fail because of them, and is a finding.

    Raises:
        ConfigError: so.
    """
    for error in errors.schema_errors:
        name = getattr(error.check, "name", None)
        if error.reason_code is SchemaErrorReason.CHECK_ERROR and name in _WORDS:
            raise ConfigError(
                f"contract.py: column {error.schema.name}: what it checks cannot be asked of its "
                f"kind: {_in_words(str(error.check.error))}",
                "give the check values of the column's kind, such as 1.0 where it is a float",
            )


def _without(cases: pl.DataFrame, unread: Mapping[str, pl.Series]) -> pl.DataFrame:
    """Leave out what a column is said to lack where its values could not be read."""
    for column, where in unread.items():
        there = pl.col("index").is_in(where.arg_true().to_list()).fill_null(value=False)
        cases = cases.filter(~((pl.col("column") == column) & there))
    return cases


def _contract_findings(table: Table, cases: pl.DataFrame) -> list[Finding]:
    findings = []
    by = ["schema_context", "column", "check"]
    for (context, column, check), group in cases.group_by(by, maintain_order=True):
        known = str(column) if context == "Column" and column in table.rows.columns else None
        message = _in_words(str(check))
        rows = group.drop_nulls("index")
        if rows.is_empty():
            findings.append(Finding(str(check), message, table.all_files, known, group.height))
            continue
        failed = rows.select(position="index", value=pl.col("failure_case").cast(pl.String))
        findings += table.findings(str(check), message, known, failed)
    return findings


def _briefly(finding: Finding) -> Finding:
    """Keep few rows of a mere warning, so that data do not pile up in its record."""
    return replace(finding, rows=finding.rows[:ROWS_SHOWN])


def _in_words(check: str) -> str:
    name, _, arguments = check.partition("(")
    words = _WORDS.get(name, name.replace("_", " "))
    return f"{words} {arguments.rstrip(')')}".strip()


def _check_freshness(table: Table, rules: Rules) -> list[Finding]:
    if rules.max_age_days is None or rules.date_column not in table.rows.columns:
        return []
    newest = table.rows[rules.date_column].cast(pl.Date).max()
    oldest_allowed = rules.reference_date - timedelta(days=rules.max_age_days)
    if not isinstance(newest, date) or newest >= oldest_allowed:
        return []
    message = (
        f"the data is not fresh: its newest day is {newest}, "
        f"{(rules.reference_date - newest).days:,} days before the reference date "
        f"{rules.reference_date} (data.max_age_days allows {rules.max_age_days})"
    )
    return [Finding("freshness", message, table.all_files, rules.date_column)]


def _check_repeated(
    table: Table, key: Sequence[str], hashes: Words, personal: Personal
) -> list[Finding]:
    data = table.rows
    if data.is_empty():
        return []
    columns = list(key) or data.columns
    unknown = [column for column in columns if column not in data.columns]
    if unknown:
        message = f"data.unique_key names {', '.join(unknown)}, which the contract does not have"
        return [Finding("unique_key", message, "conf")]
    again = repeated_rows(data, columns, None if key else hashes)
    if not again:
        return []
    what = f"the key ({', '.join(key)})" if key else "the whole row"
    stored = again[:ROWS_STORED]
    values = [personal.row(columns, row) for row in data[stored, columns].rows()]
    return [
        Finding(
            check="duplicates",
            message=f"{len(again):,} repeat {what} of an earlier row",
            file=table.files_of(again),
            column=", ".join(key) or None,
            count=len(again),
            rows=table.places(stored, values),
        )
    ]
