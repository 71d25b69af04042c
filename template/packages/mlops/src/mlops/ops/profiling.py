"""The profile of a project's raw data, on the terms of its contract."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import polars as pl

from mlops.data.personal import Personal, guarded, personal_of
from mlops.data.profile.draft import Draft, Known, draft_contract
from mlops.data.profile.report import Profile, Terms, profile_folder
from mlops.data.source import locate
from mlops.errors import StubNotFilled
from mlops.settings.loading import LoadedSettings
from mlops.usecase.use_case import UseCase

_T = TypeVar("_T")
_ANY = Personal(frozenset({"any column"}))


@dataclass(frozen=True)
class Profiled:
    """What was found, where, and what a draft of the contract needs to know.

    Attributes:
        profile: what the data look like.
        folder: where they are.
        today: the reference date.
        known: what the contract that there is says of columns.
        show_values: whether names of categories may be written into a draft.
    """

    profile: Profile
    folder: Path
    today: date
    known: Known
    show_values: bool

    def draft(self) -> Draft:
        """Return a draft of contract.py.

        Raises:
            MlopsError: it failed in an unexpected way, told without the error's own words.
        """
        return _kept_back(
            lambda: draft_contract(
                self.profile.columns, self.today, self.known, show_values=self.show_values
            ),
            "the draft",
        )


def profile_of(settings: LoadedSettings, data_dir: Path | None) -> Profiled:
    """Profile a folder of raw data, or the data that conf names.

    Raises:
        ConfigError: the folder does not exist, or the contract is not valid.
        MlopsError: it failed in an unexpected way, told without the error's own words.
    """
    data = settings.values.data
    terms = terms_of(settings.use_case, show_values=data.show_values)
    folder = locate(settings, data_dir).folder
    found = _kept_back(
        lambda: profile_folder(folder, data.ignore, terms), "the profile of the data"
    )
    known = Known(terms.names or frozenset(), terms.personal)
    return Profiled(found, folder, settings.reference_date, known, data.show_values)


def terms_of(use_case: UseCase, *, show_values: bool) -> Terms:
    """Return what may be told: nothing of any value while the contract is a stub.

    Raises:
        ConfigError: the contract declares personal what cannot be.
    """
    try:
        columns = use_case.contract().to_schema().columns
    except StubNotFilled:
        return Terms(show_values=show_values)
    texts = frozenset(name for name, column in columns.items() if _is_text(column.dtype.type))
    personal = personal_of(use_case)
    return Terms(frozenset(columns), texts, personal, use_case.key, show_values)


def _is_text(kind: object) -> bool:
    return kind == pl.String


def _kept_back(work: Callable[[], _T], doing: str) -> _T:
    """Do what handles values of which any may be personal, and keep back an error's own words."""
    return guarded(work, doing, personal=_ANY)
