"""Intent before the act, outcome after it; and what happens where neither can be written."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fakes.audit_lines import WHEN, a_log
from fakes.platform import FakePlatform
from mlops.errors import ConfigError, Hold, Interrupted, MlopsError, PlatformError, Refused
from mlops.governance.audit import accept, log, record
from mlops.governance.audit.accept import accept_findings
from mlops.governance.audit.actor import actor_of
from mlops.governance.audit.entry import Act, Phase
from mlops.governance.audit.log import BrokenLog, read_entries
from mlops.governance.audit.record import noted, recorded, require_sound_log, verified
from mlops.platforms.auditing import Anchor, NoAuditLog
from mlops.settings.loading import LoadedSettings

MONTH = "2026-11.jsonl"


class WithCallers(FakePlatform):
    """A platform whose endpoints have callers of their own."""

    has_callers = True


@pytest.fixture
def settings(settings: LoadedSettings) -> LoadedSettings:
    return replace(settings, clock=lambda: WHEN)


@pytest.fixture
def platform(tmp_path: Path) -> FakePlatform:
    return FakePlatform(tmp_path / "platform")


@pytest.fixture
def with_callers(tmp_path: Path) -> FakePlatform:
    return WithCallers(tmp_path / "platform")


def test_an_act_leaves_two_lines(platform: FakePlatform, settings: LoadedSettings) -> None:
    with recorded(
        platform,
        settings,
        Act.REGISTER,
        {"run_id": "r"},
        details={"before": 1},
        after=lambda: {"traffic": "1=100"},
    ) as recording:
        assert [each.phase for each in read_entries(platform.audit())] == [Phase.INTENT]
        recording.subject["version"] = 7
        recording.details["more"] = True
    intent, outcome = read_entries(platform.audit())
    assert intent.act_id == outcome.act_id
    assert (intent.outcome, intent.subject) == ("", {"model": "tiny", "run_id": "r"})
    assert (outcome.outcome, outcome.version) == ("done", 7)
    assert outcome.details == {"before": 1, "more": True, "traffic": "1=100"}
    assert outcome.environment == "dev"
    assert verified(platform, settings).open_acts == ()


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (Refused("no"), "refused", "no"),
        (Hold("not yet"), "hold", "not yet"),
        (ConfigError("wrong"), "failed", "wrong"),
        (PlatformError("broken"), "failed", "broken"),
        (ValueError("the row of Mrs Smith"), "failed", "ValueError"),
        (KeyboardInterrupt(), "interrupted", "it was interrupted"),
        (Interrupted("asked to stop"), "interrupted", "asked to stop"),
    ],
)
def test_an_act_that_ends_by_an_error_says_so(
    platform: FakePlatform,
    settings: LoadedSettings,
    error: BaseException,
    outcome: str,
    reason: str,
) -> None:
    with (
        pytest.raises(type(error)),
        recorded(platform, settings, Act.RELEASE, {"version": 1}),
    ):
        raise error
    ended = read_entries(platform.audit())[-1]
    assert (ended.outcome, ended.reason) == (outcome, reason)
    assert "Smith" not in "".join(platform.audit_store.lines())


def test_an_act_whose_process_dies_is_found_without_an_outcome(
    platform: FakePlatform, settings: LoadedSettings
) -> None:
    opened = recorded(platform, settings, Act.SWITCH, {"endpoint": "e"})
    opened.__enter__()
    found = verified(platform, settings)
    assert found.whole
    assert [each.act for each in found.open_acts] == [Act.SWITCH]


LOST = (PlatformError("the disk is full"), NoAuditLog("there is no container"))


@pytest.mark.parametrize("lost", LOST)
def test_with_callers_nothing_is_done_that_cannot_be_written(
    with_callers: FakePlatform, settings: LoadedSettings, lost: MlopsError
) -> None:
    said: list[str] = []
    with_callers.audit_store.fails = lost
    done: list[str] = []
    with (
        pytest.raises(type(lost)),
        recorded(with_callers, settings, Act.RELEASE, {}, report=lambda x: said.append(x)),
    ):
        done.append("released")
    assert done == []
    assert said == ["the release is not begun: it cannot be written down"]


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("why", ["no callers", "protects", "not required"])
def test_elsewhere_it_is_done_and_said(
    platform: FakePlatform,
    with_callers: FakePlatform,
    load: Callable[..., LoadedSettings],
    lost: MlopsError,
    why: str,
) -> None:
    where = platform if why == "no callers" else with_callers
    settings = load(audit__required=why != "not required")
    where.audit_store.fails = lost
    said: list[str] = []
    done: list[str] = []
    with recorded(
        where,
        settings,
        Act.ROLLBACK,
        {},
        report=lambda line: said.append(line),
        protects=why == "protects",
    ):
        done.append("rolled back")
    assert done == ["rolled back"]
    assert [each.partition(" is not in")[0] for each in said] == [
        "the intent of the rollback",
        "the outcome of the rollback",
    ]


def test_an_outcome_that_cannot_be_written_undoes_nothing_and_is_found(
    with_callers: FakePlatform, settings: LoadedSettings
) -> None:
    said: list[str] = []
    with recorded(with_callers, settings, Act.RELEASE, {}, report=lambda x: said.append(x)):
        with_callers.audit_store.fails = PlatformError("no network")
    assert said == ["the outcome of the release is not in the audit log: no network"]
    with_callers.audit_store.fails = None
    assert [each.act for each in verified(with_callers, settings).open_acts] == [Act.RELEASE]


def test_an_anchor_that_cannot_be_moved_stops_nothing(
    with_callers: FakePlatform, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_WAITS", ())
    with_callers.audit_store.anchored = False
    said: list[str] = []
    with recorded(with_callers, settings, Act.GATE, {}, report=lambda x: said.append(x)):
        pass
    assert said[0] == "the anchor cannot be moved"


def test_an_outcome_is_there_although_nobody_knows_what_serves(
    platform: FakePlatform, settings: LoadedSettings
) -> None:
    def unknown() -> dict[str, object]:
        raise PlatformError("the endpoint does not answer")

    said: list[str] = []
    with recorded(platform, settings, Act.SWITCH, {}, report=said.append, after=unknown):  # type: ignore[arg-type]
        pass
    assert [each.outcome for each in read_entries(platform.audit())] == ["", "done"]
    assert said == ["what serves now is not written down: the endpoint does not answer"]


def test_lines_that_others_write_meanwhile_are_not_missing(
    platform: FakePlatform, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second line is not anchored yet. When it is, there is a third one, anchored as well."""
    monkeypatch.setattr(record, "_PAUSES", (0.0, 0.0))
    store, later = platform.audit_store, a_log(3)
    first = read_entries(later)[0]
    store.files = {MONTH: "".join(f"{each}\n" for each in later.lines()[:2]).encode()}
    anchors = [Anchor(1, first.sha256)]

    def anchor() -> Anchor | None:
        if anchors:
            return anchors.pop()
        store.files = later.files
        return later.kept

    monkeypatch.setattr(store, "anchor", anchor)
    assert verified(platform, settings).findings == ()


def test_more_findings_than_a_line_holds_are_accepted_too(
    platform: FakePlatform, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accept, "_IN_A_LINE", 2)
    for number in range(5):
        noted(platform, settings, Act.GATE, {"version": number}, "passed")
    store = platform.audit_store
    store.files[MONTH] = store.files[MONTH].replace(b'"passed"', b'"refused"')
    assert len(accept.accept_findings(platform, settings, "a colleague")) == 5
    assert [each.details["count"] for each in read_entries(store)[5:]] == [2, 2, 1]
    assert verified(platform, settings).whole


def test_a_note_never_fails(with_callers: FakePlatform, settings: LoadedSettings) -> None:
    noted(with_callers, settings, Act.ALARM, {"alert": "errors"}, "fired", details={"value": 0.5})
    with_callers.audit_store.fails = PlatformError("no network")
    said: list[str] = []
    noted(with_callers, settings, Act.ALARM, {}, "passed", report=lambda x: said.append(x))
    assert len(said) == 1
    with_callers.audit_store.fails = None
    (entry,) = read_entries(with_callers.audit())
    assert (entry.act, entry.outcome, entry.phase) == (Act.ALARM, "fired", Phase.OUTCOME)


def broken(platform: FakePlatform, settings: LoadedSettings) -> None:
    for number in (1, 2, 3):
        noted(platform, settings, Act.GATE, {"version": number}, "passed")
    store = platform.audit_store
    store.files[MONTH] = store.files[MONTH].replace(b'"version":2', b'"version":9')


def test_a_broken_log_stops_what_needs_it(platform: FakePlatform, settings: LoadedSettings) -> None:
    broken(platform, settings)
    with pytest.raises(BrokenLog, match=r"line 2 \(2026-11.jsonl, line 2\) was changed"):
        require_sound_log(platform, settings)


@pytest.mark.parametrize("strict", [False, True])
def test_a_log_that_cannot_be_read_stops_what_needs_it_where_there_are_callers(
    platform: FakePlatform, with_callers: FakePlatform, settings: LoadedSettings, strict: bool
) -> None:
    where = with_callers if strict else platform
    where.audit_store.fails = PlatformError("no network")
    said: list[str] = []
    if strict:
        with pytest.raises(PlatformError, match="no network"):
            require_sound_log(where, settings)
        return
    require_sound_log(where, settings, lambda line: said.append(line))
    assert said == ["the audit log cannot be read: no network"]


def test_after_a_person_accepted_it_things_go_on(
    platform: FakePlatform, settings: LoadedSettings
) -> None:
    assert accept_findings(platform, settings, "nothing to accept") == ()
    assert read_entries(platform.audit()) == ()
    broken(platform, settings)
    found = accept_findings(platform, settings, "a colleague edited it by mistake")
    assert [each.number for each in found] == [2]
    require_sound_log(platform, settings)
    after = verified(platform, settings)
    assert [each.number for each in after.accepted] == [2]
    assert "a colleague edited it by mistake" in after.remarks[0]
    store = platform.audit_store
    store.files[MONTH] = store.files[MONTH].replace(b'"version":3', b'"version":8')
    with pytest.raises(BrokenLog, match="line 3"):
        require_sound_log(platform, settings)


def test_retention_is_what_conf_says(
    platform: FakePlatform, load: Callable[..., LoadedSettings], settings: LoadedSettings
) -> None:
    for _ in range(3):
        noted(platform, settings, Act.GATE, {}, "passed")
    platform.audit_store.files[MONTH] = platform.audit_store.files[MONTH].split(b"\n", 1)[1]
    for days, whole in ((30, True), (90, False)):
        later = replace(load(audit__retention_days=days), clock=lambda: WHEN + timedelta(days=60))
        assert verified(platform, later).whole is whole


def test_who_acts_is_a_person_or_a_run() -> None:
    job = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_TRIGGERING_ACTOR": "anna",
        "GITHUB_ACTOR": "ben",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "team/model",
        "GITHUB_RUN_ID": "42",
        "GITHUB_RUN_ATTEMPT": "2",
    }
    found = actor_of(job)
    assert (found.name, found.kind) == ("anna", "pipeline")
    assert found.run_url == "https://github.com/team/model/actions/runs/42/attempts/2"
    assert actor_of({**job, "GITHUB_EVENT_NAME": "schedule"}).kind == "schedule"
    assert actor_of({"GITHUB_ACTIONS": "true"}).run_url == ""
    here = actor_of({})
    assert (here.kind, here.run_url) == ("person", "")
    assert here.name


def test_a_line_of_a_pipeline_names_its_job(
    platform: FakePlatform, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_JOB", "train-dev")
    with recorded(platform, settings, Act.GATE, {"run_id": "r"}):
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
    noted(platform, settings, Act.APPROVAL, {"version": 1}, "approved", details={"count": 2})
    before, *after = read_entries(platform.audit())
    assert before.details == {}, "on a laptop a variable of that name says nothing"
    assert [each.details["job"] for each in after] == ["train-dev", "train-dev"]
    assert after[1].details["count"] == 2
