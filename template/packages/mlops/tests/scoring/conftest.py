"""The tiny project with the typed use case, a version of each task, and calls of the scoring."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest

from fakes.killed_scoring import NOW, PART_ROWS
from fakes.project import TODAY
from fakes.typed_version import raw_rows, write_typed_version
from mlops.data.source import Located
from mlops.progress import silent
from mlops.scoring.job import Request, Scored, score
from mlops.scoring.raw_data import AsOf
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import Project, find_project
from mlops.tasks import Task

Call = Callable[..., Scored]
Versions = Callable[[Task], Path]


@pytest.fixture
def project(project: Project) -> Project:
    """The project of the tests, with the typed use case in place of the tiny one."""
    path = project.root / "pyproject.toml"
    path.write_text(path.read_text().replace("tiny_use_case", "typed_use_case"))
    return find_project(project.root)


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """Return the folder of a version of each task."""
    made = {task: tmp_path_factory.mktemp(task) / "1" for task in Task}
    for task, folder in made.items():
        write_typed_version(folder, task)
    return lambda task: made[task]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    raw_rows(25, seed=2, new=("never seen",)).write_parquet(folder / "a.parquet")
    return folder


@pytest.fixture
def call(project: Project, data: Path, versions: Versions, tmp_path: Path) -> Call:
    """Score the data; settings by their dotted name with two underscores for each dot."""

    def scored(
        task: Task = Task.BINARY,
        day: date = TODAY,
        output: str = "scores",
        fresh: bool = False,
        now: Callable[[], datetime] = lambda: NOW,
        model: Path | None = None,
        folder: Path = data,
        **changes: object,
    ) -> Scored:
        overrides: dict[str, object] = {"score.part_rows": PART_ROWS}
        overrides |= {key.replace("__", "."): value for key, value in changes.items()}
        settings: LoadedSettings = load_settings(
            project, overrides=overrides, variables={}, clock=now
        )
        request = Request(
            data=Located(folder, "folder", "data"),
            model=model or versions(task),
            output=tmp_path / output,
            as_of=AsOf(day, TODAY, fresh),
            deployment="blue",
        )
        return score(request, settings, silent)

    return scored
