"""A person is deleted between two trainings, by whoever has nothing but commands and the page."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import Project, Template

pytestmark = [pytest.mark.project, pytest.mark.slow]

ONE_KEY = """
import sys
import polars as pl
print(pl.concat([pl.read_parquet(path) for path in sys.argv[1:]])["customer_id"].mode().sort()[0])
"""
FILES_THAT_HAVE_IT = """
import sys
from pathlib import Path
import polars as pl
key, found = sys.argv[1], []
for path in Path(sys.argv[2]).rglob("*"):
    if path.is_file() and not path.is_symlink():
        data = path.read_bytes()
        texts = pl.read_parquet(path).select(pl.col(pl.String)) if data[:4] == b"PAR1" else None
        if key.encode() in data or (texts is not None and any(key in column for column in texts)):
            found.append(path.name)
print("found:", *found)
"""


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = template.install(tmp_path_factory.mktemp("forget") / "project", example="rfm")
    yield project
    project.mlops("stop", "--all")


def printed(said: str) -> dict[str, Any]:
    """The JSON among what a command said."""
    told: dict[str, Any] = json.loads(said[said.index("\n{") : said.rindex("\n}") + 2])
    return told


def version_of(project: Project, raw: Path) -> str:
    """Train, evaluate and register; return what training said."""
    said = project.mlops("train", "--data-dir", raw)
    run_id = said.split()[-1]
    project.mlops("evaluate", "--run-id", run_id)
    project.mlops("register", "--run-id", run_id)
    return said


def has_it(project: Project, key: str, folder: Path) -> list[str]:
    """The names of the files below a folder that have a key, as text or in a table."""
    said = project.run("python", "-c", FILES_THAT_HAVE_IT, key, folder)
    return said.strip().splitlines()[-1].split()[1:]


def test_a_person_is_deleted_and_stays_out_of_the_next_training(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, state = tmp_path / "raw", project.path / ".mlops"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    project.mlops("data", "make", "--size", "3000", "--output", raw)
    version_of(project, raw)
    (training_part,) = state.glob("runs/*/prepared/train*.parquet")
    key = project.run("python", "-c", ONE_KEY, training_part).split()[-1]
    assert has_it(project, key, raw)
    assert has_it(project, key, state)

    told = printed(project.mlops("forget", "--key", key, "--json"))
    assert (told["outcome"], told["versions"], told["pending"]) == ("done", [1], [])
    assert has_it(project, key, state) == []
    assert key not in json.dumps(told)
    project.mlops("audit", "verify")

    said = version_of(project, raw)
    assert "forgotten" in said
    assert key not in said
    assert has_it(project, key, raw)
    assert has_it(project, key, state) == []
    options = ("--model-version", "2", "--data-dir", raw, "--json")
    found = printed(project.mlops("reproduce", *options))
    assert [each["word"] for each in found["agreements"]] == ["same"] * 3
    again = printed(project.mlops("forget", "--key", key, "--json"))
    assert (again["id"], again["removed"], again["versions"]) == (told["id"], told["removed"], [1])
