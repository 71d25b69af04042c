"""Expressions of the Workflow Definition Language, as far as infra/modules/rollback.json has them.

Written from Microsoft's reference (workflow-definition-language-functions-reference.md, and the
section on expressions of logic-apps-workflow-definition-language.md); test_logic_app.py holds its
examples.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Functions = Mapping[str, Callable[..., Any]]
_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(-?\d+)|([A-Za-z_]\w*)|(\?\[|[()\[\],]))")


class NotInterpretedError(Exception):
    """Something that this interpreter does not know."""


class ExpressionError(Exception):
    """An expression fails, as it would in Azure."""


def evaluated(value: Any, functions: Functions) -> Any:
    """Return a value of a definition with its expressions worked out."""
    if isinstance(value, dict):
        return {key: evaluated(each, functions) for key, each in value.items()}
    if isinstance(value, list):
        return [evaluated(each, functions) for each in value]
    if not isinstance(value, str) or "@" not in value:
        return value
    if value.startswith("@@"):
        return value[1:]
    if value.startswith("@") and not value.startswith("@{"):
        return _whole(value[1:], functions)
    return _interpolated(value, functions)


def called(names: Mapping[str, Any], functions: Functions) -> Functions:
    """Return all functions: the pure ones, those of a run, and values that are looked up by name.

    Args:
        names: by function, such as `body`, the values by name.
        functions: further functions.
    """

    def lookup(what: str, values: Mapping[str, Any]) -> Callable[[str], Any]:
        def found(name: str) -> Any:
            if name not in values:
                raise ExpressionError(f"{what}('{name}') is not there")
            return values[name]

        return found

    return {**PURE, **{what: lookup(what, each) for what, each in names.items()}, **functions}


def _whole(text: str, functions: Functions) -> Any:
    parser = _Parser(text, functions)
    found = parser.value()
    parser.end()
    return found


def _interpolated(text: str, functions: Functions) -> str:
    """Work out each `@{…}` of a text; braces within quoted texts do not count."""
    parts, position = [], 0
    while (start := text.find("@{", position)) >= 0:
        parts.append(text[position:start])
        end = start + 2
        quoted = False
        while text[end] != "}" or quoted:
            quoted ^= text[end] == "'"
            end += 1
        parts.append(_text(_whole(text[start + 2 : end], functions)))
        position = end + 1
    return "".join((*parts, text[position:]))


class _Parser:
    """Reads and works out one expression."""

    def __init__(self, text: str, functions: Functions) -> None:
        self._text = text
        self._functions = functions
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while position < len(text.rstrip()):
            found = _TOKEN.match(text, position)
            if not found:
                raise NotInterpretedError(f"{text!r} at {position}")
            kind = ("text", "number", "name", "sign")[(found.lastindex or 1) - 1]
            self._tokens.append((kind, found[found.lastindex or 1]))
            position = found.end()

    def value(self) -> Any:
        kind, token = self._next()
        if kind == "text":
            found: Any = token[1:-1].replace("''", "'")
        elif kind == "number":
            found = int(token)
        elif kind == "name" and token in ("true", "false", "null"):
            found = {"true": True, "false": False, "null": None}[token]
        elif kind == "name":
            found = self._call(token)
        else:
            raise NotInterpretedError(f"{token!r} in {self._text!r}")
        while self._peek() in ("[", "?["):
            found = self._part(found)
        return found

    def end(self) -> None:
        if self._tokens:
            raise NotInterpretedError(f"{self._tokens[0][1]!r} in {self._text!r}")

    def _call(self, name: str) -> Any:
        if name not in self._functions:
            raise NotInterpretedError(f"the function {name} in {self._text!r}")
        self._expect("(")
        arguments = []
        while self._peek() != ")":
            arguments.append(self.value())
            if self._peek() == ",":
                self._next()
        self._expect(")")
        return self._functions[name](*arguments)

    def _part(self, of: Any) -> Any:
        safe = self._next()[1] == "?["
        key = self.value()
        self._expect("]")
        if of is None and safe:
            return None
        if isinstance(of, dict) and isinstance(key, str):
            if key in of or safe:
                return of.get(key)
        elif isinstance(of, list) and isinstance(key, int):
            if key < len(of) or safe:
                return of[key] if key < len(of) else None
        elif safe and key is None:
            return None
        raise ExpressionError(f"{key!r} is no part of {of!r} in {self._text!r}")

    def _peek(self) -> str:
        return self._tokens[0][1] if self._tokens and self._tokens[0][0] == "sign" else ""

    def _next(self) -> tuple[str, str]:
        if not self._tokens:
            raise NotInterpretedError(f"{self._text!r} breaks off")
        return self._tokens.pop(0)

    def _expect(self, sign: str) -> None:
        if self._peek() != sign:
            raise NotInterpretedError(f"no {sign!r} in {self._text!r}")
        self._next()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, separators=(",", ":"))


def _logical(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ExpressionError(f"{value!r} is neither true nor false")
    return value


def _all_logical(each: tuple[Any, ...]) -> list[bool]:
    """Return all of them, also where the first decides."""
    return [_logical(one) for one in each]


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ExpressionError(f"{value!r} is no object")
    return value


def _lower(value: Any) -> str:
    if not isinstance(value, str):
        raise ExpressionError(f"{value!r} is no text")
    return value.lower()


def _length(value: Any) -> int:
    if not isinstance(value, str | list):
        raise ExpressionError(f"{value!r} has no length")
    return len(value)


def _first(value: Any) -> Any:
    if not value:
        raise ExpressionError("nothing is first of nothing")
    return value[0]


def _without(value: Any, name: str) -> dict[str, Any]:
    return {key: each for key, each in _object(value).items() if key != name}


PURE: Functions = {
    "and": lambda *each: all(_all_logical(each)),
    "or": lambda *each: any(_all_logical(each)),
    "not": lambda one: not _logical(one),
    "equals": lambda one, other: one == other,
    "greater": lambda one, other: one > other,
    "empty": lambda one: one is None or len(one) == 0,
    "coalesce": lambda *each: next((one for one in each if one is not None), None),
    "length": _length,
    "first": _first,
    "string": _text,
    "json": json.loads,
    "toLower": _lower,
    "utcNow": lambda: f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z",
    "createArray": lambda *each: list(each),
    "setProperty": lambda of, name, value: {**_object(of), name: value},
    "removeProperty": _without,
}
