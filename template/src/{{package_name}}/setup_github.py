"""`mlops setup github`: what a repository on GitHub needs before it can release.

Only `gh`, GitHub's own command line, talks to GitHub, with the rights of whoever is signed in.
"""

import json
import shlex
import shutil
import subprocess  # nosec B404  # only gh, with arguments of our own
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ConfigError, PlatformError

RULESET = Path(".github/rulesets/main.json")
INFRA_WORKFLOW = Path(".github/workflows/infra.yml")
VARIABLES = {
    "MLOPS_PLATFORM": "where the steps run; not set: local, on the runner, as a rehearsal",
    "AZURE_TENANT_ID": "whom Azure asks who a job is",
    "AZURE_SUBSCRIPTION_ID": "the subscription that holds the resources",
    "CODECOV": "true sends the tests' coverage to Codecov",
}
CLIENT_ID = "AZURE_CLIENT_ID"
MOST_REVIEWERS = 6


@dataclass(frozen=True)
class Environment:
    """One environment of the repository: who may deploy to it from where."""

    name: str
    branches: tuple[str, ...]
    reviewed: bool
    purpose: str


ENVIRONMENTS = (
    Environment("dev", ("main", "develop"), False, "training"),
    Environment("test", ("main",), False, "the release before production"),
    Environment("prod-approval", ("main",), True, "the first approval of a release"),
    Environment("prod", ("main",), True, "the second approval, then the release"),
    Environment("prod-rollback", ("main",), False, "the way back, which waits for nobody"),
)
# For infra/. Pull requests come from any branch, so infra-plan may only read.
INFRASTRUCTURE = (
    Environment("infra", ("main",), True, "changes of the infrastructure"),
    Environment("infra-plan", (), False, "what a pull request would change there"),
)


@dataclass(frozen=True)
class AzureIds:
    """As whom the jobs of each environment sign in to Azure, and to which subscription."""

    variables: Mapping[str, str]
    client_ids: Mapping[str, str]


def read_azure_ids(path: Path) -> AzureIds:
    """Read what the deployment of infra/shared.bicep returned.

    Args:
        path: its outputs as JSON, such as `az deployment group show --query properties.outputs`
            prints.

    Raises:
        ConfigError: the file is not there or says something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        values = {name: output["value"] for name, output in content.items()}
        return AzureIds(
            variables={
                "AZURE_TENANT_ID": str(values["tenantId"]),
                "AZURE_SUBSCRIPTION_ID": str(values["subscriptionId"]),
            },
            client_ids={each["environment"]: each["clientId"] for each in values["clientIds"]},
        )
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        raise ConfigError(
            f"--azure: {path} does not hold the outputs of infra/shared.bicep as JSON, with "
            "tenantId, subscriptionId and clientIds (docs/going-live.md)"
        ) from None


@dataclass(frozen=True)
class Repository:
    """What decides which protections GitHub offers; None where it could not be found out."""

    name: str
    private: bool | None = None
    plan: str | None = None

    @property
    def has_reviewers(self) -> bool:
        """Whether environments can require reviewers here."""
        return not self.private or self.plan == "enterprise"

    @property
    def has_branch_rules(self) -> bool:
        """Whether rulesets and the branches of environments can be limited here."""
        return not self.private or self.plan != "free"

    def limits(self) -> list[str]:
        """Say what the plan cannot do, and what to do instead."""
        reviewers = (
            "environments cannot require reviewers, so no release to prod would ever have its "
            "approvals: set approvals.required to 0 in conf/prod.yaml and ask for two reviews of "
            "each pull request in the rules of main"
        )
        branches = (
            "neither branches nor environments can be protected: whoever may push can release"
        )
        if self.private is None:
            return [
                f"in a private repository on the plans Free, Pro and Team, {reviewers}",
                f"in a private repository on the plan Free, {branches}",
            ]
        if not self.private or self.plan == "enterprise":
            return []
        if self.plan is None:
            return [f"unless the owner has GitHub Enterprise, {reviewers}"]
        shown = f"in a private repository on the plan {self.plan.capitalize()}, "
        found = [shown + reviewers]
        return found if self.has_branch_rules else [*found, shown + branches]


@dataclass(frozen=True)
class Step:
    """One call of gh, and the JSON that it reads from its input."""

    title: str
    command: tuple[str, ...]
    body: Mapping[str, Any] | None = None

    def shown(self) -> str:
        """Return the call as a person would type it."""
        line = shlex.join(["gh", *self.command])
        return line if self.body is None else f"{line} <<< {shlex.quote(json.dumps(self.body))}"


def environments(level: int, infrastructure: bool) -> tuple[Environment, ...]:
    """Return the environments that the workflows of a project name."""
    used = ENVIRONMENTS if level >= 2 else ENVIRONMENTS[:1]
    return (*used, *INFRASTRUCTURE) if infrastructure else used


def plan_steps(
    repository: Repository,
    reviewers: Sequence[Mapping[str, Any]],
    variables: Mapping[str, str],
    ruleset: Mapping[str, Any] | None,
    *,
    level: int,
    infrastructure: bool = False,
    client_ids: Mapping[str, str] | None = None,
    known_branches: Mapping[str, Sequence[str]] | None = None,
    ruleset_id: int | None = None,
) -> list[Step]:
    """Return the calls that bring a repository to the state wanted.

    Args:
        repository: where.
        reviewers: type and id of each who may approve a release.
        variables: variables to set.
        ruleset: the rules of main; None leaves them out.
        level: the maturity level; below 2 only `dev` is used.
        infrastructure: whether the project has infra/, and so the workflow that deploys it.
        client_ids: the identity in Azure of each environment.
        known_branches: which branches each environment allows already.
        ruleset_id: the ruleset of this name that exists already.
    """
    api = ("api", "--silent", "--method")
    steps = []
    for environment in environments(level, infrastructure):
        path = f"repos/{repository.name}/environments/{environment.name}"
        body: dict[str, Any] = {}
        if environment.reviewed and repository.has_reviewers:
            body = {"prevent_self_review": True, "reviewers": [dict(who) for who in reviewers]}
        if repository.has_branch_rules and environment.branches:
            body["deployment_branch_policy"] = {
                "protected_branches": False,
                "custom_branch_policies": True,
            }
        title = f"environment {environment.name}: {environment.purpose}"
        steps.append(Step(title, (*api, "PUT", path, "--input", "-"), body))
        if repository.has_branch_rules:
            known = (known_branches or {}).get(environment.name, ())
            steps += [
                Step(
                    f"environment {environment.name}: allow {branch}",
                    (*api, "POST", f"{path}/deployment-branch-policies", "--input", "-"),
                    {"name": branch, "type": "branch"},
                )
                for branch in environment.branches
                if branch not in known
            ]
        if environment.name in (client_ids or {}):
            value = (client_ids or {})[environment.name]
            command = ("variable", "set", CLIENT_ID, "--env", environment.name, "--body", value)
            title = f"environment {environment.name}: the variable {CLIENT_ID}"
            steps.append(Step(title, (*command, "--repo", repository.name)))
    for name, value in variables.items():
        command = ("variable", "set", name, "--body", value, "--repo", repository.name)
        steps.append(Step(f"variable {name}: {VARIABLES[name]}", command))
    if ruleset is not None and repository.has_branch_rules:
        path = f"repos/{repository.name}/rulesets"
        method, path = ("POST", path) if ruleset_id is None else ("PUT", f"{path}/{ruleset_id}")
        command = (*api, method, path, "--input", "-")
        steps.append(Step(f"rules of main, from {RULESET.as_posix()}", command, ruleset))
    return steps


def set_up(
    root: Path,
    level: int,
    reviewers: Sequence[str],
    variables: Mapping[str, str],
    *,
    apply: bool,
    azure: AzureIds | None = None,
) -> tuple[Repository, list[Step]]:
    """Plan the set-up and, with `apply`, do it.

    Raises:
        ConfigError: an option is wrong, or gh is missing or not signed in.
        PlatformError: GitHub refused a call; those before it stay done, and all can be repeated.
    """
    unknown = sorted(variables.keys() - VARIABLES.keys())
    if unknown:
        raise ConfigError(f"--variable: the workflows read no {', '.join(unknown)}")
    if len(reviewers) > MOST_REVIEWERS:
        raise ConfigError(f"--reviewer: GitHub takes at most {MOST_REVIEWERS}; name a team instead")
    infrastructure = (root / INFRA_WORKFLOW).is_file()
    client_ids = azure.client_ids if azure else {}
    variables = {**(azure.variables if azure else {}), **variables}
    names = {environment.name for environment in environments(level, infrastructure)}
    strange = sorted(client_ids.keys() - names)
    if strange:
        raise ConfigError(f"--azure: the workflows use no environment {', '.join(strange)}")
    path = root / RULESET
    ruleset = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    if not apply:
        people: list[dict[str, Any]] = [
            {"type": "Team" if "/" in who else "User", "id": f"<id of {who}>"} for who in reviewers
        ]
        repository = Repository("{owner}/{repo}")
        steps = plan_steps(
            repository,
            people,
            variables,
            ruleset,
            level=level,
            infrastructure=infrastructure,
            client_ids=client_ids,
        )
        return repository, steps
    gh = Gh(root)
    repository = gh.repository()
    if repository.has_reviewers and level >= 2 and len(reviewers) == 0:
        raise ConfigError(
            "--reviewer: name those who may approve a release, such as --reviewer alice "
            "--reviewer our-organisation/our-team"
        )
    steps = plan_steps(
        repository,
        [gh.reviewer(who) for who in reviewers] if repository.has_reviewers else [],
        variables,
        ruleset,
        level=level,
        infrastructure=infrastructure,
        client_ids=client_ids,
        known_branches=gh.branches(repository.name),
        ruleset_id=gh.ruleset_id(repository.name, ruleset) if repository.has_branch_rules else None,
    )
    for step in steps:
        gh.call(*step.command, body=step.body)
    return repository, steps


class Gh:
    """The command gh, run in the project's folder.

    Raises:
        ConfigError: gh is not installed.
    """

    def __init__(self, root: Path) -> None:
        found = shutil.which("gh")
        if found is None:
            raise ConfigError(
                "gh is not installed: see https://cli.github.com, then `gh auth login`"
            )
        self._gh = found
        self._root = root

    def call(self, *arguments: str, body: Mapping[str, Any] | None = None) -> str:
        """Run gh and return what it prints.

        Raises:
            PlatformError: it failed.
        """
        done = subprocess.run(  # nosec B603  # a list of arguments, no shell
            [self._gh, *arguments],
            cwd=self._root,
            input="" if body is None else json.dumps(body),
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode:
            said = " ".join(done.stderr.split())
            raise PlatformError(f"`gh {' '.join(arguments[:4])}` failed: {said}")
        return done.stdout

    def repository(self) -> Repository:
        """Return this folder's repository and the plan it is on."""
        found = json.loads(self.call("api", "repos/{owner}/{repo}"))
        owner = found["owner"]
        plan = None
        if found["private"]:
            path = f"orgs/{owner['login']}" if owner["type"] == "Organization" else "user"
            account = json.loads(self.call("api", path))
            same = account.get("login", "").lower() == owner["login"].lower()
            plan = (account.get("plan") or {}).get("name") if same else None
        return Repository(found["full_name"], bool(found["private"]), plan)

    def reviewer(self, who: str) -> dict[str, Any]:
        """Return the type and id of a person, or of a team named `organisation/team`."""
        organisation, _, team = who.rpartition("/")
        path = f"orgs/{organisation}/teams/{team}" if organisation else f"users/{who}"
        kind = "Team" if organisation else "User"
        return {"type": kind, "id": json.loads(self.call("api", path))["id"]}

    def branches(self, repository: str) -> dict[str, list[str]]:
        """Return which branches each environment that exists allows."""
        found = json.loads(self.call("api", f"repos/{repository}/environments?per_page=100"))
        names = {environment["name"] for environment in found["environments"]}
        allowed = {}
        ours = {environment.name for environment in (*ENVIRONMENTS, *INFRASTRUCTURE)}
        for name in sorted(names & ours):
            path = f"repos/{repository}/environments/{name}/deployment-branch-policies"
            policies = json.loads(self.call("api", path))["branch_policies"]
            allowed[name] = [policy["name"] for policy in policies]
        return allowed

    def ruleset_id(self, repository: str, ruleset: Mapping[str, Any] | None) -> int | None:
        """Return the id of the repository's ruleset of the same name, if there is one."""
        found = json.loads(self.call("api", f"repos/{repository}/rulesets"))
        ids = [each["id"] for each in found if ruleset and each["name"] == ruleset["name"]]
        return int(ids[0]) if ids else None
