"""What the loop does at each level, with pretended training, endpoints and releases."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fakes.platform import FakePlatform
from fakes.project import with_level
from fakes.tiny_version import ROW
from mlops.checks import Check
from mlops.errors import ConfigError, Hold, Refused
from mlops.files import write_json
from mlops.ops import run as loop
from mlops.platforms.base import DeploymentShare, Endpoint, Platform, Run
from mlops.release.evidence import Record
from mlops.release.rehearsal import Load
from mlops.release.smoke import SmokeResult
from mlops.release.watchers import Ended, Watchers
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import Project


@dataclass
class World:
    """Where the loop runs, the calls that it made, and how the release ends."""

    platform: FakePlatform
    calls: list[str] = field(default_factory=list)
    end: BaseException | None = None

    def serves(self, name: str) -> bool:
        return any(each.healthy for each in self.platform.endpoint(name).deployments())


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(FakePlatform(tmp_path / "platform"))
    version = made.platform.version(1)
    run = Run("r", tmp_path / "run")
    write_json(run.folder / "evaluation" / "evaluation.json", {"schema": 1, "model": {"f1": 0.9}})

    def deploy(platform: FakePlatform, name: str, number: int, **_options: object) -> None:
        made.calls.append(f"deploy {number} to {name}")
        platform.endpoint(name).serve("blue", number, share=100)

    def smoke_test(_platform: Platform, settings: LoadedSettings, *_more: object) -> SmokeResult:
        made.calls.append(f"smoke test {settings.endpoint_name}")
        check = Check("health", "found", "asked", passed=True)
        return SmokeResult(settings.endpoint_name, (check,))

    def rehearse(
        platform: FakePlatform, settings: LoadedSettings, number: int, _watchers: Watchers
    ) -> tuple[Ended, Load]:
        name = settings.endpoint_name
        made.calls.append(f"release {number} to {name}")
        platform.endpoint(name).serve("blue", 1, share=100)
        if made.end:
            raise made.end
        platform.endpoint(name).serve("blue", 2, share=100)
        record = Record(
            name, "green", {}, "promoted", "it is as good", {}, {"green": 100}, "pretended"
        )
        return Ended(record, tmp_path), Load()

    monkeypatch.setattr(loop, "open_platform", lambda _settings: made.platform)
    monkeypatch.setattr(loop, "_train", lambda *_arguments: run)
    monkeypatch.setattr(loop, "_register", lambda *_arguments: version)
    monkeypatch.setattr(loop, "deploy", deploy)
    monkeypatch.setattr(loop, "smoke_test_endpoint", smoke_test)
    monkeypatch.setattr(loop, "rehearse", rehearse)
    return made


@pytest.fixture
def at_level(project: Project) -> Callable[[int], LoadedSettings]:
    for name in ("test", "prod"):
        (project.root / "conf" / f"{name}.yaml").write_text("")

    def make(level: int) -> LoadedSettings:
        return load_settings(with_level(project, level), variables={})

    return make


def test_level_1_serves_where_it_trained(
    world: World, at_level: Callable[[int], LoadedSettings]
) -> None:
    summary = loop.run_loop(at_level(1), None)
    assert world.calls == ["deploy 1 to tiny-dev", "smoke test tiny-dev"]
    assert (summary["endpoint"], summary["release"]) == ("tiny-dev", None)


@pytest.mark.parametrize("level", [2, 3])
def test_higher_levels_go_by_test_to_prod(
    world: World,
    at_level: Callable[[int], LoadedSettings],
    capsys: pytest.CaptureFixture[str],
    level: int,
) -> None:
    summary = loop.run_loop(at_level(level), None)
    assert world.calls == [
        "deploy 1 to tiny-test",
        "smoke test tiny-test",
        "release 1 to tiny-prod",
    ]
    assert summary["url"] == world.platform.endpoint("tiny-prod").url()
    assert summary["request"] == {"data": [ROW]}
    assert summary["answer"]["model_version"] == 2
    assert summary["release"]["traffic"] == {"green": 100}
    shown = capsys.readouterr().err
    for words in (
        "a rehearsal: pretended",
        "mlops rollback --environment prod",
        "stop --all",
        "evidence: ",
    ):
        assert words in shown


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"predictions": [1], "probabilities": [0.8349]}, "1 (probability 0.835)"),
        ({"predictions": [0], "probabilities": [0.25]}, "0 (probability 0.250)"),
        (
            {"predictions": ["b"], "probabilities": [{"a": 0.3, "b": 0.7}]},
            "b (probability 0.700)",
        ),
        ({"predictions": [83.51234567]}, "83.5123"),
    ],
)
def test_one_answer_is_told_for_each_task(answer: dict[str, Any], words: str) -> None:
    assert loop.answer_in_words(answer) == words


@pytest.mark.parametrize("end", [KeyboardInterrupt(), Hold("not yet")])
@pytest.mark.parametrize("served", [True, False])
def test_a_loop_that_does_not_finish_stops_what_did_not_serve_before(
    world: World, at_level: Callable[[int], LoadedSettings], end: BaseException, served: bool
) -> None:
    if served:
        world.platform.endpoint("tiny-prod").serve("blue", 1, share=100)
    world.end = end
    with pytest.raises(type(end)):
        loop.run_loop(at_level(3), None)
    assert not world.serves("tiny-test")
    assert world.serves("tiny-prod") == served


def test_a_failure_after_the_switch_brings_back_what_served(
    world: World, at_level: Callable[[int], LoadedSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise Refused("no answer")

    def put_back(
        _platform: Platform,
        endpoint: Endpoint,
        target: dict[str, DeploymentShare],
        _purpose: str,
    ) -> None:
        world.calls.append(f"put back {endpoint.name}: {target['blue']}")

    monkeypatch.setattr(loop, "_predict", fail)
    monkeypatch.setattr(loop, "put_back", put_back)
    world.platform.endpoint("tiny-prod").serve("blue", 1, share=100)
    with pytest.raises(Refused):
        loop.run_loop(at_level(3), None)
    before = DeploymentShare(model_version=1, traffic=100)
    assert world.calls[-1] == f"put back tiny-prod: {before}"
    told = json.loads(world.platform.audit_store.lines()[-1])
    assert (told["act"], told["details"]["by"]) == ("switch", "a loop that failed")
    assert told["environment"] == "prod"


def test_an_environment_that_is_missing_is_named(
    world: World, at_level: Callable[[int], LoadedSettings], project: Project
) -> None:
    settings = at_level(3)
    (project.root / "conf" / "prod.yaml").unlink()
    with pytest.raises(ConfigError, match=r"conf/prod.yaml does not exist"):
        loop.run_loop(settings, None)
    assert world.calls == []
