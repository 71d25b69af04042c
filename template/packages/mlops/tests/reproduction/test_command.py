"""A version is trained again from its record, by the code that is here."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fakes.project import TODAY
from fakes.registered import Registered
from fakes.tiny_use_case.sample import make_sample
from mlops.data.suppression import Entry, list_file, make_secret, secret_file, write_entries
from mlops.errors import ConfigError, Hold, Refused
from mlops.progress import silent
from mlops.reproduction import command
from mlops.reproduction.agreement import Word
from mlops.reproduction.command import Reproduction, data_of, reproduce
from mlops.reproduction.record import read_record
from mlops.reproduction.training import Order
from mlops.settings.loading import load_settings

Again = Callable[..., Reproduction]


@pytest.fixture
def again(registered: Registered) -> Again:
    """Train the version again by the code that is here, with the data of a folder."""

    def train(data_dir: Path | None = None, folder: Path = registered.folder) -> Reproduction:
        return reproduce(folder, registered.settings, silent, data_dir, here=True)

    return train


def written(folder: Path, frame: pl.DataFrame) -> Path:
    folder.mkdir()
    frame.write_parquet(folder / "data.parquet")
    return folder


def words(found: Reproduction) -> list[Word]:
    return [each.word for each in found.agreements]


def changed(registered: Registered, place: Path, name: str, **parts: Any) -> Path:
    """A copy of the version's folder with other content in one of its documents."""
    shutil.copytree(registered.folder, place)
    path = place / name
    content = json.loads(path.read_text("utf-8"))
    for key, part in parts.items():
        content[key] = {**content[key], **part} if isinstance(part, dict) else part
    path.write_text(json.dumps(content), "utf-8")
    return place


def test_its_own_sample_is_drawn_again_and_all_is_the_same(
    again: Again, registered: Registered
) -> None:
    before = sorted(path for path in registered.settings.project.root.rglob("*"))
    found = again()
    assert words(found) == [Word.SAME] * 3
    assert (found.word, found.causes) == (Word.SAME, ())
    told = {each.what: each.word for each in found.circumstances}
    assert told["packages"] is Word.SAME
    assert told["commit"] is Word.NOT_COMPARABLE
    assert sorted(path for path in registered.settings.project.root.rglob("*")) == before


def test_one_row_less_is_told_with_hash_and_rows(again: Again, tmp_path: Path) -> None:
    frame = make_sample(300, 1, 0.0, TODAY)
    found = again(written(tmp_path / "less", frame[1:]))
    data = found.agreements[0]
    assert (data.what, data.word, found.word) == ("data hash", Word.DIFFERS, Word.DIFFERS)
    assert f"{frame.height - 1:,} rows, 1 fewer than the recorded" in data.remark
    assert any("the data are others than recorded" in each for each in found.causes)


def test_another_record_of_metrics_or_packages_is_met(
    again: Again, registered: Registered, tmp_path: Path
) -> None:
    evaluation = json.loads((registered.folder / "card.json").read_text("utf-8"))["evaluation"]
    better = {"model": {**evaluation["model"], "f1": 0.123}}
    folder = changed(registered, tmp_path / "v", "card.json", evaluation=better)
    lineage = json.loads((folder / "lineage.json").read_text("utf-8"))
    lineage["environment"]["packages_sha256"] = "e" * 64
    (folder / "lineage.json").write_text(json.dumps(lineage), "utf-8")
    found = again(folder=folder)
    assert words(found) == [Word.SAME, Word.DIFFERS, Word.SAME]
    assert found.agreements[1].remark.startswith("f1 0.1230, now ")
    assert any(each.startswith("packages: recorded eeee") for each in found.causes)


@pytest.mark.slow
def test_who_was_forgotten_since_has_no_part_in_the_repetition(
    registered: Registered, tmp_path: Path
) -> None:
    place = {f"forget.{name}_file": str(tmp_path / f"{name}.json") for name in ("secret", "list")}
    settings = load_settings(registered.settings.project, overrides=place, variables={})
    secret = make_secret(secret_file(settings))
    key = str(make_sample(300, 1, 0.0, TODAY)["machine"][0])
    write_entries(list_file(settings), [Entry(secret.digest(key), secret.id, "r1", "t1")])
    data = reproduce(registered.folder, settings, silent, here=True).agreements[0]
    assert data.word is Word.DIFFERS
    assert "fewer than the recorded" in data.remark


@pytest.mark.parametrize("knows", [True, False])
def test_the_code_of_a_commit_is_told_where_the_list_is_if_it_knows_it(
    registered: Registered, monkeypatch: pytest.MonkeyPatch, knows: bool
) -> None:
    asked: list[Order] = []

    def stop(order: Order, *_: object) -> None:
        asked.append(order)
        raise Hold("enough was seen")

    monkeypatch.setattr(command, "_require_code", lambda *_: None)
    monkeypatch.setattr(command, "train_commit", stop)
    record = replace(read_record(registered.folder), knows_list=knows)
    monkeypatch.setattr(command, "read_record", lambda _: record)
    with pytest.raises(Hold, match="enough was seen"):
        reproduce(registered.folder, registered.settings, silent)
    expected = str(list_file(registered.settings).resolve()) if knows else None
    assert asked[0].settings.get("forget.list_file") == expected
    assert read_record(registered.folder).knows_list


def test_data_that_are_refused_leave_nothing_to_compare(again: Again, tmp_path: Path) -> None:
    frame = make_sample(300, 1, 0.0, TODAY)
    found = again(written(tmp_path / "bad", frame.drop(frame.columns[-1])))
    assert words(found) == [Word.NOT_COMPARABLE] * 3
    assert found.word is Word.NOT_COMPARABLE


def test_without_a_commit_it_is_only_trained_here(registered: Registered) -> None:
    with pytest.raises(Hold, match="without a git commit") as told:
        reproduce(registered.folder, registered.settings, silent)
    assert "--here" in told.value.remedy


def test_a_folder_that_was_changed_is_refused(registered: Registered, tmp_path: Path) -> None:
    folder = changed(registered, tmp_path / "v", "signature.json", model_version=2)
    with pytest.raises(Refused, match="not the file that was registered"):
        reproduce(folder, registered.settings, silent, here=True)


@pytest.mark.parametrize("lacks", [{"hash": ""}, {"reference_date": None}])
def test_a_record_that_lacks_something_is_no_record(
    registered: Registered, tmp_path: Path, lacks: dict[str, Any]
) -> None:
    folder = changed(registered, tmp_path / "v", "lineage.json", data=lacks)
    with pytest.raises(Hold, match="does not record the"):
        read_record(folder)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"kind": "asset", "name": "orders:3"}, "are not here: asset orders:3"),
        ({"kind": "folder", "name": "gone"}, "are not here: .*gone"),
        ({"kind": "unknown"}, "are not here: unknown"),
    ],
)
def test_data_that_are_elsewhere_are_asked_for(
    registered: Registered, tmp_path: Path, source: dict[str, Any], said: str
) -> None:
    folder = changed(registered, tmp_path / "v", "lineage.json", data={"source": source})
    record = read_record(folder)
    with pytest.raises(Hold, match=said) as told:
        data_of(record, tmp_path, None)
    assert "--data-dir" in told.value.remedy
    assert data_of(record, tmp_path, tmp_path) == tmp_path
    with pytest.raises(ConfigError, match="does not exist"):
        data_of(record, tmp_path, tmp_path / "none")
