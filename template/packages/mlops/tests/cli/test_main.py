"""Commands, their exit codes and what they print; help stays light."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import polars as pl
import pytest

from fakes.project import TODAY
from fakes.tiny_use_case.sample import make_sample
from mlops.cli import main as cli
from mlops.errors import Hold, PlatformError, StubNotFilled
from mlops.ops import doctor
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.project import Project

HEAVY = ("mlflow", "sklearn", "pandera", "ibis", "polars", "pydantic_settings", "pydantic", "rich")

Command = Callable[..., int]


@pytest.fixture
def mlops(project: Project, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command inside the project and return its exit code."""
    monkeypatch.chdir(project.root)

    def call(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["mlops", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return int(end.value.code or 0)

    return call


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    make_sample(300, 1, 0.0, TODAY).write_parquet(folder / "data.parquet")
    return folder


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "sys.argv = ['mlops', '--help']\n"
        "from mlops.cli.main import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "smoke-test" in done.stdout
    loaded = {name.split(".")[0] for name in json.loads(done.stderr.replace("'", '"'))}
    assert loaded.isdisjoint(HEAVY)


def test_every_command_explains_itself(mlops: Command, capsys: pytest.CaptureFixture[str]) -> None:
    for command in cli.mlops.commands:
        assert mlops(command, "--help") == 0
        assert len(capsys.readouterr().out.splitlines()) > 3


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (Hold("not yet"), 4, "not yet"),
        (PlatformError("no server"), 3, "no server"),
        (StubNotFilled("return the table"), 2, "mlops stubs"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ValueError("a bug"), 3, "Traceback"),
    ],
)
def test_every_failure_has_its_exit_code(
    mlops: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    words: str,
) -> None:
    def fail(*_args: object) -> None:
        raise error

    monkeypatch.setattr(cli, "_settings", fail)
    assert mlops("config") == code
    assert words in capsys.readouterr().err


def test_wrong_usage_is_exit_code_two(mlops: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert mlops("no-such-command") == 2
    assert mlops("deploy") == 2
    assert "--model-version" in capsys.readouterr().err
    assert mlops("data", "validate", "--data-dir", "nowhere") == 2
    assert "--data-dir: the folder nowhere does not exist" in capsys.readouterr().err
    assert mlops("config", "--environment", "tset") == 2


def test_make_writes_data_that_validate_accepts(mlops: Command, project: Project) -> None:
    assert mlops("data", "make", "--customers", "60", "--output", "data") == 0
    rows = pl.read_parquet(project.root / "data" / "sample.parquet")
    assert rows["machine"].n_unique() == 60
    assert mlops("data", "validate", "--data-dir", "data", "--output", "found.json") == 0
    assert json.loads((project.root / "found.json").read_text())["passed"] is True


def test_make_does_not_touch_a_folder_with_other_files(mlops: Command, project: Project) -> None:
    folder = project.root / "data"
    folder.mkdir()
    (folder / "mine.csv").write_text("precious")
    assert mlops("data", "make", "--output", folder) == 2
    assert (folder / "mine.csv").read_text() == "precious"


def test_validate_refuses_bad_data_with_all_results_in_the_file(
    mlops: Command, raw: Path, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pl.read_parquet(raw / "data.parquet").with_columns(reading=-1.0)
    frame.write_parquet(raw / "data.parquet")
    assert mlops("data", "validate", "--data-dir", raw) == 1
    said = capsys.readouterr().err
    assert "data.parquet: column reading: must be at least 0: row 1 (-1.0)" in said
    found = json.loads((project.root / "validation-results.json").read_text())
    assert found["failures"][0]["count"] == frame.height


@pytest.mark.parametrize(
    "command", [("data", "validate"), ("step", "validate", "--output", "v"), ("train",)]
)
def test_a_pipeline_shows_no_value_of_the_data(
    mlops: Command,
    raw: Path,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
) -> None:
    page = project.root / "page.md"
    page.touch()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    monkeypatch.setenv("MLOPS_DATA__SHOW_VALUES", "false")
    frame = pl.read_parquet(raw / "data.parquet").with_columns(reading=-123.25)
    frame.write_parquet(raw / "data.parquet")
    assert mlops(*command, "--data-dir", raw) == 1
    said = capsys.readouterr()
    counted = f"greater_than_or_equal_to(0) ({frame.height:,})"
    assert f"data.parquet: column reading: {counted}" in said.err
    results = [path.read_text() for path in project.root.rglob("validation-results.json")]
    assert len(results) == 1
    for text in (said.out, said.err, page.read_text(), *results):
        assert "123.25" not in text


def test_results_as_json_go_to_stdout_alone(
    mlops: Command, raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("data", "validate", "--data-dir", raw, "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 1200
    assert mlops("config", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["data.sample.size"] == {"value": 300, "source": "conf/base.yaml"}
    assert found["gate.tolerance"]["source"] == "default"


def test_the_steps_hand_over_folders(mlops: Command, raw: Path, project: Project) -> None:
    assert mlops("step", "validate", "--data-dir", raw, "--output", "v") == 0
    assert mlops("step", "prepare", "--validated", "v", "--output", "p") == 0
    assert mlops("step", "fit", "--prepared", "p", "--output", "m") == 0
    assert mlops("step", "evaluate", "--prepared", "p", "--model", "m", "--output", "e") == 0
    assert json.loads((project.root / "e" / "evaluation.json").read_text())["rows"] > 50
    assert _trained_from(project)["dirty"] is True


def test_a_job_without_git_is_told_the_commit(mlops: Command, raw: Path, project: Project) -> None:
    assert mlops("step", "validate", "--data-dir", raw, "--output", "v") == 0
    assert mlops("step", "prepare", "--validated", "v", "--output", "p") == 0
    fit = ("step", "fit", "--prepared", "p", "--output", "m")
    commit = "0123456789" * 4
    assert mlops(*fit, "--git-commit", commit) == 2
    assert mlops(*fit, "--git-commit", commit, "--git-dirty", "False") == 0
    assert _trained_from(project) == {"commit": commit, "branch": "", "dirty": False}


def _trained_from(project: Project) -> dict[str, Any]:
    git: dict[str, Any] = json.loads((project.root / "m" / "training.json").read_text())["git"]
    return git


def test_a_step_refuses_bad_data_and_the_next_refuses_to_go_on(mlops: Command, raw: Path) -> None:
    pl.DataFrame({"machine": ["a"]}).write_parquet(raw / "data.parquet")
    assert mlops("step", "validate", "--data-dir", raw, "--output", "v") == 1
    assert mlops("step", "prepare", "--validated", "v", "--output", "p") == 1
    assert mlops("step", "prepare", "--validated", "nothing", "--output", "p") == 2


@pytest.fixture
def inside(
    trained: tuple[LocalPlatform, str], monkeypatch: pytest.MonkeyPatch, mlops: Command
) -> tuple[Command, str]:
    """Commands inside the project that was trained once, and its run."""
    platform, run_id = trained
    monkeypatch.chdir(platform.settings.project.root)
    return mlops, run_id


def test_gate_then_registration(
    inside: tuple[Command, str], capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, run_id = inside
    assert mlops("register", "--run-id", run_id) == 1
    assert f"mlops evaluate --run-id {run_id}" in capsys.readouterr().err
    assert mlops("evaluate", "--run-id", run_id, "--threshold-f1", "1") == 1
    assert "the gate refuses run" in capsys.readouterr().err
    assert mlops("register", "--run-id", run_id) == 1
    assert mlops("evaluate", "--run-id", run_id) == 0
    capsys.readouterr()
    assert mlops("register", "--run-id", run_id) == 0
    assert capsys.readouterr().out == "1\n"


def test_the_f1_option_leaves_the_other_thresholds_in_force(
    inside: tuple[Command, str], capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, run_id = inside
    assert mlops("evaluate", "--run-id", run_id, "--threshold-f1", "0.1", "--json") == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    asked = {check["name"]: check["asked"] for check in checks}
    assert asked["f1"] == "at least 0.1000"
    assert asked["roc_auc"] == "at least 0.7500"


def test_train_prints_the_run_id(
    inside: tuple[Command, str], raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, first = inside
    assert mlops("train", "--data-dir", raw) == 0
    run_id = capsys.readouterr().out.strip()
    assert run_id.isalnum()
    assert run_id != first
    assert mlops("train", "--data-dir", raw, "--json") == 0
    assert json.loads(capsys.readouterr().out)["evaluation"]["model"]["f1"] > 0.75


def test_status_shows_runs_and_versions(
    inside: tuple[Command, str], capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, run_id = inside
    assert mlops("status", "--json") == 0
    before = json.loads(capsys.readouterr().out)
    assert [run["gate"] for run in before["runs"]] == ["not judged"]
    mlops("evaluate", "--run-id", run_id)
    mlops("register", "--run-id", run_id)
    capsys.readouterr()
    assert mlops("status", "--json") == 0
    after: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert after["runs"][0]["gate"] == "passed"
    assert [version["version"] for version in after["versions"]] == [1]
    assert after["endpoints"][0]["deployments"] == []
    assert mlops("status") == 0
    assert run_id in capsys.readouterr().out


def test_an_empty_project_says_where_to_start(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("status") == 0
    assert "mlops run" in capsys.readouterr().err
    assert mlops("stop", "--all") == 0
    assert "dev, platform local: tiny-dev: nothing is deployed" in capsys.readouterr().err


def test_an_unknown_version_is_not_deployed(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("deploy", "--model-version", "3") == 1
    assert "has no version 3" in capsys.readouterr().err


def test_doctor_finds_what_is_wrong(
    mlops: Command, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("doctor") == 0
    (project.root / "conf" / "dev.yaml").write_text("gaet: 1\n")
    capsys.readouterr()
    assert mlops("doctor", "--json") == 1
    captured = capsys.readouterr()
    assert "conf/dev.yaml" in captured.err
    found = {check["name"]: check for check in json.loads(captured.out)["checks"]}
    assert "gaet" in found["conf/dev.yaml"]["found"]
    assert found["python"]["passed"]


def test_doctor_survives_a_use_case_that_cannot_be_read(
    mlops: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_folder: Path) -> None:
        raise SyntaxError("slices.py, line 3")

    monkeypatch.setattr(doctor, "find_stubs", fail)
    assert mlops("doctor", "--json") == 1
    found = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert found["use case"]["found"] == "SyntaxError: slices.py, line 3"
    assert found[".mlops"]["passed"]


def test_a_step_never_replaces_a_folder_of_something_else(
    mlops: Command, raw: Path, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    for output in (".", "conf", ".."):
        assert mlops("step", "validate", "--data-dir", raw, "--output", output) == 2
    assert "name an empty folder" in capsys.readouterr().err
    assert (project.root / "conf" / "base.yaml").exists()


def test_a_file_that_cannot_be_written_is_named(
    mlops: Command, raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    output = blocked / "found.json"
    assert mlops("data", "validate", "--data-dir", raw, "--output", output) == 3
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert str(blocked) in said


def test_ui_refuses_a_port_that_is_taken(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert mlops("ui", "--port", taken.getsockname()[1]) == 2
    assert "another program uses port" in capsys.readouterr().err


def test_doctor_works_outside_a_project(
    mlops: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert mlops("doctor") == 1


@pytest.mark.parametrize(
    ("command", "level"),
    [
        (("release", "--model-version", 1), 2),
        (("release", "--model-version", 1, "--rehearsal"), 2),
        (("ab-test",), 3),
        (("ab-test", "--rehearsal"), 3),
        (("switch-traffic", "--green-percent", 100), 2),
        (("rollback",), 2),
    ],
)
def test_a_command_of_a_higher_level_says_so(
    mlops: Command, capsys: pytest.CaptureFixture[str], command: tuple[object, ...], level: int
) -> None:
    assert mlops(*command) == 2
    assert f"copier update -d maturity_level={level}" in capsys.readouterr().err


def test_a_rollback_of_a_version_that_does_not_serve_changes_nothing(
    mlops: Command, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project.root / "pyproject.toml"
    path.write_text(path.read_text().replace("maturity_level = 1", "maturity_level = 2"))
    assert mlops("rollback", "--model-version", 3) == 0
    assert "version 3 has no traffic" in capsys.readouterr().err
    assert mlops("rollback") == 2
    assert "nothing that served before is recorded" in capsys.readouterr().err


def test_a_release_that_did_not_begin_says_that_nothing_changed(
    mlops: Command, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = project.root / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    assert mlops("release", "--model-version", 3) == 2
    assert output.read_text() == "outcome=unchanged\n"


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("1h", 3600), (None, None)]
)
def test_a_time_can_be_said_in_seconds_minutes_or_hours(
    text: str | None, seconds: float | None
) -> None:
    context = click.Context(cli.mlops)
    assert cli.seconds_of(context, click.Option(["--duration"]), text) == seconds


@pytest.mark.parametrize("text", ["0", "-1s", "1d", "soon", ""])
def test_what_is_no_time_is_wrong_usage(
    mlops: Command, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert mlops("ab-test", "--duration", text) == 2
    assert "is no time such as" in capsys.readouterr().err
