"""The marks in personal columns are found nowhere but in the data, whatever the commands do.

Each command runs with all that it can say: values shown, logs of every level, polars verbose.
"""

import gzip
import io
import itertools
import logging
import re
import shutil
import sqlite3
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import ibis
import polars as pl
import pytest

from fakes.marked_data import BAD, good, write_bad, write_personal_project
from fakes.marks import BORN, NUMBER, TEXT, marked_files, marks_in
from fakes.personal_use_case import features
from fakes.places import PROJECT
from fakes.waiting import LONGEST_SECONDS
from mlops.cli.main import main

Say = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def home(rigs: Path, serving_venvs: Path) -> Path:
    """A folder with the project and raw data beside it."""
    folder = rigs / "personal"
    root = folder / "project"
    write_personal_project(root)
    conf = root / "conf" / "dev.yaml"
    conf.write_text(f"endpoint:\n  start_timeout_seconds: {LONGEST_SECONDS}\n")
    shutil.copytree(PROJECT / "serving", root / "serving")
    (root / ".mlops").mkdir()
    (root / ".mlops" / "serving-env").symlink_to(serving_venvs, target_is_directory=True)
    write_bad(folder / "bad")
    (folder / "good").mkdir()
    good().write_parquet(folder / "good" / "data.parquet")
    return folder


@pytest.fixture
def say(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Say]:
    """Run a command in the project; return its exit code and all that it wrote to the screen."""
    monkeypatch.chdir(home / "project")
    monkeypatch.setenv("POLARS_VERBOSE", "1")
    monkeypatch.setenv("RUST_BACKTRACE", "1")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(home / "project" / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(home / "project" / "outputs"))
    log = logging.FileHandler(home / "project" / "debug.log", encoding="utf-8")
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(log)
    root.setLevel(logging.DEBUG)

    def call(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["mlops", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capfd.readouterr()
        return int(end.value.code or 0), shown.out + shown.err

    yield call
    root.removeHandler(log)
    root.setLevel(level)
    log.close()


def traces(home: Path) -> list[str]:
    """Return the files of the project with marks, but for the data of its runs."""
    found = marked_files(home / "project")
    return [name for name in found if not name.endswith("/validated/data.parquet")]


def test_refused_data_leave_no_trace(home: Path, say: Say) -> None:
    bad = home / "bad"
    code, said = say("data", "validate", "--data-dir", bad, "--environment", "dev")
    assert code == 1
    for each in BAD:
        assert each.name in said, "this file was not checked"
    assert marks_in(said) == []
    for arguments in (
        ("data", "validate", "--json", "--data-dir", bad, "--environment", "dev"),
        ("train", "--data-dir", bad, "--environment", "dev"),
        ("step", "validate", "--data-dir", bad, "--output", home / "project" / "step"),
    ):
        code, said = say(*arguments)
        assert code == 1, said
        assert "pattern.csv" in said
        assert marks_in(said) == []
    assert traces(home) == []


def test_the_whole_loop_leaves_no_trace(home: Path, say: Say) -> None:
    dev = ("--environment", "dev")
    code, said = say("run", "--data-dir", home / "good", "--json", *dev)
    assert code == 0, said
    assert marks_in(said) == []
    run_id = re.search(r'"run_id": "(\w+)"', said)
    assert run_id
    run = ("--run-id", run_id[1])
    for arguments in (
        ("evaluate", *run, *dev),
        ("ci", "comment", *run, *dev),
        ("train", "--data-dir", home / "good", *dev),
        ("status",),
        ("status", "--json"),
        ("smoke-test", *dev),
        ("score", "--data-dir", home / "good", "--output", home / "scores", *dev),
        ("config", *dev),
        ("doctor",),
        ("stop", *dev),
    ):
        code, said = say(*arguments)
        assert code in (0, 1) if arguments == ("doctor",) else code == 0, said
        assert marks_in(said) == []
    code, said = say("compliance", "pack", "--model-version", 1, *dev)
    assert code == 4, said
    assert marks_in(said) == []
    assert [*(home / "project" / ".mlops" / "compliance").glob("*-1.zip")]
    assert traces(home) == []
    names = {Path(name).name for name in marked_files(home / "project")}
    assert names == {"data.parquet"}, "the search finds what is there"
    made = {path.name for path in (home / "project" / ".mlops").rglob("*")}
    kept = {"mlflow.db", "signature.json", "baseline.parquet", "MODEL_CARD.md", "lineage.json"}
    assert made >= {*kept, "validation-results.json", "holdout.parquet", "quality.png"}
    events = home / "project" / ".mlops" / "events"
    assert {path.suffix for path in events.rglob("*.*")} == {".jsonl", ".parquet"}
    for path in events.rglob("*.jsonl"):
        assert '"features":{"' in path.read_text(), "what is searched holds what callers sent"


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_code_that_fails_on_the_data_leaves_no_trace(
    home: Path, say: Say, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    def build(readings: ibis.Table, _day: date) -> ibis.Table:
        return readings.group_by("machine").aggregate(sum=readings.email.cast("float64").sum())

    monkeypatch.setattr(features, "build_features", build)
    code, said = say("train", "--data-dir", home / "good", "--environment", "dev", *arguments)
    assert code == 3
    assert "features.py or labels.py failed with ConversionException" in said
    assert marks_in(said) == []
    assert traces(home) == []


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", TEXT * 99)
    return file.getvalue()


def _parquet(values: pl.Series) -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"a": values}).write_parquet(file)
    return file.getvalue()


def _database(value: str | float) -> bytes:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE a (b)")
        database.execute("INSERT INTO a VALUES (?)", (value,))
        return bytes(database.serialize())


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        f"a\r\n{NUMBER}".encode(),
        f'{{"a": {NUMBER:e}}}'.encode(),
        f"{NUMBER:,}".encode(),
        TEXT.encode("utf-16"),
        str(BORN).encode(),
        gzip.compress(TEXT.encode()),
        _zip(),
        _parquet(pl.Series([TEXT])),
        _parquet(pl.Series([NUMBER])),
        _parquet(pl.Series([NUMBER], dtype=pl.Float32)),
        _parquet(pl.Series([1.0, NUMBER] * 999)),
        _parquet(pl.Series([BORN])),
        _database(TEXT),
        _database(NUMBER),
    ],
    ids=itertools.count(),
)
def test_the_search_finds_a_mark_wherever_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a" / ".b").mkdir(parents=True)
    (tmp_path / "a" / ".b" / "file").write_bytes(content)
    (tmp_path / "clean").write_bytes(b"nothing")
    assert marked_files(tmp_path) == ["a/.b/file"]
