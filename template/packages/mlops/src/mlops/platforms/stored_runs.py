"""The runs whose outputs are on this machine: a folder each, named by the run's id."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mlops.errors import ConfigError
from mlops.platforms.base import Run

SHORTEST = 8
"""Characters of a run's id that are enough."""


def stored_runs(folder: Path) -> list[Run]:
    """Return the runs below a folder, newest first; hidden folders are not complete."""
    folders = [path for path in folder.glob("[!.]*") if path.is_dir()]
    folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return [Run(path.name, path) for path in folders]


def find_stored_run(folder: Path, run_id: str) -> Run | None:
    """Find the run below a folder by its id, or by a beginning or end that it alone has.

    Raises:
        ConfigError: several runs have it.
    """
    runs = {run.run_id: run for run in stored_runs(folder)}
    found = [run_id] if run_id in runs else [each for each in runs if _fits(each, run_id)]
    if len(found) > 1:
        several = ", ".join(sorted(found))
        raise ConfigError(f"{run_id!r} may be one of several runs: {several}", "type more of it")
    return runs[found[0]] if found else None


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """Return what to show of each id: its beginning, or the end of a name of several parts.

    Where two would be shown alike, they are whole.
    """
    short = {each: _short(each) for each in ids}
    count = Counter(short.values())
    return {each: shown if count[shown] == 1 else each for each, shown in short.items()}


def _short(run_id: str) -> str:
    return "-".join(run_id.split("-")[-2:]) if "-" in run_id else run_id[:SHORTEST]


def _fits(run_id: str, part: str) -> bool:
    return len(part) >= SHORTEST and (run_id.startswith(part) or run_id.endswith(part))
