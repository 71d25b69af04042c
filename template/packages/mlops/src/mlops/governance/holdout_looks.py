"""How often a holdout was looked at: each look lets a model be chosen that suits it by chance."""

from collections.abc import Iterable

from mlops.artifacts.run_folder import RunFolder
from mlops.errors import MlopsError
from mlops.platforms.base import Run


def count_looks(runs: Iterable[Run], holdout_sha256: str) -> int:
    """Return how many runs were measured on just this holdout.

    Args:
        runs: those that are known; others cannot be counted. One without an evaluation did not
            look.
        holdout_sha256: the hash of the holdout's file, which other features or later data change.
    """
    return sum(_holdout_of(run) == holdout_sha256 for run in runs)


def _holdout_of(run: Run) -> str:
    try:
        return str(RunFolder(run.folder).evaluation.results().get("holdout_sha256", ""))
    except MlopsError:
        return ""
