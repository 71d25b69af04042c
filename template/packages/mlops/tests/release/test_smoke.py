"""The smoke test: it passes on an endpoint that keeps the contract and on no other."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fakes.scoring_script import load_script
from fakes.tiny_version import FEATURES, tiny_probability
from mlops.errors import ConfigError
from mlops.platforms.base import Answer, Deployment
from mlops.release.smoke import SmokeResult, bad_requests, percentile, smoke_test
from mlops.settings.sections import SmokeTestSettings

SETTINGS = SmokeTestSettings(requests=20, max_p95_ms=100)
SIGNATURE = {"schema": 1, "features": FEATURES}

Fault = Callable[[Answer], Answer]


def deployed(name: str, version: int, healthy: bool = True) -> Deployment:
    return Deployment(name, version, "aa", "bb", healthy, "" if healthy else "not running")


class FakeEndpoint:
    """Answers by the contract of the real scoring script; a fault spoils what it answers."""

    name = "tiny-dev"

    def __init__(self, *deployments: Deployment, **traffic: int) -> None:
        self.found = {each.name: each for each in deployments}
        self.shares = traffic
        self.fault: Fault = lambda answer: answer
        self.invoked: list[str | None] = []

    def deployments(self) -> list[Deployment]:
        return list(self.found.values())

    def traffic(self) -> dict[str, int]:
        return self.shares

    def invoke(self, payload: bytes | Mapping[str, Any], deployment: str | None = None) -> Answer:
        self.invoked.append(deployment)
        name = deployment or max(self.shares, key=lambda each: self.shares[each])
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return self.fault(self.answer(raw, self.found[name].model_version))

    def answer(self, raw: bytes, version: int) -> Answer:
        script = load_script()
        features = [script.Feature(each["name"], each["nullable"]) for each in FEATURES]
        try:
            rows = script.parse(raw, features)
        except script.BadRequest as error:
            return Answer(400, {"error": str(error)}, 0.001)
        body = {
            "predictions": [1 for _ in rows],
            "probabilities": [tiny_probability(1, 0, 0) for _ in rows],
            "model_version": version,
            "inference_id": [str(number) for number, _ in enumerate(rows)],
        }
        return Answer(200, body, 0.001)


def run(endpoint: FakeEndpoint, deployment: str | None = None) -> SmokeResult:
    return smoke_test(endpoint, lambda _version: SIGNATURE, SETTINGS, deployment)  # type: ignore[arg-type]


def failed(result: SmokeResult) -> set[str]:
    return {check.name for check in result.checks if not check.passed}


@pytest.fixture
def endpoint() -> FakeEndpoint:
    return FakeEndpoint(deployed("blue", 1), deployed("green", 2), blue=100, green=0)


def test_an_endpoint_that_keeps_the_contract_passes(endpoint: FakeEndpoint) -> None:
    result = run(endpoint)
    assert failed(result) == set()
    assert result.passed
    names = {check.name for check in result.checks}
    assert {"blue: batch of 1", "green: batch of 100", "green: NaN", "endpoint"} <= names
    content = json.loads(json.dumps(result.to_dict()))
    assert content["passed"] is True
    assert len(content["checks"]) == len(result.checks)


def test_one_deployment_can_be_tested_alone(endpoint: FakeEndpoint) -> None:
    assert run(endpoint, "green").passed
    assert set(endpoint.invoked) == {"green"}


def spoil(**changes: Any) -> Fault:
    """Return a fault that changes the body of good answers."""

    def fault(answer: Answer) -> Answer:
        if answer.status != 200:
            return answer
        return Answer(200, {**answer.body, **changes}, answer.seconds)

    return fault


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        (spoil(model_version=9), "blue: batch of 1"),
        (spoil(model_version=9), "blue: errors"),
        (spoil(predictions=[1]), "blue: batch of 100"),
        (spoil(probabilities=[1.5]), "blue: batch of 1"),
        (spoil(probabilities=["high"]), "blue: batch of 1"),
        (spoil(predictions=[2]), "blue: batch of 1"),
        (spoil(inference_id=None), "blue: batch of 1"),
        (spoil(inference_id=[""]), "blue: batch of 1"),
        (lambda answer: Answer(answer.status, "<html>", 0.001), "blue: batch of 1"),
        (lambda _answer: Answer(502, {"error": "dead"}, 0.001), "endpoint"),
        (lambda answer: Answer(200, answer.body, 0.001), "blue: not JSON"),
        (lambda _answer: Answer(500, {"message": "oops"}, 0.001), "blue: missing feature"),
        (lambda answer: Answer(answer.status, {"error": "no"}, 0.001), "blue: extra field"),
        (lambda answer: Answer(answer.status, answer.body, 0.2), "blue: latency (p95)"),
    ],
)
def test_every_broken_promise_is_found(endpoint: FakeEndpoint, fault: Fault, check: str) -> None:
    endpoint.fault = fault
    result = run(endpoint)
    assert not result.passed
    assert check in failed(result)


def test_a_few_slow_answers_are_allowed_many_are_not(endpoint: FakeEndpoint) -> None:
    seconds = iter([0.2] + [0.001] * 19)

    def slow_at_first(answer: Answer) -> Answer:
        return Answer(answer.status, answer.body, next(seconds))

    def run_speed() -> set[str]:
        batches = 3 + len(bad_requests(SIGNATURE))
        endpoint.fault = lambda answer: (
            answer if len(endpoint.invoked) <= batches else slow_at_first(answer)
        )
        endpoint.invoked.clear()
        return failed(run(endpoint, "blue"))

    assert run_speed() == set()
    seconds = iter([0.2] * 2 + [0.001] * 18)
    assert run_speed() == {"blue: latency (p95)"}


def test_a_latency_is_told_with_the_place_where_it_was_measured(endpoint: FakeEndpoint) -> None:
    found = {check.name: check.found for check in run(endpoint).checks}
    assert found["blue: latency (p95)"] == "1.0 ms, as seen from here"


def test_a_null_must_be_answered_where_the_signature_allows_it(endpoint: FakeEndpoint) -> None:
    original = endpoint.answer
    endpoint.answer = lambda raw, version: (  # type: ignore[method-assign]
        Answer(500, {"message": "oops"}, 0.001)
        if b'"c": null' in raw and b'"a": null' not in raw
        else original(raw, version)
    )
    assert failed(run(endpoint)) == {"blue: nulls where allowed", "green: nulls where allowed"}


def test_an_unhealthy_deployment_fails_the_test_without_being_called() -> None:
    endpoint = FakeEndpoint(deployed("blue", 1), deployed("green", 2, healthy=False), blue=100)
    assert failed(run(endpoint)) == {"green: health"}
    assert "green" not in endpoint.invoked


def test_an_endpoint_without_traffic_fails() -> None:
    assert failed(run(FakeEndpoint(deployed("blue", 1), blue=0))) == {"endpoint"}


def test_the_route_must_lead_to_a_deployment_with_traffic(endpoint: FakeEndpoint) -> None:
    original = endpoint.invoke
    endpoint.invoke = lambda payload, deployment=None: (  # type: ignore[method-assign]
        original(payload, deployment or "green")
    )
    assert failed(run(endpoint)) == {"endpoint"}


def test_an_unknown_deployment_is_an_error(endpoint: FakeEndpoint) -> None:
    with pytest.raises(ConfigError, match="no deployment red"):
        run(endpoint, "red")
    with pytest.raises(ConfigError):
        run(FakeEndpoint())


def test_nothing_checked_is_nothing_passed() -> None:
    assert not SmokeResult("e", ()).passed


def test_the_percentile_is_a_value_that_was_measured() -> None:
    assert percentile(range(1, 101), 0.95) == 95
    assert percentile([3.0], 0.95) == 3.0
    assert percentile([1.0, 9.0], 0.95) == 9.0
