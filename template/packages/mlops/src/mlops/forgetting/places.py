"""Where on this machine the project may have a key, and what of it may be rewritten."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops.artifacts.event_folders import EVENTS
from mlops.artifacts.scores import scored_folders
from mlops.data.suppression import list_file
from mlops.settings.loading import LoadedSettings, load_settings

SCORES = "scores"
_REST = "project"
_REWRITTEN = (EVENTS, "runs", "scoring")
"""Folders of the state folder whose rows are the project's own to remove."""
_NOT_OURS = frozenset(("data", "serving-env", "forget"))
"""Below the state folder: samples, which are the source; installed packages; this list itself."""


@dataclass(frozen=True)
class Place:
    """A file that may have the key.

    Attributes:
        path: the file.
        store: what it belongs to, in a word.
        name: how messages call it.
        rewritten: whether rows of it are removed; else it is searched alone.
    """

    path: Path
    store: str
    name: str
    rewritten: bool


@dataclass(frozen=True)
class Unopened:
    """A folder that cannot be looked into."""

    name: str
    why: str


def places(settings: LoadedSettings, scores: Sequence[Path]) -> Iterator[Place | Unopened]:
    """Yield each file of the project on this machine, but for its source data and git's history.

    Args:
        settings: name the project.
        scores: more folders of predictions.
    """
    project = settings.project
    root, state = project.root, project.state_dir
    known = {path.resolve() for path in (*scored_folders(state), *scores) if path.is_dir()}
    passed = {*_sources(settings), list_file(settings).resolve(), *known}
    for found in _files(state, passed | {(state / name).resolve() for name in _NOT_OURS}):
        yield found if isinstance(found, Unopened) else _of_state(found, state)
    for folder in sorted(known):
        for found in _files(folder, set()):
            if isinstance(found, Unopened):
                yield found
            else:
                name = f"{folder.name}/{found.relative_to(folder).as_posix()}"
                yield Place(found, SCORES, name, rewritten=True)
    hidden = {path.resolve() for path in root.glob(".*") if path.is_dir()}
    for found in _files(root, passed | hidden | {state.resolve()}):
        if isinstance(found, Unopened):
            yield found
        else:
            yield Place(found, _REST, found.relative_to(root).as_posix(), rewritten=False)


def missing_scores(settings: LoadedSettings) -> int:
    """Return how many folders of predictions that were written are not there any more."""
    return sum(not path.is_dir() for path in scored_folders(settings.project.state_dir))


def _of_state(path: Path, state: Path) -> Place:
    inner = path.relative_to(state)
    store = inner.parts[0]
    name = f"{state.name}/{inner.as_posix()}"
    return Place(path, store, name, rewritten=store in _REWRITTEN)


def _sources(settings: LoadedSettings) -> set[Path]:
    """Return the folders of raw data of all environments, which stay their owner's."""
    project = settings.project
    every = [settings.values] + [
        load_settings(project, name, clock=settings.clock).values for name in project.environments()
    ]
    return {(project.root / values.data.folder).resolve() for values in every}


def _files(folder: Path, passed: set[Path]) -> Iterator[Path | Unopened]:
    """Yield the files below a folder in order, links left out, and what cannot be opened."""
    closed: list[Unopened] = []

    def told(error: OSError) -> None:
        closed.append(Unopened(str(error.filename), error.strerror or type(error).__name__))

    for place, folders, names in os.walk(folder, onerror=told):
        here = Path(place)
        folders[:] = sorted(
            name
            for name in folders
            if (here / name).resolve() not in passed and name not in ("__pycache__", "node_modules")
        )
        for name in sorted(names):
            path = here / name
            if path.is_file() and not path.is_symlink() and path.resolve() not in passed:
                yield path
    yield from closed
