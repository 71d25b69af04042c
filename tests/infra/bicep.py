"""Reads Bicep and works out what a deployment would ask Azure for, without Bicep or Azure.

Microsoft's compiler is not on every machine (where it is, `test_bicep_compiles.py` uses it). The
syntax is judged by tree-sitter's grammar; the rest is a small evaluator of the part of the language
that the template uses. What it does not know it refuses, so that nothing passes unseen. Values that
only Azure knows (a principal's id) stay symbols that name where they come from.
"""

import functools
import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tree_sitter_bicep
import yaml
from tree_sitter import Language, Node, Parser

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
TENANT = "00000000-0000-0000-0000-000000000002"
PARSER = Parser(Language(tree_sitter_bicep.language()))
BLANK = {"comment"}


class BicepError(AssertionError):
    """The files are wrong, or use what the evaluator does not know."""


class Symbol(str):
    """A value that Azure alone knows, written as where it comes from."""


class Given(Symbol):
    """Such a value as a module's parameter: when the module's deployment begins, it is known."""


# What each value of guid() was made of.
GUID_PARTS: dict[str, tuple[str, ...]] = {}


@dataclass
class Resource:
    """A resource that a deployment makes, or refers to where `existing` is set."""

    kind: str
    version: str
    name: str
    id: str
    group: str
    existing: bool
    body: dict[str, Any]
    source: str


@dataclass
class Result:
    """What a deployment makes, and what it returns."""

    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    reads: set[tuple[str, str]] = field(default_factory=set)

    def template(self) -> dict[str, Any]:
        """Return what is made as an ARM template, for tools that read one."""
        return {
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0",
            "resources": [
                {
                    "type": each.kind,
                    "apiVersion": each.version,
                    **each.body,
                    "name": "/".join(each.id.split("/providers/")[-1].split("/")[2::2]),
                }
                for each in self.resources
                if not each.existing
            ],
        }

    def of(self, kind: str) -> list[Resource]:
        """Return what is made of one type."""
        return [each for each in self.resources if each.kind == kind and not each.existing]


def parse(path: Path) -> Node:
    """Return the syntax tree of a .bicep or .bicepparam file.

    Raises:
        BicepError: the grammar does not take it.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".bicepparam":  # the grammar wants a type here
        text = re.sub(r"^(param \w+) =", r"\1 any =", text, flags=re.MULTILINE)
    root = tree(text)
    for node in walk(root) if root.has_error else ():
        if node.type == "ERROR" or node.is_missing:
            raise BicepError(f"{path.name}:{node.start_point[0] + 1}: syntax: {text_of(node)[:60]}")
    return root


@functools.cache
def tree(text: str) -> Node:
    """Return the syntax tree of a text."""
    return PARSER.parse(text.encode()).root_node


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def text_of(node: Node) -> str:
    """Return a node's source."""
    return (node.text or b"").decode()


def named(node: Node) -> list[Node]:
    """Return a node's children without punctuation and comments."""
    return [child for child in node.children if child.is_named and child.type not in BLANK]


def is_key(node: Node) -> bool:
    """Tell whether a name is that of a property in an object."""
    parent = node.parent
    return parent is not None and parent.type == "object_property" and node == named(parent)[0]


def elements(array: Node) -> list[Node]:
    """Return an array's elements.

    In an array the grammar takes `f(x)` for two elements, f and (x): what nothing separates is read
    again as one.
    """
    groups: list[list[Node]] = []
    for child in named(array):
        if groups and groups[-1][-1].end_byte == child.start_byte:
            groups[-1].append(child)
        else:
            groups.append([child])
    return [group[0] if len(group) == 1 else expression(group) for group in groups]


def expression(parts: list[Node]) -> Node:
    """Read adjacent nodes again as one expression."""
    text = "".join(text_of(part) for part in parts)
    return named(tree(f"var x = {text}\n").children[0])[1]


def parameters(path: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of a parameter file."""
    scope = Scope(path, "", {}, Result(), variables)
    return {name: scope.value(name) for name in scope.given}


def deploy(path: Path, group: str, given: Mapping[str, Any]) -> Result:
    """Work out one deployment of a template to a resource group."""
    result = Result()
    scope = Scope(path, group, dict(given), result, {})
    scope.run()
    result.outputs = scope.outputs
    return result


@dataclass
class Handle:
    """A resource as expressions see it."""

    resource: Resource
    result: Result


@dataclass
class Lambda:
    """A function written in an expression."""

    parameter: str
    body: Node
    scope: "Scope"
    names: dict[str, Any]

    def __call__(self, value: Any) -> Any:
        return self.scope.evaluate(self.body, self.names | {self.parameter: value})


class Scope:
    """One file with its parameters, deployed to one group."""

    def __init__(
        self,
        path: Path,
        group: str,
        arguments: dict[str, Any],
        result: Result,
        variables: Mapping[str, str],
    ) -> None:
        self.path, self.group, self.result, self.variables = path, group, result, variables
        self.arguments = arguments
        self.declared: dict[str, Node] = {}
        self.given: list[str] = []
        self.output_nodes: dict[str, Node] = {}
        self.decorators: dict[str, dict[str, Any]] = {}
        self.known: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}
        self.pending: set[str] = set()
        pending: Node | None = None
        for node in named(parse(path)):
            if node.type == "decorators":
                pending = node
                continue
            self.declare(node)
            if pending is not None and node.type == "parameter_declaration":
                self.decorate(text_of(named(node)[0]), pending)
            pending = None

    def declare(self, node: Node) -> None:
        if node.type in {"target_scope_assignment", "using_statement"}:
            if node.type == "target_scope_assignment" and "'resourceGroup'" not in text_of(node):
                raise self.error(node, "only resource groups are deployed to")
            return
        name = text_of(named(node)[0])
        if node.type == "output_declaration":
            self.output_nodes[name] = node
            return
        if name in self.declared:
            raise self.error(node, f"{name} is declared twice")
        self.declared[name] = node
        if node.type == "parameter_declaration":
            self.given.append(name)

    def decorate(self, name: str, decorators: Node) -> None:
        rules: dict[str, Any] = {}
        for call in (named(decorator)[0] for decorator in named(decorators)):
            function, *rest = named(call)
            rules[text_of(function)] = self.evaluate(named(rest[0])[0], {}) if rest else True
        self.decorators[name] = rules

    def error(self, node: Node, message: str) -> BicepError:
        return BicepError(f"{self.path.name}:{node.start_point[0] + 1}: {message}")

    # --- A whole file ----------------------------------------------------------------------------

    def run(self) -> None:
        """Evaluate everything; refuse what is not used or not known."""
        for name in self.arguments.keys() - set(self.given):
            raise BicepError(f"{self.path.name}: there is no parameter {name}")
        for name in self.declared:
            self.value(name)
        for name, node in self.output_nodes.items():
            self.outputs[name] = self.evaluate(named(node)[-1], {})
        mentioned = {
            text_of(node)
            for declaration in [*self.declared.values(), *self.output_nodes.values()]
            for node in walk(declaration)
            if node.type == "identifier" and node != named(declaration)[0] and not is_key(node)
        }
        for name, node in self.declared.items():
            kind = node.type.partition("_")[0]
            if kind in {"parameter", "variable"} and name not in mentioned:
                raise self.error(node, f"the {kind} {name} is not used")

    def value(self, name: str) -> Any:
        """Return what a name stands for."""
        if name not in self.known:
            node = self.declared[name]
            if name in self.pending:
                raise self.error(node, f"{name} needs itself")
            self.pending.add(name)
            self.known[name] = getattr(self, node.type.removesuffix("_declaration"))(name, node)
        return self.known[name]

    def parameter(self, name: str, node: Node) -> Any:
        parts = named(node)
        if self.path.suffix == ".bicepparam":
            return self.evaluate(parts[-1], {})
        if name in self.arguments:
            value = self.arguments[name]
        elif len(parts) > 2:
            value = self.evaluate(parts[2], {})
        else:
            raise self.error(node, f"the parameter {name} is not given")
        self.check_parameter(node, name, value)
        return value

    def check_parameter(self, node: Node, name: str, value: Any) -> None:
        wanted = text_of(named(node)[1]).replace(" ", "")
        if not matches(wanted, value):
            raise self.error(node, f"the parameter {name} is {wanted}, not {value!r}")
        rules = self.decorators.get(name, {})
        size = len(value) if isinstance(value, str | list) else value
        for rule, ok in (
            ("allowed", lambda limit: value in limit),
            ("minLength", lambda limit: size >= limit),
            ("maxLength", lambda limit: size <= limit),
            ("minValue", lambda limit: size >= limit),
            ("maxValue", lambda limit: size <= limit),
        ):
            if rule in rules and not isinstance(value, Symbol) and not ok(rules[rule]):
                raise self.error(node, f"{name} = {value!r} breaks @{rule}({rules[rule]})")

    def variable(self, _name: str, node: Node) -> Any:
        return self.evaluate(named(node)[1], {})

    def resource(self, name: str, node: Node) -> Any:
        _, kind, body = named(node)
        existing = any(child.type == "existing" for child in node.children)
        place = f"{self.path.name}: {name}"

        def make(content: dict[str, Any]) -> Handle:
            return self.make(text_of(kind).strip("'"), content, existing, place)

        return self.each(body, make)

    def module(self, _name: str, node: Node) -> Any:
        _, file, body = named(node)
        path = self.path.parent / text_of(file).strip("'")
        if not path.is_file():
            raise self.error(node, f"there is no {path.name}")

        def run(content: dict[str, Any]) -> dict[str, Any]:
            unknown = content.keys() - {"name", "params", "scope", "dependsOn"}
            if unknown:
                raise self.error(node, f"a module has no {unknown}")
            group = content["scope"]["name"] if "scope" in content else self.group
            scope = Scope(path, group, given(content.get("params", {})), self.result, {})
            scope.run()
            return {"name": content["name"], "outputs": scope.outputs}

        return self.each(body, run)

    def each(self, body: Node, make: Callable[[dict[str, Any]], Any]) -> Any:
        """Make one thing, none where a condition says so, or one for each value of a loop."""
        if body.type == "for_statement":
            return [make(content) for content in self.loop(body, {})]
        if body.type == "if_statement":
            condition, body = named(body)
            if not self.evaluate(condition, {}):
                return None
        return make(self.evaluate(body, {}))

    def make(self, typed: str, content: dict[str, Any], existing: bool, place: str) -> Handle:
        kind, _, version = typed.partition("@")
        body = {key: value for key, value in content.items() if key != "dependsOn"}
        parent, scope = body.pop("parent", None), body.pop("scope", None)
        if type(body["name"]) is Symbol:
            raise BicepError(f"{place}: its name is not known when the deployment begins")
        group, name = self.group, str(body["name"])
        if isinstance(parent, Handle):
            child = kind.removeprefix(f"{parent.resource.kind}/")
            if "/" in child or child == kind:
                raise BicepError(f"{place}: {parent.resource.kind} is no parent of {kind}")
            identity, group = f"{parent.resource.id}/{child}/{name}", parent.resource.group
        elif isinstance(scope, Handle):
            identity, group = f"{scope.resource.id}/providers/{kind}/{name}", scope.resource.group
        elif scope is not None and "name" not in scope:
            raise BicepError(f"{place}: only a resource group and what is in it are deployed to")
        else:
            group = scope["name"] if scope else group
            identity = f"{SUBSCRIPTION}/resourceGroups/{group}/providers/{kind}/{name}"
        made = Resource(kind, version, name, identity, group, existing, body, place)
        if not existing and any(each.id == identity for each in self.result.of(kind)):
            raise BicepError(f"{place}: made twice: {identity}")
        self.result.resources.append(made)
        return Handle(made, self.result)

    # --- Expressions -----------------------------------------------------------------------------

    def evaluate(self, node: Node, names: dict[str, Any]) -> Any:
        method = getattr(self, f"on_{node.type}", None)
        if method is None:
            raise self.error(node, f"the evaluator does not know {node.type}: {text_of(node)[:60]}")
        return method(node, names)

    def on_string(self, node: Node, names: dict[str, Any]) -> str:
        parts, values = [], []
        for child in named(node):
            if child.type == "string_content":
                parts.append(text_of(child))
            elif child.type == "escape_sequence":
                parts.append(text_of(child)[1:])
            else:
                value = self.evaluate(named(child)[0], names)
                if not isinstance(value, str | int | bool):
                    raise self.error(child, f"cannot be part of a text: {value!r}")
                values.append(value)
                parts.append(str(value))
        return like(values)("".join(parts))

    def on_number(self, node: Node, _names: dict[str, Any]) -> int:
        return int(text_of(node))

    def on_boolean(self, node: Node, _names: dict[str, Any]) -> bool:
        return text_of(node) == "true"

    def on_null(self, _node: Node, _names: dict[str, Any]) -> None:
        return None

    def on_array(self, node: Node, names: dict[str, Any]) -> list[Any]:
        return [self.evaluate(child, names) for child in elements(node)]

    def on_object(self, node: Node, names: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for member in named(node):
            key, value = named(member)
            name = text_of(key) if key.type == "identifier" else self.evaluate(key, names)
            if name in found:
                raise self.error(key, f"{name} stands twice")
            found[name] = self.evaluate(value, names)
        return found

    def on_for_statement(self, node: Node, names: dict[str, Any]) -> list[Any]:
        return self.loop(node, names)

    def loop(self, node: Node, names: dict[str, Any]) -> list[Any]:
        variable, values, body = named(node)
        loop = [text_of(part) for part in named(variable)] or [text_of(variable)]
        return [
            self.evaluate(body, names | dict(zip(loop, (value, index), strict=False)))
            for index, value in enumerate(self.evaluate(values, names))
        ]

    def on_identifier(self, node: Node, names: dict[str, Any]) -> Any:
        name = text_of(node)
        if name in names:
            return names[name]
        if name not in self.declared:
            raise self.error(node, f"{name} is not declared")
        return self.value(name)

    def on_parenthesized_expression(self, node: Node, names: dict[str, Any]) -> Any:
        return self.evaluate(named(node)[0], names)

    def on_unary_expression(self, node: Node, names: dict[str, Any]) -> bool:
        return not self.evaluate(named(node)[0], names)

    def on_ternary_expression(self, node: Node, names: dict[str, Any]) -> Any:
        condition, yes, no = named(node)
        return self.evaluate(yes if self.evaluate(condition, names) else no, names)

    def on_binary_expression(self, node: Node, names: dict[str, Any]) -> Any:
        left, right = named(node)
        operator = text_of(node.children[1])
        value = self.evaluate(left, names)
        if operator == "??":
            return self.evaluate(right, names) if value is None else value
        other = self.evaluate(right, names)
        if operator not in {"==", "!="}:
            raise self.error(node, f"the evaluator does not know {operator}")
        return (value == other) == (operator == "==")

    def on_member_expression(self, node: Node, names: dict[str, Any]) -> Any:
        target, name = named(node)
        key = text_of(name)
        value = self.evaluate(target, names)
        optional = any(child.type == ".?" for child in node.children)
        if isinstance(value, Handle):
            return self.member(node, value, key)
        if isinstance(value, Symbol):
            return type(value)(f"{value}.{key}")
        if value is None and optional:
            return None
        if not isinstance(value, dict) or (key not in value and not optional):
            raise self.error(node, f"{text_of(target)} has no {key}")
        return value.get(key)

    def member(self, node: Node, handle: Handle, key: str) -> Any:
        resource = handle.resource
        if key in {"id", "name"}:
            return getattr(resource, key)
        if key == "properties":
            parent = node.parent
            read = named(parent)[1] if parent and parent.type == "member_expression" else None
            if read is not None:
                handle.result.reads.add((f"{resource.kind}@{resource.version}", text_of(read)))
        elif key != "identity":
            raise self.error(node, f"the evaluator does not know {key} of a resource")
        return Symbol(f"{resource.id}#{key}")

    def on_subscript_expression(self, node: Node, names: dict[str, Any]) -> Any:
        target, index = (self.evaluate(child, names) for child in named(node))
        if isinstance(target, Symbol):
            return type(target)(f"{target}[{index}]")
        return target[index]

    def on_lambda_expression(self, node: Node, names: dict[str, Any]) -> Lambda:
        parameter, body = named(node)
        return Lambda(text_of(parameter), body, self, names)

    def on_call_expression(self, node: Node, names: dict[str, Any]) -> Any:
        function, *rest = named(node)
        arguments = [self.evaluate(argument, names) for each in rest for argument in named(each)]
        name = text_of(function).replace(".", "_")
        method = getattr(self, f"call_{name}", None) or FUNCTIONS.get(name)
        if method is None:
            raise self.error(node, f"the evaluator does not know {name}()")
        return method(*arguments)

    def call_resourceGroup(self, name: str | None = None) -> dict[str, str]:  # noqa: N802
        group = name or self.group
        return {"id": f"{SUBSCRIPTION}/resourceGroups/{group}", "name": group}

    def call_resourceId(self, kind: str, name: str) -> str:  # noqa: N802
        return f"{SUBSCRIPTION}/resourceGroups/{self.group}/providers/{kind}/{name}"

    def call_loadYamlContent(self, file: str) -> Any:  # noqa: N802
        return yaml.safe_load((self.path.parent / file).read_text(encoding="utf-8"))

    def call_readEnvironmentVariable(self, name: str, default: str | None = None) -> str:  # noqa: N802
        value = self.variables.get(name, default)
        if value is None:
            raise BicepError(f"{self.path.name}: the variable {name} is not set")
        return value


def given(value: Any) -> Any:
    """Return a module's parameters as the module sees them."""
    if isinstance(value, dict):
        return {key: given(each) for key, each in value.items()}
    if isinstance(value, list):
        return [given(each) for each in value]
    return Given(value) if isinstance(value, Symbol) else value


def like(values: Iterable[Any]) -> type[str]:
    """Return the kind of text that values make together: what is known the latest decides."""
    kinds = {type(value) for value in values}
    return Symbol if Symbol in kinds else Given if Given in kinds else str


def guid(*parts: str) -> str:
    """Return what stands for guid(), and note its parts."""
    value = str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(parts)))
    GUID_PARTS[value] = parts
    return like(parts)(value)


def matches(wanted: str, value: Any) -> bool:
    """Tell whether a value is of a parameter's type."""
    if wanted.endswith("[]"):
        return isinstance(value, list) and all(matches(wanted[:-2], each) for each in value)
    wanted = wanted.strip("()")
    if "'" in wanted:
        return value in [option.strip("'") for option in wanted.split("|")]
    kinds = {"string": str, "int": int, "bool": bool, "object": dict, "array": list}
    return type(value) is kinds[wanted] or (wanted == "string" and isinstance(value, Symbol))


def flat_union(*parts: Any) -> Any:
    """Join objects, the later ones winning."""
    joined: dict[str, Any] = {}
    for part in parts:
        joined |= part
    return joined


def digest(*parts: str) -> str:
    """Return what stands for uniqueString(): 13 small letters and digits."""
    number = int(hashlib.sha256("-".join(parts).encode()).hexdigest(), 16)
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    return "".join(alphabet[number >> (5 * position) & 31] for position in range(13))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "any": lambda value: value,
    "az_environment": lambda: {"suffixes": {"storage": "core.windows.net"}},
    "cidrSubnet": lambda prefix, size, index: f"{prefix.split('/')[0]}+{index}/{size}",
    "concat": lambda *parts: [each for part in parts for each in part],
    "contains": lambda whole, part: part in whole,
    "empty": lambda value: not value,
    "filter": lambda values, keep: [value for value in values if keep(value)],
    "guid": guid,
    "indexOf": lambda values, value: values.index(value) if value in values else -1,
    "join": lambda values, separator: separator.join(values),
    "last": lambda values: values[-1],
    "map": lambda values, make: [make(value) for value in values],
    "replace": lambda text, old, new: text.replace(old, new),
    "split": lambda text, separator: text.split(separator),
    "subscription": lambda: {"id": SUBSCRIPTION, "subscriptionId": SUBSCRIPTION.split("/")[-1]},
    "subscriptionResourceId": lambda kind, name: f"{SUBSCRIPTION}/providers/{kind}/{name}",
    "take": lambda text, count: text[:count],
    "tenant": lambda: {"tenantId": TENANT},
    "union": flat_union,
    "uniqueString": digest,
}
