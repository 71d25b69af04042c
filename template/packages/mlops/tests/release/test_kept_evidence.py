"""What of a folder of evidence is kept beside a version, and under which name."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fakes.platform import FakePlatform
from fakes.records import RECORD
from mlops.artifacts.documents import EVIDENCE_MANIFEST
from mlops.artifacts.evidence_folder import releases_folder
from mlops.ci.approvals import Question, write_approvals
from mlops.ci.github import Approvals, Asked
from mlops.errors import ConfigError, Hold, Refused
from mlops.release.evidence import write_evidence
from mlops.release.kept_evidence import Releases, keep_releases

MORNING = datetime(2026, 11, 3, 10, 11, 12, tzinfo=UTC)
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
RELEASED = "tiny-prod/20261103T101112.000000Z"
APPROVED = Asked({"run_attempt": 1}, Approvals(("ann", "bob"), ()))


def releases(tmp_path: Path, **changes: Any) -> Releases:
    folder = releases_folder(tmp_path)
    return replace(Releases(folder, "prod", "tiny-prod", 10), **changes)


def approve(tmp_path: Path, moment: datetime = NOON, **question: Any) -> None:
    asked = Question("12", "prod", 2, 10)
    write_approvals(releases_folder(tmp_path), replace(asked, **question), APPROVED, moment)


@pytest.fixture
def platform(tmp_path: Path) -> FakePlatform:
    return FakePlatform(tmp_path / "platform")


def test_a_release_and_who_approved_it_are_kept_as_they_are(
    platform: FakePlatform, tmp_path: Path
) -> None:
    released = write_evidence(tmp_path, RECORD, MORNING)
    approve(tmp_path)
    kept = keep_releases(platform, releases(tmp_path))
    assert kept.evidence.name == "prod-20261103T120000.000000Z"
    assert kept.outcomes == ("approved", "promoted")
    names = ("candidate.log", "evidence.json", "evidence.md", "evidence.png")
    assert kept.files == ("approvals.json", *(f"{RELEASED}/{name}" for name in names))
    folder = tmp_path / "fetched"
    platform.fetch_evidence(10, kept.evidence.name, folder)
    for name in names:
        assert (folder / RELEASED / name).read_bytes() == (released / name).read_bytes()
    manifest = EVIDENCE_MANIFEST.read(folder)
    assert manifest.items() >= {"model_version": 10, "environment": "prod"}.items()
    assert list(manifest["files"]) == list(kept.files)
    assert keep_releases(platform, releases(tmp_path)) == kept
    assert platform.evidence(10) == [kept.evidence]


def test_a_release_that_nobody_had_to_approve_is_kept(
    platform: FakePlatform, tmp_path: Path
) -> None:
    write_evidence(tmp_path, replace(RECORD, outcome="rejected"), MORNING)
    kept = keep_releases(platform, releases(tmp_path))
    assert (kept.evidence.name, kept.outcomes) == ("prod-20261103T101112.000000Z", ("rejected",))


def test_a_release_that_was_not_approved_is_kept(platform: FakePlatform, tmp_path: Path) -> None:
    refused = replace(APPROVED, refusal=Refused("too few"))
    write_approvals(releases_folder(tmp_path), Question("12", "prod", 2), refused, NOON)
    kept = keep_releases(platform, releases(tmp_path))
    assert (kept.files, kept.outcomes) == (("approvals.json",), ("refused",))


def test_only_what_concerns_the_version_and_the_environment_is_kept(
    platform: FakePlatform, tmp_path: Path
) -> None:
    write_evidence(tmp_path, RECORD, MORNING)
    write_evidence(tmp_path, replace(RECORD, model_version=9), NOON)
    write_evidence(tmp_path, replace(RECORD, endpoint="tiny-test"), NOON)
    approve(tmp_path, environment="test")
    kept = keep_releases(platform, releases(tmp_path))
    assert kept.evidence.name == "prod-20261103T101112.000000Z"
    assert {name.rpartition("/")[0] for name in kept.files} == {RELEASED}
    approve(tmp_path, model_version=9)
    assert keep_releases(platform, releases(tmp_path)) == kept


@pytest.mark.parametrize("written", ["nothing", "another version", "another environment"])
def test_no_evidence_is_never_kept_as_evidence(
    platform: FakePlatform, tmp_path: Path, written: str
) -> None:
    if written == "another version":
        write_evidence(tmp_path, replace(RECORD, model_version=9), MORNING)
        approve(tmp_path, model_version=11)
    if written == "another environment":
        write_evidence(tmp_path, replace(RECORD, endpoint="tiny-test"), MORNING)
    with pytest.raises(Hold, match="no evidence of a release of version 10 to prod") as hold:
        keep_releases(platform, releases(tmp_path))
    assert ("there is some of 11, 9" in str(hold.value)) == (written == "another version")
    assert platform.evidence(10) == []


def test_a_release_of_before_is_known_by_its_candidate(
    platform: FakePlatform, tmp_path: Path
) -> None:
    path = write_evidence(tmp_path, RECORD, MORNING) / "evidence.json"
    content = json.loads(path.read_text("utf-8"))
    del content["model_version"]
    path.write_text(json.dumps(content))
    assert keep_releases(platform, releases(tmp_path)).outcomes == ("promoted",)


@pytest.mark.parametrize("text", ["{", '{"schema": 2}'])
def test_evidence_that_cannot_be_read_is_not_left_out(
    platform: FakePlatform, tmp_path: Path, text: str
) -> None:
    write_evidence(tmp_path, RECORD, NOON)
    (write_evidence(tmp_path, RECORD, MORNING) / "evidence.json").write_text(text)
    with pytest.raises(ConfigError, match=r"evidence\.json"):
        keep_releases(platform, releases(tmp_path))
    assert platform.evidence(10) == []


def test_a_version_that_is_not_registered_has_no_evidence(
    platform: FakePlatform, tmp_path: Path
) -> None:
    write_evidence(tmp_path, replace(RECORD, model_version=7), MORNING)
    with pytest.raises(ConfigError, match="no version 7"):
        keep_releases(platform, releases(tmp_path, model_version=7))
