"""Where an audit log is kept: every platform keeps its promises."""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from fakes.audit import FakeAudit
from fakes.audit_lines import WHEN, note, written
from fakes.azure import clients_of
from fakes.azure_audit import Arm, Container
from mlops.errors import MlopsError, PlatformError
from mlops.governance.audit.log import append, read_entries, read_lines
from mlops.platforms.auditing import Anchor, AuditStore, NoAuditLog, NotAnchored, Overtaken
from mlops.platforms.azure import audit as azure
from mlops.platforms.azure.audit import ANCHOR_TAG, AzureAudit
from mlops.platforms.local.audit import LocalAudit
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.loading import LoadedSettings

Load = Callable[..., LoadedSettings]
NOVEMBER = "2026-11.jsonl"


@dataclass
class OnAzure:
    """A log on Azure with what it is kept in."""

    store: AzureAudit
    container: Container
    arm: Arm


@pytest.fixture
def on_azure(load: Load, monkeypatch: pytest.MonkeyPatch) -> OnAzure:
    settings = load(platform="azure", azure__subscription_id="s", azure__audit_account="acc")
    clients, _, _ = clients_of(settings)
    store, container, arm = AzureAudit(clients), Container(), Arm()
    vars(store)["_container"] = container
    monkeypatch.setattr(azure, "arm_get", arm.get)
    monkeypatch.setattr(azure, "arm_put", arm.put)
    monkeypatch.setattr(azure, "if_missing", lambda: "IfMissing")
    return OnAzure(store, container, arm)


@pytest.fixture(params=["local", "fake", "azure"])
def store(request: pytest.FixtureRequest, load: Load) -> AuditStore:
    if request.param == "azure":
        found: OnAzure = request.getfixturevalue("on_azure")
        return found.store
    if request.param == "fake":
        return FakeAudit()
    return LocalPlatform(load()).audit()


def test_it_begins_with_nothing(store: AuditStore) -> None:
    assert store.months() == []
    assert store.read(NOVEMBER) == b""
    assert store.tail(NOVEMBER, 10) == (0, b"")
    assert store.anchor() is None
    assert store.place()


def test_what_is_appended_is_read_and_anchored(store: AuditStore) -> None:
    store.append(NOVEMBER, b"one\n", 0, Anchor(1, "a"))
    store.append(NOVEMBER, b"two\n", 4, Anchor(2, "b"))
    store.append("2026-12.jsonl", b"three\n", 0, Anchor(3, "c"))
    assert store.months() == [NOVEMBER, "2026-12.jsonl"]
    assert store.read(NOVEMBER) == b"one\ntwo\n"
    assert store.tail(NOVEMBER, 3) == (8, b"wo\n")
    assert store.tail(NOVEMBER, 100) == (8, b"one\ntwo\n")
    assert store.anchor() == Anchor(3, "c")


@pytest.mark.parametrize("at", [0, 3, 5])
def test_who_saw_another_end_writes_nothing(store: AuditStore, at: int) -> None:
    store.append(NOVEMBER, b"one\n", 0, Anchor(1, "a"))
    with pytest.raises(Overtaken):
        store.append(NOVEMBER, b"two\n", at, Anchor(2, "b"))
    assert store.read(NOVEMBER) == b"one\n"
    assert store.anchor() == Anchor(1, "a")


def test_an_anchor_never_goes_back(store: AuditStore) -> None:
    store.append(NOVEMBER, b"one\n", 0, Anchor(5, "e"))
    store.append(NOVEMBER, b"two\n", 4, Anchor(4, "d"))
    assert store.anchor() == Anchor(5, "e")


def test_a_log_is_written_and_read_there(store: AuditStore) -> None:
    entries = written(store, 3)
    assert list(read_entries(store)) == entries
    assert store.anchor() == Anchor(3, entries[-1].sha256)


def test_each_environment_on_azure_has_files_of_its_own(on_azure: OnAzure) -> None:
    on_azure.container.kept["prod/2026-10.jsonl"] = b"another\n"
    on_azure.container.kept["dev/2026-10.txt"] = b"no log\n"
    written(on_azure.store, 1)
    assert on_azure.store.months() == [NOVEMBER]
    assert "dev/2026-11.jsonl" in on_azure.container.kept


def test_an_append_that_was_sent_twice_is_there_once(on_azure: OnAzure) -> None:
    on_azure.container.answers_are_lost = True
    written(on_azure.store, 2)
    assert len(read_lines(on_azure.store)) == 2
    assert on_azure.store.anchor() is not None


def test_azure_keeps_what_else_the_model_says(on_azure: OnAzure) -> None:
    on_azure.arm.model = {"properties": {"description": "ours", "tags": {"a": "b"}}}
    entry = written(on_azure.store, 1)[0]
    said = on_azure.arm.model["properties"]
    assert said["tags"] == {"a": "b", ANCHOR_TAG: f"1:{entry.sha256}"}
    assert said["description"] == "ours"


def test_an_anchor_that_azure_refuses_is_told_and_the_line_is_there(on_azure: OnAzure) -> None:
    on_azure.arm.refuses = True
    with pytest.raises(NotAnchored, match="anchor of the audit log cannot be set"):
        append(on_azure.store, note(), WHEN)
    assert len(read_lines(on_azure.store)) == 1


@pytest.mark.parametrize(("state", "said"), [("exists", "no container"), ("refuses", "not allow")])
def test_a_container_that_is_missing_or_closed_is_no_log(
    on_azure: OnAzure, state: str, said: str
) -> None:
    setattr(on_azure.container, state, state == "refuses")
    with pytest.raises(NoAuditLog, match=said):
        on_azure.store.months()
    with pytest.raises(NoAuditLog, match=said):
        on_azure.store.tail(NOVEMBER, 1)


def test_azure_finds_the_account_by_the_tag_of_the_workspace(load: Load) -> None:
    settings = load(platform="azure", azure__subscription_id="s")
    clients, workspace, _ = clients_of(settings)
    with pytest.raises(NoAuditLog, match="names no storage account"):
        AzureAudit(clients).place()
    tags = {azure.ACCOUNT_TAG: "auditx"}
    clients, workspace, _ = clients_of(settings)
    workspace.workspaces = SimpleNamespace(get=lambda _name: SimpleNamespace(tags=tags))
    assert AzureAudit(clients).place() == "https://auditx.blob.core.windows.net/audit/dev/"


def test_a_tag_that_is_no_anchor_is_told(on_azure: OnAzure) -> None:
    on_azure.arm.model = {"properties": {"tags": {ANCHOR_TAG: "hello"}}}
    with pytest.raises(PlatformError, match="hello"):
        on_azure.store.anchor()


def test_a_line_that_does_not_fit_on_the_disk_leaves_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalAudit(tmp_path / "audit", tmp_path / "registry")
    written(store, 1)
    before = store.read(NOVEMBER)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(MlopsError):
            append(store, note(), WHEN)
    assert store.read(NOVEMBER) == before
    append(store, note(), WHEN)
    assert len(read_entries(store)) == 2


def test_an_anchor_on_this_machine_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    store = LocalAudit(tmp_path / "audit", tmp_path / "registry")
    written(store, 1)
    (tmp_path / "registry" / "audit-anchor.json").write_text("{}")
    with pytest.raises(MlopsError, match="anchor"):
        store.anchor()
