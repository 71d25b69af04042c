"""Killed anywhere, the same call goes on: no row and no event is lost or there twice."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from filelock import FileLock

from fakes.killed_scoring import MOMENTS, NOW, dying
from fakes.project import TODAY
from fakes.typed_version import raw_rows, write_typed_version
from mlops.artifacts.scores import MANIFEST, SCORED, part_files
from mlops.errors import ConfigError, PlatformError
from mlops.monitoring import events as events_module
from mlops.scoring import feature_table, job
from mlops.settings.project import Project
from mlops.tasks import Task
from scoring.conftest import Call, Versions
from scoring.test_agreement import read

TESTS = Path(__file__).parents[1]
LATER = NOW + timedelta(hours=3)


def kill(project: Project, data: Path, model: Path, output: Path, moment: str, part: int) -> None:
    """Score in another process until it dies by SIGKILL."""
    command = [sys.executable, "-m", "fakes.killed_scoring"]
    places = [project.root, data, model, output]
    done = subprocess.run(
        [*command, *map(str, places), moment, str(part)],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(
    ("moment", "killed"),
    [
        *((moment, False) for moment in MOMENTS),
        ("half a line", True),
        pytest.param("features", True, marks=pytest.mark.slow),
    ],
)
def test_what_was_ended_goes_on_to_the_same_result(
    call: Call,
    project: Project,
    data: Path,
    versions: Versions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    killed: bool,
) -> None:
    output = tmp_path / "scores"
    if killed:
        kill(project, data, versions(Task.BINARY), output, moment, 2)
    else:
        with monkeypatch.context() as patch:
            dying(moment, 2, patch.setattr, sys.exit)
            with pytest.raises(SystemExit):
                call()
    made = 0 if moment == "features" else 2 if moment == "line" else 1
    before = {path: path.stat().st_mtime_ns for path in part_files(output)}
    resumed = call(now=lambda: LATER)
    assert (resumed.rows, resumed.parts, resumed.kept) == (25, 3, made)
    for path in part_files(output)[:made]:
        assert path.stat().st_mtime_ns == before[path], "a complete part is left as it is"
    found, found_events = read(resumed.output), read(resumed.events)
    whole = call(output="whole")
    assert whole.run == resumed.run
    assert found.drop("scored_at").equals(read(whole.output).drop("scored_at"))
    assert found_events.drop("time").equals(read(whole.events).drop("time"))
    assert found_events["inference_id"].is_unique().all()
    times = [NOW] * min(25, 10 * made) + [LATER] * (25 - 10 * made)
    assert found["scored_at"].to_list() == times
    names = sorted(path.name for path in (*output.iterdir(), *Path(resumed.events).iterdir()))
    assert [name for name in names if name.endswith(".tmp")] == []
    assert len((output / MANIFEST).read_text().splitlines()) == 3


def test_called_again_when_it_is_complete_it_changes_nothing(call: Call) -> None:
    first = call()
    before = {path: path.read_bytes() for path in Path(first.output).iterdir()}
    again = call(now=lambda: LATER)
    assert (again.kept, again.parts) == (3, 3)
    assert {path: path.read_bytes() for path in Path(again.output).iterdir()} == before


@pytest.mark.parametrize("damage", ["rows", "bytes", "gone", "event", "line"])
def test_a_part_that_is_not_what_its_line_says_is_made_again(call: Call, damage: str) -> None:
    first = call()
    whole, events = read(first.output), read(first.events)
    part = Path(first.output) / "part-00001.parquet"
    manifest = part.with_name(MANIFEST)
    if damage == "rows":
        pl.read_parquet(part).head(3).write_parquet(part)
    elif damage == "bytes":
        part.write_bytes(part.read_bytes()[:-9])
    elif damage == "gone":
        part.unlink()
    elif damage == "event":
        (Path(first.events) / part.name).write_bytes(b"")
    else:
        lines = manifest.read_text().splitlines()
        manifest.write_text("\n".join([lines[0], "[]", '"', lines[2], lines[2]]) + "\n")
    again = call(now=lambda: LATER)
    assert again.kept == 2
    assert read(again.output).drop("scored_at").equals(whole.drop("scored_at"))
    assert read(again.events).drop("time").equals(events.drop("time"))
    told = [json.loads(line)["part"] for line in manifest.read_text().splitlines()]
    assert sorted(told) == [f"part-0000{n}.parquet" for n in range(3)]


def test_events_that_became_too_old_are_not_asked_for_again(call: Call) -> None:
    first = call()
    for path in part_files(Path(first.events)):
        path.unlink()
    again = call(now=lambda: LATER)
    assert again.kept == 3
    assert part_files(Path(first.events)) == []


def test_another_run_does_not_go_on_with_it(
    call: Call, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call()
    model = write_typed_version(tmp_path / "other", Task.BINARY, number=2)
    others: list[tuple[str, dict[str, Any]]] = [
        ("another reference date .2024-06-30, now 2024-06-29", {"day": TODAY - timedelta(days=1)}),
        (r"another score\.part_rows .10, now 7", {"score__part_rows": 7}),
        (r"another telemetry\.keys", {"telemetry__keys": True}),
        (r"another telemetry\.features", {"telemetry__features": False}),
        (r"another telemetry\.enabled", {"telemetry__enabled": False}),
        (r"another score\.bad_files", {"score__bad_files": "skip"}),
        ("another model .version 1, now 2", {"model": model}),
    ]
    for said, changes in others:
        with pytest.raises(ConfigError, match=f"holds predictions of another run: {said}"):
            call(**changes)
    raw_rows(2).write_parquet(data / "b.parquet")
    with pytest.raises(ConfigError, match=r"other data \(b\.parquet\)"):
        call()
    (data / "b.parquet").unlink()
    monkeypatch.setattr("mlops.scoring.identity.code_hash", lambda _folder: "other")
    with pytest.raises(ConfigError, match=r"other code \(machinery, use case\)"):
        call()


def test_a_folder_of_something_else_is_left_alone(call: Call, tmp_path: Path) -> None:
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds other files, no predictions"):
        call()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match="file is a file"):
        call(output="file")


def test_features_that_are_others_each_time_do_not_go_on(
    call: Call, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = events_module.write_events
    monkeypatch.setattr(events_module, "write_events", _fails_once())
    with pytest.raises(OSError, match="no room"):
        call()
    monkeypatch.setattr(events_module, "write_events", usual)
    assert not (project.state_dir.parents[0] / "scores" / SCORED.name).exists()
    for left in (project.state_dir / "scoring").glob("*/features.parquet"):
        left.unlink()
    usual_features = feature_table.write_features

    def changed(rows: Path, target: Path, *rest: Any) -> int:
        count = usual_features(rows, target, *rest)
        table = pl.read_parquet(target)
        table.with_columns(pl.col("visits") + 1).write_parquet(target)
        return count

    monkeypatch.setattr(job, "write_features", changed)
    with pytest.raises(ConfigError, match=r"features\.py does not return the same each time"):
        call()


def _fails_once() -> Any:
    def fails(*_arguments: Any) -> None:
        raise OSError("no room")

    return fails


def test_two_commands_do_not_write_the_same(call: Call, project: Project) -> None:
    run = call().run
    with (
        FileLock(project.state_dir / "scoring" / f"{run}.lock"),
        pytest.raises(PlatformError, match="another command is scoring just this"),
    ):
        call(output="elsewhere")


def test_what_was_computed_for_it_is_removed_at_the_end(call: Call, project: Project) -> None:
    run = call().run
    assert [path.name for path in (project.state_dir / "scoring").iterdir()] == [f"{run}.lock"]
