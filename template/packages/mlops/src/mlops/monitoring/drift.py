"""Is the data that a model is asked about still what it was trained on?

The reference is the drift baseline of the version that serves. A column drifts if a measure is
beyond its limit and beyond what chance would do in a window of that size; `drift.alpha` holds for
the whole check, whatever the number of columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from mlops.artifacts.drift_result import ColumnDrift, DriftResult, Outcome, Volume
from mlops.artifacts.predictions import Predictions, event_schema
from mlops.features import Features
from mlops.monitoring.baseline import PREDICTION
from mlops.monitoring.chance import Chance, adjusted
from mlops.monitoring.columns import TESTS, Compared, compare
from mlops.monitoring.distribution import distribution_of
from mlops.monitoring.profile import Profile
from mlops.monitoring.window_counts import NumberCounts, WindowCounts, count_window, required
from mlops.settings.monitoring_sections import DriftSettings
from mlops.window import Window

if TYPE_CHECKING:
    import polars as pl

HIDDEN = "a name that data.show_values hides"
LIMITS = ("psi", "jensen_shannon", "wasserstein", "missing", "new_categories")


@dataclass(frozen=True)
class Reference:
    """The version that serves.

    Attributes:
        environment, endpoint, deployment: where it serves; without a deployment it only scores.
        model_name, model_version: which it is.
        features: those of its signature.
        profiles: its drift baseline, by column; None: it has none that can be read.
        problem: why it has none.
        personal: features that are left out, as they are declared personal by now.
    """

    environment: str
    endpoint: str
    deployment: str | None
    model_name: str
    model_version: int
    features: Features
    profiles: Mapping[str, Profile] | None
    problem: str = ""
    personal: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What a check is to look at, and by what settings.

    Attributes:
        window: of which events.
        time: when it is looked at.
        limits: the settings `drift`.
        holds_features: whether events are to hold features, as `telemetry.features` says.
        show_values: whether the data may be quoted, as `data.show_values` says.
    """

    window: Window
    time: datetime
    limits: DriftSettings
    holds_features: bool = True
    show_values: bool = True


def check(reference: Reference, predictions: Predictions, asked: Asked) -> DriftResult:
    """Compare a window of events with what the model that serves was trained on.

    The same events give the same result, however often they are looked at.
    """
    import polars as pl

    nothing = WindowCounts(0, 0, 0, 0, {})
    if reference.profiles is None:
        return _result(reference, predictions, asked, nothing, broken=reference.problem)
    if missing := [each.name for each in reference.features if each.name not in reference.profiles]:
        words = f"the drift baseline lacks {', '.join(missing)}"
        return _result(reference, predictions, asked, nothing, broken=words)
    try:
        if words := _other_schema(predictions.rows, reference.features):
            return _result(reference, predictions, asked, nothing, broken=words)
        counts = count_window(
            predictions.rows, reference.model_version, reference.features, reference.profiles
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        said = str(error).strip().partition("\n")[0]
        words = f"the events cannot be read: {said}"
        return _result(reference, predictions, asked, nothing, broken=words)
    if counts.answered < asked.limits.min_rows:
        return _result(reference, predictions, asked, counts)
    columns = judge_columns(counts, reference.features, reference.profiles, asked.limits)
    return _result(reference, predictions, asked, counts, columns)


def judge_columns(
    counts: WindowCounts,
    features: Features,
    profiles: Mapping[str, Profile],
    limits: DriftSettings,
) -> tuple[ColumnDrift, ...]:
    """Return the columns of a window, judged together: features, then the prediction."""
    chance = Chance()
    compared: list[Compared] = []
    described = {each.name: each.kind.value for each in features} if counts.featured else {}
    if PREDICTION in profiles:
        described[PREDICTION] = "prediction"
    for name, kind in described.items():
        rows = counts.answered if name == PREDICTION else counts.featured
        profile, counted = profiles[name], counts.columns[name]
        distribution = distribution_of(profile, counted)
        column = ColumnDrift(column=name, kind=kind, rows=0, distribution=distribution)
        compared.append(compare(column, profile, counted, rows, limits, chance))
    problems = _problems(counts, features)
    return tuple(
        replace(each, outcome=Outcome.SCHEMA_BROKEN, reason=problems[each.column])
        if each.column in problems
        else each
        for each in _judged(compared, limits.alpha)
    )


def _judged(compared: Sequence[Compared], alpha: float) -> list[ColumnDrift]:
    """Return columns with their verdicts, `alpha` being shared out among all tests."""
    suspicions = [(i, each) for i, column in enumerate(compared) for each in column.suspicions]
    p_values = adjusted([each.p_value for _, each in suspicions], TESTS * len(compared))
    result = []
    for i, column in enumerate(compared):
        own = [(p, each) for p, (k, each) in zip(p_values, suspicions, strict=True) if k == i]
        measures = dict.fromkeys(name for p, each in own if p <= alpha for name in each.measures)
        result.append(
            replace(
                column.column,
                p_value=float(np.min([p for p, _ in own])) if own else None,
                measures=tuple(measures),
                outcome=Outcome.DRIFT if measures else Outcome.OK,
            )
        )
    return result


def _problems(counts: WindowCounts, features: Features) -> dict[str, str]:
    """Return what is no drift but another schema, by column."""
    found = {}
    for feature in features if counts.featured else ():
        column = counts.columns[feature.name]
        if required(feature) and not column.present:
            found[feature.name] = "never in the events, and every request must hold it"
        elif isinstance(column, NumberCounts) and column.strange:
            found[feature.name] = f"neither true nor false in {column.strange:,} rows"
    return found


def _other_schema(rows: "pl.LazyFrame", features: Features) -> str:
    """Return which columns of the events are missing or of another type, or nothing."""
    found = rows.collect_schema()
    other = [
        f"{name} is {found.get(name, 'missing')}"
        for name, kind in event_schema(features).items()
        if found.get(name) != kind
    ]
    return f"the events are of another kind: {', '.join(other)}" if other else ""


def _result(
    reference: Reference,
    predictions: Predictions,
    asked: Asked,
    counts: WindowCounts,
    columns: tuple[ColumnDrift, ...] = (),
    *,
    broken: str = "",
) -> DriftResult:
    outcome, reason = _outcome(counts, columns, predictions, asked, broken)
    limits = {name: float(getattr(asked.limits, name)) for name in LIMITS}
    return DriftResult(
        environment=reference.environment,
        endpoint=reference.endpoint,
        deployment=reference.deployment,
        model_name=reference.model_name,
        model_version=reference.model_version,
        time=asked.time,
        window=asked.window,
        outcome=outcome,
        reason=reason,
        volume=Volume(
            rows=counts.answered,
            per_day=counts.answered / asked.window.days,
            failures=counts.failures,
            failure_share=counts.failures / counts.requests if counts.requests else None,
            other_versions=counts.others,
            generated=counts.generated,
            without_features=counts.answered - counts.featured,
            dropped=predictions.dropped,
            unread=dict(predictions.unread),
        ),
        columns=columns if asked.show_values else tuple(map(_without_names, columns)),
        limits={"alpha": asked.limits.alpha, "min_rows": asked.limits.min_rows, **limits},
        tests=TESTS * len(columns),
        remarks=_remarks(reference, counts, predictions, asked),
    )


def _without_names(column: ColumnDrift) -> ColumnDrift:
    """Return a column that quotes no value which training did not have."""
    new = tuple(replace(each, name=HIDDEN) for each in column.new_categories)
    return replace(column, new_categories=new)


def _outcome(
    counts: WindowCounts,
    columns: Sequence[ColumnDrift],
    predictions: Predictions,
    asked: Asked,
    broken: str,
) -> tuple[Outcome, str]:
    """Return how a check ended, and why; what is worse comes first."""
    if broken:
        return Outcome.SCHEMA_BROKEN, broken
    least = asked.limits.min_rows
    if counts.answered < least:
        return Outcome.NOT_ENOUGH, f"{counts.answered:,} answered rows, {least:,} are needed"
    if named := [each for each in columns if each.outcome is Outcome.SCHEMA_BROKEN]:
        words = ", ".join(f"{each.column} ({each.reason})" for each in named)
        return Outcome.SCHEMA_BROKEN, f"the events are of another schema: {words}"
    if asked.holds_features and not counts.featured:
        return Outcome.SCHEMA_BROKEN, "no event holds any feature"
    if named := [each for each in columns if each.outcome is Outcome.DRIFT]:
        names = ", ".join(each.column for each in named)
        return Outcome.DRIFT, f"{len(named)} of {len(columns)} columns moved: {names}"
    if predictions.unread:
        words = f"{len(predictions.unread)} files of events could not be read"
        return Outcome.NOT_ENOUGH, f"{words}, and nothing moved in the others"
    if asked.holds_features and counts.featured < least:
        words = f"{counts.featured:,} rows hold features, {least:,} are needed"
        return Outcome.NOT_ENOUGH, words
    return Outcome.OK, f"none of {len(columns)} columns moved"


def _remarks(
    reference: Reference, counts: WindowCounts, predictions: Predictions, asked: Asked
) -> tuple[str, ...]:
    personal = ", ".join(reference.personal)
    bare = counts.answered - counts.featured
    told = {
        f"{counts.others:,} rows of other versions are left out": counts.others,
        f"{counts.generated:,} rows that a rehearsal generated are left out": counts.generated,
        f"{bare:,} rows hold no features: only their predictions are compared": bare,
        f"declared personal, and so not compared: {personal}": personal,
        "events hold no features, as telemetry.features says": not asked.holds_features,
        f"{predictions.dropped:,} events were dropped before they were written": (
            predictions.dropped
        ),
    }
    unread = [f"not read: {name}: {why}" for name, why in predictions.unread.items()]
    return (*(words for words, holds in told.items() if holds), *unread)
