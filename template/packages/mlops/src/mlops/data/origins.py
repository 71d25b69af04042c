"""Which file and row each row of a table came from that was put together from several files."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from mlops.data.findings import ROWS_STORED, Finding, Row
from mlops.data.reader import RawFile


@dataclass(frozen=True)
class Table:
    """The rows of some files, one after another.

    Attributes:
        rows: the table, without a column for where a row came from.
        files: the files' names in order.
        starts: at which row each file begins.
    """

    rows: pl.DataFrame
    files: tuple[str, ...]
    starts: tuple[int, ...]

    @classmethod
    def of(cls, files: Sequence[RawFile]) -> "Table":
        """Stack the files that have rows."""
        full = [file for file in files if file.frame.height]
        rows = pl.concat([file.frame for file in full]) if full else pl.DataFrame()
        ends = np.cumsum([file.frame.height for file in full]).tolist()
        return cls(rows, tuple(file.name for file in full), tuple([0, *ends][: len(full)]))

    @property
    def all_files(self) -> str:
        """The names of the files, for a finding about all of them."""
        return ", ".join(self.files)

    def places(self, positions: Sequence[int], values: Sequence[object]) -> tuple[Row, ...]:
        """Return where these rows came from, with what to show of each."""
        owners = np.searchsorted(self.starts, positions, side="right") - 1
        return tuple(
            Row(
                self.files[owner],
                position - self.starts[owner] + 1,
                "null" if value is None else str(value),
            )
            for owner, position, value in zip(owners, positions, values, strict=True)
        )

    def findings(
        self, check: str, message: str, column: str | None, failed: pl.DataFrame
    ) -> list[Finding]:
        """Make a finding for each file of the failed rows.

        Args:
            check: its name.
            message: what it asks for.
            column: which column it is about, if one.
            failed: the columns `position` and `value`, one row for each that failed.
        """
        owners = np.searchsorted(self.starts, failed["position"], side="right") - 1
        found = []
        for owner in np.unique(owners):
            group = failed.filter(pl.Series(owners == owner))
            kept = group.head(ROWS_STORED)
            rows = self.places(kept["position"].to_list(), kept["value"].to_list())
            found.append(Finding(check, message, self.files[owner], column, group.height, rows))
        return found

    def files_of(self, positions: Collection[int]) -> str:
        """Return the names of the files that these rows are in."""
        owners = np.searchsorted(self.starts, np.asarray(positions), side="right") - 1
        return ", ".join(self.files[owner] for owner in np.unique(owners))
