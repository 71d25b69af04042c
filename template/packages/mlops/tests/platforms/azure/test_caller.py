"""How the commands call an Azure endpoint: with its key, or with a token and no key."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.azure_place import NAME, AzurePlace
from mlops.errors import ConfigError
from mlops.platforms.azure import caller as azure_caller
from mlops.platforms.azure import changes as azure_changes
from mlops.platforms.azure.credentials import SPARE_SECONDS
from mlops.platforms.base import Answer, ModelVersion
from mlops.progress import silent
from mlops.settings.loading import LoadedSettings


@pytest.fixture
def place(load: Callable[..., LoadedSettings]) -> AzurePlace:
    return AzurePlace(load(azure__subscription_id="s"))


def test_the_status_is_the_deployments_own(
    place: AzurePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []

    def post(_session: Any, url: str, _payload: Any, headers: Any, _timeout: float) -> Answer:
        sent.append((url, dict(headers)))
        return Answer(424, {"error": "x"}, 0.1, {"ms-azureml-model-error-statuscode": "400"})

    monkeypatch.setattr(azure_caller, "post", post)
    assert place.endpoint.invoke({"data": []}).status == 400
    place.endpoint.invoke({"data": []}, "green")
    (_, plain), (_, direct) = sent
    assert "User-Agent" not in plain
    assert direct["azureml-model-deployment"] == "green"
    assert direct["User-Agent"] == "mlops-direct"
    assert direct["Authorization"] == "Bearer key"


@pytest.fixture
def entra(load: Callable[..., LoadedSettings], monkeypatch: pytest.MonkeyPatch) -> AzurePlace:
    monkeypatch.setattr(azure_changes, "SETTLE_SECONDS", 0.0)
    place = AzurePlace(load(azure__subscription_id="s", serving__auth="entra"))
    place.azure.kept[NAME].auth_mode = "aad_token"
    return place


def test_with_entra_a_token_is_sent_and_no_key_is_asked_for(
    entra: AzurePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def post(_session: Any, _url: str, _payload: Any, headers: Any, _timeout: float) -> Answer:
        sent.append(headers["Authorization"])
        return Answer(200 if len(sent) == 1 else 401, {}, 0.1)

    monkeypatch.setattr(azure_caller, "post", post)
    assert entra.endpoint.invoke({"data": []}).status == 200
    assert entra.endpoint.key() == "token"
    assert sent == ["Bearer token"]
    with pytest.raises(
        ConfigError, match=r"signed in call it.*score/action.*: the narrow `… endpoint"
    ):
        entra.endpoint.invoke({"data": []})
    assert entra.azure.keys_listed == 0
    assert len(entra.credential.asked) == 1
    entra.endpoint.key()
    assert len(entra.credential.asked) == 2, "what was refused is not sent again"


def test_many_requests_need_one_token_until_it_is_about_to_run_out(
    entra: AzurePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azure_caller, "post", lambda *_: Answer(200, {}, 0.1))

    def asked_for(requests: int) -> list[str]:
        entra.credential.asked.clear()
        for _ in range(requests):
            entra.endpoint.invoke({"data": []})
        return entra.credential.asked

    assert asked_for(20) == [azure_caller.TOKEN_SCOPE]
    entra.credential.now += 3600 - SPARE_SECONDS - 1
    assert asked_for(20) == []
    entra.credential.now += 2
    assert asked_for(20) == [azure_caller.TOKEN_SCOPE]


@pytest.mark.parametrize("mode", ["key", "Key", "aml_token", "AADToken"])
def test_an_endpoint_that_takes_something_else_is_neither_called_nor_changed(
    entra: AzurePlace, tmp_path: Path, mode: str
) -> None:
    entra.azure.kept[NAME].auth_mode = mode
    version = ModelVersion("tiny", 1, tmp_path)
    ask: list[Callable[[], Any]] = [
        lambda: entra.endpoint.invoke({"data": []}),
        entra.endpoint.key,
        lambda: entra.endpoint.deploy("green", version, silent),
    ]
    if mode == "AADToken":
        assert entra.endpoint.key() == "token"
        return
    for each in ask:
        with pytest.raises(ConfigError, match=r"takes .*, and serving.auth is entra"):
            each()
    assert (entra.azure.keys_listed, entra.azure.writes) == (0, [])
