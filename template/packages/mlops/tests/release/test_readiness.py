"""A release where callers are is refused for what is missing; elsewhere it is said."""

import json
from pathlib import Path

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.human_part import write
from fakes.platform import FakePlatform
from fakes.release import AtLevel, PretendedSmokeTest
from mlops.errors import Refused
from mlops.files import file_sha256
from mlops.governance.readiness import Demands, Evidence, Lack, Requirement
from mlops.release import readiness
from mlops.release.candidate import ReleaseOptions, release_version
from mlops.release.watchers import Watchers

LACKING = (Lack(Requirement.LINEAGE, "lineage.json has no data.hash"),)


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> list[Demands]:
    """Let just one thing be missing, whatever is there; return what was asked for."""
    asked: list[Demands] = []

    def pretended(_evidence: Evidence, demands: Demands) -> tuple[Lack, ...]:
        asked.append(demands)
        return LACKING

    monkeypatch.setattr(readiness, "lacks", pretended)
    return asked


@pytest.mark.usefixtures("lacking", "smoke")
def test_where_callers_are_the_first_release_is_refused(
    platform: FakePlatform,
    endpoint: FakeEndpoint,
    at_level: AtLevel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(FakePlatform, "has_callers", True)
    with pytest.raises(Refused) as told:
        release_version(platform, at_level(2), 2)
    assert told.value.message == "version 2 is refused in dev: lineage.json has no data.hash"
    assert "gate --explain --model-version 2" in told.value.remedy
    assert endpoint.serving == {}


@pytest.mark.parametrize(("callers", "rehearsal"), [(False, ""), (True, "said"), (False, "said")])
def test_elsewhere_it_is_said_and_kept(
    platform: FakePlatform,
    serving: FakeEndpoint,
    smoke: PretendedSmokeTest,
    at_level: AtLevel,
    lacking: list[Demands],
    monkeypatch: pytest.MonkeyPatch,
    callers: bool,
    rehearsal: str,
) -> None:
    monkeypatch.setattr(FakePlatform, "has_callers", callers)
    settings = at_level(2, gate__max_slice_gap=0.3, approvals__required=1)
    path = write(settings.project.root)
    said: list[str] = []
    ended = release_version(
        platform, settings, 2, Watchers(report=said.append), ReleaseOptions(rehearsal=rehearsal)
    )
    assert "would be refused in dev: lineage.json has no data.hash" in said
    assert ended.record.outcome == "promoted"
    assert ended.folder is not None
    evidence = json.loads((ended.folder / "evidence.json").read_text())
    assert evidence["would_be_refused"] == [LACKING[0].to_dict()]
    assert evidence["human_part_sha256"] == file_sha256(path)
    assert "- lineage.json has no data.hash" in (ended.folder / "evidence.md").read_text()
    assert (lacking[0].environment, lacking[0].approvals) == ("dev", 1)
    assert lacking[0].gate.max_slice_gap == 0.3
    assert serving.traffic() == {"green": 100}
    assert smoke.traffic


def test_what_is_asked_is_read_from_where_it_is_kept(
    platform: FakePlatform, at_level: AtLevel
) -> None:
    settings = at_level(2)
    write(settings.project.root, users="TODO")
    folder: Path = settings.project.state_dir / "releases"
    folder.mkdir(parents=True)
    approvals = {"schema": 1, "environment": "prod", "model_version": 2}
    (folder / "approvals.json").write_text(json.dumps(approvals))
    found = readiness.evidence_of_version(platform.version(2), settings)
    assert [each.sentence for each in found.human] == [
        "compliance/model_card.yaml: users still says TODO",
        "compliance/model_card.yaml: review_date is overdue since 2026-12-01",
    ][: len(found.human)]
    assert found.approvals == approvals
    assert found.dirty is False
    assert found.evaluation is None
    assert "lineage.json has no run_id" in found.lineage
    assert found.card
