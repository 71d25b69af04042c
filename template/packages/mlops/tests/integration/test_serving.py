"""The scoring contract and the endpoint's front, with the real inference server."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from fakes.rig import NAME, Rig
from fakes.tiny_version import ROW, tiny_probability
from fakes.waiting import LONGEST_SECONDS
from mlops.errors import PlatformError
from mlops.platforms.local import processes
from mlops.progress import silent
from mlops.release.smoke import smoke_test
from mlops.settings.sections import SmokeTestSettings


@pytest.mark.parametrize("rows", [1, 1000])
def test_a_batch_is_scored(rig: Rig, rows: int) -> None:
    wanted = [(n / rows, 1.0, None if n % 2 else 0.5) for n in range(rows)]
    data = [dict(zip("abc", values, strict=True)) for values in wanted]
    answer = rig.endpoint.invoke({"data": data})
    assert answer.status == 200
    assert answer.body["model_version"] == rig.served()
    assert len(set(answer.body["inference_id"])) == rows
    expected = [tiny_probability(*values) for values in wanted]
    assert answer.body["probabilities"] == pytest.approx(expected, abs=1e-5)
    assert answer.body["predictions"] == [int(p >= 0.5) for p in answer.body["probabilities"]]


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "not valid JSON"),
        (b"{'data': []}", "not valid JSON"),
        (b'{"data": [{"a": NaN, "b": 1, "c": 1}]}', "NaN is not a JSON number"),
        (b"[]", "must be an object"),
        (b"{}", 'lacks the field "data"'),
        ({"data": [ROW], "more": 1}, 'unknown field "more"'),
        ({"data": []}, '"data" is empty'),
        ({"data": [ROW, 1]}, "row 1"),
        ({"data": [{"a": 1.0, "c": 1.0}]}, '"b" is missing'),
        ({"data": [ROW, {**ROW, "d": 1}]}, 'row 1: unknown field "d"'),
        ({"data": [{**ROW, "a": "1"}]}, 'row 0: "a" must be a number'),
        ({"data": [{**ROW, "a": True}]}, 'row 0: "a" must be a number'),
        ({"data": [{**ROW, "b": None}]}, 'row 0: "b" must not be null'),
        ({"data": [{**ROW, "c": 1e39}]}, 'row 0: "c" is too large'),
    ],
)
def test_bad_input_is_the_clients_mistake(rig: Rig, payload: Any, said: str) -> None:
    answer = rig.endpoint.invoke(payload)
    assert answer.status == 400
    assert said in answer.body["error"]


def test_text_that_is_not_utf8_is_the_clients_mistake(rig: Rig) -> None:
    assert rig.endpoint.invoke(b'{"data": "\xff"}').status == 400


def test_what_the_server_cannot_read_says_what_to_send(rig: Rig) -> None:
    url, key = rig.endpoint.url(), {"Authorization": f"Bearer {rig.endpoint.key()}"}
    form = requests.post(url, data={"data": "1"}, headers=key, timeout=LONGEST_SECONDS)
    packed = requests.post(
        url,
        data=gzip.compress(json.dumps({"data": [ROW]}).encode()),
        headers={**key, "Content-Encoding": "gzip"},
        timeout=LONGEST_SECONDS,
    )
    assert (form.status_code, packed.status_code) == (400, 400)
    assert "Content-Type: application/json" in form.json()["error"]
    assert "without the header Content-Encoding" in packed.json()["error"]


@pytest.mark.parametrize(
    ("status", "path", "options"),
    [
        (400, "score", {"data": b"\x1f\x8b"}),
        (431, "score", {"headers": {"x-request-id": "x" * 101}}),
        (404, "elsewhere", {}),
    ],
)
def test_what_the_server_itself_answers_is_as_the_page_says(
    rig: Rig, status: int, path: str, options: dict[str, Any]
) -> None:
    """docs/serving.md describes it, for it cannot be changed from score.py."""
    server = rig.state.deployments["blue"].process
    assert server
    url = f"http://127.0.0.1:{server.port}/{path}"
    answer = requests.post(url, timeout=LONGEST_SECONDS, **options)
    assert answer.status_code == status
    assert list(answer.json()) == ["message"]


def test_a_proxy_for_the_internet_is_not_asked(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert rig.endpoint.invoke({"data": [ROW]}).status == 200


def test_servers_listen_to_this_machine_alone(rig: Rig) -> None:
    for process in (rig.process(), rig.router()):
        addresses = {c.laddr.ip for c in process.net_connections("tcp") if c.status == "LISTEN"}
        assert addresses == {"127.0.0.1"}


def test_an_endpoint_says_what_it_serves(rig: Rig) -> None:
    (blue,) = [each for each in rig.endpoint.deployments() if each.name == "blue"]
    assert (blue.model_version, blue.healthy, blue.detail) == (rig.served(), True, "")
    assert blue.commit == "0123456789abcdef"
    assert rig.endpoint.traffic()["blue"] == 100
    assert rig.endpoint.is_current("blue", rig.version(rig.served()))
    assert not rig.endpoint.is_current("blue", rig.next_version())
    assert not rig.endpoint.is_current("red", rig.version(1))


def test_the_smoke_test_passes_on_the_real_thing(rig: Rig) -> None:
    result = smoke_test(
        rig.endpoint,
        lambda number: json.loads((rig.version(number).folder / "signature.json").read_text()),
        SmokeTestSettings(requests=10, max_p95_ms=5000),
    )
    assert [check for check in result.checks if not check.passed] == []
    assert result.passed


def test_only_a_healthy_deployment_can_take_traffic(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "listens", lambda _process, _port: False)
    assert not any(each.healthy for each in rig.endpoint.deployments())
    with pytest.raises(PlatformError, match="blue cannot take traffic: it is not healthy"):
        rig.endpoint.set_traffic({"blue": 100})


def test_a_second_command_at_once_is_refused(rig: Rig) -> None:
    endpoint = rig.endpoint
    with endpoint._state.changing(NAME):
        changes: list[Callable[[], None]] = [
            lambda: rig.endpoint.deploy("blue", rig.next_version(), silent),
            lambda: rig.endpoint.set_traffic({"blue": 100}),
            rig.endpoint.stop,
        ]
        for change in changes:
            with pytest.raises(PlatformError, match="another command is changing"):
                change()
        assert rig.endpoint.invoke({"data": [ROW]}).status == 200
