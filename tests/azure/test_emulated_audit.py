"""The audit log on Azure, by the project's own code and Microsoft's clients."""

from datetime import UTC, datetime, timedelta

import pytest
import yaml
from azure.ai.ml import MLClient
from azure.ai.ml.entities import Model
from fakes.audit_lines import note, written
from fakes.project import write_project
from mlops.governance.audit.log import append, read_entries, read_lines
from mlops.governance.audit.verify import verify
from mlops.platforms.auditing import Anchor, NoAuditLog, Overtaken
from mlops.platforms.azure.audit import AzureAudit
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.models import AzureModels
from mlops.settings.loading import load_settings

from .emulator import AzureEmulator

pytestmark = pytest.mark.azure
WHEN = datetime(2026, 11, 30, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
NAMES = {"resource_group": "rg-dev", "workspace": "mlw-dev", "registry": "mlr-shared"}


@pytest.fixture(scope="module")
def clients(
    azure: AzureEmulator, dev: MLClient, tmp_path_factory: pytest.TempPathFactory
) -> AzureClients:
    assert dev
    project = write_project(tmp_path_factory.mktemp("audit") / "project")
    conf = {"azure": {"subscription_id": azure.state.subscription, **NAMES}}
    with (project.root / "conf" / "base.yaml").open("a") as stream:
        yaml.safe_dump(conf, stream)
    return AzureClients(load_settings(project, variables={}))


@pytest.fixture
def store(clients: AzureClients) -> AzureAudit:
    return AzureAudit(clients)


def test_lines_of_two_months_are_there_in_one_chain_and_anchored(
    azure: AzureEmulator, store: AzureAudit, clients: AzureClients
) -> None:
    assert (store.months(), store.anchor(), store.tail("2026-11.jsonl", 9)) == ([], None, (0, b""))
    written(store, 2, WHEN)
    append(store, note(version=3), WHEN + timedelta(days=1))
    assert store.months() == ["2026-11.jsonl", "2026-12.jsonl"]
    entries = read_entries(store)
    assert [each.number for each in entries] == [1, 2, 3, 4]
    assert store.anchor() == Anchor(4, entries[-1].sha256)
    assert verify(read_lines(store), store.anchor(), WHEN, YEAR).whole
    assert store.place().endswith("/audit/dev/")
    assert AzureModels(clients).listed() == []
    assert azure.state.client_faults == []
    assert azure.refused_hosts == []


def test_of_two_writers_at_one_place_one_is_refused_and_goes_behind_the_other(
    store: AzureAudit, clients: AzureClients
) -> None:
    month = store.months()[-1]
    length, _ = store.tail(month, 0)
    before = len(read_entries(store))
    slow = AzureAudit(clients)
    meets = slow.append

    def overtaken(month: str, line: bytes, at: int, anchor: Anchor) -> None:
        vars(slow).pop("append")
        append(store, note(version=8), WHEN)
        meets(month, line, at, anchor)

    vars(slow)["append"] = overtaken
    append(slow, note(version=9), WHEN)
    assert [each.version for each in read_entries(store)[before:]] == [8, 9]
    assert verify(read_lines(store), store.anchor(), WHEN, YEAR).whole
    for at in (0, length):
        with pytest.raises(Overtaken):
            store.append(month, b"late\n", at, Anchor(1, "a"))


def test_a_version_that_is_registered_later_leaves_the_anchor(
    dev: MLClient,
    store: AzureAudit,
    clients: AzureClients,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    anchor = store.anchor()
    folder = tmp_path_factory.mktemp("version")
    (folder / "model.onnx").write_text("model")
    dev.models.create_or_update(Model(name="tiny", version="1", path=folder))
    assert store.anchor() == anchor
    append(store, note(), WHEN)
    assert [each.number for each in AzureModels(clients).listed()] == [1]


def test_a_container_that_is_not_there_is_said_to_be_missing(clients: AzureClients) -> None:
    store = AzureAudit(clients)
    vars(store)["_account"] = "mlopskeyless"
    with pytest.raises(NoAuditLog, match="there is no container audit"):
        store.months()
    with pytest.raises(NoAuditLog, match="there is no container audit"):
        append(store, note(), WHEN)
