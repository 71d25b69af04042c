"""The calls of gh that bring a repository to the state wanted; nothing here makes one.

What is printed without `--apply` is what runs with it, and can be pasted into bash and PowerShell.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops.ci.setup_github.environments import GitHubEnvironment
from mlops.ci.setup_github.project_files import RULESET
from mlops.ci.setup_github.protection import Known, Reviewer, protection_of
from mlops.ci.setup_github.repository import Repository
from mlops.ci.setup_github.variables import CLIENT_ID, VARIABLES

_API = ("api", "--silent", "--method")


@dataclass(frozen=True)
class GhCall:
    """One call of gh."""

    title: str
    command: tuple[str, ...]

    def shown(self) -> str:
        """Return the call as a person would type it, in bash or PowerShell."""
        return " ".join(["gh", *map(_quoted, self.command)])


@dataclass(frozen=True)
class Wanted:
    """The state that a repository is to have.

    Attributes:
        environments: those that the workflows name.
        reviewers: who may approve a release; without any, those that an environment has stay.
        no_reviewers: remove those that the reviewed environments have.
        variables: variables of the repository.
        client_ids: the identity in Azure of each environment.
        ruleset: whether there are rules of main to set.
    """

    environments: tuple[GitHubEnvironment, ...]
    reviewers: tuple[Reviewer, ...] = ()
    no_reviewers: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    client_ids: Mapping[str, str] = field(default_factory=dict)
    ruleset: bool = False


@dataclass(frozen=True)
class Found:
    """What the repository has already: its environments, and the id of the ruleset."""

    environments: Mapping[str, Known] = field(default_factory=dict)
    ruleset_id: int | None = None


NOTHING = Found()


def plan_calls(repository: Repository, wanted: Wanted, found: Found = NOTHING) -> list[GhCall]:
    """Return the calls that lead from what was found to what is wanted."""
    calls: list[GhCall] = []
    for environment in wanted.environments:
        calls += _environment_calls(repository, environment, wanted, found)
    for name, value in wanted.variables.items():
        title = f"variable {name}: {VARIABLES[name]}"
        calls.append(GhCall(title, ("variable", "set", name, "--body", value)))
    if wanted.ruleset and repository.has_branch_rules:
        calls.append(_ruleset_call(repository, found.ruleset_id))
    return calls


def _environment_calls(
    repository: Repository, environment: GitHubEnvironment, wanted: Wanted, found: Found
) -> Iterator[GhCall]:
    what = f"environment {environment.name}"
    path = f"repos/{repository.name}/environments/{environment.name}"
    before = found.environments.get(environment.name, Known())
    protection = protection_of(
        environment, before, wanted.reviewers, no_reviewers=wanted.no_reviewers
    )
    body = protection.body()
    if repository.has_branch_rules and environment.branches:
        body["deployment_branch_policy"] = {
            "protected_branches": False,
            "custom_branch_policies": True,
        }
    yield GhCall(f"{what}: {environment.purpose}", (*_API, "PUT", path, *_fields(body)))
    for branch in environment.branches if repository.has_branch_rules else ():
        if branch not in before.branches:
            policy = _fields({"name": branch, "type": "branch"})
            command = (*_API, "POST", f"{path}/deployment-branch-policies", *policy)
            yield GhCall(f"{what}: allow {branch}", command)
    if environment.name in wanted.client_ids:
        value = wanted.client_ids[environment.name]
        command = ("variable", "set", CLIENT_ID, "--env", environment.name, "--body", value)
        yield GhCall(f"{what}: the variable {CLIENT_ID}", command)


def _ruleset_call(repository: Repository, known: int | None) -> GhCall:
    path = f"repos/{repository.name}/rulesets"
    place = ("POST", path) if known is None else ("PUT", f"{path}/{known}")
    command = (*_API, *place, "--input", RULESET.as_posix())
    return GhCall(f"rules of main, from {RULESET.as_posix()}", command)


def _fields(body: Mapping[str, Any]) -> Iterator[str]:
    """Write a body as gh's fields, which it turns into JSON again."""
    for name, value in body.items():
        for text in _field(name, value):
            yield from ("-F", text)


def _field(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _field(f"{name}[{key}]", each)
    elif isinstance(value, list):
        for each in value:
            yield from _field(f"{name}[]", each)
    else:
        yield f"{name}={value if isinstance(value, str) else json.dumps(value)}"


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[\w./:=-]+", text) else f"'{text}'"
