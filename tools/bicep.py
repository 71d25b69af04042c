"""Microsoft's Bicep compiler: what it says of a file, and what a deployment would ask of Azure.

The CLI is what the variable BICEP names, else `bicep` on PATH. One process answers all questions.
"""

import json
import os
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any
from unittest import mock

from anthonycmartin.bicep_rpc_client import (
    BicepClient,
    CompileParamsRequest,
    FormatRequest,
    GetSnapshotRequest,
    SnapshotMetadata,
)

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
TENANT = "00000000-0000-0000-0000-000000000002"
REGION = "westeurope"
VARIABLES = {
    "GITHUB_REPOSITORY": "Acme/churn",
    "GITHUB_REPOSITORY_ID": "22",
    "GITHUB_REPOSITORY_OWNER_ID": "11",
    "ENDPOINT": "",
    "FIRST_DEPLOYMENT": "",
}
"""What parameter files read; the compiler reads them as it starts."""
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
GUIDS = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
"""The name space of Azure's guid(), as uuid5 takes it."""
_PRINCIPAL = r"reference\('(?P<of>[^']+)', '[^']+'(?:, 'full'\)\.identity|\))\.principalId"


@dataclass(frozen=True)
class Place:
    """Where a deployment goes."""

    group: str
    subscription: str = SUBSCRIPTION
    region: str = REGION


@dataclass(frozen=True)
class Resource:
    """A resource that a deployment asks for.

    Attributes:
        kind: its type, such as `Microsoft.KeyVault/vaults`.
        version: of the API.
        name: its own, without its parents'.
        id: with its group and subscription.
        body: all else that is asked for.
    """

    kind: str
    version: str
    name: str
    id: str
    body: dict[str, Any]

    @property
    def properties(self) -> dict[str, Any]:
        """Its properties; empty if it has none."""
        return dict(self.body.get("properties", {}))


@dataclass(frozen=True)
class Assignment:
    """A right: who has which role on what.

    Attributes:
        who: the id of the resource whose identity it is, or a principal's id.
        role: the number of the role.
        scope: the id of a resource or of a group.
        named: whether its name is made of just these three, so that another one has another name.
        body: all else that is asked for.
    """

    who: str
    role: str
    scope: str
    named: bool
    body: dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """What one deployment asks for."""

    resources: list[Resource] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def of(self, kind: str) -> list[Resource]:
        """Return the resources of one type."""
        return [each for each in self.resources if each.kind == kind]

    def one(self, kind: str, start: str = "") -> Resource:
        """Return the only resource of a type whose name begins so."""
        (found,) = (each for each in self.of(kind) if each.name.startswith(start))
        return found


class Bicep:
    """The compiler, as long as the block lasts."""

    def __init__(self, program: str | Path, variables: Mapping[str, str] = VARIABLES) -> None:
        self._program, self._variables = program, variables

    def __enter__(self) -> "Bicep":
        with mock.patch.dict(os.environ, self._variables):
            self._client = BicepClient(self._program)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def diagnostics(self, file: Path) -> list[str]:
        """Return all that the compiler says of a parameter file and of what it uses."""
        answer = self._client.compile_params(CompileParamsRequest(file, {}))
        return [
            f"{Path(each['source']).name}:{each['range']['start']['line'] + 1}: "
            f"{each['level']} {each['code']}: {each['message']}"
            for each in answer.diagnostics
        ]

    def template(self, file: Path) -> dict[str, Any]:
        """Return the template that a parameter file deploys, as Azure gets it."""
        answer = self._client.compile_params(CompileParamsRequest(file, {}))
        assert answer.template is not None, self.diagnostics(file)
        return dict(json.loads(answer.template))

    def formatted(self, file: Path) -> str:
        """Return a file's text as `bicep format` writes it."""
        return self._client.format(FormatRequest(file)).contents

    def snapshot(self, file: Path, place: Place) -> Snapshot:
        """Return what a parameter file asks of Azure."""
        metadata = SnapshotMetadata(
            tenant_id=TENANT,
            subscription_id=place.subscription,
            resource_group=place.group,
            location=place.region,
            deployment_name="deployment",
        )
        answer = self._client.get_snapshot(GetSnapshotRequest(path=file, metadata=metadata))
        return read_snapshot(json.loads(answer.snapshot))


def read_snapshot(answer: Mapping[str, Any]) -> Snapshot:
    """Return the compiler's answer as resources and rights.

    Raises:
        ValueError: it has a diagnostic, or a right in a form that is not known.
    """
    if answer["diagnostics"]:
        raise ValueError(answer["diagnostics"])
    found = Snapshot(outputs=dict(answer.get("outputs", {})))
    for each in answer["predictedResources"]:
        if each["type"] == ASSIGNMENT:
            found.assignments.append(_assignment(each))
        else:
            known = {"type", "apiVersion", "name", "id"}
            found.resources.append(
                Resource(
                    kind=each["type"],
                    version=each["apiVersion"],
                    name=each["name"].rpartition("/")[2],
                    id=each["id"],
                    body={key: value for key, value in each.items() if key not in known},
                )
            )
    return found


def _assignment(given: Mapping[str, Any]) -> Assignment:
    properties = dict(given["properties"])
    principal = properties.pop("principalId")
    role_id = properties.pop("roleDefinitionId")
    role = role_id.rpartition("/")[2]
    scope = _scope(given["id"])
    known = re.fullmatch(rf"\[{_PRINCIPAL}\]", principal)
    if known:
        made_of = principal[1:-1]
        names = {f"[guid('{scope}', {made_of}, '{each}')]" for each in (role, role_id)}
    else:
        names = {guid(scope, principal, each) for each in (role, role_id)}
    body = {key: value for key, value in given.items() if key not in {"type", "id", "name"}}
    who = known["of"] if known else principal
    return Assignment(who, role, scope, given["name"] in names, body | {"properties": properties})


def _scope(identity: str) -> str:
    """Return on what a right is, by its own id.

    Raises:
        ValueError: the id is an expression of a form that is not known.
    """
    if on := re.match(r"\[extensionResourceId\('([^']+)', ", identity):
        return on[1]
    if on := re.match(r"\[resourceId\('([^']+)', '([^']+)', 'Microsoft.Auth", identity):
        return f"/subscriptions/{on[1]}/resourceGroups/{on[2]}"
    scope, found, _ = identity.rpartition(f"/providers/{ASSIGNMENT}/")
    if not found or identity.startswith("["):
        raise ValueError(f"a right of an unknown form: {identity}")
    return scope


def guid(*parts: str) -> str:
    """Return the number that Azure makes of texts."""
    return str(uuid.uuid5(GUIDS, "-".join(parts)))


def with_values(text: str, values: Mapping[str, Any]) -> str:
    """Return a parameter file's text with other values; a value of None takes the line away."""
    for name, value in values.items():
        line = "" if value is None else f"param {name} = {literal(value)}\n"
        given = re.search(rf"^param {name} = (\[[^\]]*\]|[^\n]*)\n", text, flags=re.MULTILINE)
        text = text.replace(given[0], line) if given else text + line
    return text


def literal(value: Any) -> str:
    """Return a value as Bicep writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(literal(each) for each in value) + "]"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${") + "'"
    return str(value)
