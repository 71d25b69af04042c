"""The marks in personal columns are found nowhere but in the data, whatever the commands do.

Each command runs with all that it can say: values shown, logs of every level, polars verbose.
"""

import gzip
import io
import logging
import shutil
import sqlite3
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import polars as pl
import pytest

from fakes.marked_data import BAD, good, write_bad, write_personal_project
from fakes.marks import BORN, NUMBER, TEXT, marked_files, marks_in
from fakes.personal_use_case import features
from fakes.places import PROJECT
from fakes.rig import processes_below
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
    """Return the files with marks that are no data."""
    return [
        name
        for name in marked_files(home)
        if not name.startswith(("bad/", "good/")) and not name.endswith("/validated/data.parquet")
    ]


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
        ("run", "--data-dir", bad, "--environment", "dev"),
        ("step", "validate", "--data-dir", bad, "--output", home / "step" / "validated"),
    ):
        code, said = say(*arguments)
        assert code == 1, said
        assert "pattern.csv" in said
        assert marks_in(said) == []
    assert traces(home) == []
