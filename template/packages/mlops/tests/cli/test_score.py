"""Scoring and asking on the command line: which version, what is printed, which exit code."""

import io
import json
from datetime import date
from pathlib import Path

import ibis
import polars as pl
import pytest

from fakes.cli import Command
from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.tiny_use_case import features as features_module
from fakes.tiny_version import ROW, tiny_probability
from mlops.artifacts.scores import part_files
from mlops.cli import predict, score
from mlops.errors import PlatformError

AS_OF = ("--reference-date", "2024-06-30")


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePlatform:
    """A platform of tiny versions, whose features the use case returns."""

    def build_features(readings: ibis.Table, _day: date) -> ibis.Table:
        return readings.group_by("machine").aggregate(
            a=readings.reading.max() / 100, b=readings.reading.min() / 100, c=readings.count()
        )

    monkeypatch.setattr(features_module, "build_features", build_features)
    fake = FakePlatform(tmp_path / "platform")
    for module in (predict, score):
        monkeypatch.setattr(module, "open_platform", lambda _settings: fake)
    return fake


@pytest.fixture
def endpoint(platform: FakePlatform) -> FakeEndpoint:
    return platform.endpoint("tiny-dev")


def scores_of(folder: Path) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path) for path in part_files(folder)])


def test_the_version_that_serves_scores(
    mlops: Command, endpoint: FakeEndpoint, raw: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    endpoint.serve("blue", 9, share=100)
    endpoint.serve("green", 10)
    assert mlops("score", "--data-dir", raw, "--output", tmp_path / "o", *AS_OF, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["rows"], said["model_version"], said["reference_date"]) == (300, 9, "2024-06-30")
    assert scores_of(tmp_path / "o")["model_version"].unique().to_list() == [9]
    events = scores_of(Path(said["events"]))
    assert events["deployment"].unique().to_list() == ["blue"]
    assert Path(said["events"]).parts[-3:-1] == ("events", "tiny-dev")


def test_events_that_cannot_be_kept_are_told_and_the_predictions_stay(
    mlops: Command, endpoint: FakeEndpoint, raw: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def refuse(_folder: Path) -> None:
        raise PlatformError("the storage is closed")

    monkeypatch.setattr(endpoint, "keep_scored", refuse)
    endpoint.serve("blue", 9, share=100)
    assert mlops("score", "--data-dir", raw, "--output", tmp_path / "o", *AS_OF) == 0
    assert "nothing will watch these predictions: the storage is closed" in capsys.readouterr().err
    assert scores_of(tmp_path / "o").height == 300


def test_a_version_that_is_named_scores_whatever_serves(
    mlops: Command, endpoint: FakeEndpoint, raw: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    endpoint.serve("blue", 9, share=100)
    output = tmp_path / "o"
    command = ("score", "--data-dir", raw, "--output", output, "--model-version", 2, *AS_OF)
    assert mlops(*command) == 0
    said = capsys.readouterr()
    assert said.out == f"{output}\n"
    assert "300" in said.err
    assert scores_of(output)["model_version"].unique().to_list() == [2]
    assert mlops(*command) == 0, "what is complete stays"


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({}, "nothing is deployed at tiny-dev"),
        ({9: 0}, "no deployment of tiny-dev takes traffic"),
        ({9: 90, 10: 10}, "several versions share the traffic of tiny-dev (version 9 90 %, "),
    ],
)
def test_where_no_version_serves_all_callers_one_is_to_be_named(
    mlops: Command, endpoint: FakeEndpoint, raw: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], shares: dict[int, int], said: str,
) -> None:  # fmt: skip
    for name, (version, share) in zip(("blue", "green"), shares.items(), strict=False):
        endpoint.serve(name, version, share=share)
    assert mlops("score", "--data-dir", raw, "--output", tmp_path / "o", *AS_OF) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--model-version", 77), 2, "there is no version 77"),
        (("--model-version", 2, "--reference-date", "yesterday"), 2, "data.reference_date"),
        (("--model-version", 2, "--environment", "nowhere"), 2, "no environment 'nowhere'"),
        (("--model-version", 2, "--reference-date", "2020-01-01"), 1, "there is nothing to score"),
    ],
)
def test_what_cannot_be_scored_has_its_exit_code(
    mlops: Command, raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    arguments: tuple[object, ...], code: int, said: str,
) -> None:  # fmt: skip
    assert mlops("score", "--data-dir", raw, "--output", tmp_path / "o", *arguments) == code
    assert said in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


@pytest.mark.usefixtures("platform")
def test_the_step_scores_by_the_folder_of_a_version(
    mlops: Command, platform: FakePlatform, raw: Path, tmp_path: Path
) -> None:
    model = platform.version(2).folder.parent
    nothing = ("--model", raw, *_places(tmp_path))
    assert mlops("step", "score", "--data-dir", raw, *nothing, *AS_OF) == 2
    command = ("step", "score", "--data-dir", raw, "--model", model)
    assert mlops(*command, *_places(tmp_path), *AS_OF) == 0
    assert scores_of(tmp_path / "o").height == scores_of(tmp_path / "e").height == 300
    (model / "2" / "model.onnx").write_bytes(b"altered")
    assert mlops(*command, *_places(tmp_path / "again"), *AS_OF) == 1


def _places(folder: Path) -> tuple[object, ...]:
    return ("--output", folder / "o", "--events", folder / "e")


@pytest.mark.parametrize("form", ["row", "list", "body", "file", "stdin"])
def test_an_endpoint_answers_a_person(
    mlops: Command, endpoint: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], form: str,
) -> None:  # fmt: skip
    endpoint.serve("blue", 9, share=100)
    text = json.dumps({"row": ROW, "body": {"data": [ROW]}}.get(form, [ROW]))
    if form == "file":
        (tmp_path / "rows.json").write_text(text, encoding="utf-8-sig")
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    said = {"file": str(tmp_path / "rows.json"), "stdin": "-"}.get(form, text)
    assert mlops("predict", said) == 0
    assert f"{tiny_probability(*ROW.values()):.4f}" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert mlops("predict", said, "--json") == 0
    body = json.loads(capsys.readouterr().out)
    assert body["probabilities"] == pytest.approx([tiny_probability(*ROW.values())])


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ('{"a": "1", "b": 1, "c": 1}', 1, 'error: row 0: "a" must be a number'),
        ('{"a": NaN, "b": 1, "c": 1}', 1, "NaN is not a JSON number"),
        ('{"a": 1, "a": 2, "b": 1, "c": 1}', 1, 'the field "a" stands twice'),
        ("[]", 1, '"data" is empty'),
        ("{a: 1}", 2, "not valid JSON"),
        ("nowhere.json", 2, "neither JSON nor a file"),
        ("", 2, "neither JSON nor a file"),
        ("rows.csv", 2, "mlops score` predicts for files of raw data"),
        ("Rows.PARQUET", 2, "is a table"),
    ],
)
def test_a_mistake_of_who_asks_is_told_in_the_endpoint_s_own_words(
    mlops: Command, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str],
    text: str, code: int, said: str,
) -> None:  # fmt: skip
    endpoint.serve("blue", 9, share=100)
    assert mlops("predict", text) == code
    assert said in capsys.readouterr().err


def test_without_rows_a_typical_one_is_shown_to_copy(
    mlops: Command, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.serve("blue", 9, share=100)
    assert mlops("predict") == 0
    row = capsys.readouterr().out
    assert json.loads(row) == ROW
    assert mlops("predict", row) == 0


@pytest.mark.usefixtures("platform")
def test_where_nothing_is_deployed_the_way_is_told(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in ((), (json.dumps(ROW),)):
        assert mlops("predict", *arguments) == 2
        said = capsys.readouterr().err
        assert "nothing is deployed at tiny-dev" in said
        assert "mlops deploy --environment dev --model-version" in said


def test_an_endpoint_that_fails_is_a_failure_of_the_platform(
    mlops: Command, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.serve("blue", 9)
    assert mlops("predict", json.dumps(ROW)) == 3
    assert "tiny-dev answered 404 (there is no such deployment or" in capsys.readouterr().err
