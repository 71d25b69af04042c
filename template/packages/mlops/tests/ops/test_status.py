"""`mlops status`: what it tells of runs, versions and endpoints."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fakes.endpoint import FakeEndpoint
from mlops.clock import system_clock
from mlops.files import write_json
from mlops.ops.status import (
    _advice,
    _describe_endpoint,
    collect_status,
    pending_sentence,
    show_status,
)
from mlops.platforms.azure.platform import AzurePlatform
from mlops.platforms.base import ModelVersion, Run
from mlops.platforms.lease_terms import Pending, WayBack
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
    found = collect_status(project, system_clock)
    assert [each["version"] for each in found["runs"]] == [3, None]
    assert [each["value"] for each in found["runs"]] == [0.5, None]
    assert [each["value"] for each in found["versions"]] == [0.4321]
    assert found["advice"] == ""
    monkeypatch.setenv("COLUMNS", "80")
    show_status(found)
    shown = capsys.readouterr().out
    row = f"│ {'a' * 8} │ 2026-01-02 03:04 │ unknown │ 0.5000 │ version 3  │"
    assert row in shown.splitlines()
    for told in ("not judged", "0.4321"):
        assert told in shown


def test_the_metric_that_is_shown_is_the_gate_s(
    project: Project, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A regression has no f1, nor have several classes."""
    measured = {"schema": 1, "model": {"recall": 0.25}}
    write_json(run.folder / "evaluation" / "evaluation.json", measured)
    version = ModelVersion("tiny", 3, Path("not-here"), {"run_id": run.run_id, "recall": "0.125"})
    monkeypatch.setattr(LocalPlatform, "runs", lambda _self: [run])
    monkeypatch.setattr(LocalPlatform, "versions", lambda _self: [version])
    monkeypatch.setenv("MLOPS_GATE__METRIC", "recall")
    found = collect_status(project, system_clock)
    assert found["metric"] == "recall"
    assert [each["value"] for each in (*found["runs"], *found["versions"])] == [0.25, 0.125]
    show_status(found)
    shown = capsys.readouterr().out
    assert shown.count("recall") == 2
    assert "f1" not in shown


def test_no_row_of_a_status_is_broken_at_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run = {
        "short_id": "002318-abc123",
        "judged_at": "2026-01-02T03:04:05+00:00",
        "data": "10,198,956 rows",
        "mark": "",
        "value": 0.98765,
        "gate": "passed",
        "version": None,
    }
    version = {
        "version": 1234,
        "mark": "made up, 10 %",
        "source": {"made_up": True},
        "created_at": "2026-01-02T03:04:05+00:00",
        "commit": "0123456789 + changes",
        "value": 0.98765,
        "problem": "",
    }
    deployed = {
        "name": "green",
        "version": 1234,
        "mark": "made up, 10 %",
        "traffic": 100,
        "state": "not running",
    }
    prod = {"environment": "prod", "url": URL, "answers": True, "deployments": [deployed]}
    show_status(
        {
            "model": "purchase-prediction",
            "platform": "local",
            "metric": "median_absolute_error",
            "runs": [run],
            "versions": [version],
            "endpoints": [{**prod, "problem": "", "pending": "", "kept": None}],
            "advice": "",
        }
    )
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    assert len(rows) == 3
    assert max(map(len, rows)) <= 80


def test_where_nothing_runs_no_address_is_said_to_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    endpoint = FakeEndpoint()
    endpoint.serve("blue", 1, share=100)
    endpoint.serve("green", 2)
    assert _describe_endpoint(endpoint, {})["answers"]
    endpoint.dead.add("blue")
    found = {
        "environment": "prod",
        "problem": "",
        "pending": "",
        "kept": None,
        **_describe_endpoint(endpoint, {}),
    }
    nothing = {
        "model": "m",
        "platform": "p",
        "metric": "mae",
        "runs": [],
        "versions": [],
        "advice": "",
    }
    show_status({**nothing, "endpoints": [found]})
    assert "answers at" not in capsys.readouterr().out


def test_what_is_kept_as_the_way_back_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    endpoint = FakeEndpoint()
    endpoint.serve("blue", 1)
    endpoint.serve("green", 2, share=100)
    assert _describe_endpoint(endpoint, {})["kept"] is None
    endpoint.kept_back = WayBack("blue", 1, datetime(2026, 3, 2, 12, tzinfo=UTC), withdraws=2)
    found = _describe_endpoint(endpoint, {})
    assert found["kept"] == {
        "deployment": "blue",
        "version": 1,
        "until": "2026-03-02T12:00:00+00:00",
        "alert_withdraws": 2,
    }
    prod = {"environment": "prod", "problem": "", "pending": "", **found}
    nothing = {"model": "m", "platform": "p", "metric": "f1", "runs": [], "versions": []}
    show_status({**nothing, "advice": "", "endpoints": [prod]})
    said = "prod: blue, version 1, is kept until 2026-03-02 12:00 UTC"
    assert said in capsys.readouterr().err


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
    show_status(collect_status(project, system_clock))
    assert shown in " ".join(capsys.readouterr().out.split())


def test_a_url_is_never_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    blue = {"name": "blue", "version": 1, "commit": "", "traffic": 100, "state": "running"}
    blue["mark"] = ""
    dev = {"environment": "dev", "url": URL, "deployments": [blue], "answers": True}
    dev |= {"problem": "", "pending": "", "kept": None}
    found = {
        "model": "m",
        "platform": "p",
        "metric": "f1",
        "runs": [],
        "versions": [],
        "endpoints": [dev],
    }
    show_status({**found, "advice": "no run is here yet"})
    said = capsys.readouterr()
    assert f"dev answers at {URL}\n" in said.out
    assert URL not in said.err
    assert "Registered versions" not in said.out
    assert "no run is here yet" in said.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (None, ""),
        (Pending("the release of version 2", lives=True), "the release of version 2 is under way"),
        (
            Pending("the release of version 2", lives=True, until="12:00 UTC"),
            "under way, unless its command has died: it holds until 12:00 UTC",
        ),
        (
            Pending("the release of version 2", lives=False),
            "the release of version 2 was interrupted: the next command",
        ),
        (
            Pending("the release of version 2", lives=False, done=True),
            "was interrupted at its end: what it brought stays",
        ),
    ],
)
def test_a_change_that_holds_the_lease_is_told(change: Pending | None, said: str) -> None:
    told = pending_sentence(change)
    assert said in told
    assert bool(told) == bool(said)


def test_the_interrupted_release_of_an_endpoint_is_shown(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint = FakeEndpoint()
    endpoint.serve("blue", 1, share=100)
    with endpoint.another_command("the release of version 2", {"blue": 100}):
        pass
    monkeypatch.setattr(LocalPlatform, "endpoint", lambda _self, _name: endpoint)
    found = collect_status(project, system_clock)
    assert {each["pending"] for each in found["endpoints"]} != {""}
    show_status(found)
    said = " ".join(capsys.readouterr().err.split())
    assert "dev: the release of version 2 was interrupted" in said


def deployed(state: str) -> list[dict[str, Any]]:
    return [{"deployments": [{"state": "running"}]}, {"deployments": [{"state": state}]}]


@pytest.mark.parametrize(
    ("platform", "runs", "state", "said"),
    [
        (LocalPlatform, [], "running", "no run is here yet: `uv run mlops run` goes"),
        (AzurePlatform, [], "running", "no run is here yet: `uv run mlops train`"),
        (
            LocalPlatform,
            [{}],
            "stopped",
            "`uv run mlops smoke-test` starts a stopped endpoint again",
        ),
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
