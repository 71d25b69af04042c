"""The workflow that moves traffic back at an alert: interpreted by us, against the emulator.

The first tests hold Microsoft's own examples of the parts that are interpreted.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential

from tools.worktree import ROOT

from .clients import route
from .emulator import AzureEmulator
from .logic_app.expressions import ExpressionError, NotInterpretedError, called, evaluated
from .logic_app.workflow import FAILED, SUCCEEDED, Answer, Run, Workflow

DEFINED = ROOT / "template/infra/modules/rollback.json"
DEFINITION = json.loads(DEFINED.read_text(encoding="utf-8"))
ISO_8601 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z"
AUDIENCE = "https://management.azure.com/"
UNTIL = "2027-03-01T12:00:00Z"
WAY_BACK = {
    "mlops-way-back-deployment": "blue",
    "mlops-way-back-version": "1",
    "mlops-way-back-until": UNTIL,
    "mlops-way-back-withdraws": "2",
}
FUNCTIONS = called(
    {"parameters": {"myBirthMonth": "January", "myAge": 42}},
    {"item": lambda: {"name": "x"}},
)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("and(true, true)", True),
        ("and(equals(1, 1), equals(1, 2))", False),
        ("coalesce(null, true, false)", True),
        ("coalesce(null, 'hello', 'world')", "hello"),
        ("coalesce(null, null, null)", None),
        ("createArray('h', 'e', 'l', 'l', 'o')", ["h", "e", "l", "l", "o"]),
        ("empty('')", True),
        ("empty('abc')", False),
        ("equals(true, 1)", True),
        ("equals('abc', 'abcd')", False),
        ("first('hello')", "h"),
        ("first(createArray(0, 1, 2))", 0),
        ("greater(10, 5)", True),
        ("greater('apple', 'banana')", False),
        ("json('[1, 2, 3]')", [1, 2, 3]),
        ("""json('{"fullName": "Sophia Owen"}')""", {"fullName": "Sophia Owen"}),
        ("length('abcd')", 4),
        ("length(createArray(0, 1, 2, 3))", 4),
        ("not(false)", True),
        ("not(equals(1, 2))", True),
        ("or(true, false)", True),
        ("or(equals(1, 2), equals(1, 3))", False),
        (
            """removeProperty(json('{"first": "Sophia", "middle": "Anne"}'), 'middle')""",
            {"first": "Sophia"},
        ),
        (
            """setProperty(json('{"first": "Sophia", "last": "Owen"}'), 'last', 'Hartnett')""",
            {"first": "Sophia", "last": "Hartnett"},
        ),
        ("string(10)", "10"),
        ("toLower('Hello World')", "hello world"),
        ("parameters('myBirthMonth')", "January"),
        ("item()?['surname']", None),
    ],
)
def test_functions_do_what_microsoft_s_examples_say(expression: str, result: Any) -> None:
    assert evaluated(f"@{expression}", FUNCTIONS) == result


def test_the_time_has_the_form_of_microsoft_s_example() -> None:
    assert re.fullmatch(ISO_8601, "2018-04-15T13:00:00.0000000Z")
    assert re.fullmatch(ISO_8601, evaluated("@utcNow()", FUNCTIONS))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("@parameters('myAge')", 42),
        ("@{parameters('myAge')}", "42"),
        ("Answer is: @{parameters('myAge')}", "Answer is: 42"),
        ("@@{parameters('myAge')}", "@{parameters('myAge')}"),
        ("@@", "@"),
        ("plain", "plain"),
        ({"a": ["@parameters('myAge')"]}, {"a": [42]}),
    ],
)
def test_texts_hold_expressions_as_microsoft_says(text: Any, result: Any) -> None:
    assert evaluated(text, FUNCTIONS) == result


@pytest.mark.parametrize(
    "text", ["@variables('x')", "@add(1, 2)", "@item().name", "@1.5", "@not(true) 1", "@equals(1"]
)
def test_what_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(NotInterpretedError):
        evaluated(text, FUNCTIONS)


@pytest.mark.parametrize(
    "text", ["@item()['surname']", "@parameters('yours')", "@and(1, true)", "@toLower(null)"]
)
def test_what_fails_in_azure_fails(text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluated(text, FUNCTIONS)


class Said:
    """An answer."""

    def __init__(self, status: int, body: Any = None) -> None:
        self.status_code = status
        self._body = body

    def json(self) -> Any:
        return self._body


def interpreted(actions: Any, *answers: Said, waits: list[float] | None = None) -> Run:
    """Run actions; each request gets the next answer."""
    following = iter(answers)

    def send(_method: str, _uri: str, _body: Any, _audience: str) -> Answer:
        return next(following)

    triggers = {"manual": {"type": "Request", "kind": "Http"}}
    definition = {"triggers": triggers, "parameters": {}, "actions": actions}
    return Workflow(definition, {}, send, ([] if waits is None else waits).append).run({})


HTTP = {
    "type": "Http",
    "inputs": {
        "method": "GET",
        "uri": "http://myurl",
        "authentication": {"type": "ManagedServiceIdentity", "audience": AUDIENCE},
    },
    "runAfter": {},
}


def test_actions_do_what_microsoft_s_examples_say() -> None:
    filtering = {"from": [1, 3, 0, 5, 4, 2], "where": "@greater(item(), 2)"}
    waits: list[float] = []
    run = interpreted(
        {
            "Filter_array": {"type": "Query", "inputs": filtering},
            "Run_until_loop_succeeds_or_expires": {
                "type": "Until",
                "actions": {"HTTP": HTTP},
                "expression": "@equals(outputs('HTTP')['statusCode'], 200)",
                "limit": {"count": 60, "timeout": "PT1H"},
                "runAfter": {},
            },
            "Condition": {
                "type": "If",
                "expression": {"and": [{"greater": ["@length(body('Filter_array'))", 0]}]},
                "actions": {
                    "Delay": {
                        "type": "Wait",
                        "inputs": {"interval": {"count": 15, "unit": "Minute"}},
                        "runAfter": {},
                    }
                },
                "else": {"actions": {"Not": {"type": "Compose", "inputs": 1, "runAfter": {}}}},
                "runAfter": {"Filter_array": ["Succeeded"]},
            },
            "Terminate": {
                "type": "Terminate",
                "inputs": {
                    "runStatus": "Failed",
                    "runError": {
                        "code": "Unexpected response",
                        "message": "The service received an unexpected response. Please try again.",
                    },
                },
                "runAfter": {"Condition": ["Succeeded"]},
            },
        },
        Said(503),
        Said(404),
        Said(200),
        waits=waits,
    )
    assert run.bodies["Filter_array"] == [3, 5, 4]
    assert len(run.requests) == 3
    assert (waits, "Not" in run.statuses) == ([900], False)
    assert (run.status, run.code) == ("Failed", "Unexpected response")


def test_an_action_runs_after_what_it_names_alone() -> None:
    after: dict[str, Any] = {
        "HTTP": HTTP,
        "Next": {"type": "Compose", "inputs": 1, "runAfter": {"HTTP": [SUCCEEDED]}},
    }
    failed = interpreted(after, Said(404))
    assert (failed.status, failed.statuses["Next"]) == (FAILED, "Skipped")
    after["Next"]["runAfter"] = {"HTTP": [FAILED]}
    assert interpreted(after, Said(404)).status == SUCCEEDED


@pytest.mark.parametrize(
    "action",
    [
        {"type": "Foreach", "foreach": "@createArray(1)", "actions": {}},
        {"type": "Scope", "actions": {}},
        {**HTTP, "operationOptions": "DisableAsyncPattern"},
        {**HTTP, "inputs": {**HTTP["inputs"], "headers": {}}},  # type: ignore[dict-item]
        {**HTTP, "inputs": {**HTTP["inputs"], "authentication": {"type": "Basic"}}},  # type: ignore[dict-item]
    ],
)
def test_an_action_that_is_not_known_is_refused(action: Any) -> None:
    with pytest.raises(NotInterpretedError):
        interpreted({"It": action}, Said(200))
    with pytest.raises(NotInterpretedError, match="202"):
        interpreted({"HTTP": HTTP}, Said(202))


def metric_alert(*dimensions: tuple[str, str], condition: str = "Fired") -> dict[str, Any]:
    """An alert on a metric, as Microsoft's sample has it."""
    return _alert(
        condition,
        "Metric",
        "SingleResourceMultipleMetricCriteria",
        {
            "metricName": "RequestLatency_P95",
            "metricNamespace": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
            "operator": "GreaterThan",
            "threshold": "500",
            "timeAggregation": "Average",
            "dimensions": [{"name": name, "value": value} for name, value in dimensions],
            "metricValue": 731.105,
        },
    )


def log_alert(*dimensions: tuple[str, str], condition: str = "Fired") -> dict[str, Any]:
    """An alert on a query of logs (Log Alerts V2), as Microsoft's sample has it."""
    return _alert(
        condition,
        "Log",
        "LogQueryCriteria",
        {
            "searchQuery": "AppEvents",
            "metricMeasureColumn": "error_rate",
            "targetResourceTypes": "['Microsoft.OperationalInsights/workspaces']",
            "operator": "GreaterThan",
            "threshold": "0.05",
            "timeAggregation": "Maximum",
            "dimensions": [{"name": name, "value": value} for name, value in dimensions],
            "metricValue": 0.31,
            "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
        },
    )


def _alert(condition: str, signal: str, kind: str, criteria: dict[str, Any]) -> dict[str, Any]:
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "alertRule": "error-rate",
                "severity": "Sev1",
                "signalType": signal,
                "monitorCondition": condition,
                "firedDateTime": "2026-11-30T13:58:24.3713213Z",
            },
            "alertContext": {
                "properties": None,
                "conditionType": kind,
                "condition": {"windowSize": "PT10M", "allOf": [criteria]},
            },
        },
    }


class TestAgainstTheEmulator:
    """What it does to an endpoint."""

    pytestmark = pytest.mark.azure

    @pytest.fixture
    def workflow(self, azure: AzureEmulator, dev: MLClient, served: str) -> Iterator[Workflow]:
        """The workflow of an endpoint where version 2, in green, took the place of 1, in blue."""
        for name, version in (("blue", "1"), ("green", "2")):
            self._tag(azure, f"{served}/deployments/{name}", {"model_version": version})
        route(dev, served, {"green": 100})
        self._tag(azure, served, {"owner": "team", **WAY_BACK})
        yield self._workflow(azure, served)
        self._tag(azure, served, {"owner": "team"})
        route(dev, served, {"blue": 100})

    def _id(self, azure: AzureEmulator, path: str) -> str:
        group = azure.state.group_id("rg-dev")
        provider = "providers/Microsoft.MachineLearningServices/workspaces/mlw-dev"
        return f"{group}/{provider}/onlineEndpoints/{path}"

    def _tag(self, azure: AzureEmulator, path: str, tags: dict[str, str]) -> None:
        azure.state.get(self._id(azure, path))["tags"] = tags

    def _workflow(self, azure: AzureEmulator, served: str) -> Workflow:
        credential = DefaultAzureCredential()

        def send(method: str, uri: str, body: Any, audience: str) -> Answer:
            token = credential.get_token(f"{audience}.default").token
            headers = {"Authorization": f"Bearer {token}"}
            return requests.request(method, uri, json=body, headers=headers, timeout=60)

        address = f"{AUDIENCE}{self._id(azure, served)[1:]}"
        parameters = {"endpoint": address, "audience": AUDIENCE}
        return Workflow(DEFINITION, parameters, send, lambda _seconds: None)

    def _endpoint(self, azure: AzureEmulator, served: str) -> dict[str, Any]:
        return azure.state.get(self._id(azure, served))

    @pytest.mark.parametrize(
        "alert",
        [
            metric_alert(("deployment", "green")),
            log_alert(("deployment", "green"), ("model_version", "2")),
            log_alert(("EndpointName", "served"), ("DeploymentName", "green")),
        ],
        ids=["metric", "log", "traffic log"],
    )
    def test_all_traffic_goes_back_and_all_else_stays(
        self, azure: AzureEmulator, served: str, workflow: Workflow, alert: dict[str, Any]
    ) -> None:
        before = json.loads(json.dumps(self._endpoint(azure, served)))
        run = workflow.run(alert)
        assert (run.status, run.code, run.message) == (SUCCEEDED, "", "")
        after = self._endpoint(azure, served)
        assert after["properties"] == {
            **before["properties"],
            "traffic": {"blue": 100},
            "mirrorTraffic": {},
        }
        note = after["tags"].pop("mlops-note-withdrawn")
        assert after["tags"] == {
            "owner": "team",
            "mlops-way-back-deployment": "green",
            "mlops-way-back-version": "2",
            "mlops-way-back-until": UNTIL,
        }
        version, deployment, time = note.split()
        assert (version, deployment) == ("2", "green")
        assert re.fullmatch(ISO_8601, time)
        same = before.keys() - {"properties", "tags", "systemData"}
        assert {key: after[key] for key in same} == {key: before[key] for key in same}
        assert [method for method, _, _ in run.requests].count("PUT") == 1

    def test_twice_is_once_and_never_forward_again(
        self, azure: AzureEmulator, served: str, workflow: Workflow
    ) -> None:
        assert workflow.run(metric_alert(("deployment", "green"))).status == SUCCEEDED
        again = workflow.run(metric_alert(("deployment", "green")))
        assert (again.status, again.code) == (SUCCEEDED, "NothingToWithdraw")
        forward = workflow.run(metric_alert(("deployment", "blue")))
        assert (forward.status, forward.code) == (FAILED, "NoWayBack")
        assert self._endpoint(azure, served)["properties"]["traffic"] == {"blue": 100}

    @pytest.mark.parametrize(
        ("alert", "status", "code"),
        [
            (
                metric_alert(("deployment", "green"), condition="Resolved"),
                SUCCEEDED,
                "NothingFired",
            ),
            (log_alert(("deployment", "green"), condition="Resolved"), SUCCEEDED, "NothingFired"),
            ({"schemaId": "another"}, SUCCEEDED, "NothingFired"),
            (metric_alert(("deployment", "blue")), SUCCEEDED, "NothingToWithdraw"),
            (metric_alert(("statusCode", "500")), FAILED, "NoDeploymentNamed"),
            (
                log_alert(("deployment", "green"), ("model_version", "1")),
                FAILED,
                "NotAsRecorded",
            ),
        ],
    )
    def test_what_is_not_about_what_serves_moves_nothing(
        self,
        azure: AzureEmulator,
        served: str,
        workflow: Workflow,
        alert: dict[str, Any],
        status: str,
        code: str,
    ) -> None:
        run = workflow.run(alert)
        assert (run.status, run.code) == (status, code)
        self._nothing_moved(azure, served, run)

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            (dict.fromkeys(WAY_BACK), "NoWayBack"),
            ({"mlops-way-back-withdraws": None}, "NoWayBack"),
            ({"mlops-way-back-deployment": "green"}, "NoWayBack"),
            ({"mlops-way-back-withdraws": "9"}, "NotAsRecorded"),
            ({"mlops-way-back-version": "9"}, "NotAsRecorded"),
            ({"mlops-lease-holder": "a runner process 7"}, "Busy"),
        ],
    )
    def test_it_refuses_where_the_tags_name_nothing_or_a_command_is_at_work(
        self,
        azure: AzureEmulator,
        served: str,
        workflow: Workflow,
        changed: dict[str, str | None],
        code: str,
    ) -> None:
        tags = {"owner": "team", **WAY_BACK, **changed}
        self._tag(azure, served, {name: value for name, value in tags.items() if value})
        run = workflow.run(metric_alert(("deployment", "green")))
        assert (run.status, run.code) == (FAILED, code)
        self._nothing_moved(azure, served, run)

    def test_it_refuses_a_deployment_that_is_gone_and_a_foreign_identity(
        self, azure: AzureEmulator, served: str, workflow: Workflow
    ) -> None:
        self._tag(azure, served, {**WAY_BACK, "mlops-way-back-deployment": "red"})
        run = workflow.run(metric_alert(("deployment", "green")))
        assert run.status == FAILED
        self._nothing_moved(azure, served, run)
        self._tag(azure, served, WAY_BACK)
        endpoint = self._endpoint(azure, served)
        kept, endpoint["identity"] = endpoint["identity"], {"type": "UserAssigned"}
        run = workflow.run(metric_alert(("deployment", "green")))
        endpoint["identity"] = kept
        assert (run.status, run.code) == (FAILED, "Busy")
        self._nothing_moved(azure, served, run)

    def test_what_somebody_changes_meanwhile_stops_it(
        self, azure: AzureEmulator, served: str, workflow: Workflow
    ) -> None:
        send = workflow.send

        def interrupted(method: str, uri: str, body: Any, audience: str) -> Answer:
            answer = send(method, uri, body, audience)
            if "/deployments/blue" in uri:
                self._tag(azure, served, {**WAY_BACK, "mlops-lease-holder": "a release"})
            return answer

        workflow.send = interrupted
        run = workflow.run(metric_alert(("deployment", "green")))
        assert (run.status, run.code) == (FAILED, "Changed")
        self._nothing_moved(azure, served, run)

    def test_traffic_that_does_not_come_is_no_success(
        self, azure: AzureEmulator, served: str, workflow: Workflow
    ) -> None:
        send, sent = workflow.send, list[str]()

        def overtaken(method: str, uri: str, body: Any, audience: str) -> Answer:
            answer = send(method, uri, body, audience)
            sent.append(method)
            if method == "GET" and "PUT" in sent:
                found = answer.json()
                found["properties"]["traffic"] = {"green": 100}
                return Said(200, found)
            return answer

        workflow.send = overtaken
        run = workflow.run(metric_alert(("deployment", "green")))
        assert (run.status, run.code) == (FAILED, "NotMoved")
        assert run.statuses["Until_it_moved"] == "TimedOut"
        assert sent.count("GET") > 50

    def _nothing_moved(self, azure: AzureEmulator, served: str, run: Run) -> None:
        assert self._endpoint(azure, served)["properties"]["traffic"] == {"green": 100}
        assert "PUT" not in [method for method, _, _ in run.requests]


def test_nothing_else_is_in_it_than_what_is_interpreted() -> None:
    text = DEFINED.read_text(encoding="utf-8")
    assert text == json.dumps(DEFINITION, indent=2) + "\n"
    writes = [each for each in _actions(DEFINITION["actions"]) if each.get("type") == "Http"]
    methods = [each["inputs"]["method"] for each in writes]
    assert (methods.count("PUT"), set(methods)) == (1, {"GET", "PUT"})
    assert all(each["inputs"]["uri"].startswith("@{parameters('endpoint')}") for each in writes)


def _actions(actions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for each in actions.values():
        yield each
        yield from _actions(each.get("actions", {}))
        yield from _actions(each.get("else", {}).get("actions", {}))
