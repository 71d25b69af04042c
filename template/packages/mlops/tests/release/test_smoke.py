"""The smoke test: it passes on an endpoint that keeps the contract and on no other."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.tiny_version import FEATURES
from mlops.errors import ConfigError
from mlops.platforms.base import Answer, Endpoint
from mlops.release.smoke import (
    SmokeResult,
    bad_requests,
    explain_answer,
    good_requests,
    percentile,
    smoke_test,
)
from mlops.settings.sections import SmokeTestSettings

SETTINGS = SmokeTestSettings(requests=20, max_p95_ms=100)
SIGNATURE = {"schema": 1, "features": FEATURES}

Fault = Callable[[Answer], Answer]


def run(endpoint: Endpoint, deployment: str | None = None) -> SmokeResult:
    return smoke_test(endpoint, lambda _version: SIGNATURE, SETTINGS, deployment)


def failed(result: SmokeResult) -> set[str]:
    return {check.name for check in result.checks if not check.passed}


def test_an_endpoint_that_keeps_the_contract_passes(both: FakeEndpoint) -> None:
    result = run(both)
    assert failed(result) == set()
    assert result.passed
    names = {check.name for check in result.checks}
    assert {"blue: batch of 1", "green: batch of 100", "green: NaN", "endpoint"} <= names
    content = json.loads(json.dumps(result.to_dict()))
    assert content["passed"] is True
    assert len(content["checks"]) == len(result.checks)


def test_what_may_be_left_out_is_left_out_and_all_else_must_be_sent() -> None:
    a, b, c = FEATURES
    optional = {"features": [a, {**b, "optional": True}, {**c, "optional": True}]}
    assert ("left out where allowed", ["b", "c"], {"a": a["example"]}) in good_requests(optional)
    optional = {"features": [{**a, "optional": True}, b, c]}
    (missing,) = (body for kind, body, _ in bad_requests(optional) if kind == "missing feature")
    assert list(json.loads(missing)["data"][0]) == ["a", "c"]
    optional = {"features": [{**each, "optional": True} for each in (a, b, c)]}
    assert "missing feature" not in {kind for kind, _, _ in bad_requests(optional)}


def test_one_deployment_can_be_tested_alone(both: FakeEndpoint) -> None:
    assert run(both, "green").passed
    assert set(both.invoked) == {"green"}


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
def test_every_broken_promise_is_found(both: FakeEndpoint, fault: Fault, check: str) -> None:
    both.fault = fault
    result = run(both)
    assert not result.passed
    assert check in failed(result)


def test_a_few_slow_answers_are_allowed_many_are_not(both: FakeEndpoint) -> None:
    seconds = iter([0.2] + [0.001] * 19)

    def slow_at_first(answer: Answer) -> Answer:
        return Answer(answer.status, answer.body, next(seconds))

    def run_speed() -> set[str]:
        batches = 3 + len(bad_requests(SIGNATURE))
        both.fault = lambda answer: (
            answer if len(both.invoked) <= batches else slow_at_first(answer)
        )
        both.invoked.clear()
        return failed(run(both, "blue"))

    assert run_speed() == set()
    seconds = iter([0.2] * 2 + [0.001] * 18)
    assert run_speed() == {"blue: latency (p95)"}


def test_a_latency_is_told_with_the_place_where_it_was_measured(both: FakeEndpoint) -> None:
    found = {check.name: check.found for check in run(both).checks}
    assert found["blue: latency (p95)"] == "1.0 ms, as seen from here"


def test_a_null_must_be_answered_where_the_signature_allows_it(
    both: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = both.answer

    def answer(raw: bytes, version: int) -> Answer:
        if b'"c": null' in raw and b'"a": null' not in raw:
            return Answer(500, {"message": "oops"}, 0.001)
        return original(raw, version)

    monkeypatch.setattr(both, "answer", answer)
    assert failed(run(both)) == {"blue: nulls where allowed", "green: nulls where allowed"}


def test_an_unhealthy_deployment_fails_the_test_without_being_called(both: FakeEndpoint) -> None:
    both.dead.add("green")
    assert failed(run(both)) == {"green: health"}
    assert "green" not in both.invoked


def test_an_endpoint_without_traffic_fails(endpoint: FakeEndpoint) -> None:
    endpoint.serve("blue", 1)
    assert failed(run(endpoint)) == {"endpoint"}


def test_the_route_must_lead_to_a_deployment_with_traffic(
    both: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke = both.invoke

    def misled(payload: bytes | Mapping[str, Any], deployment: str | None = None) -> Answer:
        return invoke(payload, deployment or "green")

    monkeypatch.setattr(both, "invoke", misled)
    assert failed(run(both)) == {"endpoint"}


def test_one_percent_of_the_traffic_suffices_for_the_route(both: FakeEndpoint) -> None:
    both.set_traffic({"blue": 99, "green": 1})
    both.fault = lambda answer: (
        Answer(200, {**answer.body, "model_version": 2}, 0.001) if not both.invoked[-1] else answer
    )
    assert failed(run(both)) == set()


def test_an_unknown_deployment_is_an_error(both: FakeEndpoint) -> None:
    with pytest.raises(ConfigError, match="no deployment red"):
        run(both, "red")
    with pytest.raises(ConfigError):
        run(FakeEndpoint())


@pytest.mark.parametrize(("milliseconds", "passes"), [(100, True), (100.1, False)])
def test_a_latency_right_at_its_limit_passes(
    both: FakeEndpoint, milliseconds: float, passes: bool
) -> None:
    both.fault = lambda answer: Answer(answer.status, answer.body, milliseconds / 1000)
    assert run(both, "blue").passed is passes


@pytest.mark.parametrize(("wrong", "passes"), [(0, True), (1, False)])
def test_one_wrong_answer_is_one_too_many(both: FakeEndpoint, wrong: int, passes: bool) -> None:
    last = 3 + len(bad_requests(SIGNATURE)) + SETTINGS.requests - wrong
    both.fault = lambda answer: Answer(500, {}, 0.001) if len(both.invoked) > last else answer
    result = run(both, "blue")
    assert result.passed is passes
    found = {check.name: check.found for check in result.checks}
    assert found["blue: errors"] == f"{wrong} of 20 requests"


@pytest.mark.parametrize(
    ("value", "allowed"), [(0, True), (1, True), (0.0, True), (-0.001, False), (1.001, False)]
)
def test_a_probability_lies_between_0_and_1(value: float, allowed: bool) -> None:
    body = {"predictions": [1], "probabilities": [value], "inference_id": ["a"], "model_version": 3}
    said = explain_answer(Answer(200, body, 0.001), 1, 3)
    assert said == ("" if allowed else "probabilities holds a value that is not allowed")


def test_nothing_checked_is_nothing_passed() -> None:
    assert not SmokeResult("e", ()).passed


def test_the_percentile_is_a_value_that_was_measured() -> None:
    assert percentile(range(1, 101), 0.95) == 95
    assert percentile([3.0], 0.95) == 3.0
    assert percentile([1.0, 9.0], 0.95) == 9.0
    assert percentile(range(1, 21), 0.95) == 19
    assert percentile(range(1, 22), 0.95) == 20
