"""What `forget` asks for, prints and ends with."""

import io
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fakes.cli import Command
from mlops.artifacts.forgotten import read_requests, requests_folder
from mlops.data.suppression import list_file, read_entries, write_entries
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.loading import load_settings
from mlops.settings.project import Project

KEY = "m00017"


@pytest.fixture
def forget(mlops: Command, project: Project, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Call the command in a project with an event of the key."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(project.root.parent / "config"))
    day = project.state_dir / "events" / "tiny-dev" / "requests" / "2024-06-30"
    day.mkdir(parents=True)
    (day / "blue-1-a.jsonl").write_text(f'{{"key": "{KEY}"}}\n{{"key": null}}\n')
    return lambda *arguments: mlops("forget", *arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no key is named"),
        (("--key", " "), "--key is empty"),
        (("--key", KEY, "--list"), "--list is asked alone"),
        (("--by-hand-done", "--list"), "--list is asked alone"),
        (("--key", KEY, "--by-hand-done", "--dry-run"), "says nothing of what was done"),
        (("--key", KEY, "--scores", "nowhere"), "does not exist"),
    ],
)
def test_a_call_that_says_nothing_is_refused(
    forget: Command, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert forget(*arguments) == 2
    assert said in capfd.readouterr().err


def test_it_tells_counts_and_never_the_key(
    forget: Command, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    assert forget("--key", KEY, "--dry-run", "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["outcome"], told["removed"]) == ("would remove", {"events": 1})
    assert not requests_folder(project.state_dir).exists()
    assert forget("--key", KEY) == 0
    shown = capfd.readouterr()
    assert KEY not in shown.out + shown.err
    request = read_requests(project.state_dir)[0]
    assert request.id in shown.out
    assert forget("--list", "--json") == 0
    listed = json.loads(capfd.readouterr().out)["requests"]
    assert [each["id"] for each in listed] == [request.id]
    assert "hmac" not in listed[0]
    assert forget("--list") == 0


def test_the_key_can_come_from_standard_input(
    forget: Command, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{KEY}\n"))
    assert forget("--key", "-") == 0
    assert read_requests(project.state_dir)[0].removed == {"events": 1}


def test_a_key_that_stands_nowhere_ends_with_4(
    forget: Command, capfd: pytest.CaptureFixture[str]
) -> None:
    assert forget("--key", "nobody-at-all") == 4
    assert "stood in none of the files" in capfd.readouterr().err


def test_what_is_left_is_named_and_ends_with_4(
    forget: Command, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(LocalPlatform, "out_of_reach", lambda _: ("far away: ask there",))
    assert forget("--key", KEY, "--json") == 4
    shown = capfd.readouterr()
    told = json.loads(shown.out)
    assert (told["outcome"], told["pending"]) == ("pending", ["far away: ask there"])
    assert "1 place is left" in shown.err
    assert forget("--key", KEY, "--by-hand-done") == 0
    assert "far away" not in capfd.readouterr().out


def test_a_secret_inside_the_project_is_refused(
    forget: Command, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    (project.root / "conf" / "dev.yaml").write_text("forget:\n  secret_file: here.json\n")
    assert forget("--key", KEY) == 2
    assert "is inside the project" in capfd.readouterr().err
    assert not Path(project.root / "here.json").exists()


def _age(project: Project, days: int) -> None:
    """Let the entries of the list be so much older."""
    path = list_file(load_settings(project, variables={}))
    then = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    write_entries(path, [replace(each, time=then) for each in read_entries(path)])


def test_an_entry_whose_time_is_over_is_dropped_at_the_next_call_and_told(
    forget: Command, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    (project.root / "conf" / "dev.yaml").write_text("forget:\n  keep_days: 30\n")
    assert forget("--key", KEY) == 0
    _age(project, 29)
    capfd.readouterr()
    assert forget("--list", "--json") == 0
    (listed,) = json.loads(capfd.readouterr().out)["requests"]
    until = datetime.fromisoformat(listed["kept_out_until"]) - datetime.now(UTC)
    assert (listed["on_list"], until.days) == (True, 0)
    assert forget("--key", "nobody-at-all") == 4
    assert "keep_days" not in capfd.readouterr().err
    _age(project, 31)
    assert forget("--key", "nobody-else", "--dry-run") == 4
    assert "2 entries of the suppression list are older" in capfd.readouterr().err
    path = list_file(load_settings(project, variables={}))
    assert len(read_entries(path)) == 2
    assert forget("--key", "nobody-else") == 4
    assert "keep_days and were dropped: later data" in " ".join(capfd.readouterr().err.split())
    assert len(read_entries(path)) == 1
    assert forget("--list") == 0
    assert {"not", "listed"} <= {*capfd.readouterr().out.replace("│", " ").split()}
    assert forget("--key", KEY) == 4, "nothing is left of it"
    assert len(read_requests(project.state_dir)) == 4, "and it is a new request"


def test_the_entry_of_a_request_that_is_open_stays(
    forget: Command,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (project.root / "conf" / "dev.yaml").write_text("forget:\n  keep_days: 30\n")
    monkeypatch.setattr(LocalPlatform, "out_of_reach", lambda _: ("far away: ask there",))
    assert forget("--key", KEY) == 4
    _age(project, 31)
    assert forget("--key", "nobody-at-all") == 4
    assert "keep_days" not in capfd.readouterr().err
    assert len(read_entries(list_file(load_settings(project, variables={})))) == 2


def test_without_keep_days_an_entry_has_no_end(
    forget: Command, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    assert forget("--key", KEY) == 0
    _age(project, 9999)
    assert forget("--key", "nobody-at-all") == 4
    assert len(read_entries(list_file(load_settings(project, variables={})))) == 2
    assert forget("--list") == 0
    assert "no end" in capfd.readouterr().out
