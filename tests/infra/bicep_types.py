"""Compares resources with Azure's own type definitions for Bicep.

They come out of Azure's MCP server, which PyPI has (`msmcp-azure`): a program that answers on its
standard input, here without a network. It knows one version of each resource's API. It cannot give
three of the types, nor a part of another one: UNTYPED and OPAQUE name them, and nothing else may be
left unchecked.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from .bicep import Resource, Symbol

UNTYPED = {
    "Microsoft.Insights/diagnosticSettings@2021-05-01-preview",
    "Microsoft.Network/privateDnsZones@2024-06-01",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01",
}
OPAQUE = {"DatastoreCredentials"}
PLAIN: dict[str, type] = {"string": str, "int": int, "bool": bool}
NOWHERE = "http://127.0.0.1:9"  # where nothing listens


class AzureTypes:
    """The type definitions, asked for one resource type at a time."""

    def __init__(self) -> None:
        self.known: dict[str, Schema] = {}
        self.asked = 0

    def __enter__(self) -> "AzureTypes":
        package = find_spec("msmcp_azure")
        assert package is not None
        assert package.origin is not None
        self.home = tempfile.mkdtemp()
        program = Path(self.home, "azmcp")
        shutil.copy(next(Path(package.origin).parent.glob("bin/azmcp*")), program)
        program.chmod(0o755)
        offline = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE)
        self.process = subprocess.Popen(
            [program, "server", "start", "--mode", "all", "--namespace", "bicepschema"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={
                "PATH": os.environ["PATH"],
                "HOME": self.home,
                "AZURE_MCP_COLLECT_TELEMETRY": "false",
                "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
                **offline,
            },
        )
        client = {"name": "test", "version": "1"}
        self.ask("initialize", protocolVersion="2024-11-05", capabilities={}, clientInfo=client)
        self.send({"method": "notifications/initialized"})
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.home)

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        assert self.process.stdout is not None
        self.asked += 1
        self.send({"id": self.asked, "method": method, "params": parameters})
        for line in self.process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self.asked:
                return dict(answer["result"])
        raise AssertionError(f"Azure's MCP server ended at {method}")

    def schema(self, typed: str) -> "Schema":
        """Return the definition of a type, such as `Microsoft.KeyVault/vaults@2024-11-01`."""
        kind = typed.partition("@")[0]
        if kind not in self.known:
            arguments = {"resource-type": kind}
            answer = self.ask("tools/call", name="bicepschema_get", arguments=arguments)
            found = json.loads(answer["content"][0]["text"])
            assert found["status"] == 200, f"{kind}: {found['message']}"
            self.known[kind] = Schema(found["results"]["BicepSchemaResult"])
        return self.known[kind]

    def problems(self, resource: Resource) -> list[str]:
        """Return what is wrong with a resource."""
        typed = f"{resource.kind}@{resource.version}"
        if typed in UNTYPED:
            return []
        schema = self.schema(typed)
        if schema.name != typed:
            return [f"{resource.source}: the definitions are those of {schema.name}, not {typed}"]
        if resource.existing:
            return []
        return [f"{resource.source}: {each}" for each in schema.problems(resource.body)]


class Schema:
    """One resource type."""

    def __init__(self, definitions: list[dict[str, Any]]) -> None:
        (resource,) = (each for each in definitions if each["$type"] == "Resource")
        self.name = str(resource["name"])
        self.body = resource["bodyType"]
        self.types = {
            each["name"]: each
            for each in definitions
            if each["$type"] in {"Object", "DiscriminatedObject"}
        }

    def problems(self, body: dict[str, Any]) -> list[str]:
        """Return what is wrong with a resource's body."""
        return self.check_object(self.body["properties"], None, body, "")

    def has(self, name: str) -> bool:
        """Tell whether the resource's `properties` have a property."""
        kind = next(
            each["type"] for each in self.body["properties"] if each["name"] == "properties"
        )
        return any(each["name"] == name for each in self.types[kind]["properties"])

    def check(self, kind: str, value: Any, place: str, modifiers: str = "") -> list[str]:
        if isinstance(value, Symbol) or value is None or kind == "any" or kind in OPAQUE:
            return []
        if kind.endswith("[]"):
            if not isinstance(value, list):
                return [f"{place} is a list, not {value!r}"]
            return [
                problem
                for position, each in enumerate(value)
                for problem in self.check(kind[:-2], each, f"{place}[{position}]")
            ]
        if kind in PLAIN:
            return self.check_plain(kind, value, place, modifiers)
        if kind in self.types and isinstance(value, dict):
            return self.check_named(self.types[kind], value, place)
        options = kind.split(" | ")
        if isinstance(value, str) and kind not in self.types:
            return [] if value in options else [f"{place} = {value!r} is none of {kind}"]
        return [f"{place} is {kind}, not {value!r}"]

    def check_plain(self, kind: str, value: Any, place: str, modifiers: str) -> list[str]:
        same = type(value) is PLAIN[kind]
        if not same:
            return [f"{place} is {kind}, not {value!r}"]
        size = len(value) if isinstance(value, str) else value
        found = []
        limits, _, pattern = modifiers.partition("pattern: ")
        for name, limit in re.findall(r"(m\w+): (\d+)", limits):
            if size < int(limit) if name.startswith("min") else size > int(limit):
                found.append(f"{place} = {value!r} breaks {name} {limit}")
        if pattern and not re.search(pattern, str(value)):
            found.append(f"{place} = {value!r} does not match {pattern}")
        return found

    def check_named(self, kind: dict[str, Any], value: dict[str, Any], place: str) -> list[str]:
        if kind["$type"] == "Object":
            more = kind.get("additionalPropertiesType")
            return self.check_object(kind["properties"], more, value, place)
        chosen = value.get(kind["discriminator"])
        for element in kind["elements"]:
            if any(
                (each["name"], each["type"]) == (kind["discriminator"], chosen)
                for each in element["properties"]
            ):
                properties = [*kind["baseProperties"], *element["properties"]]
                return self.check_object(properties, None, value, place)
        return [f"{place}.{kind['discriminator']} = {chosen!r} is not known"]

    def check_object(
        self,
        properties: list[dict[str, Any]],
        more: str | None,
        value: dict[str, Any],
        place: str,
    ) -> list[str]:
        known = {each["name"]: each for each in properties}
        found = [
            f"{place}.{name} is missing"
            for name, each in known.items()
            if "Required" in each.get("flags", "") and name not in value
        ]
        for name, content in value.items():
            where = f"{place}.{name}"
            if name not in known:
                found += (
                    self.check(more, content, where) if more else [f"{where}: no such property"]
                )
            elif "ReadOnly" in known[name].get("flags", ""):
                found.append(f"{where} can only be read")
            else:
                kind, modifiers = known[name]["type"], known[name].get("modifiers", "")
                found += self.check(kind, content, where, modifiers)
        return found


if __name__ == "__main__":
    with AzureTypes() as types:
        print(json.dumps(types.schema(sys.argv[1]).types, indent=1))
