"""What a window of events holds, counted for all columns in one pass.

The events are looked at batch by batch. Of each batch nothing is kept but how many values lie up
to each edge of a profile, and how often each name is there: counting many needs no more memory than
counting few. What the events themselves need is another matter: Polars streams those of a file that
is only scanned, and those that `event_store.read_events` returns are in memory already.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from mlops.artifacts.predictions import ANSWERED, FEATURE, GENERATED
from mlops.features import Feature, Features, Kind
from mlops.monitoring.baseline import PREDICTION
from mlops.monitoring.profile import CategoryProfile, Counts, Floats, NumberProfile, Profile

if TYPE_CHECKING:
    import polars as pl

_BATCH = 100_000
_SIDES: Final[tuple[Literal["right"], Literal["left"]]] = ("right", "left")
_NAMES, _NAMES_COUNTED = 20, 10_000
"""So many new names are told, the most frequent first, and so many counted one by one."""


@dataclass(frozen=True)
class NumberCounts:
    """A column of numbers in a window.

    Attributes:
        present: rows in which it is a finite number.
        at_edges: of these, those up to each edge of the profile, shape (edges,).
        sums: their sum, in the column's unit, shape (edges,).
        below: the sum of how far values lie below the least of training, in the column's unit.
        above: the sum of how far values lie above the greatest.
        strange: values of a boolean that are neither 0 nor 1.
    """

    present: int
    at_edges: Counts
    sums: Floats
    below: float = 0.0
    above: float = 0.0
    strange: int = 0


@dataclass(frozen=True)
class CategoryCounts:
    """A column of names in a window.

    Attributes:
        present: rows in which it is not null.
        known: the rows of each name of the profile, shape (names,).
        new: the most frequent other names, with their rows.
    """

    present: int
    known: Counts
    new: Mapping[str, int]

    @property
    def others(self) -> int:
        """The rows of all names without a code of their own."""
        return self.present - int(self.known.sum())


ColumnCounts = NumberCounts | CategoryCounts


@dataclass(frozen=True)
class WindowCounts:
    """A window of events.

    Attributes:
        rows: all of them but those of rehearsals.
        ours: those of the version that serves.
        answered: those of them that were answered.
        featured: those of these whose features were kept.
        columns: each column that has a profile; of features over the rows that hold any, of the
            prediction over all that were answered.
        generated: those of rehearsals, which are left out.
        requests: the requests to the version that serves; scoring makes none.
        failures: those of them that were not answered.
    """

    rows: int
    ours: int
    answered: int
    featured: int
    columns: Mapping[str, ColumnCounts]
    generated: int = 0
    requests: int = 0
    failures: int = 0

    @property
    def others(self) -> int:
        """The rows of other versions."""
        return self.rows - self.ours


def required(feature: Feature) -> bool:
    """Tell whether a request without this feature is refused."""
    return not feature.has_nulls and not feature.optional


def answers_of(version: int) -> "pl.Expr":
    """Return which events are answers of a version to callers, or are its scores."""
    import polars as pl

    status = pl.col("status")
    return (
        (pl.col("source") != GENERATED)
        & (pl.col("model_version") == version)
        & pl.col("prediction").is_not_null()
        & (status.is_null() | (status == ANSWERED))
    )


def count_window(
    rows: "pl.LazyFrame", version: int, features: Features, profiles: Mapping[str, Profile]
) -> WindowCounts:
    """Count a window of events.

    Args:
        rows: the events, as `event_schema(features)` says.
        version: the model version that serves; rows of others are counted, and no more.
        features: those of its signature.
        profiles: its drift baseline; a feature without a profile is left out.

    Raises:
        polars.exceptions.PolarsError: the events cannot be read.
    """
    import polars as pl

    generated = pl.col("source") == GENERATED
    ours = ~generated & (pl.col("model_version") == version)
    answered = answers_of(version)
    featured = answered & pl.col("has_features").fill_null(value=False)
    requests = ours & (pl.col("row") == 0).fill_null(value=False)
    sources = _sources(features, profiles)
    flags = {
        "rows": ~generated,
        "ours": ours,
        "answered": answered,
        "featured": featured,
        "generated": generated,
        "requests": requests,
        "failures": requests & ~answered,
    }
    values = [
        _value(source, profiles[name], answered if name == PREDICTION else featured).alias(f"{i}")
        for i, (name, (source, _)) in enumerate(sources.items())
    ]
    selected = rows.select(*(flag.alias(name) for name, flag in flags.items()), *values)
    totals = dict.fromkeys(flags, 0)
    columns = {name: _counter(profiles[name], kind) for name, (_, kind) in sources.items()}
    for batch in selected.collect_batches(chunk_size=_BATCH, maintain_order=False):
        for name in totals:
            totals[name] += int(batch[name].sum() or 0)
        for i, column in enumerate(columns.values()):
            column.add(batch[f"{i}"].drop_nulls())
    return WindowCounts(**totals, columns={name: each.counts for name, each in columns.items()})


def _sources(
    features: Features, profiles: Mapping[str, Profile]
) -> dict[str, tuple[str, Kind | None]]:
    """Return where the events have each column, and what a feature is."""
    found: dict[str, tuple[str, Kind | None]] = {
        each.name: (f"{FEATURE}{each.name}", each.kind)
        for each in features
        if each.name in profiles
    }
    if (prediction := profiles.get(PREDICTION)) is not None:
        named = isinstance(prediction, CategoryProfile)
        found[PREDICTION] = ("prediction" if named else "value", None)
    return found


def _value(source: str, profile: Profile, counts: "pl.Expr") -> "pl.Expr":
    """Return a column as it is compared; null in rows that do not count."""
    import polars as pl

    if isinstance(profile, CategoryProfile):
        names = pl.col(source)
        if source.startswith(FEATURE):
            names = names.str.normalize("NFC").str.strip_chars()
        return pl.when(counts).then(names)
    value = pl.col(source).cast(pl.Float32)
    return pl.when(counts & value.is_finite()).then(value)


class _Numbers:
    """Adds up a column of numbers."""

    def __init__(self, profile: NumberProfile, kind: Kind | None) -> None:
        self._profile, self._kind = profile, kind
        none = np.zeros(len(profile.bounds), dtype=np.int64)
        self.counts = NumberCounts(0, none, none.astype(np.float64))

    def add(self, values: "pl.Series") -> None:
        """Count the values of a batch that are not null."""
        ordered, profile, before = np.sort(values.to_numpy()), self._profile, self.counts
        up_to, under = (ordered.searchsorted(profile.bounds, side) for side in _SIDES)
        below = above = 0.0
        if len(profile.positions):
            first, last = profile.positions[[0, -1]]
            below = float((first - ordered[: under[0]].astype(np.float64)).clip(0).sum())
            above = float((ordered[up_to[-1] :].astype(np.float64) - last).clip(0).sum())
        strange = 0
        if self._kind is Kind.BOOLEAN:
            strange = len(ordered) - int(np.isin(ordered, (0, 1)).sum())
        at_edges = np.where(profile.inclusive, up_to, under)
        sums = np.append(0.0, ordered.cumsum(dtype=np.float64))[at_edges]
        self.counts = NumberCounts(
            present=before.present + len(ordered),
            at_edges=before.at_edges + at_edges,
            sums=before.sums + sums,
            below=before.below + below,
            above=before.above + above,
            strange=before.strange + strange,
        )


class _Names:
    """Adds up a column of names; of too many new ones only the first are told apart."""

    def __init__(self, profile: CategoryProfile) -> None:
        self._known = dict.fromkeys(profile.names, 0)
        self._new: dict[str, int] = {}
        self._present = 0

    def add(self, values: "pl.Series") -> None:
        """Count the values of a batch that are not null."""
        self._present += len(values)
        counts = values.alias("name").value_counts(sort=True).iter_rows()
        for name, count in counts:
            if name in self._known:
                self._known[name] += count
            elif name in self._new or len(self._new) < _NAMES_COUNTED:
                self._new[name] = self._new.get(name, 0) + count

    @property
    def counts(self) -> CategoryCounts:
        """What was counted."""
        told = sorted(self._new.items(), key=lambda each: (-each[1], each[0]))[:_NAMES]
        known = np.array(list(self._known.values()), dtype=np.int64)
        return CategoryCounts(self._present, known, dict(told))


def _counter(profile: Profile, kind: Kind | None) -> _Numbers | _Names:
    if isinstance(profile, CategoryProfile):
        return _Names(profile)
    return _Numbers(profile, kind)
