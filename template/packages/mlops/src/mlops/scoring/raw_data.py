"""Raw data to score: the contract's checks, as of a day, and what to do with bad files.

Nothing is asked of labels. Rows after the reference date are no fault: they are not seen.
"""

import glob
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from mlops.data.findings import DATA_REFUSED, Finding
from mlops.data.folder import list_files
from mlops.data.source import Located
from mlops.errors import Refused
from mlops.files import file_sha256
from mlops.settings.loading import LoadedSettings
from mlops.steps.validate import Rules, rules_of, validate_folder

SKIP = "skip"
_OR_SKIP = ", or let score.bad_files: skip in conf leave out the files that are bad"


@dataclass(frozen=True)
class AsOf:
    """The day that counts as today.

    Attributes:
        day: the reference date.
        today: the day on which this is done; a row after it is a fault.
        fresh: whether the newest row must be recent, as data.max_age_days says.
    """

    day: date
    today: date
    fresh: bool


@dataclass(frozen=True)
class CheckedData:
    """Rows that satisfy the contract, and the files that were left out, with what is wrong."""

    rows: pl.DataFrame
    left_out: Mapping[str, str]


def hashes_of(data: Located, settings: LoadedSettings) -> dict[str, str]:
    """Return the SHA-256 of each data file by its name in the folder.

    Raises:
        ConfigError: the folder does not exist.
    """
    listing = list_files(data.folder, settings.values.data.ignore)
    return {name: file_sha256(path) for name, path in listing.files.items()}


def check_data(data: Located, settings: LoadedSettings, as_of: AsOf) -> CheckedData:
    """Read all files and check them against the contract.

    Raises:
        Refused: a file breaks it and conf does not say `score.bad_files: skip`, or the files do
            together, or none is left.
    """
    skips = settings.values.score.bad_files == SKIP
    rules = _rules(settings, as_of)
    contract = settings.use_case.contract()
    left_out: dict[str, str] = {}
    while True:
        ignore = (*rules.ignore, *(glob.escape(name) for name in left_out))
        report, rows = validate_folder(data.folder, contract, replace(rules, ignore=ignore))
        if report.passed:
            if report.forgotten:
                left_out[f"{report.forgotten:,} rows"] = (
                    "their keys were forgotten (docs/forget.md)"
                )
            return CheckedData(rows, left_out)
        bad = _bad_files(data.folder, ignore, report.failures)
        values = settings.values.data.show_values
        if not (bad and skips):
            raise _refusal(data, report.failures, left_out, can_skip=bool(bad), values=values)
        left_out |= {name: finding.sentence(values=values) for name, finding in bad.items()}


def _rules(settings: LoadedSettings, as_of: AsOf) -> Rules:
    rules = rules_of(settings)
    return replace(
        rules,
        reference_date=as_of.day,
        max_age_days=rules.max_age_days if as_of.fresh else None,
        last_day=max(as_of.day, as_of.today),
    )


def _bad_files(
    folder: Path, ignore: tuple[str, ...], failures: tuple[Finding, ...]
) -> dict[str, Finding]:
    """Return the first failure of each file that can be left out, if another file is left."""
    listing = list_files(folder, ignore)
    there = listing.files.keys() | {finding.file for finding in listing.failures}
    bad: dict[str, Finding] = {}
    for finding in failures:
        if finding.file in there and finding.check != "freshness":
            bad.setdefault(finding.file, finding)
    return bad if listing.files.keys() - bad.keys() else {}


def _refusal(
    data: Located,
    failures: tuple[Finding, ...],
    left_out: Mapping[str, str],
    *,
    can_skip: bool,
    values: bool,
) -> Refused:
    sentences = [*left_out.values(), *(finding.sentence(values=values) for finding in failures)]
    return Refused(
        "\n  ".join([f"{DATA_REFUSED}, {data.folder}:", *sentences]),
        f"mend it{_OR_SKIP}" if can_skip else "mend it",
    )
