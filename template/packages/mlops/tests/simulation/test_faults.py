"""Each fault breaks what it says, and nothing before it is met."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fakes.places import PROJECT
from mlops.errors import ConfigError
from mlops.simulation import faults
from mlops.usecase.use_case import UseCase


def test_scoring_code_fails_on_keys_alone(tmp_path: Path) -> None:
    (tmp_path / "serving").mkdir()
    score = tmp_path / "serving" / "score.py"
    score.write_text("def parse(raw, features):\n    return raw\n")
    faults.break_serving(tmp_path)
    code: dict[str, object] = {}
    exec(score.read_text(), code)
    parse = code["parse"]
    assert callable(parse)
    fine = SimpleNamespace(keys=None)
    assert parse(fine, ()) is fine
    with pytest.raises(RuntimeError, match="keys"):
        parse(SimpleNamespace(keys=["a"]), ())


def test_the_scoring_script_has_what_the_fault_takes_the_place_of() -> None:
    text = (PROJECT / "serving" / "score.py").read_text(encoding="utf-8")
    assert "\ndef parse(raw: str | bytes, features: Sequence[Feature]) -> Request:\n" in text
    assert "request = parse(raw_data, _model.features)" in text


def test_a_model_that_crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    team, copy = tmp_path / "team", tmp_path / "copy"
    for root in (team, copy):
        folder = root / "src" / "crashing"
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "model.py").write_text("def make_model(params, seed):\n    return 1\n")
    monkeypatch.syspath_prepend(str(team / "src"))
    faults.crash_the_candidate(copy, UseCase("crashing"), team)
    assert "raise" not in (team / "src/crashing/model.py").read_text()
    code: dict[str, object] = {}
    exec((copy / "src/crashing/model.py").read_text(), code)
    make_model = code["make_model"]
    assert callable(make_model)
    with pytest.raises(RuntimeError, match="crashes"):
        make_model(None, 1)


def test_a_package_from_elsewhere_has_no_copy_to_break(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="outside of the project"):
        faults.crash_the_candidate(tmp_path, UseCase("fakes.tiny_use_case"), tmp_path)


def test_a_database_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"SQLite format 3\0")
    faults.break_registry(tmp_path)
    assert not (tmp_path / "mlflow.db").read_bytes().startswith(b"SQLite")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_only_run_stays_in_this_environment(tmp_path: Path) -> None:
    folder = tmp_path / "a folder's name"
    folder.mkdir()
    real, python = folder / "real", folder / "python"
    for path in (real, python):
        path.write_text(f'#!/bin/sh\necho {path.name} "$@"\n')
        path.chmod(0o755)
    own = faults.own_uv(folder, str(python), str(real), folder / "log")

    def said(*arguments: str) -> str:
        return subprocess.run([own, *arguments], check=True, capture_output=True, text=True).stdout

    assert said("run", "--locked", "mlops", "train").startswith(
        "python -P -m mlops.cli.simulated run"
    )
    assert said("venv", "x y") == "real venv x y\n"
