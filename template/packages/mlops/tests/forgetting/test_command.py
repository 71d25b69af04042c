"""A key is forgotten: nothing but the source and, as a keyed hash, the list has it afterwards."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fakes.marks import unpacked
from fakes.project import TODAY
from fakes.remote import Files, Log, remote
from mlops.artifacts.forgotten import data_changed_by, read_requests, write_request
from mlops.artifacts.prepared import read_table
from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.scores import remember_scored
from mlops.data.source import SAMPLE_FILE, Located
from mlops.data.suppression import list_file, read_entries, secret_file
from mlops.errors import ConfigError, Refused
from mlops.files import file_sha256
from mlops.forgetting import command
from mlops.forgetting.command import KNOWN, NOT_FOUND, StillOpen, dry_run, forget
from mlops.governance.audit.entry import Phase
from mlops.governance.audit.log import read_entries as read_log
from mlops.governance.audit.record import verified
from mlops.governance.gate import judge_run, require_passed
from mlops.platforms.local.platform import LocalPlatform
from mlops.progress import silent
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import find_project
from mlops.steps import validate

OTHER = "m00004"
ID = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
TODAY_BEFORE = datetime(2024, 1, 1, tzinfo=UTC)


class Home:
    """A project that was trained, with events and scores of one key."""

    def __init__(self, root: Path, run_id: str) -> None:
        self.root = root
        self.settings = self.load()
        self.platform = LocalPlatform(self.settings)
        self.run = self.platform.run(run_id)
        self.folder = RunFolder(self.run.folder)
        self.key = str(self.folder.prepared().holdout()["machine"][0])
        self.trained = str(self.folder.prepared().train()["machine"][0])
        self.state = self.settings.project.state_dir

    def load(self) -> LoadedSettings:
        secret = {"forget.secret_file": str(self.root.parent / "secret.json")}
        return load_settings(find_project(self.root), overrides=secret, variables={})

    def forget(self, key: str | None = None, *, by_hand: bool = False) -> Any:
        return forget(
            key or self.key, self.settings, self.platform, (), silent, by_hand=by_hand
        ).request

    def held(self, *, by_hand: bool = False) -> tuple[str, ...]:
        """Forget the key, and return what is left."""
        with pytest.raises(StillOpen) as held:
            self.forget(by_hand=by_hand)
        left: tuple[str, ...] = held.value.outcome.request.pending
        return left

    def holding(self, text: str) -> list[str]:
        """Return the files of the project that have a text, packed or not."""
        return [
            path.relative_to(self.root).as_posix()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and any(text.encode() in part for part in unpacked(path.read_bytes()))
        ]

    def write_events(self) -> None:
        day = self.state / "events" / "tiny-prod" / "requests" / "2024-06-30"
        day.mkdir(parents=True)
        lines = [json.dumps({"key": each}) for each in (self.key, OTHER, None, self.trained)]
        (day / "blue-1-a.jsonl").write_text("\n".join(lines) + "\nno event\n")
        scored = self.state / "events" / "tiny-dev" / "score-1"
        scored.mkdir(parents=True)
        rows = pl.DataFrame({"key": [self.key, OTHER]})
        rows.write_parquet(scored / "part-00000.parquet", metadata={"mlops.schema": "1"})

    def write_scores(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        rows = pl.DataFrame({"machine": [self.key, OTHER], "prediction": [1, 0]})
        rows.write_parquet(folder / "part-00000.parquet")
        (folder / "_scoring.json").write_text("{}")
        (folder / "_manifest.jsonl").write_text(json.dumps({"first_key": self.key}) + "\n")


@pytest.fixture
def home(trained_once: tuple[Path, str], tmp_path: Path) -> Home:
    original, run_id = trained_once
    root = tmp_path / "home" / "project"
    shutil.copytree(original, root)
    shutil.rmtree(root / ".mlops" / "data")
    return Home(root, run_id)


def test_the_key_is_nowhere_but_as_a_keyed_hash_in_the_list(home: Home, tmp_path: Path) -> None:
    home.write_events()
    scores = tmp_path / "home" / "scores"
    home.write_scores(scores)
    remember_scored(home.state, scores)
    holdout, data = home.folder.prepared().holdout_file, home.folder.validated.data
    before, rows = file_sha256(holdout), read_table(data).height
    assert home.holding(home.key)

    request = home.forget()

    assert home.holding(home.key) == []
    assert request.removed == {"events": 2, "scores": 1, "runs": 5}
    assert read_table(data).height == rows - 4
    assert read_table(scores / "part-00000.parquet")["machine"].to_list() == [OTHER]
    assert {path.name for path in scores.iterdir()} == {"part-00000.parquet"}, (
        "no run to go on with"
    )
    events = home.state / "events"
    lines = next(events.rglob("*.jsonl")).read_text().splitlines()
    assert lines[-1] == "no event"
    assert len(lines) == 4
    part = next(events.rglob("part-*.parquet"))
    assert pl.read_parquet_metadata(part)["mlops.schema"] == "1"
    assert request.holdouts == {before: file_sha256(holdout)}
    entry = read_entries(list_file(home.settings))[0]
    assert home.holding(entry.hmac) == [".mlops/forget/list.json"], "and nothing made of the key"
    assert secret_file(home.settings).stat().st_mode & 0o77 == 0


def test_the_audit_log_verifies_and_has_nothing_of_the_key(home: Home) -> None:
    request = home.forget()
    log = read_log(home.platform.audit())
    assert [each.phase for each in log] == [Phase.INTENT, Phase.OUTCOME]
    assert log[1].subject == {"model": "tiny", "request_id": request.id}
    assert log[1].outcome == "done"
    assert log[1].details["rows_runs"] == 5
    assert log[1].details["holdouts"] == file_sha256(home.folder.prepared().holdout_file)
    assert verified(home.platform, home.settings).whole


def test_versions_that_were_trained_on_it_are_named(home: Home) -> None:
    for number, run in ((1, home.run.run_id), (2, "gone")):
        folder = home.state / "registry" / "tiny" / str(number)
        folder.mkdir(parents=True)
        (folder / "lineage.json").write_text(json.dumps({"schema": 1, "run_id": run}))
    held_out = home.forget()
    assert (held_out.versions, held_out.not_known) == ((), (2,))
    trained = home.forget(home.trained)
    assert (trained.versions, trained.not_known) == ((1,), (2,))


def test_who_was_forgotten_stays_out_of_later_data(home: Home, tmp_path: Path) -> None:
    settings, raw = home.settings, tmp_path / "raw"
    raw.mkdir()
    sample = settings.use_case.sample(300, 1, 0.0, TODAY)
    sample.write_parquet(raw / SAMPLE_FILE)
    first = validate.run(Located(raw, "folder", "raw"), tmp_path / "first", settings)
    request = home.forget()
    again = validate.run(Located(raw, "folder", "raw"), tmp_path / "again", settings)
    assert (again.rows, again.forgotten) == (first.rows - 4, 4)
    kept = read_table(tmp_path / "again" / "data.parquet")
    assert home.key not in kept["machine"].to_list()
    assert again.data_hash != first.data_hash
    told = [each.message for each in again.warnings if each.check == "forgotten"]
    assert len(told) == 1
    assert home.key not in told[0]
    requests = read_requests(home.state)
    assert data_changed_by(requests, str(first.data_hash), str(again.data_hash)) == request.id
    assert data_changed_by(requests, str(first.data_hash), "another") is None


def test_the_gate_says_by_which_request_a_holdout_was_changed(home: Home) -> None:
    judge_run(home.platform, home.run, home.settings)
    request = home.forget()
    with pytest.raises(Refused, match=f"was changed by request {request.id} after its evaluation"):
        judge_run(home.platform, home.run, home.settings)
    with pytest.raises(Refused, match=f"was changed by request {request.id} after its verdict"):
        require_passed(home.run, home.state)
    with home.folder.prepared().holdout_file.open("ab") as file:
        file.write(b" ")
    with pytest.raises(Refused, match="was changed after its verdict"):
        require_passed(home.run, home.state)


class Killed(BaseException):
    """Ends a command wherever it is."""


def test_ended_at_each_file_it_resumes_under_its_own_id(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write_events()
    replace: Callable[..., Any] = Path.replace
    ended = 0
    while ended < 40:
        left = ended + 1

        def dying(path: Path, target: Path) -> Any:
            nonlocal left
            if not home.root.parent.joinpath("secret.json").exists() or "audit" in str(target):
                return replace(path, target)
            left -= 1
            if left == 0:
                raise Killed
            return replace(path, target)

        monkeypatch.setattr(Path, "replace", dying)
        try:
            request = home.forget()
        except Killed:
            ended += 1
            open_ones = read_requests(home.state)
            assert len(open_ones) <= 1
            rows = home.folder.prepared().holdout()
            listed = read_entries(list_file(home.settings))
            assert listed or home.key in rows["machine"].to_list(), "kept out before it is removed"
        else:
            break
    assert ended > 5
    assert home.holding(home.key) == []
    assert [each.id for each in read_requests(home.state)] == [request.id]
    assert request.ended
    assert list(request.holdouts.values()) == [file_sha256(home.folder.prepared().holdout_file)]
    log = read_log(home.platform.audit())
    assert {each.subject["request_id"] for each in log} == {request.id}
    assert verified(home.platform, home.settings).whole


def test_what_cannot_be_read_or_removed_keeps_the_request_open(home: Home) -> None:
    broken = home.state / "runs" / "another" / "prepared" / "train.parquet"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"PAR1 and no table")
    note = home.root / "note.txt"
    note.write_text(f"asked by {home.key}.")
    (home.root / f"{home.key}.txt").write_text("")
    with pytest.raises(StillOpen) as held:
        home.forget()
    assert held.value.exit_code == 4
    left = held.value.outcome.request.pending
    assert any("another/prepared/train.parquet cannot be read" in each for each in left)
    assert "project: note.txt has it" in left
    assert any(each.startswith("project: the name of a file has it") for each in left)
    assert home.key not in " ".join(left)
    kept = read_requests(home.state)[0]
    assert kept.ended is None
    assert read_log(home.platform.audit())[-1].outcome == "hold"
    broken.unlink()
    note.unlink()
    (home.root / f"{home.key}.txt").unlink()
    done = home.forget()
    assert (done.id, done.pending) == (kept.id, ())
    assert done.ended


def test_what_is_still_there_after_it_was_removed_keeps_the_request_open(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "remove", lambda *_: 1)
    with pytest.raises(StillOpen) as held:
        home.forget()
    left = held.value.outcome.request.pending
    assert any(each.endswith("prepared/holdout.parquet has it still") for each in left)


def test_a_key_that_stands_nowhere_is_not_called_done(home: Home) -> None:
    found = forget("nobody-at-all", home.settings, home.platform, (), silent)
    assert found.word == NOT_FOUND
    assert read_log(home.platform.audit())[-1].outcome == NOT_FOUND


def test_a_dry_run_writes_nothing(home: Home) -> None:
    before = {path: path.stat().st_mtime_ns for path in home.root.rglob("*")}
    found = dry_run(home.key, home.settings, home.platform, (), silent)
    assert found.request.removed == {"runs": 5}
    assert {path: path.stat().st_mtime_ns for path in home.root.rglob("*")} == before
    assert not secret_file(home.settings).exists()


def test_a_dry_run_of_who_was_forgotten_names_the_request(home: Home) -> None:
    request = home.forget()
    found = dry_run(home.key, home.settings, home.platform, (), silent)
    assert (found.word, found.request.id) == (KNOWN, request.id)
    other = dry_run("nobody-at-all", home.settings, home.platform, (), silent)
    assert (other.word, other.request.id) == (NOT_FOUND, "")


def test_where_something_is_out_of_reach_it_is_not_done(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalPlatform, "out_of_reach", lambda _: ("far away: ask there",))
    assert home.held() == ("far away: ask there",)
    assert read_requests(home.state)[0].cleared == ()
    request = home.forget(by_hand=True)
    assert (request.pending, request.by_hand, request.cleared) == ((), ("dev",), ("dev",))
    assert request.ended
    assert read_log(home.platform.audit())[-1].details["by_hand"] == "dev"


@pytest.fixture
def far(home: Home, monkeypatch: pytest.MonkeyPatch) -> tuple[Files, Log]:
    """A platform that keeps rows of the key away from this machine."""
    rows, files, log = remote()
    assert home
    monkeypatch.setattr(LocalPlatform, "remote_rows", lambda _: rows)
    return files, log


def test_what_the_platform_keeps_is_removed_and_the_purge_is_remembered(
    home: Home, far: tuple[Files, Log]
) -> None:
    files, log = far
    files.kept["one.jsonl"] = b'{"data": [{"inference_id": "%s"}]}\n' % ID.encode()
    log.happened(home.key, ID, at=TODAY_BEFORE)
    (left,) = home.held()
    assert left.startswith("dev, app_events: the purge purge-1 of 1 rows was asked for")
    assert files.kept["one.jsonl"] == b""
    kept = read_requests(home.state)[0]
    assert (kept.purges, kept.ended) == ({"dev": {"purge-1": 1}}, None)
    told = read_log(home.platform.audit())[-1]
    assert (told.outcome, told.details["purges"]) == ("hold", "dev purge-1")
    assert told.details["rows_collected"] == 1
    assert home.holding(ID) == [], "an id of an event is kept nowhere"

    assert home.held() == (left,)
    log.complete()
    request = home.forget()
    assert (request.id, request.pending, request.cleared) == (kept.id, (), ("dev",))
    assert (request.removed["collected"], request.removed["app_events"]) == (1, 1)
    assert read_log(home.platform.audit())[-1].outcome == "done"
    assert len(log.asked) == 1
    assert home.holding(home.key) == []


def test_a_dry_run_counts_what_the_platform_keeps_and_asks_nothing(
    home: Home, far: tuple[Files, Log]
) -> None:
    files, log = far
    files.kept["one.jsonl"] = b'{"data": [{"inference_id": "%s"}]}\n' % ID.encode()
    log.happened(home.key, ID, at=TODAY_BEFORE)
    found = dry_run(home.key, home.settings, home.platform, (), silent)
    assert found.request.removed == {"runs": 5, "collected": 1, "app_events": 1}
    assert (log.asked, files.kept["one.jsonl"] != b"") == ([], True)


def test_another_environment_that_keeps_rows_elsewhere_is_named_until_it_was_called(
    home: Home,
) -> None:
    (home.root / "conf" / "prod.yaml").write_text("platform: azure\n")
    call = "prod: call it there, too, with `uv run mlops forget --environment prod`"
    assert home.held() == (call,)
    assert dry_run(home.key, home.settings, home.platform, (), silent).request.pending == (call,)
    request = read_requests(home.state)[0]
    write_request(home.state, request.with_cleared("prod", cleared=True))
    assert home.forget().pending == ()


def test_without_its_secret_a_list_lets_nothing_be_read(home: Home) -> None:
    home.forget()
    secret = secret_file(home.settings)
    secret.chmod(0o644)
    with pytest.raises(ConfigError, match="others than its owner"):
        validate.rules_of(home.settings)
    secret.unlink()
    with pytest.raises(ConfigError, match="is missing"):
        validate.rules_of(home.settings)
    with pytest.raises(ConfigError, match="is missing"):
        home.forget(OTHER)


def test_a_call_again_finds_nothing_and_is_the_same_request(home: Home) -> None:
    first = home.forget()
    again = home.forget()
    assert (again.id, again.removed) == (first.id, first.removed)
    assert len(read_entries(list_file(home.settings))) == 1


KILLED_AT = """
import os, sys
from pathlib import Path

from mlops.cli.main import main

left, replace = int(sys.argv.pop(1)), Path.replace


def dying(path, target):
    global left
    left -= 1
    if left == 0:
        os._exit(9)
    return replace(path, target)


Path.replace = dying
main()
"""


@pytest.mark.slow
def test_a_process_that_is_killed_at_each_file_leaves_what_the_next_one_ends(home: Home) -> None:
    """No exception, no outcome in the log: the process is gone."""
    home.write_events()
    tests = Path(__file__).parents[1]
    variables = {
        **os.environ,
        "PYTHONPATH": str(tests),
        "MLOPS_FORGET__SECRET_FILE": str(secret_file(home.settings)),
    }
    command = [sys.executable, "-c", KILLED_AT]
    codes: list[int] = []
    for _ in range(40):
        asked = [*command, str(len(codes) + 1), "forget", "--key", home.key]
        done = subprocess.run(asked, cwd=home.root, env=variables, capture_output=True, check=False)
        codes.append(done.returncode)
        if done.returncode != 9:
            break
        assert len(read_requests(home.state)) <= 1
        listed = read_entries(list_file(home.settings))
        there = home.key in home.folder.prepared().holdout()["machine"].to_list()
        assert listed or there, "kept out before it is removed"
    assert codes[-1] == 0, done.stderr.decode()
    assert len(codes) > 5
    assert home.holding(home.key) == []
    assert len(read_requests(home.state)) == 1
    found = verified(home.platform, home.settings)
    assert found.whole
    assert found.open_acts, "who was killed said nothing of an outcome"
