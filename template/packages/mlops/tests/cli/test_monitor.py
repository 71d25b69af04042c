"""`mlops monitor` says how alerts stand, acts when it is told to, and ends as what is worst."""

import json
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.alerts import ENOUGH, NOON, check, requests, watched
from fakes.cli import Command, Outputs
from fakes.endpoint import FakeEndpoint
from fakes.places import PROJECT
from mlops.cli import options
from mlops.monitoring.alerting import receivers
from mlops.monitoring.alerting.deliver import Courier, Patience
from mlops.monitoring.decisions import decided
from mlops.monitoring.rules.generated import ALERTS_MODULE
from mlops.monitoring.rules.reading import ALERTS
from mlops.platforms.lease_terms import RELEASE, WayBack
from mlops.platforms.local.platform import LocalPlatform
from mlops.platforms.watching import RuleState
from mlops.settings.project import Project
from mlops.window import Window

MARKS = {
    "ALERTS_TEAMS_WEBHOOK": "http://127.0.0.1:9/mark-one?sig=mark-two",
    "ALERTS_SLACK_WEBHOOK": "https:///mark-three",
    "ALERTS_PAGER_KEY": "mark-four",
}
CHECKS = (check("drift", "ok"), check("performance", "ok"))


class Watched:
    """The endpoint that a command finds, at noon."""

    def __init__(self) -> None:
        self.endpoint = watched(requests(ENOUGH), *CHECKS)
        self.rules: dict[str, RuleState] | None = None
        self.asked: list[Sequence[str]] = []

    def answer(self, alerts: Sequence[str]) -> dict[str, RuleState] | None:
        self.asked.append(alerts)
        return self.rules

    def fail(self, requests_that_fail: int = 20, count: int = ENOUGH) -> None:
        rows = requests(count, requests_that_fail, fault="failed")
        self.endpoint.events = watched(rows).events


@pytest.fixture
def place(project: Project, monkeypatch: pytest.MonkeyPatch) -> Watched:
    found = Watched()
    (project.root / ALERTS).parent.mkdir()
    shutil.copy(PROJECT / ALERTS, project.root / ALERTS)
    monkeypatch.setattr(LocalPlatform, "endpoint", lambda _platform, _name: found.endpoint)
    monkeypatch.setattr(LocalPlatform, "alert_rules", lambda _platform, ids: found.answer(ids))
    monkeypatch.setattr(options, "system_clock", lambda: NOON)
    monkeypatch.setattr(receivers, "Courier", lambda: Courier(Patience(attempts=1)))
    return found


@pytest.fixture
def at_level_2(project: Project) -> None:
    raise_level(project, 2)


def raise_level(project: Project, level: int) -> None:
    path = project.root / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    raised = text.replace("maturity_level = 1", f"maturity_level = {level}")
    path.write_text(raised, encoding="utf-8")


def configure(project: Project, *names: str) -> None:
    text = f"alerts:\n  receivers: [{', '.join(names)}]\n  pager_url: http://127.0.0.1:9/mark\n"
    (project.root / "conf" / "dev.yaml").write_text(text, encoding="utf-8")


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_all_is_well(
    mlops: Command, place: Watched, outputs: Outputs, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("monitor", "--json") == 0
    found = told(capsys)
    assert found["outcome"] == "ok"
    assert [each["outcome"] for each in found["alerts"]] == ["ok"] * 4
    assert (found["done"], found["rules"]) == ([], [])
    assert outputs() == {"outcome": "ok"}
    assert place.endpoint.kept == list(CHECKS), "it only looks"


def test_an_alarm_is_1_and_the_table_fits_a_terminal(
    mlops: Command,
    place: Watched,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    place.fail()
    assert mlops("monitor") == 1
    said = capsys.readouterr().err
    assert "error: alarm: error-rate (error_rate is 0.2 on 100 events" in said
    table = [line for line in said.splitlines() if "│" in line or "┃" in line or "─" in line]
    assert len(table) > 5
    assert max(map(len, table)) <= 80
    assert place.endpoint.kept == list(CHECKS)


@pytest.mark.parametrize(
    ("level", "traffic", "kinds", "later"),
    [
        (2, {"blue": 0, "green": 100}, {"alert", "incident"}, 1),
        (3, {"blue": 100, "green": 0}, {"alert", "rollback", "incident"}, 4),
    ],
)
def test_at_level_3_the_version_that_fails_is_withdrawn_once(
    mlops: Command, place: Watched, project: Project, capsys: pytest.CaptureFixture[str],
    level: int, traffic: dict[str, int], kinds: set[str], later: int,
) -> None:  # fmt: skip
    raise_level(project, level)
    place.fail()
    endpoint = place.endpoint
    with endpoint.lease("the release of version 3", RELEASE):
        endpoint.set_traffic({"blue": 100})
    day = NOON + timedelta(days=1)
    with endpoint.lease("the release of version 3", RELEASE):
        endpoint.set_traffic(
            {"green": 100}, completes=True, way_back=WayBack("blue", 2, day, withdraws=3)
        )
    for code in (1, later):
        assert mlops("monitor", "--act", "--json") == code
        assert endpoint.traffic() == traffic
        found = told(capsys)
        assert {each["kind"] for each in found["done"]} <= kinds
    kept = decided(endpoint, Window(NOON, day))
    assert {each.kind.value for each in kept} == kinds
    for kind in kinds - {"alert"}:
        assert [each.kind.value for each in kept].count(kind) == 1


def test_too_few_requests_are_4(
    mlops: Command, place: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    place.fail(0, 7)
    assert mlops("monitor", "--json") == 4
    found = told(capsys)
    assert found["outcome"] == "not enough"
    assert [each["outcome"] for each in found["alerts"]] == ["not enough"] * 2 + ["ok"] * 2


def test_where_nothing_serves_all_is_well(
    mlops: Command, place: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    place.endpoint = FakeEndpoint("tiny-dev")
    assert mlops("monitor", "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["outcome"] == "nothing serves"
    assert "nothing serves" in said.err


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"latency": RuleState.OFF, "drift": RuleState.ON}, ["switched off"]),
        ({"latency": RuleState.MISSING, "drift": RuleState.OFF}, ["not deployed", "switched off"]),
        (
            {"the cap": RuleState.UNSEEN},
            ["not deployed, or who runs this may not read it"],
        ),
    ],
)
def test_a_rule_of_the_platform_that_is_off_is_3(
    mlops: Command,
    place: Watched,
    project: Project,
    capsys: pytest.CaptureFixture[str],
    rules: dict[str, RuleState],
    said: list[str],
) -> None:
    place.rules = rules
    assert mlops("monitor", "--json") == 0, "a project without such rules misses none"
    capsys.readouterr()
    (project.root / ALERTS_MODULE).parent.mkdir(parents=True)
    (project.root / ALERTS_MODULE).touch()
    assert mlops("monitor", "--json") == 3
    assert [each["outcome"] for each in told(capsys)["rules"]] == said
    place.rules = dict.fromkeys(("latency", "error-rate", "drift", "performance"), RuleState.ON)
    assert mlops("monitor") == 0
    place.rules = None
    assert mlops("monitor") == 0, "this platform has none"
    assert place.asked == [["latency", "error-rate", "drift", "performance"]] * 3


def test_acting_comes_with_level_2(
    mlops: Command, place: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    place.fail()
    assert mlops("monitor", "--act") == 2
    assert "acting on alerts comes with maturity level 2" in capsys.readouterr().err
    assert place.endpoint.kept == list(CHECKS)


@pytest.mark.usefixtures("at_level_2")
def test_an_incident_is_a_file_on_this_machine_and_there_is_one(
    mlops: Command, place: Watched, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    place.fail()
    assert mlops("monitor", "--act", "--json") == 1
    (opened,) = (each for each in told(capsys)["done"] if each["kind"] == "incident")
    text = (project.root / opened["subject"]).read_text(encoding="utf-8")
    assert text.startswith("# [dev] Failing requests at tiny-prod, version 3")
    assert "2026-06-30 11:50:00 to 12:00:00 UTC" in text
    assert mlops("monitor", "--act", "--json") == 1
    assert told(capsys)["done"] == []
    assert len(list(project.state_dir.rglob("incidents/*.md"))) == 1


@pytest.mark.usefixtures("at_level_2")
def test_a_notification_that_fails_hides_no_alarm_and_is_3_by_itself(
    mlops: Command,
    place: Watched,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(project, "teams")
    monkeypatch.setenv("ALERTS_TEAMS_WEBHOOK", MARKS["ALERTS_TEAMS_WEBHOOK"])
    place.fail()
    assert mlops("monitor", "--act", "--json") == 1
    said = capsys.readouterr()
    done = {each["kind"]: each for each in json.loads(said.out)["done"]}
    assert (done["notification"]["failed"], done["incident"]["failed"]) == (True, False)
    assert "notification: failed: it cannot be reached (teams)" in said.err
    monkeypatch.delenv("ALERTS_TEAMS_WEBHOOK")
    place.fail(0)
    assert mlops("monitor", "--act") == 3
    assert "ALERTS_TEAMS_WEBHOOK is not set" in capsys.readouterr().err


@pytest.mark.usefixtures("at_level_2")
@pytest.mark.parametrize("kept", [False, True], ids=["environment", "vault"])
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_no_address_is_left_anywhere(
    mlops: Command,
    place: Watched,
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    flags: list[str],
    kept: bool,
) -> None:
    """Whatever becomes of the notifications: no output, file, decision or log has a mark."""
    configure(project, "teams", "slack", "pager")
    if kept:
        secrets = {name.lower().replace("_", "-"): value for name, value in MARKS.items()}
        monkeypatch.setattr(LocalPlatform, "secret", lambda _platform, name: secrets.pop(name))
    else:
        for name, value in MARKS.items():
            monkeypatch.setenv(name, value)
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    place.fail()
    assert mlops("monitor", "--act", *flags) == 1
    said = capsys.readouterr()
    failed = [each for each in place.endpoint.kept if each.get("kind") == "notification"]
    assert len(failed) == 3
    assert summary.is_file()
    places = {
        "out": said.out,
        "err": said.err,
        "log": caplog.text,
        "kept": json.dumps(place.endpoint.kept),
        **{
            str(path): path.read_text(encoding="utf-8", errors="replace")
            for path in tmp_path.rglob("*")
            if path.is_file()
        },
    }
    conf = str(project.root / "conf" / "dev.yaml")
    assert "mark" in places.pop(conf), "the search finds what is there"
    assert [name for name, text in places.items() if "mark-" in text] == []


@pytest.mark.usefixtures("at_level_2")
def test_the_time_is_that_of_the_command_line(
    mlops: Command, place: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "system_clock", lambda: NOON + timedelta(hours=3))
    place.fail()
    assert mlops("monitor", "--act") == 4
    decisions = [each for each in place.endpoint.kept if each["check"] == "decision"]
    assert decisions == []
    looks = [each["time"] for each in place.endpoint.kept if each["check"] == "look"]
    assert looks == ["2026-06-30T15:00:00+00:00"]


@pytest.mark.usefixtures("at_level_2")
def test_a_spike_between_two_looks_is_told_by_the_second(
    mlops: Command,
    place: Watched,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place.fail()
    before = NOON - timedelta(minutes=20)
    monkeypatch.setattr(options, "system_clock", lambda: before)
    mlops("monitor", "--act", "--json")
    assert told(capsys)["done"] == []
    for minutes in (30, 35):
        now = NOON + timedelta(minutes=minutes)
        monkeypatch.setattr(options, "system_clock", lambda now=now: now)
        mlops("monitor", "--act", "--json")
        done = [(each["cause"], each["outcome"]) for each in told(capsys)["done"]]
        expected = [("error-rate", "passed"), ("error-rate", "opened")] if minutes == 30 else []
        assert done == expected
    (incident,) = project.state_dir.rglob("incidents/*.md")
    assert "Over already: Failing requests" in incident.read_text(encoding="utf-8")
    assert place.endpoint.traffic() == {"blue": 0, "green": 100}
