"""`mlops status`: what it tells of runs, versions and endpoints."""

from pathlib import Path
from typing import Any

import pytest

from mlops.files import write_json
from mlops.ops.status import _advice, collect_status, show_status
from mlops.platforms.azure.platform import AzurePlatform
from mlops.platforms.base import ModelVersion, Run
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.project import Project

URL = "http://127.0.0.1:54321/api/projects/a-project-with-a-long-name/endpoints/dev/score"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run("a" * 32, tmp_path / "run")
    results = {"schema": 1, "rows": 1234, "passed": True}
    write_json(run.folder / "validated" / "validation-results.json", results)
    write_json(run.folder / "evaluation" / "evaluation.json", {"schema": 1, "model": {"f1": 0.5}})
    verdict = {"schema": 1, "passed": True, "judged_at": "2026-01-02T03:04:05+00:00"}
    write_json(run.folder / "verdict.json", verdict)
    return run


def test_a_run_is_told_with_its_version(
    project: Project, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    version = ModelVersion("tiny", 3, Path("not-here"), {"run_id": run.run_id, "f1": "0.4321"})
    unjudged = Run("b" * 32, run.folder / "none")
    monkeypatch.setattr(LocalPlatform, "runs", lambda _self: [run, unjudged])
    monkeypatch.setattr(LocalPlatform, "versions", lambda _self: [version])
    found = collect_status(project)
    assert [each["version"] for each in found["runs"]] == [3, None]
    assert [each["f1"] for each in found["runs"]] == [0.5, None]
    assert [each["f1"] for each in found["versions"]] == [0.4321]
    assert found["advice"] == ""
    monkeypatch.setenv("COLUMNS", "120")
    show_status(found)
    shown = capsys.readouterr().out
    for told in ("1,234 rows", "0.5000", "2026-01-02 03:04", "not judged", "0.4321"):
        assert told in shown


@pytest.mark.parametrize(
    ("tags", "shown"),
    [
        ({"data.made_up": "false", "data.fraction": "1"}, "│ real │"),
        ({"data.made_up": "false", "data.fraction": "0.1"}, "│ real, 10 % │"),
        ({"data.made_up": "true", "data.fraction": "1"}, "│ made up │"),
        ({"run_id": "r"}, "│ unknown │"),
    ],
)
def test_a_version_is_marked_by_what_it_is_made_of(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tags: dict[str, str],
    shown: str,
) -> None:
    version = ModelVersion("tiny", 3, Path("not-here"), tags)
    monkeypatch.setattr(LocalPlatform, "versions", lambda _self: [version])
    show_status(collect_status(project))
    assert shown in " ".join(capsys.readouterr().out.split())


def test_a_url_is_never_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    blue = {"name": "blue", "version": 1, "commit": "", "traffic": 100, "state": "running"}
    blue["mark"] = ""
    dev = {"environment": "dev", "url": URL, "deployments": [blue], "problem": ""}
    found = {"model": "m", "platform": "p", "runs": [], "versions": [], "endpoints": [dev]}
    show_status({**found, "advice": "no run is here yet"})
    said = capsys.readouterr()
    assert f"dev answers at {URL}\n" in said.out
    assert URL not in said.err
    assert "Registered versions" not in said.out
    assert "no run is here yet" in said.err


def deployed(state: str) -> list[dict[str, Any]]:
    return [{"deployments": [{"state": "running"}]}, {"deployments": [{"state": state}]}]


@pytest.mark.parametrize(
    ("platform", "runs", "state", "said"),
    [
        (LocalPlatform, [], "running", "no run is here yet: `mlops run` goes through the whole"),
        (AzurePlatform, [], "running", "no run is here yet: `mlops train`"),
        (LocalPlatform, [{}], "stopped", "`mlops smoke-test` starts a stopped endpoint again"),
        (LocalPlatform, [{}], "running", ""),
        (AzurePlatform, [{}], "failed", ""),
    ],
)
def test_the_next_command_is_one_that_the_platform_has(
    platform: Any, runs: list[dict[str, Any]], state: str, said: str
) -> None:
    advice = _advice(platform, runs, deployed(state))
    assert advice.startswith(said)
    assert bool(advice) == bool(said)
