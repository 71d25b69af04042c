"""A version is trained again in a fresh clone, by whoever has nothing but it and the data."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import Project, Template, run, uv

pytestmark = [pytest.mark.project, pytest.mark.slow]

CHANGE_ONE = """
import sys
import polars as pl
path = sys.argv[1]
frame = pl.read_parquet(path)
column = next(name for name, kind in frame.schema.items() if kind.is_float())
changed = pl.when(pl.int_range(pl.len()) == 0).then(pl.col(column) + 1).otherwise(pl.col(column))
frame.with_columns(changed.alias(column)).write_parquet(path)
"""
DROP_ONE = """
import sys
import polars as pl
pl.read_parquet(sys.argv[1])[1:].write_parquet(sys.argv[1])
"""


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return template.install(tmp_path_factory.mktemp("reproduce") / "project", example="rfm")


def printed(said: str) -> dict[str, Any]:
    """The JSON among what a command said."""
    told: dict[str, Any] = json.loads(said[said.index("\n{") : said.rindex("\n}") + 2])
    return told


def reproduced(clone: Project, version: Path, raw: Path, expect: int) -> dict[str, Any]:
    """What the repetition of a training finds."""
    options = ("--version-folder", version, "--data-dir", raw, "--json")
    return printed(clone.mlops("reproduce", *options, expect=expect))


def test_a_fresh_clone_comes_to_the_same_and_sees_one_changed_row(
    project: Project, tmp_path: Path
) -> None:
    raw, version = tmp_path / "raw", tmp_path / "version"
    project.mlops("data", "make", "--size", "3000", "--output", raw)
    run_id = project.mlops("train", "--data-dir", raw).split()[-1]
    project.mlops("evaluate", "--run-id", run_id)
    project.mlops("register", "--run-id", run_id)
    (registered,) = (project.path / ".mlops" / "registry").glob("*/1")
    registered.rename(version)  # so that the clone can read nothing of the project's state

    clone = Project(tmp_path / "clone")
    run("git", "clone", "--quiet", project.path, clone.path, folder=tmp_path)
    run(uv(), "sync", "--quiet", "--locked", folder=clone.path)
    found = reproduced(clone, version, raw, expect=0)
    assert [each["word"] for each in found["agreements"]] == ["same"] * 3
    assert {each["word"] for each in found["circumstances"]} == {"same"}
    assert "commit" in found["trained_by"]
    assert found["possible_causes"] == []
    assert run("git", "status", "--porcelain", folder=clone.path) == ""
    assert len(run("git", "worktree", "list", folder=clone.path).splitlines()) == 1
    assert not list((clone.path / ".mlops").glob("runs/*"))

    (file,) = raw.glob("*.parquet")
    for script, remark in ((CHANGE_ONE, "so values were changed"), (DROP_ONE, "1 fewer than")):
        project.run("python", "-c", script, file)
        data, *_ = reproduced(clone, version, raw, expect=1)["agreements"]
        assert (data["what"], data["word"]) == ("data hash", "differs")
        assert remark in data["remark"]
        assert f"changed: {file.name}" in data["remark"]
