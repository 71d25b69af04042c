"""The calls of gh that bring a repository to the state wanted; nothing here makes one.

What is printed without `--apply` is what runs with it, and can be pasted into bash and PowerShell.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops.ci.setup_github.environments import INFRA, GitHubEnvironment
from mlops.ci.setup_github.protection import (
    BranchPolicy,
    Known,
    Protection,
    Reviewer,
    protection_of,
)
from mlops.ci.setup_github.repository import Repository
from mlops.ci.setup_github.variables import CLIENT_ID, VARIABLES

_API = ("api", "--silent", "--method")


@dataclass(frozen=True)
class GhCall:
    """One call of gh.

    Attributes:
        title: what it does.
        command: its arguments.
        environment: the one that it concerns.
        is_part: it completes the call before it, and need not be told of when it is done.
    """

    title: str
    command: tuple[str, ...]
    environment: str | None = None
    is_part: bool = False

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
        ruleset: the file with the rules of main, if there are any to set.
    """

    environments: tuple[GitHubEnvironment, ...]
    reviewers: tuple[Reviewer, ...] = ()
    no_reviewers: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    client_ids: Mapping[str, str] = field(default_factory=dict)
    ruleset: Path | None = None


@dataclass(frozen=True)
class Found:
    """What the repository has already.

    Attributes:
        environments: with what they ask for.
        ruleset_id: of the rules of main.
        infra_signs_in: whether `infra` has an identity in Azure.
    """

    environments: Mapping[str, Known] = field(default_factory=dict)
    ruleset_id: int | None = None
    infra_signs_in: bool = False


NOTHING = Found()


def protection_wanted(
    repository: Repository, environment: GitHubEnvironment, wanted: Wanted, before: Known
) -> Protection:
    """Return what an environment is to ask for: nothing where the plan has no such protection."""
    if not repository.has_reviewers:
        return Protection()
    return protection_of(environment, before, wanted.reviewers, no_reviewers=wanted.no_reviewers)


def policies_wanted(environment: GitHubEnvironment, before: Known) -> tuple[BranchPolicy, ...]:
    """Return which branches may use an environment; where that is a choice, the one made stays."""
    if before.restricted and before.policies and not environment.is_of_main_alone:
        return before.policies
    return tuple(BranchPolicy(name) for name in environment.branches)


def protection_calls(
    repository: Repository, wanted: Wanted, found: Found = NOTHING
) -> list[GhCall]:
    """Return the calls for environments, their branches, and the rules of main."""
    calls: list[GhCall] = []
    for environment in wanted.environments:
        before = found.environments.get(environment.name, Known())
        calls += _environment_calls(repository, environment, wanted, before)
    if wanted.ruleset and repository.has_branch_rules:
        calls.append(_ruleset_call(repository, wanted.ruleset, found.ruleset_id))
    return calls


def variable_calls(wanted: Wanted, found: Found = NOTHING, *, infra_is_asked: bool) -> list[GhCall]:
    """Return the calls for variables.

    Args:
        wanted: among others the identities in Azure.
        found: what there is.
        infra_is_asked: whether somebody is asked before `infra` deploys, or need not be. If not, it
            gets no identity, and loses the one that it has.
    """
    calls: list[GhCall] = []
    for environment in wanted.environments:
        name = environment.name
        what = f"environment {name}"
        if name == INFRA and not infra_is_asked:
            if found.infra_signs_in:
                title = f"{what}: no variable {CLIENT_ID} any more, as nobody would be asked"
                gone = ("variable", "delete", CLIENT_ID, "--env", name)
                calls.append(GhCall(title, gone, name))
        elif name in wanted.client_ids:
            value = wanted.client_ids[name]
            command = ("variable", "set", CLIENT_ID, "--env", name, "--body", value)
            calls.append(GhCall(f"{what}: the variable {CLIENT_ID}", command, name))
    for name, value in wanted.variables.items():
        title = f"variable {name}: {VARIABLES[name]}"
        calls.append(GhCall(title, ("variable", "set", name, "--body", value)))
    return calls


def _environment_calls(
    repository: Repository, environment: GitHubEnvironment, wanted: Wanted, before: Known
) -> Iterator[GhCall]:
    name = environment.name
    what = f"environment {name}"
    path = f"repos/{repository.name}/environments/{name}"
    limited = repository.has_branch_rules and bool(environment.branches)
    body = protection_wanted(repository, environment, wanted, before).body()
    if limited:
        body["deployment_branch_policy"] = {
            "protected_branches": False,
            "custom_branch_policies": True,
        }
    kept = policies_wanted(environment, before)
    only = f", from {' and '.join(each.name for each in kept)} alone" if limited else ""
    title = f"{what}: {environment.purpose}{only}"
    yield GhCall(title, (*_API, "PUT", path, *_fields(body)), name)
    if not limited:
        return
    path = f"{path}/deployment-branch-policies"
    for policy in kept:
        if (policy.type, policy.name) not in before.patterns:
            fields = _fields({"name": policy.name, "type": policy.type})
            add = (*_API, "POST", path, *fields)
            yield GhCall(f"{what}: allow {policy}", add, name, is_part=True)
    names = {(each.type, each.name) for each in kept}
    for policy in before.policies:
        if (policy.type, policy.name) not in names:
            title = f"{what}: no longer allow {policy}"
            yield GhCall(title, (*_API, "DELETE", f"{path}/{policy.id}"), name)


def _ruleset_call(repository: Repository, file: Path, known: int | None) -> GhCall:
    path = f"repos/{repository.name}/rulesets"
    place = ("POST", path) if known is None else ("PUT", f"{path}/{known}")
    command = (*_API, *place, "--input", file.as_posix())
    return GhCall(f"rules of main, from {file.as_posix()}", command)


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
