"""What the loop does at each level, with pretended training, endpoints and releases."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fakes.project import with_level
from fakes.tiny_version import ROW, write_version
from mlops.errors import ConfigError, Hold, Refused
from mlops.files import write_json
from mlops.ops import run as loop
from mlops.platforms.base import Answer, DeploymentShare, ModelVersion, Run
from mlops.release.evidence import Record
from mlops.release.rehearsal import Load
from mlops.settings.loading import LoadedSettings, load_settings


class FakeEndpoint:
    """Serves once it was deployed to."""

    def __init__(self, name: str, *, serves: bool) -> None:
        self.name = name
        self.serves = serves
        self.version = 1

    def exists(self) -> bool:
        return self.serves

    def deployments(self) -> list[Any]:
        return [SimpleNamespace(name="blue", model_version=self.version, healthy=self.serves)]

    def traffic(self) -> dict[str, int]:
        return {"blue": 100}

    def is_current(self, _deployment: str, _version: int) -> bool:
        return True

    def url(self) -> str:
        return f"http://{self.name}"

    def stop(self) -> None:
        self.serves = False

    def invoke(self, payload: Any) -> Answer:
        assert payload == {"data": [ROW]}
        return Answer(200, {"predictions": [1], "probabilities": [0.9]}, 0.001)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Endpoints by name, and the calls that the loop made."""
    version = ModelVersion("tiny", 1, write_version(tmp_path / "v"))
    run = Run("r", tmp_path / "run")
    write_json(run.folder / "evaluation" / "evaluation.json", {"schema": 1, "model": {"f1": 0.9}})
    made = SimpleNamespace(endpoints={}, calls=[], end=None)

    def endpoint(name: str) -> FakeEndpoint:
        found: FakeEndpoint = made.endpoints.setdefault(name, FakeEndpoint(name, serves=False))
        return found

    def deploy(_platform: Any, name: str, number: int, **_options: Any) -> None:
        made.calls.append(f"deploy {number} to {name}")
        endpoint(name).serves = True

    def smoke_test(_platform: Any, settings: Any, _name: Any, _report: Any) -> Any:
        made.calls.append(f"smoke test {settings.endpoint_name}")
        return SimpleNamespace(passed=True, checks=())

    def rehearse(_platform: Any, settings: Any, number: int, _watchers: Any) -> Any:
        name = settings.endpoint_name
        made.calls.append(f"release {number} to {name}")
        endpoint(name).serves = True
        if made.end:
            raise made.end
        endpoint(name).version = 2
        record = Record(
            name, "green", {}, "promoted", "it is as good", {}, {"green": 100}, "pretended"
        )
        return SimpleNamespace(record=record, folder=tmp_path), Load()

    platform = SimpleNamespace(endpoint=endpoint, version=int)
    monkeypatch.setattr(loop, "open_platform", lambda _settings: platform)
    monkeypatch.setattr(loop, "_train", lambda *_arguments: run)
    monkeypatch.setattr(loop, "_register", lambda *_arguments: version)
    monkeypatch.setattr(loop, "deploy", deploy)
    monkeypatch.setattr(loop, "smoke_test_endpoint", smoke_test)
    monkeypatch.setattr(loop, "rehearse", rehearse)
    return made


@pytest.fixture
def at_level(project: Any) -> Callable[[int], LoadedSettings]:
    for name in ("test", "prod"):
        (project.root / "conf" / f"{name}.yaml").write_text("")

    def make(level: int) -> LoadedSettings:
        return load_settings(with_level(project, level), variables={})

    return make


def test_level_1_serves_where_it_trained(world: Any, at_level: Callable[..., Any]) -> None:
    summary = loop.run_loop(at_level(1), None)
    assert world.calls == ["deploy 1 to tiny-dev", "smoke test tiny-dev"]
    assert (summary["endpoint"], summary["release"]) == ("tiny-dev", None)


@pytest.mark.parametrize("level", [2, 3])
def test_higher_levels_go_by_test_to_prod(
    world: Any, at_level: Callable[..., Any], capsys: pytest.CaptureFixture[str], level: int
) -> None:
    summary = loop.run_loop(at_level(level), None)
    assert world.calls == [
        "deploy 1 to tiny-test",
        "smoke test tiny-test",
        "release 1 to tiny-prod",
    ]
    assert summary["url"] == "http://tiny-prod"
    assert summary["release"]["traffic"] == {"green": 100}
    shown = capsys.readouterr().err
    for words in ("a rehearsal: pretended", "mlops rollback --environment prod", "stop --all"):
        assert words in shown


@pytest.mark.parametrize("end", [KeyboardInterrupt(), Hold("not yet")])
@pytest.mark.parametrize("served", [True, False])
def test_a_loop_that_does_not_finish_stops_what_did_not_serve_before(
    world: Any, at_level: Callable[..., Any], end: BaseException, served: bool
) -> None:
    world.endpoints["tiny-prod"] = FakeEndpoint("tiny-prod", serves=served)
    world.end = end
    with pytest.raises(type(end)):
        loop.run_loop(at_level(3), None)
    assert not world.endpoints["tiny-test"].serves
    assert world.endpoints["tiny-prod"].serves == served


def test_a_failure_after_the_switch_brings_back_what_served(
    world: Any, at_level: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any) -> None:
        raise Refused("no answer")

    def put_back(_platform: Any, endpoint: Any, target: Any, *_more: Any, smoke: Any) -> None:
        world.calls.append(f"put back {endpoint.name}: {target['blue']}, {smoke}")

    monkeypatch.setattr(loop, "_predict", fail)
    monkeypatch.setattr(loop, "put_back", put_back)
    world.endpoints["tiny-prod"] = FakeEndpoint("tiny-prod", serves=True)
    with pytest.raises(Refused):
        loop.run_loop(at_level(3), None)
    before = DeploymentShare(model_version=1, traffic=100)
    assert world.calls[-1] == f"put back tiny-prod: {before}, None"


def test_an_environment_that_is_missing_is_named(
    world: Any, at_level: Callable[..., Any], project: Any
) -> None:
    settings = at_level(3)
    (project.root / "conf" / "prod.yaml").unlink()
    with pytest.raises(ConfigError, match=r"conf/prod.yaml does not exist"):
        loop.run_loop(settings, None)
    assert world.calls == []
