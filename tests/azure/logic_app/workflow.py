"""Workflows of Azure Logic Apps, as far as infra/modules/rollback.json is one.

Written from Microsoft's "Schema reference guide for trigger and action types"
(logic-apps-workflow-actions-triggers.md); test_logic_app.py holds its examples. Whatever is not
known here is refused: an action's type, a field of it, an answer that Azure would wait for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .expressions import ExpressionError, Functions, NotInterpretedError, called, evaluated

SUCCEEDED, FAILED, SKIPPED, TIMED_OUT = "Succeeded", "Failed", "Skipped", "TimedOut"
_FIELDS = {
    "Http": {"inputs", "limit"},
    "Query": {"inputs"},
    "Compose": {"inputs"},
    "If": {"expression", "actions", "else"},
    "Until": {"expression", "limit", "actions"},
    "Wait": {"inputs"},
    "Terminate": {"inputs"},
}
_UNITS = {"Second": 1, "Minute": 60, "Hour": 3600}
_WAITED_FOR = 202


class Answer(Protocol):
    """What comes back of a request."""

    status_code: int

    def json(self) -> Any: ...


Send = Callable[[str, str, Any, str], Answer]
"""Sends a request: method, address, body and the audience of the token that goes with it."""


@dataclass
class Run:
    """One run of a workflow: how it ended, and what each action came to."""

    status: str = SUCCEEDED
    code: str = ""
    message: str = ""
    statuses: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    bodies: dict[str, Any] = field(default_factory=dict)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)


class _Ended(Exception):  # noqa: N818
    """A Terminate action ends the run."""


class Workflow:
    """One workflow.

    Args:
        definition: its definition.
        parameters: the values of its parameters.
        send: sends its requests.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        definition: Mapping[str, Any],
        parameters: Mapping[str, Any],
        send: Send,
        sleep: Callable[[float], object],
    ) -> None:
        ((_, trigger),) = definition["triggers"].items()
        if (trigger["type"], trigger["kind"]) != ("Request", "Http"):
            raise NotInterpretedError(f"a trigger of the type {trigger['type']}")
        if definition["parameters"].keys() != parameters.keys():
            raise ExpressionError("these are not its parameters")
        self._actions = definition["actions"]
        self._parameters = dict(parameters)
        self.send = send
        self._sleep = sleep

    def run(self, payload: Any) -> Run:
        """Run it once, with what its trigger was sent."""
        run = Run()
        try:
            if self._all(self._actions, run, payload) == FAILED:
                run.status = FAILED
        except _Ended:
            pass
        return run

    def _all(self, actions: Mapping[str, Any], run: Run, payload: Any) -> str:
        """Run actions in the order that they name; return what they came to together."""
        left = dict(actions)
        handled: set[str] = set()
        while left:
            ready = [
                name
                for name, each in left.items()
                if not any(before in left for before in each.get("runAfter", {}))
            ]
            if not ready:
                raise NotInterpretedError(f"{sorted(left)} wait for each other")
            for name in ready:
                action = left.pop(name)
                after = action.get("runAfter", {})
                handled |= after.keys()
                if all(run.statuses[before] in wanted for before, wanted in after.items()):
                    run.statuses[name] = self._one(name, action, run, payload)
                else:
                    run.statuses[name] = SKIPPED
        ends = [run.statuses[name] for name in actions if name not in handled]
        bad = any(each in (FAILED, TIMED_OUT) for each in ends)
        cut = SKIPPED in ends and FAILED in [run.statuses[name] for name in actions]
        return FAILED if bad or cut else SUCCEEDED

    def _one(self, name: str, action: Mapping[str, Any], run: Run, payload: Any) -> str:
        kind = action["type"]
        if kind not in _FIELDS:
            raise NotInterpretedError(f"an action of the type {kind}")
        if more := action.keys() - _FIELDS[kind] - {"type", "runAfter"}:
            raise NotInterpretedError(f"{sorted(more)} of an action of the type {kind}")
        functions = self._functions(run, payload)
        try:
            return str(getattr(self, f"_{kind.lower()}")(name, action, run, payload, functions))
        except ExpressionError as error:
            run.message = f"{name}: {error}"
            return FAILED

    def _functions(self, run: Run, payload: Any, **more: Callable[..., Any]) -> Functions:
        names = {"parameters": self._parameters, "outputs": run.outputs, "body": run.bodies}
        return called(names, {"triggerBody": lambda: payload, **more})

    def _http(
        self, name: str, action: Mapping[str, Any], run: Run, _payload: Any, functions: Functions
    ) -> str:
        inputs = evaluated(action["inputs"], functions)
        if more := inputs.keys() - {"method", "uri", "body", "authentication"}:
            raise NotInterpretedError(f"{sorted(more)} of a request")
        signing_in = inputs["authentication"]
        if signing_in.keys() != {"type", "audience"} or signing_in["type"] != (
            "ManagedServiceIdentity"
        ):
            raise NotInterpretedError(f"signing in by {signing_in}")
        method, uri, body = inputs["method"], inputs["uri"], inputs.get("body")
        run.requests.append((method, uri, body))
        answer = self.send(method, uri, body, signing_in["audience"])
        if answer.status_code == _WAITED_FOR:
            raise NotInterpretedError("an answer 202, which Azure would follow")
        run.bodies[name] = answer.json()
        run.outputs[name] = {"statusCode": answer.status_code, "body": run.bodies[name]}
        return SUCCEEDED if answer.status_code < 400 else FAILED

    def _query(
        self, name: str, action: Mapping[str, Any], run: Run, payload: Any, functions: Functions
    ) -> str:
        def passes(item: Any) -> bool:
            with_item = self._functions(run, payload, item=lambda: item)
            return evaluated(action["inputs"]["where"], with_item) is True

        source = evaluated(action["inputs"]["from"], functions)
        run.bodies[name] = run.outputs[name] = [each for each in source if passes(each)]
        return SUCCEEDED

    def _compose(
        self, name: str, action: Mapping[str, Any], run: Run, _payload: Any, functions: Functions
    ) -> str:
        run.outputs[name] = evaluated(action["inputs"], functions)
        return SUCCEEDED

    def _if(
        self, _name: str, action: Mapping[str, Any], run: Run, payload: Any, functions: Functions
    ) -> str:
        holds = _condition(action["expression"], functions)
        branch = action["actions"] if holds else action.get("else", {}).get("actions", {})
        return self._all(branch, run, payload)

    def _until(
        self, _name: str, action: Mapping[str, Any], run: Run, payload: Any, _functions: Functions
    ) -> str:
        for _ in range(action["limit"]["count"]):
            self._all(action["actions"], run, payload)
            if _condition(action["expression"], self._functions(run, payload)):
                return SUCCEEDED
        return TIMED_OUT

    def _wait(
        self, _name: str, action: Mapping[str, Any], _run: Run, _payload: Any, _functions: Functions
    ) -> str:
        interval = action["inputs"]["interval"]
        self._sleep(interval["count"] * _UNITS[interval["unit"]])
        return SUCCEEDED

    def _terminate(
        self, name: str, action: Mapping[str, Any], run: Run, _payload: Any, functions: Functions
    ) -> str:
        inputs = evaluated(action["inputs"], functions)
        run.status = inputs["runStatus"]
        error = inputs.get("runError", {})
        run.code, run.message = error.get("code", name), error.get("message", "")
        raise _Ended


def _condition(expression: Any, functions: Functions) -> bool:
    """Work a condition out: a text, or an object of one function with its arguments."""
    if isinstance(expression, str):
        found = evaluated(expression, functions)
    else:
        ((name, arguments),) = expression.items()
        if name not in functions:
            raise NotInterpretedError(f"the function {name}")
        inner = [
            _condition(each, functions) if isinstance(each, dict) else evaluated(each, functions)
            for each in arguments
        ]
        found = functions[name](*inner)
    if not isinstance(found, bool):
        raise ExpressionError(f"{found!r} is neither true nor false")
    return found
