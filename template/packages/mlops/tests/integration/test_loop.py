"""The whole loop with real servers: green twice, and nothing left behind when it is interrupted."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.places import PROJECT
from fakes.project import write_project
from fakes.rig import processes_below
from fakes.waiting import LONGEST_SECONDS
from mlops.errors import Refused
from mlops.files import read_json
from mlops.ops import run as loop
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import find_project

Settings = Callable[..., LoadedSettings]


@pytest.fixture(scope="module")
def root(rigs: Path) -> Path:
    folder = rigs / "loop"
    write_project(folder)
    shutil.copytree(PROJECT / "serving", folder / "serving")
    return folder


@pytest.fixture
def settings(root: Path, serving_venvs: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(loop, "open_platform", lambda given: LocalPlatform(given, serving_venvs))

    def load(**overrides: Any) -> LoadedSettings:
        overrides.setdefault("endpoint__start_timeout_seconds", LONGEST_SECONDS)
        dotted = {key.replace("__", "."): value for key, value in overrides.items()}
        return load_settings(find_project(root), overrides=dotted, variables={})

    return load


def test_an_interrupted_loop_leaves_nothing_running(
    root: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_args: object) -> None:
        assert processes_below(root)
        raise KeyboardInterrupt

    monkeypatch.setattr("mlops.release.smoke.smoke_test", interrupt)
    with pytest.raises(KeyboardInterrupt):
        loop.run_loop(settings(), None)
    assert processes_below(root) == []


def test_the_loop_is_green_also_after_an_interruption_and_a_second_time(
    root: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    first = loop.run_loop(settings(), None)
    second = loop.run_loop(settings(), None)
    assert second["model_version"] == first["model_version"] + 1
    assert second["url"] == first["url"]
    assert second["answer"]["model_version"] == second["model_version"]
    assert 0 <= second["answer"]["probabilities"][0] <= 1
    shown = capsys.readouterr().err
    assert "The whole loop ran in" in shown
    assert Path(second["model_card"]).is_file()
    verdict = read_json(root / ".mlops" / "runs" / second["run_id"] / "verdict.json", schema=1)
    assert verdict["champion_version"] == first["model_version"]


def test_a_refusing_gate_stops_the_loop_and_what_served_before_goes_on(
    root: Path, settings: Settings
) -> None:
    platform = LocalPlatform(settings())
    endpoint = platform.endpoint("tiny-dev")
    before = endpoint.deployments()
    versions = platform.versions()
    with pytest.raises(Refused, match=r"the gate refuses run .*f1: "):
        loop.run_loop(settings(gate__sample_thresholds__f1=1.0), None)
    assert endpoint.deployments() == before
    assert endpoint.invoke({"data": []}).status == 400
    assert platform.versions() == versions
    endpoint.stop()
    assert processes_below(root) == []
