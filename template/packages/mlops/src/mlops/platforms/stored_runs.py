"""The runs whose outputs are on this machine: a folder each, named by the run's id."""

from pathlib import Path

from mlops.platforms.base import Run


def stored_runs(folder: Path) -> list[Run]:
    """Return the runs below a folder, newest first; hidden folders are not complete."""
    folders = [path for path in folder.glob("[!.]*") if path.is_dir()]
    folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return [Run(path.name, path) for path in folders]
