"""The smoke test: does what is deployed keep its contract, without errors and fast enough?"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mlops.artifacts.signature import features_of, is_optional, target_of
from mlops.artifacts.version_folder import VersionFolder, typical_row
from mlops.checks import Check
from mlops.errors import ConfigError
from mlops.features import Kind
from mlops.platforms.answers import REFUSED, described, is_answer
from mlops.platforms.base import Answer, Deployment, Endpoint, Platform
from mlops.progress import Report, silent
from mlops.settings.loading import LoadedSettings
from mlops.settings.sections import SmokeTestSettings
from mlops.tasks import BINARY_TARGET, Target, Task

SCHEMA = 1
BATCHES = (1, 100)
_WRONG_KIND = {Kind.CATEGORY: 12.5, Kind.BOOLEAN: 12.5}
_SUM_TOLERANCE = 1e-3
_UNSEEN = "smoke test: a value that nobody saw"

Signature = Mapping[str, Any]


@dataclass(frozen=True)
class SmokeResult:
    """All checks of one endpoint."""

    endpoint: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed; without any check nothing passed."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON content."""
        return {
            "schema": SCHEMA,
            "endpoint": self.endpoint,
            "passed": self.passed,
            "checks": [asdict(check) for check in self.checks],
        }


def smoke_test_endpoint(
    platform: Platform, settings: LoadedSettings, deployment: str | None, report: Report
) -> SmokeResult:
    """Smoke-test the endpoint of the settings' environment, each deployment or the named one.

    Raises:
        ConfigError: nothing is deployed, or there is no such deployment.
        PlatformError: the endpoint cannot be reached.
    """
    endpoint = platform.endpoint(settings.endpoint_name)
    endpoint.repair(report)
    return smoke_test(
        endpoint, signatures_of(platform), settings.values.smoke_test, deployment, report
    )


def signatures_of(platform: Platform) -> Callable[[int], Signature]:
    """Return the function that finds the signature of a registered version."""
    return lambda version: VersionFolder(platform.version(version).folder).signature()


def smoke_test(
    endpoint: Endpoint,
    signature_of: Callable[[int], Signature],
    settings: SmokeTestSettings,
    deployment: str | None = None,
    report: Report = silent,
) -> SmokeResult:
    """Send valid, invalid and many requests to the deployments of an endpoint.

    Args:
        endpoint: the endpoint under test.
        signature_of: returns the content of signature.json of a model version.
        settings: how many requests, and the limit of their latency.
        deployment: only this one; None means every one.
        report: receives lines about the progress.

    Raises:
        ConfigError: nothing is deployed, or there is no such deployment.
        PlatformError: the endpoint cannot be reached.
    """
    found = endpoint.deployments()
    chosen = [each for each in found if deployment in (None, each.name)]
    if not chosen:
        known = ", ".join(each.name for each in found) or "none"
        raise ConfigError(f"{endpoint.name} has no deployment {deployment or ''} (it has: {known})")
    checks: list[Check] = []
    for each in chosen:
        checks.append(_check_health(each))
        if each.healthy:
            report(f"testing {each.name}, version {each.model_version}")
            signature = signature_of(each.model_version)
            checks.extend(_check_deployment(endpoint, each, signature, settings))
    if deployment is None:
        report("testing the endpoint's own route")
        checks.append(_check_route(endpoint, chosen, signature_of))
    return SmokeResult(endpoint.name, tuple(checks))


def good_requests(signature: Signature) -> list[tuple[str, list[str], dict[str, Any]]]:
    """Return rows that must be answered though something is not there: a name, what, the row.

    Args:
        signature: the content of signature.json.
    """
    example, features = typical_row(signature), signature["features"]
    nulls = [f["name"] for f in features if f["nullable"]]
    optional = [f["name"] for f in features if is_optional(f)]
    rest = {name: value for name, value in example.items() if name not in optional}
    texts = [each.name for each in features_of(signature) if each.kind is Kind.CATEGORY]
    return [
        ("nulls where allowed", nulls, example | dict.fromkeys(nulls)),
        ("left out where allowed", optional, rest),
        ("categories that are new", texts, example | dict.fromkeys(texts, _UNSEEN)),
    ]


def bad_requests(signature: Signature) -> list[tuple[str, bytes, str]]:
    """Return requests that must be refused: a name, the body, and a word that the answer must say.

    Args:
        signature: the content of signature.json.
    """
    features = signature["features"]
    example = typical_row(signature)
    first = features[0]["name"]
    kinds = {feature.name: feature.kind for feature in features_of(signature)}
    number = next((name for name, kind in kinds.items() if kind is Kind.NUMBER), None)
    asked = next((f["name"] for f in features if not is_optional(f)), None)
    required = next((f["name"] for f in features if not f["nullable"]), None)
    rows: list[tuple[str, Any, str]] = [
        ("no rows", [], "data"),
        ("extra field", [{**example, "smoke_test_extra": 1}], "smoke_test_extra"),
        ("NaN", [{**example, first: math.nan}], "NaN"),
    ]
    if number is not None:
        rows += [
            ("text for a number", [{**example, number: "1"}], number),
            ("true for a number", [{**example, number: True}], number),
            ("number too large", [{**example, number: 1e300}], number),
        ]
    for kind, wrong in _WRONG_KIND.items():
        name = next((name for name, found in kinds.items() if found is kind), None)
        if name is not None:
            rows.append((f"number for a {kind}", [{**example, name: wrong}], name))
    if asked is not None:
        without = {name: value for name, value in example.items() if name != asked}
        rows.append(("missing feature", [without], asked))
    if required is not None:
        rows.append(("null", [{**example, required: None}], required))
    return [
        ("not JSON", b"{", "JSON"),
        ("not an object", b"[]", "object"),
        ("no data", b"{}", "data"),
        *((name, json.dumps({"data": data}).encode(), word) for name, data, word in rows),
    ]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _check_health(deployment: Deployment) -> Check:
    return Check(
        name=f"{deployment.name}: health",
        found="healthy" if deployment.healthy else deployment.detail.partition("\n")[0],
        asked="healthy",
        passed=deployment.healthy,
    )


def _check_deployment(
    endpoint: Endpoint, deployment: Deployment, signature: Signature, settings: SmokeTestSettings
) -> Iterator[Check]:
    name, target = deployment.name, target_of(signature)
    for rows in BATCHES:
        answer = endpoint.invoke({"data": [typical_row(signature)] * rows}, name)
        problem = explain_answer(answer, rows, deployment.model_version, target)
        asked = f"{rows} predictions of version {deployment.model_version}"
        yield Check(f"{name}: batch of {rows}", problem or asked, asked, not problem)
    for kind, names, row in good_requests(signature):
        if names:
            answer = endpoint.invoke({"data": [row]}, name)
            problem = explain_answer(answer, 1, deployment.model_version, target)
            asked = f"a prediction all the same: {', '.join(names)}"
            yield Check(f"{name}: {kind}", problem or asked, asked, not problem)
    for kind, body, word in bad_requests(signature):
        yield _check_refusal(endpoint.invoke(body, name), f"{name}: {kind}", word)
    yield from _check_speed(endpoint, deployment, signature, settings)


def _check_refusal(answer: Answer, name: str, word: str) -> Check:
    sentence = str(answer.body.get("error", "")) if isinstance(answer.body, dict) else ""
    return Check(
        name=name,
        found=f"{answer.status} {sentence}".strip(),
        asked=f"{REFUSED} naming {word}",
        passed=answer.status == REFUSED and word in sentence,
    )


def _check_speed(
    endpoint: Endpoint, deployment: Deployment, signature: Signature, settings: SmokeTestSettings
) -> Iterator[Check]:
    payload = {"data": [typical_row(signature)]}
    answers = [endpoint.invoke(payload, deployment.name) for _ in range(settings.requests)]
    target = target_of(signature)
    wrong = sum(bool(explain_answer(a, 1, deployment.model_version, target)) for a in answers)
    yield Check(
        name=f"{deployment.name}: errors",
        found=f"{wrong} of {len(answers)} requests",
        asked="0",
        passed=wrong == 0,
    )
    milliseconds = 1000 * percentile([answer.seconds for answer in answers], 0.95)
    yield Check(
        name=f"{deployment.name}: latency (p95)",
        found=f"{milliseconds:.1f} ms, as seen from here",
        asked=f"at most {settings.max_p95_ms:g} ms",
        passed=milliseconds <= settings.max_p95_ms,
    )


def _check_route(
    endpoint: Endpoint, deployments: Sequence[Deployment], signature_of: Callable[[int], Signature]
) -> Check:
    """Check that a request that names no deployment is answered by one with traffic."""
    shares = endpoint.traffic()
    serving = {each.name: each for each in deployments if shares.get(each.name, 0) > 0}
    asked = "an answer from " + (" or ".join(serving) or "a deployment with traffic")
    if not serving:
        return Check("endpoint", "no deployment has traffic", asked, passed=False)
    first = next(iter(serving.values()))
    answer = endpoint.invoke({"data": [typical_row(signature_of(first.model_version))]})
    versions = {each.model_version for each in serving.values()}
    version = answer.body.get("model_version") if isinstance(answer.body, dict) else None
    passed = is_answer(answer.status) and version in versions
    return Check("endpoint", f"{answer.status}, version {version}", asked, passed)


def explain_answer(
    answer: Answer, rows: int, model_version: int, target: Target = BINARY_TARGET
) -> str:
    """Return what is wrong with the answer to a valid request of so many rows, or nothing."""
    body = answer.body
    if not is_answer(answer.status):
        return f"{described(answer.status)} {body}"
    if not isinstance(body, dict):
        return f"not an object: {body!r}"
    for field, valid in _answer_fields(target).items():
        values = body.get(field)
        if not isinstance(values, list) or len(values) != rows:
            return f"{field} is not a list of {rows}"
        if not all(valid(value) for value in values):
            return f"{field} holds a value that is not allowed"
    if body.get("model_version") != model_version:
        return f"version {body.get('model_version')} answered"
    return ""


def _is_probability(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _answer_fields(target: Target) -> dict[str, Callable[[Any], bool]]:
    """Return what each field of an answer may hold for a row."""

    def is_distribution(value: Any) -> bool:
        if not isinstance(value, dict) or list(value) != list(target.classes):
            return False
        shares = list(value.values())
        return all(map(_is_probability, shares)) and abs(sum(shares) - 1) < _SUM_TOLERANCE

    fields: dict[Task, dict[str, Callable[[Any], bool]]] = {
        Task.BINARY: {
            "predictions": lambda value: value in (0, 1),
            "probabilities": _is_probability,
        },
        Task.MULTICLASS: {
            "predictions": lambda value: value in target.classes,
            "probabilities": is_distribution,
        },
        Task.REGRESSION: {"predictions": _is_number},
    }
    return {
        **fields[target.task],
        "inference_id": lambda value: isinstance(value, str) and value != "",
    }
