"""The state file, the keys and their locks."""

import json
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.waiting import LONGEST_SECONDS
from mlops.errors import ConfigError
from mlops.files import write_json
from mlops.platforms.base import DeploymentShare
from mlops.platforms.lease_rules import EndpointBusy
from mlops.platforms.local import state as state_module
from mlops.platforms.local.processes import ProcessRecord
from mlops.platforms.local.state import (
    DeploymentState,
    EndpointState,
    Lease,
    StateFile,
)

SERVER = ProcessRecord("blue-1", 5001, "logs/blue-1.log", pid=7, create_time=1.5)
BLUE = DeploymentState("tiny", 1, "aa", "bb", ".mlops/registry/tiny/1", "serving-code/cc", SERVER)


@pytest.fixture
def state(tmp_path: Path) -> StateFile:
    return StateFile(tmp_path / ".mlops")


def with_blue(endpoint: EndpointState) -> EndpointState:
    return replace(endpoint, port=5000, traffic={"blue": 100}, deployments={"blue": BLUE})


def test_nothing_is_there_before_the_first_change(state: StateFile) -> None:
    assert state.endpoints() == {}
    assert state.endpoint("e") is None
    assert not state.folder.exists()


def test_a_change_is_read_back_by_another_process(state: StateFile) -> None:
    router = ProcessRecord("router-1", 5000, "logs/router-1.log")
    state.change("e", with_blue)
    stored = state.change("e", lambda e: replace(e, router=router, leftovers=(SERVER, router)))
    assert StateFile(state.folder).endpoint("e") == stored
    assert stored.deployments == {"blue": BLUE}
    assert stored.leftovers == (SERVER, router)


def test_a_lease_and_what_was_before_are_read_back(state: StateFile) -> None:
    before = {"blue": DeploymentShare(1, 100)}
    lease = Lease("the release of version 2", 7, 1.5, before, {"green": 20})
    stored = state.change(
        "e", lambda e: replace(with_blue(e), mirror={"blue": 10}, lease=lease, previous=before)
    )
    assert StateFile(state.folder).endpoint("e") == stored
    assert stored.lease == lease
    assert stored.previous == before


def test_a_state_from_before_there_were_leases_is_read(state: StateFile) -> None:
    state.change("e", with_blue)
    path = state.folder / "state.json"
    content = json.loads(path.read_text())
    for name in ("mirror", "lease", "previous"):
        del content["endpoints"]["e"][name]
    path.write_text(json.dumps(content))
    endpoint = state.endpoint("e")
    assert endpoint
    assert (endpoint.mirror, endpoint.lease, endpoint.previous) == ({}, None, None)


def test_every_change_counts_and_endpoints_do_not_mix(state: StateFile) -> None:
    assert state.change("e", with_blue).revision == 1
    assert state.change("e", with_blue).revision == 2
    assert state.change("f", with_blue).revision == 1
    assert set(state.endpoints()) == {"e", "f"}


def test_an_endpoint_without_deployments_is_forgotten(state: StateFile) -> None:
    state.change("e", lambda e: replace(e, leftovers=(SERVER,)))
    assert state.endpoint("e") is not None
    state.change("e", lambda e: replace(e, leftovers=()))
    assert state.endpoint("e") is None


def test_a_lease_is_kept_before_the_first_deployment(state: StateFile) -> None:
    lease = Lease("the release of version 1", 7, 1.5, {}, {})
    state.change("e", lambda e: replace(e, lease=lease))
    assert state.endpoint("e") is not None
    state.change("e", lambda e: replace(e, lease=None))
    assert state.endpoint("e") is None


def test_a_failing_change_leaves_the_state_as_it_was(state: StateFile) -> None:
    state.change("e", with_blue)
    before = (state.folder / "state.json").read_bytes()

    def fail(_endpoint: EndpointState) -> EndpointState:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        state.change("e", fail)
    assert (state.folder / "state.json").read_bytes() == before


def test_changes_from_many_threads_are_all_kept(state: StateFile) -> None:
    threads = [
        threading.Thread(target=StateFile(state.folder).change, args=("e", with_blue))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    endpoint = state.endpoint("e")
    assert endpoint
    assert endpoint.revision == 8


def test_an_unknown_schema_is_refused_and_kept(state: StateFile) -> None:
    state.change("e", with_blue)
    path = state.folder / "state.json"
    path.write_text(json.dumps({"schema": 2, "endpoints": {}}))
    with pytest.raises(ConfigError, match="schema 2"):
        state.change("e", with_blue)
    assert json.loads(path.read_text())["schema"] == 2


def test_the_state_holds_no_key(state: StateFile) -> None:
    key = state.key("e")
    state.change("e", with_blue)
    assert key not in (state.folder / "state.json").read_text()


def test_a_key_stays_and_every_endpoint_has_its_own(state: StateFile) -> None:
    key = state.key("e")
    assert len(key) > 30
    assert StateFile(state.folder).key("e") == key
    assert state.key("f") != key
    assert state.keys() == {"e": key, "f": state.key("f")}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
def test_only_the_owner_reads_the_keys(state: StateFile) -> None:
    state.key("e")
    assert (state.folder / "keys.json").stat().st_mode & 0o777 == 0o600


def test_only_one_command_changes_an_endpoint(state: StateFile) -> None:
    with state.changing("e"):
        with (
            pytest.raises(EndpointBusy, match="another command is changing the endpoint e"),
            StateFile(state.folder).changing("e"),
        ):
            pass
        with StateFile(state.folder).changing("f"):
            pass
    with StateFile(state.folder).changing("e"):
        pass


def test_the_right_to_change_can_be_waited_for(state: StateFile) -> None:
    taken, entered = threading.Event(), []

    def hold() -> None:
        with StateFile(state.folder).changing("e"):
            taken.set()
            entered.append("first")

    other = threading.Thread(target=hold)
    other.start()
    taken.wait()
    with state.changing("e", wait_seconds=LONGEST_SECONDS):
        entered.append("second")
    other.join()
    assert entered == ["first", "second"]


def test_a_file_that_somebody_reads_just_now_is_tried_again(
    state: StateFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [PermissionError(), PermissionError()]

    def refuse_at_first(path: Path, content: dict[str, object], *, private: bool) -> None:
        if refusals:
            raise refusals.pop()
        write_json(path, content, private=private)

    monkeypatch.setattr(state_module, "write_json", refuse_at_first)
    assert state.change("e", with_blue).revision == 1
    assert not refusals
