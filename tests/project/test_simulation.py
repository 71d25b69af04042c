"""A year of the closed loop in a generated project, whole and with each link broken in turn.

The project has a registry, endpoints and git of its own, which stay as they are.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import Project, Template, run

pytestmark = [pytest.mark.project, pytest.mark.slow]
LINKS: dict[str, list[tuple[str, int | None, str]]] = {
    "events": [("drift", 4, "not enough"), ("monitor --act", 4, "not enough")],
    "labels": [("feedback", 4, "not enough"), ("monitor --act", 4, "not enough")],
    "gate": [("monitor --act", 1, "alarm: drift"), ("  retraining", None, "refused")],
    "candidate": [("monitor --act", 1, "alarm: drift"), ("  retraining", None, "failed")],
    "webhook": [("monitor --act", 1, "alarm: drift"), ("  notification", None, "failed")],
    "registry": [("monitor --act", 1, "alarm: drift"), ("  retraining", None, "failed")],
}
"""What docs/simulation.md says of each: events, their exit codes, and how their outcomes begin."""
YEAR = [
    ("  retraining", "wait"),
    ("  retraining", "refused"),
    ("  retraining", "released"),
    ("  rollback", "rolled back"),
    ("  incident", "opened"),
]


@pytest.fixture(scope="module", params=["rfm", "spend"])
def project(
    request: pytest.FixtureRequest, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    folder = tmp_path_factory.mktemp(request.param) / "project"
    made = template.install(folder, example=request.param)
    made.mlops("train")
    return made


def files(root: Path) -> Iterator[Path]:
    """Yield what a simulation must leave alone: state, git, all that a team writes."""
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        if not path.is_file() or parts[0] == ".venv" or "__pycache__" in parts:
            continue
        if parts[:2] not in ((".mlops", "simulation"), (".git", "index")):
            yield path


def hashes(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files(root)
    }


def simulated(project: Project, *arguments: str) -> dict[str, Any]:
    """Run a simulation that ends as planned; return what it tells."""
    said = project.mlops("simulate", "--json", *arguments)
    print(said)
    told: dict[str, Any]
    told, _ = json.JSONDecoder().raw_decode(said[said.index("\n{\n") + 1 :])
    return told


def in_order(told: dict[str, Any], wanted: list[tuple[str, str]]) -> bool:
    """Tell whether events of these names and beginnings of outcomes come in this order."""
    events = iter(told["events"])
    return all(
        any(each["what"] == what and each["outcome"].startswith(outcome) for each in events)
        for what, outcome in wanted
    )


def test_a_whole_year(project: Project) -> None:
    before = hashes(project.path)
    head = run("git", "log", "--all", "--format=%H", folder=project.path)
    told = simulated(project)
    assert told["as_planned"]
    assert in_order(told, YEAR)
    assert "Nothing is deployed" not in Path(told["page"]).read_text(encoding="utf-8")
    assert hashes(project.path) == before
    assert run("git", "log", "--all", "--format=%H", folder=project.path) == head
    assert run("git", "status", "--porcelain", folder=project.path) == ""


@pytest.mark.parametrize("link", LINKS)
def test_where_a_link_breaks_the_old_version_serves_on(project: Project, link: str) -> None:
    before = hashes(project.path)
    told = simulated(project, "--break", link)
    assert told["as_planned"]
    ended = [(each["what"], each["exit_code"], each["outcome"]) for each in told["events"]]
    for what, code, outcome in LINKS[link]:
        assert any((what, code) == each[:2] and each[2].startswith(outcome) for each in ended), (
            ended
        )
    answers = [outcome for what, _, outcome in ended if what == "callers"]
    assert set(answers) == {"version 1 answered 150"}
    assert hashes(project.path) == before
