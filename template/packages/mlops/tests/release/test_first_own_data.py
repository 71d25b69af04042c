"""A team's first days: the demo is served, its own data take its place, the demo is tried again."""

import re
from pathlib import Path
from typing import Any

import pytest

from fakes.platform import FakePlatform
from fakes.project import TODAY, with_level
from fakes.tiny_use_case.sample import make_sample
from mlops.artifacts.version_folder import VersionFolder
from mlops.clock import system_clock
from mlops.errors import Refused
from mlops.files import read_json, write_json
from mlops.governance.gate import Verdict, judge_run
from mlops.ops.status import collect_status
from mlops.platforms.base import ModelVersion, Run
from mlops.platforms.local.platform import LocalPlatform
from mlops.progress import silent
from mlops.release.candidate import release_version
from mlops.release.deploy import deploy
from mlops.release.traffic import rollback
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.steps.register import register_run

pytestmark = pytest.mark.usefixtures("smoke", "small_picture")


class FirstDays:
    """A project on this machine whose endpoints pretend."""

    def __init__(self, platform: LocalPlatform) -> None:
        self.platform = platform
        (platform.settings.project.root / "conf" / "prod.yaml").write_text("")

    @property
    def prod(self) -> LoadedSettings:
        project = with_level(self.platform.settings.project, 3)
        quick = {"ab_test.batch_seconds": 0.001, "ab_test.duration_seconds": 20.0}
        return load_settings(project, "prod", quick, variables={})

    def judge(self, run: Run, **gate: Any) -> Verdict:
        given = {f"gate.{name}": value for name, value in gate.items()}
        settings = load_settings(self.platform.settings.project, overrides=given, variables={})
        return judge_run(self.platform, run, settings)

    def register(self, run: Run) -> ModelVersion:
        return register_run(self.platform, run, self.platform.settings)

    def in_mlflow(self, run: Run) -> tuple[dict[str, str], dict[str, str]]:
        from mlflow import MlflowClient

        data = MlflowClient(tracking_uri=self.platform.tracking.uri).get_run(run.run_id).data
        return data.params, data.tags

    def tags(self, number: int) -> dict[str, str]:
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=self.platform.tracking.uri)
        return dict(client.get_model_version("tiny", str(number)).tags)

    def marks(self) -> dict[str, list[str]]:
        found = collect_status(self.platform.settings.project, system_clock)
        (prod,) = [each for each in found["endpoints"] if each["environment"] == "prod"]
        return {
            "runs": [each["mark"] for each in found["runs"]],
            "versions": [each["mark"] for each in found["versions"]],
            "prod": [each["mark"] for each in prod["deployments"]],
        }


@pytest.fixture
def days(
    trained: tuple[LocalPlatform, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FirstDays:
    pretended = FakePlatform(tmp_path / "pretended")
    monkeypatch.setattr(LocalPlatform, "endpoint", lambda _self, name: pretended.endpoint(name))
    return FirstDays(trained[0])


def test_a_demo_gives_way_to_real_data_and_is_not_released_again(
    days: FirstDays, trained: tuple[LocalPlatform, str], tmp_path: Path
) -> None:
    platform = days.platform
    demo = platform.run(trained[1])
    assert days.judge(demo).passed
    first = days.register(demo)
    release_version(platform, days.prod, first.version)
    assert days.marks() == {"runs": ["made up"], "versions": ["made up"], "prod": ["made up"]}
    assert "\n> **Made-up data" in VersionFolder(first.folder).model_card.read_text("utf-8")

    own = tmp_path / "own"
    own.mkdir()
    make_sample(300, 2, 0.0, TODAY).write_csv(own / "machines.csv")
    run = platform.train(own, silent)
    verdict = days.judge(run)
    assert verdict.passed
    assert verdict.champion_version is None
    assert verdict.champion_note == (
        "version 1 was not compared: it is made of made-up data (sample size 300, seed 1, "
        "drift 0), so it is no champion for a model of real data"
    )
    second = days.register(run)
    assert_says_its_real_source(days, run, second, own)

    released = release_version(platform, days.prod, second.version)
    assert released.record.ab_test is None
    assert "nothing was compared" in released.record.reason
    assert released.folder
    evidence = read_json(released.folder / "evidence.json", schema=1)
    made_up = {name: source["made_up"] for name, source in evidence["data"].items()}
    assert made_up == {"blue": True, "green": False}
    assert evidence["data"]["green"]["name"] == own.as_posix()
    assert days.marks()["versions"] == ["made up", ""]
    assert days.marks()["prod"] == [""]
    assert_the_way_back_is_open(days, first, second)

    for settings in ({}, {"compare_to_champion": False}):
        refused = days.judge(demo, **settings)
        (check,) = [each for each in refused.checks if not each.passed]
        assert check.name == "data against champion 2"
        assert check.found.startswith("made-up data (sample")
    for bring in (
        lambda: release_version(platform, days.prod, first.version),
        lambda: deploy(platform, "tiny-prod", first.version, "green", force=True),
    ):
        with pytest.raises(Refused, match="version 1 is made of made-up data") as refusal:
            bring()
        assert refusal.value.exit_code == 1
    assert platform.endpoint("tiny-prod").traffic()["green"] == 100
    assert days.judge(run).champion_version == second.version


def test_after_an_update_the_demo_goes_on_beside_a_version_that_does_not_say_its_data(
    days: FirstDays, trained: tuple[LocalPlatform, str]
) -> None:
    demo = days.platform.run(trained[1])
    assert days.judge(demo).champion_note == ""
    version = days.register(demo)
    path = version.folder / "lineage.json"
    lineage = read_json(path, schema=1)
    del lineage["data"]["source"]
    write_json(path, lineage)
    verdict = days.judge(demo)
    assert verdict.passed
    assert verdict.champion_version == version.version
    assert verdict.champion_note == (
        "version 1 was compared although nobody knows whether its data are made up"
    )


def assert_the_way_back_is_open(days: FirstDays, before: ModelVersion, now: ModelVersion) -> None:
    """Check that a rollback restores what served, made up as it was, and a second one undoes it."""
    endpoint, settings = days.platform.endpoint("tiny-prod"), days.prod
    for version in (before, now):
        rollback(days.platform, endpoint, settings.values.smoke_test)
        (served,) = endpoint.deployments()
        assert served.model_version == version.version


def assert_says_its_real_source(
    days: FirstDays, run: Run, version: ModelVersion, own: Path
) -> None:
    """Check that lineage, settings, tags and card name the folder, and nowhere the sample."""
    folder = VersionFolder(version.folder)
    lineage = folder.lineage()
    source = lineage["data"]["source"]
    assert (source["kind"], source["name"]) == ("folder", own.as_posix())
    assert (source["made_up"], source["fraction"]) == (False, 1.0)
    assert list(source["files"]) == ["machines.csv"]
    params, tags = days.in_mlflow(run)
    for told in (lineage["settings"], params):
        assert (told["data.source"], told["data.folder"]) == ("folder", own.as_posix())
        assert told["data.sample.size"] in (None, "None")
    for found in (tags, days.tags(version.version)):
        assert found["data.source"] == "folder"
        assert found["data.name"] == own.as_posix()
        assert (found["data.made_up"], found["data.fraction"]) == ("false", "1")
    card = folder.model_card.read_text(encoding="utf-8")
    assert "Made-up data" not in card
    assert not re.search(r"\bsample", card.partition("## The gate")[0])
    assert "version 1 was not compared" in card
    assert folder.card()["lineage"]["data"]["source"] == source
