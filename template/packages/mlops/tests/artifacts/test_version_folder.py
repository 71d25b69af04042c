"""Reading a version folder and refusing an altered one."""

import json
from pathlib import Path

import pytest

from fakes.tiny_version import MADE_UP, REAL, ROW, write_version
from mlops.artifacts.data_source import UNKNOWN
from mlops.artifacts.prepared import Prepared, load_prepared, write_description
from mlops.artifacts.version_folder import (
    VersionFolder,
    origin_tags,
    source_of_version,
    typical_row,
    verify_version,
)
from mlops.errors import ConfigError, Refused
from mlops.features import Features


def test_the_facts_of_a_version(tmp_path: Path) -> None:
    folder = write_version(tmp_path / "version", version=4)
    facts = verify_version(folder)
    assert (facts.name, facts.version, facts.commit) == ("tiny", 4, "0123456789abcdef")
    assert facts.example == ROW
    assert len(facts.model_sha256) == 64


def test_an_altered_model_is_refused(tmp_path: Path) -> None:
    folder = write_version(tmp_path / "version")
    model = folder / "model.onnx"
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(Refused, match=r"model\.onnx is not the file that was registered"):
        verify_version(folder)


def test_an_altered_threshold_is_refused(tmp_path: Path) -> None:
    folder = write_version(tmp_path / "version")
    path = folder / "signature.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "decision_threshold": 0.1}))
    with pytest.raises(Refused, match=r"signature\.json is not the file that was registered"):
        verify_version(folder)


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    folder = write_version(tmp_path / "version")
    (folder / "model.onnx").unlink()
    with pytest.raises(Refused, match=r"model\.onnx"):
        verify_version(folder)


def test_a_folder_without_lineage_is_no_version(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"lineage\.json does not exist"):
        verify_version(tmp_path)


def test_a_typical_row_has_each_feature_of_the_signature(tmp_path: Path) -> None:
    version = VersionFolder(write_version(tmp_path / "version"))
    assert typical_row(version.signature()) == ROW


def test_the_tags_of_a_version_say_what_it_is_and_was_made_of(tmp_path: Path) -> None:
    source = {"kind": "asset", "name": "orders:3", "made_up": False, "fraction": 0.5}
    data = {"hash": "d", "source": source}
    lineage = {"git": {"commit": "c"}, "data": data, "files": {"model.onnx": "m"}}
    (tmp_path / "lineage.json").write_text(json.dumps({"schema": 1, **lineage}))
    tags = {
        "git.commit": "c",
        "data.hash": "d",
        "data.source": "asset",
        "data.name": "orders:3",
        "data.made_up": "false",
        "data.fraction": "0.5",
        "model.sha256": "m",
    }
    assert origin_tags(tmp_path) == tags
    more = {
        "run_id": "r",
        "created_at": "2026-06-30T12:00:00+00:00",
        "pipeline": {"url": ""},
        "parent": {"version": 2, "note": ""},
        "training": {"model_sha256": "t"},
        "environment": {"packages_sha256": "p"},
        "verdict": {"passed": True},
        "git": {"commit": "c", "dirty": False},
        "data": {**data, "rows": 0, "first_day": None, "reference_date": "2026-06-30"},
    }
    (tmp_path / "lineage.json").write_text(json.dumps({"schema": 1, **lineage, **more}))
    assert origin_tags(tmp_path) == {
        **tags,
        "run_id": "r",
        "created_at": "2026-06-30T12:00:00+00:00",
        "parent.version": "2",
        "trained.sha256": "t",
        "environment.packages": "p",
        "gate": "passed",
        "git.dirty": "false",
        "data.rows": "0",
        "data.reference_date": "2026-06-30",
    }


@pytest.mark.parametrize("data", [{"hash": "d"}, {"hash": "d", "source": "sample"}, None])
def test_what_an_older_version_is_made_of_is_unknown(tmp_path: Path, data: object) -> None:
    lineage = {"schema": 1, "git": {"commit": "c"}, "data": data, "files": {"model.onnx": "m"}}
    (tmp_path / "lineage.json").write_text(json.dumps(lineage))
    assert source_of_version(tmp_path) == UNKNOWN
    if data:
        assert origin_tags(tmp_path).items() >= UNKNOWN.tags().items()


def test_a_version_whose_folder_is_elsewhere_is_known_by_its_tags(tmp_path: Path) -> None:
    assert source_of_version(tmp_path, MADE_UP.tags()) == MADE_UP
    assert source_of_version(tmp_path) == UNKNOWN


def test_prepared_data_of_an_older_run_are_of_an_unknown_source(tmp_path: Path) -> None:
    write_description(
        Prepared(tmp_path, "k", Features(), "c", "r", "h", 9, {}, {}, "s", REAL), tmp_path
    )
    assert load_prepared(tmp_path).source == REAL
    path = tmp_path / "prepared.json"
    content = json.loads(path.read_text())
    del content["source"]
    path.write_text(json.dumps(content))
    assert load_prepared(tmp_path).source == UNKNOWN
