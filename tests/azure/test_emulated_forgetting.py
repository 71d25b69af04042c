"""A request of deletion on Azure, by the project's own code and Microsoft's clients.

Files are on Azurite, a real blob service; purges end when a test says so.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure.ai.ml import MLClient
from azure.storage.blob import BlobType
from fakes.project import write_project
from mlops.artifacts.forgotten import Forgetting
from mlops.errors import PlatformError
from mlops.forgetting.needle import Needle
from mlops.forgetting.remote import RemoteSearch
from mlops.platforms.azure.blobs import BESIDE, WorkspaceBlobs
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.forgetting import remote_rows
from mlops.platforms.remote_rows import FileChanged
from mlops.progress import silent
from mlops.settings.loading import load_settings

from tests.support import MACHINERY, machinery_python

from .emulator import AzureEmulator
from .emulator.state import Store

pytestmark = pytest.mark.azure
KEY, OTHER = "customer-00017", "customer-00004"
LONG_AGO = datetime.now(UTC) - timedelta(days=3)
FOLDER = f"modelDataCollector/tiny-dev/blue/features/{LONG_AGO:%Y/%m/%d/%H}"


class Place:
    """An environment on the emulated Azure with what it keeps of two people."""

    def __init__(self, azure: AzureEmulator, root: Path) -> None:
        self.azure = azure
        project = write_project(root)
        conf = {
            "subscription_id": azure.state.subscription,
            "resource_group": "rg-dev",
            "workspace": "mlw-dev",
            "registry": "mlr-shared",
            "log_analytics_workspace_id": azure.log_analytics_workspace,
            "insights_connection_string": azure.insights_connection_string,
        }
        with (root / "conf" / "base.yaml").open("a") as stream:
            yaml.safe_dump({"platform": "azure", "azure": conf}, stream)
        self.root = root
        self.clients = AzureClients(load_settings(project, "dev", variables={}))
        self.blobs = WorkspaceBlobs(self.clients)
        self.store: Store = azure.state.stores[workspace_id(azure).lower()]
        self.request = Forgetting("r1", LONG_AGO.isoformat())

    def happened(self, key: str, number: int, at: datetime = LONG_AGO) -> None:
        properties = {
            "inference_id": f"id{number}",
            "key": key,
            "environment": "dev",
            "endpoint": "tiny-dev",
            "model_name": "tiny",
        }
        self.azure.state.events.append((at.isoformat(), "prediction", properties))

    def write(self, name: str, content: bytes) -> str:
        self.azure.azurite.write(self.store, f"{FOLDER}/{name}", content)
        return f"{FOLDER}/{name}"

    def read(self, name: str) -> bytes:
        return self.azure.azurite.read(self.store, name)

    @property
    def container(self) -> Any:
        return self.azure.azurite._container(self.store)

    def clear(self) -> tuple[str, ...]:
        """Remove the key; return what is left."""
        needle = Needle(KEY, "machine", whole=False)
        search = RemoteSearch(remote_rows(self.clients), needle, "tiny", "dev", silent)
        request = replace(self.request, pending=())
        self.request = search.clear(request, lambda _request: None, datetime.now(UTC))
        return self.request.pending


def workspace_id(azure: AzureEmulator) -> str:
    group = azure.state.group_id("rg-dev")
    return f"{group}/providers/Microsoft.MachineLearningServices/workspaces/mlw-dev"


def purges(azure: AzureEmulator) -> int:
    """Return how many purges were asked for."""
    return len(azure.called("POST", "/purge$"))


def lines(*numbers: int) -> bytes:
    rows = [{"inference_id": f"id{number}", "features": '{"a": 0.1}'} for number in numbers]
    return b"".join(json.dumps({"data": [each]}).encode() + b"\n" for each in rows)


@pytest.fixture
def place(azure: AzureEmulator, dev: MLClient, tmp_path: Path) -> Iterator[Place]:
    assert dev
    azure.purges.places = {"rg-dev": "log-dev"}
    azure.purges.denied = False
    found = Place(azure, tmp_path / "project")
    yield found
    azure.state.events.clear()
    for name in azure.azurite.names(found.store, "modelDataCollector"):
        found.container.delete_blob(name)


def test_lines_go_from_the_blobs_and_the_log_s_rows_by_a_purge(
    azure: AzureEmulator, place: Place
) -> None:
    name = place.write("one.jsonl", lines(1, 2, 3))
    for number, key in enumerate((KEY, OTHER, KEY), 1):
        place.happened(key, number)
    (left,) = place.clear()
    assert "the purge purge-" in left
    assert "of 2 rows was asked for and has not ended" in left
    assert place.read(name) == lines(2)
    assert place.request.removed == {"collected": 2}
    (call,) = azure.called("POST", "/purge$")
    assert KEY not in json.dumps(call.body)
    assert place.clear() == (left,)
    azure.purges.complete()
    assert place.clear() == ()
    assert place.request.removed == {"collected": 2, "app_events": 2}
    assert [properties["key"] for _, _, properties in azure.state.events] == [OTHER]
    assert purges(azure) == 1
    assert azure.refused_hosts == []
    assert azure.state.client_faults == []


@pytest.mark.slow
class TestBlobs:
    """What Azurite does with conditions, for both kinds of files that can be written."""

    @pytest.mark.parametrize("kind", [BlobType.BLOCKBLOB, BlobType.APPENDBLOB])
    def test_a_file_stays_of_its_kind_with_what_is_said_of_it(
        self, place: Place, kind: BlobType
    ) -> None:
        name = f"{FOLDER}/one.jsonl"
        blob = place.container.get_blob_client(name)
        blob.upload_blob(lines(1, 2), blob_type=kind, metadata={"whose": "collector"})
        read = place.blobs.read_tagged(name)
        assert read is not None
        place.blobs.replace(name, read[1], lines(2))
        found = blob.get_blob_properties()
        assert (found.blob_type, found.metadata) == (kind, {"whose": "collector"})
        assert place.read(name) == lines(2)
        assert place.azure.azurite.names(place.store, FOLDER) == [name]
        (listed,) = place.blobs.listed(FOLDER)
        assert listed.tag == place.blobs.read_tagged(name)[1]  # type: ignore[index]

    @pytest.mark.parametrize("kind", [BlobType.BLOCKBLOB, BlobType.APPENDBLOB])
    def test_a_file_that_has_changed_is_not_replaced(self, place: Place, kind: BlobType) -> None:
        name = f"{FOLDER}/one.jsonl"
        blob = place.container.get_blob_client(name)
        blob.upload_blob(lines(1), blob_type=kind)
        read = place.blobs.read_tagged(name)
        assert read is not None
        blob.upload_blob(lines(1, 2), blob_type=kind, overwrite=True)
        with pytest.raises(FileChanged):
            place.blobs.replace(name, read[1], b"")
        assert place.read(name) == lines(1, 2)
        assert place.azure.azurite.names(place.store, FOLDER) == [name]
        blob.delete_blob()
        with pytest.raises(FileChanged):
            place.blobs.replace(name, read[1], b"")
        assert place.blobs.read_tagged(name) is None

    def test_a_large_file_is_replaced_as_a_whole(self, place: Place) -> None:
        name = f"{FOLDER}/one.jsonl"
        blob = place.container.get_blob_client(name)
        blob.upload_blob(b"x", blob_type=BlobType.APPENDBLOB)
        content = os.urandom(9 * 2**20)
        read = place.blobs.read_tagged(name)
        assert read is not None
        place.blobs.replace(name, read[1], content)
        assert place.read(name) == content

    def test_another_kind_is_refused(self, place: Place) -> None:
        name = f"{FOLDER}/one.page"
        place.container.get_blob_client(name).create_page_blob(512)
        read = place.blobs.read_tagged(name)
        assert read is not None
        with pytest.raises(PlatformError, match="is a PageBlob, which no command replaces"):
            place.blobs.replace(name, read[1], b"")

    def test_what_a_killed_command_left_is_removed(self, place: Place) -> None:
        name = place.write("one.jsonl", lines(2))
        place.write(f"one.jsonl{BESIDE}", lines(2))
        assert place.clear() == ()
        assert place.azure.azurite.names(place.store, FOLDER) == [name]


@pytest.mark.slow
class TestWhatIsLeft:
    def test_a_storage_that_cannot_be_read(
        self, azure: AzureEmulator, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place.happened(KEY, 1)
        workspace = workspace_id(azure)
        store = azure.state.get(f"{workspace}/datastores/workspaceblobstore")
        monkeypatch.setitem(store["properties"], "containerName", "gone")
        before = purges(azure)
        left = place.clear()
        assert left[0].startswith("dev: listing modelDataCollector/tiny-dev/ in the workspace's ")
        assert left[-1].endswith("the purge is asked for once the places above are done")
        assert purges(azure) == before

    def test_who_lacks_the_role_is_told_and_gets_it_later(
        self, azure: AzureEmulator, place: Place
    ) -> None:
        place.happened(KEY, 1)
        azure.purges.denied = True
        (left,) = place.clear()
        assert (
            "who runs this may not purge: give them the role Data Purger on /subscriptions" in left
        )
        azure.purges.denied = False
        assert "has not ended" in place.clear()[0]

    def test_a_workspace_that_is_elsewhere(self, azure: AzureEmulator, place: Place) -> None:
        place.happened(KEY, 1)
        azure.purges.places = {}
        (left,) = place.clear()
        assert "set azure.log_analytics_resource_id in conf" in left

    def test_an_operation_that_is_not_known_any_more_is_asked_for_again(
        self, azure: AzureEmulator, place: Place
    ) -> None:
        place.happened(KEY, 1)
        place.clear()
        before = purges(azure)
        azure.purges.forget()
        assert "has not ended" in place.clear()[0]
        assert purges(azure) == before + 1


@pytest.mark.slow
def test_the_command_ends_with_4_until_the_purge_has_ended(
    azure: AzureEmulator, place: Place
) -> None:
    place.write("one.jsonl", lines(1, 2))
    place.happened(KEY, 1)
    environment = os.environ | azure.variables
    environment |= {
        "PYTHONPATH": str(MACHINERY / "tests"),
        "XDG_CONFIG_HOME": str(place.root.parent / "config"),
        "MLOPS_AUDIT__REQUIRED": "false",
    }

    def forget(*flags: str) -> tuple[int, Any, str]:
        command = (str(machinery_python()), "-m", "mlops", "forget", "--key", "-", "--json")
        done = subprocess.run(
            [*command, "--environment", "dev", *flags],
            cwd=place.root,
            env=environment,
            input=f"{KEY}\n",
            text=True,
            capture_output=True,
            check=False,
        )
        return done.returncode, json.loads(done.stdout), done.stdout + done.stderr

    before = purges(azure)
    code, told, said = forget("--dry-run")
    assert (code, told["removed"]) == (4, {"collected": 1, "app_events": 1}), said
    assert purges(azure) == before
    code, told, said = forget()
    assert (code, told["outcome"]) == (4, "pending"), said
    assert purges(azure) == before + 1
    assert KEY not in said
    azure.purges.complete()
    code, told, said = forget()
    assert code == 4, "what people have to do is named"
    assert all(each.startswith("Azure, ") for each in told["pending"])
    code, told, said = forget("--by-hand-done")
    assert (code, told["outcome"], told["pending"]) == (0, "done", []), said
    assert KEY not in said
    for path in place.root.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
