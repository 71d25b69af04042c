"""What a request of deletion is shown of Azure: files, events, and why they cannot be had."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from fakes.azure import clients_of
from mlops.errors import ConfigError, MlopsError
from mlops.platforms.azure.blobs import Blob, WorkspaceBlobs
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.forgetting import AzureFiles, AzureLog, events_query, remote_rows
from mlops.platforms.base import NotObserved
from mlops.platforms.remote_rows import RemoteEvent, Store
from mlops.settings.loading import LoadedSettings

KEY = "m00017"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CUSTOMER = "5f0c8b7e-0000-4000-8000-00000000000a"


class Blobs(WorkspaceBlobs):
    """The names of the workspace's files."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.removed: list[str] = []

    def listed(self, prefix: str) -> Iterator[Blob]:
        return (Blob(each, NOON, "tag") for each in self.names if each.startswith(prefix))

    def remove_left_behind(self, prefix: str) -> None:
        self.removed.append(prefix)


def load_clients(load: Callable[..., LoadedSettings], **azure: str) -> AzureClients:
    names = {f"azure__{name}": value for name, value in azure.items()}
    return clients_of(load(platform="azure", azure__subscription_id="s", **names))[0]


def test_the_environment_s_files_and_those_of_endpoints_that_are_named_are_listed() -> None:
    blobs = Blobs(
        "modelDataCollector/tiny-dev/blue/features/2026/05/01/12/one.jsonl",
        "modelDataCollector/tiny-dev/blue/request/2026/05/01/12/one.jsonl",
        "modelDataCollector/tiny-dev/blue/features/2026/05/01/12/one.jsonl.forgetting",
        "modelDataCollector/tiny-dev-2/blue/features/2026/05/01/12/one.jsonl",
        "modelDataCollector/before/blue/features/2026/05/01/12/one.jsonl",
        "scored-events/job/part-00000.parquet",
        "scored-events/job/note.txt",
        "azureml/job/prepared/train.parquet",
    )
    files = AzureFiles("tiny-dev", blobs)
    found = {each.name: each.store for each in files.listed({"before"})}
    assert found == {
        blobs.names[0]: Store.COLLECTED,
        blobs.names[1]: Store.COLLECTED,
        blobs.names[4]: Store.COLLECTED,
        blobs.names[5]: Store.SCORED,
    }
    files.tidy({"before"})
    assert blobs.removed == ["modelDataCollector/before/", "modelDataCollector/tiny-dev/"]


def test_events_are_those_of_the_model_and_the_environment(
    load: Callable[..., LoadedSettings],
) -> None:
    asked: list[str] = []

    def ask(text: str) -> list[dict[str, Any]]:
        asked.append(text)
        row = {"TimeGenerated": NOON.isoformat(), "id": "i", "key": KEY, "endpoint": "e"}
        return [row, row]

    log = AzureLog(load_clients(load, log_analytics_workspace_id=CUSTOMER), ask)
    assert log.events(KEY, whole=False) == [RemoteEvent("i", KEY, "e", NOON)]
    (text,) = asked
    assert '| where tostring(Properties.model_name) == "tiny"\n' in text
    assert '| where tostring(Properties.environment) == "dev"\n' in text


def test_a_whole_number_is_compared_as_one_as_long_as_kql_has_room_for_it() -> None:
    def condition(key: str) -> str:
        return events_query("m", "dev", key, NOON, 1, whole=True)

    assert "tolong(tostring(Properties.key)) == -7\n" in condition("-7")
    assert f'in ("{"9" * 19}")\n' in condition("9" * 19)


def test_a_key_cannot_end_the_query() -> None:
    text = events_query("m", "dev", 'a" or "\\', NOON, 1, whole=False)
    assert 'in ("a\\" or \\"\\\\")\n' in text


def test_a_text_is_compared_without_blanks_at_its_ends_and_however_it_is_composed() -> None:
    text = events_query("m", "dev", "é1", NOON, 1, whole=False)
    assert 'where trim(@"\\s+", tostring(Properties.key)) in ("e\u03011", "\u00e91")\n' in text


@pytest.mark.parametrize(
    "raised",
    [
        ConfigError(f"Log Analytics does not answer the query ({KEY})", "check it"),
        NotObserved(f"cannot be reached: {KEY}"),
    ],
)
def test_why_it_cannot_be_searched_is_said_without_the_key(
    load: Callable[..., LoadedSettings], raised: MlopsError
) -> None:
    def ask(_text: str) -> list[dict[str, Any]]:
        raise raised

    log = AzureLog(load_clients(load, log_analytics_workspace_id=CUSTOMER), ask)
    with pytest.raises(type(raised), match="AppEvents cannot be searched") as found:
        log.events(KEY, whole=False)
    assert KEY not in str(found.value)
    assert found.value.remedy in ("check it", "try again")


def test_who_may_not_read_the_log_is_told_the_role(
    load: Callable[..., LoadedSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = requests.Response()
    denied.status_code = 403
    monkeypatch.setattr(requests.Session, "post", lambda *_a, **_o: denied)
    log = AzureLog(load_clients(load, log_analytics_workspace_id=CUSTOMER))
    with pytest.raises(ConfigError, match="Log Analytics Reader"):
        log.events(KEY, whole=False)


def test_events_whose_place_conf_does_not_name_cannot_be_searched(
    load: Callable[..., LoadedSettings],
) -> None:
    insights = f"InstrumentationKey={'0' * 36};IngestionEndpoint=https://a.example"
    rows = remote_rows(load_clients(load, insights_connection_string=insights))
    assert rows.log is not None
    with pytest.raises(ConfigError, match=r"set azure\.log_analytics_workspace_id"):
        rows.log.events(KEY, whole=False)
    assert remote_rows(load_clients(load)).log is None, "where no events are kept there is no log"
