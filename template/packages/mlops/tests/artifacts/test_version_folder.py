"""Reading a version folder and refusing an altered one."""

import json
from pathlib import Path

import pytest

from fakes.tiny_version import ROW, write_version
from mlops.artifacts.version_folder import verify_version
from mlops.errors import ConfigError, Refused


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
