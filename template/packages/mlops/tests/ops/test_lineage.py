"""What is known of versions is collected from their folders and all that came later."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.audit_lines import note
from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.records import RECORD
from mlops.artifacts.evidence_folder import releases_folder
from mlops.ci.approvals import Question, write_approvals
from mlops.ci.github import Approvals, Asked
from mlops.errors import ConfigError, PlatformError
from mlops.governance.audit.entry import Act, Phase
from mlops.governance.audit.log import append
from mlops.ops import lineage
from mlops.ops.lineage import (
    HERE,
    data_lineage,
    endpoint_lineage,
    model_file_word,
    since_registration,
    version_lineage,
)
from mlops.platforms.auditing import NoAuditLog
from mlops.platforms.base import ModelVersion
from mlops.progress import silent
from mlops.release.change_log import CHANGE
from mlops.release.evidence import write_evidence
from mlops.release.kept_evidence import Releases, keep_releases
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import Project

NOW = datetime(2026, 11, 5, tzinfo=UTC)
MORNING = datetime(2026, 11, 3, 10, tzinfo=UTC)
APPROVED = Asked({"run_attempt": 1}, Approvals(("ann", "bob"), ()))
DATA_HASH, FILE_HASH = "ab" * 32, "cd" * 32
RELEASED = replace(RECORD, ab_test=None)  # no picture to draw


@pytest.fixture
def prod(project: Project) -> LoadedSettings:
    """The settings of prod."""
    (project.root / "conf" / "prod.yaml").write_text("approvals:\n  required: 2\n")
    return load_settings(project, "prod", variables={}, clock=lambda: NOW)


@pytest.fixture
def platform(project: Project, monkeypatch: pytest.MonkeyPatch) -> FakePlatform:
    """A platform that pretends; version 10 serves in prod."""
    pretended = FakePlatform(project.root / "platform")
    endpoint = pretended.endpoint("tiny-prod")
    endpoint.serve("blue", 9)
    endpoint.serve("green", 10, share=100)
    monkeypatch.setattr(lineage, "open_platform", lambda _settings: pretended)
    return pretended


def of_prod(platform: FakePlatform) -> FakeEndpoint:
    return platform.endpoint("tiny-prod")


def release(settings: LoadedSettings, platform: FakePlatform, *, keep: bool = True) -> None:
    """Leave what a release of version 10 leaves."""
    state_dir = settings.project.state_dir
    write_evidence(state_dir, RELEASED, MORNING)
    question = Question("12", "prod", 2, 10)
    write_approvals(releases_folder(state_dir), question, APPROVED, MORNING - timedelta(hours=1))
    if keep:
        keep_releases(platform, Releases(releases_folder(state_dir), "prod", "tiny-prod", 10))


def remember(platform: FakePlatform, number: int, **data: Any) -> ModelVersion:
    """Let a version record more of its data."""
    version = platform.version(number)
    path = version.folder / "lineage.json"
    content = json.loads(path.read_text("utf-8"))
    content["data"] = {**content["data"], **data}
    path.write_text(json.dumps(content), "utf-8")
    return version


def test_folder_and_what_came_later_are_one(prod: LoadedSettings, platform: FakePlatform) -> None:
    release(prod, platform)
    change = {"kind": "rollback", "outcome": "rolled back", "environment": "prod"}
    at = {"check": CHANGE, "time": (MORNING + timedelta(hours=2)).isoformat()}
    of_prod(platform).keep_checks([{**at, **change, "model_version": 10, "traffic": "x"}])
    found = version_lineage(prod, platform, 10, silent)
    assert found["origin"]["model"] == {"name": "tiny", "version": 10}
    assert [(each["what"], each["outcome"]) for each in found["later"]] == [
        ("approval", "approved"),
        ("rehearsal", "promoted"),
        ("traffic", "rolled back"),
    ]
    assert [each["place"].partition("-")[0] for each in found["later"]] == [
        "evidence prod",
        "evidence prod",
        "the log of prod",
    ]
    (serves,) = found["serves"]
    assert (serves["deployment"], serves["share"], serves["state"]) == ("green", 100, "healthy")
    assert found["not_read"] == []
    (gave_way,) = version_lineage(prod, platform, 9, silent)["later"]
    assert (gave_way["outcome"], gave_way["place"]) == ("no callers any more", HERE)


def log(platform: FakePlatform, act: Act, moment: datetime, **more: object) -> None:
    """Write one line into the platform's audit log."""
    append(platform.audit(), note(act, 10, **more), moment)


def test_the_audit_log_is_one_more_source(prod: LoadedSettings, platform: FakePlatform) -> None:
    release(prod, platform)
    log(platform, Act.REGISTER, MORNING - timedelta(days=1))
    rehearsal = {"act_id": "x", "details": {"rehearsal": True}}
    begun = {"phase": Phase.INTENT, "outcome": ""}
    log(platform, Act.RELEASE, MORNING - timedelta(minutes=5), **rehearsal, **begun)
    log(platform, Act.RELEASE, MORNING + timedelta(seconds=1), **rehearsal)
    log(platform, Act.RETRAINING, MORNING + timedelta(days=1), environment="dev")
    told = version_lineage(prod, platform, 10, silent)
    assert [each["what"] for each in told["later"]] == [
        *("register", "approval", "rehearsal", "retraining")
    ]
    both = told["later"][2]
    assert both["place"].startswith("evidence prod-")
    assert both["place"].endswith(" and line 3 of the audit log")
    assert (both["detail"], both["who"]) == ("it is as good, by anna", ("anna",))
    here = endpoint_lineage(prod, silent)["deployments"][1]
    assert [each["what"] for each in here["later"]] == ["register", "approval", "rehearsal"]
    assert (told["not_read"], here["not_read"]) == ([], [])
    came = since_registration(prod, platform, 10, silent)
    assert [each.to_dict() for each in came.happenings] == told["later"]


@pytest.mark.parametrize("error", [NoAuditLog("there is no place"), PermissionError("not yours")])
def test_a_log_that_cannot_be_read_is_named_and_hides_nothing(
    prod: LoadedSettings, platform: FakePlatform, error: Exception
) -> None:
    release(prod, platform)
    platform.audit_store.fails = error  # type: ignore[assignment]
    found = version_lineage(prod, platform, 10, silent)
    assert [each["what"] for each in found["later"]] == ["approval", "rehearsal"]
    assert found["not_read"] == [f"the audit log of dev: {error}"]


def test_a_broken_log_is_told_and_named(prod: LoadedSettings, platform: FakePlatform) -> None:
    log(platform, Act.REGISTER, MORNING)
    log(platform, Act.RETRAINING, MORNING)
    (name,) = platform.audit_store.files
    lines = platform.audit_store.files[name].splitlines(keepends=True)
    platform.audit_store.files[name] = lines[1]
    found = version_lineage(prod, platform, 10, silent)
    assert [each["what"] for each in found["later"]] == ["retraining"]
    (problem,) = found["not_read"]
    assert problem.startswith("the audit log in memory is broken: ")


def test_each_environment_is_asked_for_its_log_and_a_shared_one_once(
    prod: LoadedSettings, platform: FakePlatform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = FakePlatform(tmp_path / "of prod")
    own.audit_store.name = "elsewhere"
    for each in (platform, own):
        log(each, Act.RETRAINING, MORNING, outcome=each.audit().place())

    def opened(settings: LoadedSettings) -> FakePlatform:
        return own if settings.values.environment == "prod" else platform

    monkeypatch.setattr(lineage, "open_platform", opened)
    monkeypatch.setattr(own, "endpoints", platform.endpoints)
    told = version_lineage(prod, platform, 10, silent)["later"]
    assert sorted(each["outcome"] for each in told) == ["elsewhere", "memory"]
    monkeypatch.setattr(lineage, "open_platform", lambda _settings: platform)
    reads = platform.audit_store.reads
    version_lineage(prod, platform, 10, silent)
    once = platform.audit_store.reads - reads
    endpoint_lineage(prod, silent)
    assert platform.audit_store.reads - reads == 2 * once


def test_what_checks_found_is_told(prod: LoadedSettings, platform: FakePlatform) -> None:
    row = {"time": MORNING.isoformat(), "environment": "prod", "model_version": 10}
    of_prod(platform).keep_checks(
        [
            {**row, "check": "drift", "column": None, "outcome": "ok"},
            {**row, "check": "drift", "column": "amount", "outcome": "ok"},
            {**row, "check": "performance", "slice": None, "kind": "realised", "outcome": "ok"},
        ]
    )
    found = version_lineage(prod, platform, 10, silent)
    assert [each["what"] for each in found["later"]] == ["drift", "performance"]
    assert {each["place"] for each in found["later"]} == {"the log of prod"}


def test_evidence_that_nobody_kept_is_told_as_this_machines(
    prod: LoadedSettings, platform: FakePlatform
) -> None:
    release(prod, platform, keep=False)
    found = version_lineage(prod, platform, 10, silent)
    assert [each["place"] for each in found["later"]] == [HERE, HERE]
    assert {each["environment"] for each in found["later"]} == {"prod"}


def test_evidence_of_another_version_is_not_told(
    prod: LoadedSettings, platform: FakePlatform
) -> None:
    release(prod, platform)
    assert version_lineage(prod, platform, 11, silent)["later"] == []


def test_what_cannot_be_read_is_named_and_hides_nothing(
    prod: LoadedSettings, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(prod, platform, keep=False)

    def fails(_number: int) -> None:
        raise PlatformError("the registry does not answer")

    monkeypatch.setattr(platform, "evidence", fails)
    of_prod(platform).unkept = "the log does not answer"
    found = version_lineage(prod, platform, 10, silent)
    assert [each["what"] for each in found["later"]] == ["approval", "rehearsal"]
    said = " ".join(found["not_read"])
    for each in ("changes of traffic", "checks of drift", "checks of performance"):
        assert each in said
    assert "the registry does not answer" in said
    assert "the log does not answer" in said
    assert found["serves"]


def test_kept_evidence_that_was_changed_is_named(
    prod: LoadedSettings, platform: FakePlatform
) -> None:
    release(prod, platform)
    (kept,) = platform.evidence(10)
    (Path(kept.place) / "approvals.json").write_text("{}")
    found = version_lineage(prod, platform, 10, silent)
    (problem,) = found["not_read"]
    assert "is not what was kept: approvals.json" in problem


def test_an_unknown_version_is_refused(prod: LoadedSettings, platform: FakePlatform) -> None:
    with pytest.raises(ConfigError, match="no version 7"):
        version_lineage(prod, platform, 7, silent)


def test_what_answers_is_told_with_its_origin_and_its_release(
    prod: LoadedSettings, platform: FakePlatform
) -> None:
    release(prod, platform)
    found = endpoint_lineage(prod, silent)
    assert (found["environment"], found["approvals_asked"]) == ("prod", 2)
    kept, answering = found["deployments"]
    assert (kept["deployment"], kept["share"], kept["origin"]) == ("blue", 0, None)
    assert (answering["deployment"], answering["share"]) == ("green", 100)
    assert (answering["model_file"], answering["changed_files"]) == ("same", [])
    assert answering["origin"]["code"]["commit"] == "0123456789abcdef"
    assert [each["outcome"] for each in answering["later"]] == ["approved", "promoted"]


def test_a_version_that_cannot_be_read_hides_no_deployment(
    prod: LoadedSettings, platform: FakePlatform
) -> None:
    (platform.version(10).folder / "lineage.json").unlink()
    *_, answering = endpoint_lineage(prod, silent)["deployments"]
    assert (answering["origin"], answering["model_file"]) == (None, "not known")
    assert "lineage.json" in answering["not_read"][0]


def test_an_endpoint_that_cannot_be_read_is_an_error(
    prod: LoadedSettings, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise PlatformError("it does not answer")

    monkeypatch.setattr(of_prod(platform), "deployments", fails)
    with pytest.raises(PlatformError, match="does not answer"):
        endpoint_lineage(prod, silent)
    assert version_lineage(prod, platform, 10, silent)["not_read"] == ["prod: it does not answer"]


@pytest.mark.parametrize(
    ("deployed", "registered", "word"),
    [("a", "a", "same"), ("a", "b", "differs"), ("", "a", "not known"), ("a", None, "not known")],
)
def test_a_deployment_with_other_files_is_found(
    deployed: str, registered: str | None, word: str
) -> None:
    assert model_file_word(deployed, registered) == word


def test_a_file_of_a_version_that_was_changed_is_named(
    prod: LoadedSettings, platform: FakePlatform
) -> None:
    folder = platform.version(10).folder
    (folder / "signature.json").write_text("{}")
    (folder / "added.txt").write_text("x")
    found = version_lineage(prod, platform, 10, silent)
    assert found["changed_files"] == ["added.txt", "signature.json"]
    assert found["signature"]["holds"] is False


def test_the_versions_that_saw_data_are_found(platform: FakePlatform) -> None:
    remember(platform, 2, hash=DATA_HASH)
    remember(platform, 9, hash=DATA_HASH)
    found = data_lineage(platform, DATA_HASH[:10], silent)
    assert [each["version"] for each in found["versions"]] == [2, 9]
    assert (found["data_hash"], found["asked"]) == (DATA_HASH, 5)


def test_a_version_whose_folder_is_elsewhere_is_found_by_its_tags_and_then_fetched(
    platform: FakePlatform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = {"kind": "folder", "name": "d", "files": {"orders.csv": FILE_HASH}}
    fetched = remember(platform, 10, hash=DATA_HASH, source=source)
    tags = {"data.hash": DATA_HASH, "data.source": "folder"}
    listed = replace(fetched, folder=tmp_path / "elsewhere", tags=tags)
    monkeypatch.setattr(platform, "versions", lambda: [listed])
    asked: list[int] = []
    version = platform.version

    def fetch(number: int) -> ModelVersion:
        asked.append(number)
        return version(number)

    monkeypatch.setattr(platform, "version", fetch)
    (saw,) = data_lineage(platform, DATA_HASH, silent)["versions"]
    assert (saw["version"], asked) == (10, [])
    (saw,) = data_lineage(platform, FILE_HASH, silent)["versions"]
    assert (saw["by"], asked) == ("the file orders.csv", [10])


def test_who_cannot_be_asked_is_named(platform: FakePlatform) -> None:
    (platform.version(2).folder / "lineage.json").unlink()
    found = data_lineage(platform, DATA_HASH, silent)
    assert (found["versions"], found["asked"]) == ([], 5)
    assert "version 2" in found["not_read"][0]
