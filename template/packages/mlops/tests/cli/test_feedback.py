"""Late labels on the command line: what is printed, and which exit code."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fakes.cli import Command
from fakes.labelled_events import NOW, TARGETS, ago, events, predictions, write_bare_version
from fakes.platform import FakePlatform
from fakes.tiny_use_case import slices as slices_module
from mlops.cli import feedback
from mlops.settings.project import Project
from mlops.tasks import Task

CONF = """\
gate:
  thresholds:
    f1: 0.7
  min_slice_rows: 2
feedback:
  min_rows: 3
"""
WIDTH = 80


@pytest.fixture
def platform(tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> FakePlatform:
    (project.root / "conf" / "base.yaml").write_text(CONF)
    fake = FakePlatform(tmp_path / "platform")
    holdout = {"f1": 0.8, "accuracy": 0.9}
    write_bare_version(fake.folder / "versions" / "9", TARGETS[Task.BINARY], holdout=holdout)
    endpoint = fake.endpoint("tiny-dev")
    endpoint.serve("blue", 9, share=100)
    features: dict[str, list[Any]] = {"a": [3.0, 4.0] * 3, "c": ["x"] * 6}
    seen = events([0.9, 0.9, 0.9, 0.1, 0.1, 0.1], [ago(n) for n in range(1, 7)], features=features)
    endpoint.events = predictions(seen, events([0.1], [ago(1)], ids=["old"], version=2))
    monkeypatch.setattr(feedback, "open_platform", lambda _settings: fake)
    monkeypatch.setattr("mlops.cli.options.system_clock", lambda: NOW)
    monkeypatch.setattr(slices_module, "SLICES", {"side": pl.col("a").cast(pl.Int64)})
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    return fake


def labels(folder: Path, *told: object) -> Path:
    path = folder / "labels.csv"
    lines = [f"{number},{label}" for number, label in enumerate(told)]
    path.write_text("\n".join(["inference_id,label", *lines, ""]))
    return path


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize(
    ("told", "code", "said"),
    [
        ((1, 1, 1, 0, 0, 0), 0, ""),
        ((0, 0, 1, 1, 0, 0), 1, "f1 is 0.4000, and the gate asks for at least 0.7000"),
        ((1, 1), 4, "2 of 6 mature predictions have a label"),
        ((7, "x", "", "pink"), 4, "0 of 6 mature predictions have a label"),
    ],
)
def test_each_outcome_has_its_exit_code(
    mlops: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    told: tuple[object, ...], code: int, said: str,
) -> None:  # fmt: skip
    assert mlops("feedback", labels(tmp_path, *told)) == code
    assert said in " ".join(capsys.readouterr().err.split())


def test_the_tables_are_within_the_width_of_a_terminal(
    mlops: Command, platform: FakePlatform, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("feedback", labels(tmp_path, 0, 0, 1, 1, 0, "x", 0, 0)) == 1
    said = capsys.readouterr()
    drawn = [line for line in said.err.splitlines() if line[:1] in "│┃┏┡└"]
    assert max(map(len, drawn)) <= WIDTH
    plain = " ".join(said.err.split())
    for part in (
        "Performance of version 9 at tiny-dev",
        "5 of 6 mature predictions (83.3 %)",
        "labels of no prediction",
        "labels: neither 0 nor 1",
        "events of version 2",
        "Realised, week by week",
        "side=3",
        "at least 0.7",
        "estimated: from the model's own confidence",
    ):
        assert part in plain
    document = Path(said.out.strip())
    assert document.parent.name == "performance"
    assert platform.endpoint("tiny-dev").kept


@pytest.mark.usefixtures("platform")
def test_json_is_the_document_and_the_job_s_page_has_the_tables_all_the_same(
    mlops: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    page = tmp_path / "page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    assert mlops("feedback", labels(tmp_path, 0, 0, 1, 1, 0, 0), "--json") == 1
    said = json.loads(capsys.readouterr().out)
    stored = json.loads(Path(said.pop("document")).read_text())
    assert said == stored
    assert (said["outcome"], said["coverage"]) == ("below", 1.0)
    text = page.read_text()
    assert "### Performance of version 9 at tiny-dev" in text
    assert "### Realised in slices" in text
    assert "calibrated probabilities" in text


@pytest.mark.usefixtures("platform")
def test_the_window_is_that_of_the_option_or_of_conf(
    mlops: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = labels(tmp_path, 1, 1, 1, 0, 0, 0)
    assert mlops("feedback", path, "--since", "60h", "--json") == 4
    said = json.loads(capsys.readouterr().out)
    assert (said["predictions"]["mature"], said["realised"]["every"]) == (2, "day")
    assert said["realised"]["window"]["start"].startswith("2024-06-28T00:00:00")


@pytest.mark.usefixtures("platform")
def test_a_job_finds_the_labels_that_conf_names(
    mlops: Command, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("feedback") == 4
    assert "no labels are named" in capsys.readouterr().err
    labels(project.root, 1, 1, 1, 0, 0, 0)
    (project.root / "conf" / "dev.yaml").write_text("feedback: {source: labels.csv}\n")
    assert mlops("feedback", "--json") == 0
    assert json.loads(capsys.readouterr().out)["labels"]["source"] == "labels.csv"


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nowhere.csv",), 2, "nowhere.csv does not exist"),
        (("--since", "soon"), 2, "no span of time"),
        (("--environment", "nowhere"), 2, "no environment 'nowhere'"),
    ],
)
def test_wrong_usage_has_its_exit_code(
    mlops: Command, capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...], code: int, said: str,
) -> None:  # fmt: skip
    assert mlops("feedback", *arguments) == code
    assert said in capsys.readouterr().err
