"""Evidently's own report of a window: a page to look at, beside the check that decides.

It compares rows with rows, and a version keeps no rows of its training data. So the reference is
drawn from the version's drift baseline, column by column: its distributions are those of training,
and nothing is said of how columns hang together.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops.artifacts.predictions import FEATURE, Predictions
from mlops.errors import ConfigError, Hold
from mlops.files import write_text
from mlops.monitoring.baseline import OTHER, PREDICTION
from mlops.monitoring.drift import Reference
from mlops.monitoring.profile import CategoryProfile, Profile
from mlops.monitoring.window_counts import answers_of

if TYPE_CHECKING:
    import polars as pl

MOST_ROWS = 50_000
_SEED = 20260101


def require_evidently() -> None:
    """Check that Evidently is installed.

    Raises:
        ConfigError: it is not.
    """
    try:
        import evidently  # noqa: F401
    except ModuleNotFoundError:
        raise ConfigError(
            "the report needs Evidently, which is not installed", "run `uv sync --group report`"
        ) from None


def write_report(reference: Reference, predictions: Predictions, path: Path) -> None:
    """Write Evidently's report of a window, an HTML page.

    Args:
        reference: the version that serves.
        predictions: the events of the window.
        path: the page to write.

    Raises:
        ConfigError: Evidently is missing.
        Hold: the version has no baseline, or nothing was answered.
    """
    require_evidently()
    os.environ.setdefault("DO_NOT_TRACK", "1")  # Evidently tells its maker nothing
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    if reference.profiles is None:
        raise Hold(reference.problem, "register the version again, and release it")
    current = sampled(reference, predictions)
    columns = [name for name in current.columns if current[name].null_count() < current.height]
    if not columns:
        raise Hold("there are no answered predictions to report on", "look at more days")
    named = [name for name in columns if isinstance(reference.profiles[name], CategoryProfile)]
    definition = DataDefinition(
        numerical_columns=[name for name in columns if name not in named],
        categorical_columns=named,
    )
    before = drawn({name: reference.profiles[name] for name in columns})
    data = [
        Dataset.from_pandas(frame.to_pandas(), data_definition=definition)
        for frame in (current.select(columns), before)
    ]
    page = Report([DataDriftPreset()]).run(*data)
    write_text(path, page.get_html_str(as_iframe=False))


def sampled(
    reference: Reference, predictions: Predictions, most: int = MOST_ROWS
) -> "pl.DataFrame":
    """Return the columns of at most so many answered rows of the version that serves.

    Which ones are taken follows from their ids: the same events give the same sample.
    """
    import polars as pl

    profiles = reference.profiles or {}
    names = {each.name: f"{FEATURE}{each.name}" for each in reference.features}
    named = isinstance(profiles.get(PREDICTION), CategoryProfile)
    names[PREDICTION] = "prediction" if named else "value"
    return (
        predictions.rows.filter(answers_of(reference.model_version))
        .select(
            pl.col("inference_id").hash(_SEED).alias("__order"),
            *(pl.col(source).alias(name) for name, source in names.items() if name in profiles),
        )
        .bottom_k(most, by="__order")
        .drop("__order")
        .collect(engine="streaming")
    )


def drawn(profiles: dict[str, Profile], most: int = MOST_ROWS) -> "pl.DataFrame":
    """Return rows distributed as the columns of a baseline are, at most so many."""
    import polars as pl

    rows = min(most, max(each.rows for each in profiles.values()))
    random = np.random.default_rng(_SEED)
    return pl.DataFrame(
        [pl.Series(name, _column(each, rows, random)) for name, each in profiles.items()]
    )


def _column(profile: Profile, rows: int, random: np.random.Generator) -> list[Any]:
    nulls = round(rows * profile.nulls / max(profile.rows, 1))
    levels = (np.arange(rows - nulls) + 0.5) / max(rows - nulls, 1)
    if isinstance(profile, CategoryProfile):
        places = np.searchsorted(profile.shares.cumsum(), levels).clip(0, len(profile.names))
        present = [(*profile.names, OTHER)[place] for place in places]
    elif len(profile.positions):
        present = np.interp(levels, profile.shares, profile.positions).tolist()
    else:
        present, nulls = [], rows
    values = [*present, *[None] * nulls]
    return [values[place] for place in random.permutation(rows)]
