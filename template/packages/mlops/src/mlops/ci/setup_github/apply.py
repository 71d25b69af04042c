"""`mlops setup github`: what a repository on GitHub needs before it can release.

Only `gh`, GitHub's own command line, talks to GitHub, with the rights of whoever is signed in.
What is printed without `--apply` is what runs with it, and can be pasted into bash and PowerShell.
"""

import codecs
import json
import re
import shutil
import subprocess  # nosec B404  # only gh, with arguments of our own
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops.errors import ConfigError, PlatformError

RULESET = Path(".github/rulesets/main.json")
OWNERS = Path(".github/CODEOWNERS")
INFRA_WORKFLOW = Path(".github/workflows/infra.yml")
INFRA = Path("infra/shared.bicep")
PLATFORMS = ("local", "azure")
PLATFORM = "MLOPS_PLATFORM"
VARIABLES = {
    PLATFORM: "where the steps run; not set: local, on the runner, as a rehearsal",
    "AZURE_TENANT_ID": "whom Azure asks who a job is",
    "AZURE_SUBSCRIPTION_ID": "the subscription that holds the resources",
    "MLOPS_RUNNER": "the label of a runner of your own; not set: GitHub's machines",
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
    Environment("dev-registration", ("main",), False, "versions for all environments"),
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


def read_azure_ids(path: Path, root: Path) -> AzureIds:
    """Read what the deployment of infra/shared.bicep returned.

    Args:
        path: its outputs as JSON, such as `az deployment group show --query properties.outputs`
            prints; also as Windows PowerShell's `>` writes them, in UTF-16.
        root: the project's folder.

    Raises:
        ConfigError: the file is not there or says something else.
    """
    try:
        data = path.read_bytes()
        utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        content = json.loads(data.decode("utf-16" if utf16 else "utf-8-sig"))
        values = {name: output["value"] for name, output in content.items()}
        return AzureIds(
            variables={
                "AZURE_TENANT_ID": str(values["tenantId"]),
                "AZURE_SUBSCRIPTION_ID": str(values["subscriptionId"]),
            },
            client_ids={each["environment"]: str(each["clientId"]) for each in values["clientIds"]},
        )
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        if not (root / INFRA).is_file():
            raise ConfigError(
                f"--azure: {path} does not hold such outputs, and this project has no {INFRA} that "
                "returns them: leave --azure out, give AZURE_TENANT_ID and AZURE_SUBSCRIPTION_ID "
                f"with --variable, and each environment's identity with `gh variable set "
                f"{CLIENT_ID} --env NAME --body ID`"
            ) from None
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
        """Whether environments can require reviewers here; it is tried if the plan is unknown."""
        return not self.private or self.plan in (None, "enterprise")

    @property
    def has_branch_rules(self) -> bool:
        """Whether rulesets and the branches of environments can be limited here, likewise."""
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
class Known:
    """What an environment that exists asks for: a change replaces all of it."""

    branches: tuple[str, ...] = ()
    protection: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One call of gh."""

    title: str
    command: tuple[str, ...]

    def shown(self) -> str:
        """Return the call as a person would type it, in bash or PowerShell."""
        return " ".join(["gh", *map(_quoted, self.command)])


def environments(level: int, infrastructure: bool) -> tuple[Environment, ...]:
    """Return the environments that the workflows of a project name."""
    used = ENVIRONMENTS if level >= 2 else ENVIRONMENTS[:1]
    return (*used, *INFRASTRUCTURE) if infrastructure else used


def plan_steps(
    repository: Repository,
    reviewers: Sequence[Mapping[str, Any]],
    variables: Mapping[str, str],
    *,
    level: int,
    ruleset: bool = True,
    infrastructure: bool = False,
    client_ids: Mapping[str, str] | None = None,
    known: Mapping[str, Known] | None = None,
    ruleset_id: int | None = None,
    no_reviewers: bool = False,
) -> list[Step]:
    """Return the calls that bring a repository to the state wanted.

    Args:
        repository: where.
        reviewers: type and id of each who may approve a release; without any, those that an
            environment has stay.
        variables: variables to set.
        level: the maturity level; below 2 only `dev` is used.
        ruleset: whether there are rules of main to set.
        infrastructure: whether the project has infra/, and so the workflow that deploys it.
        client_ids: the identity in Azure of each environment.
        known: the environments that exist already.
        ruleset_id: the ruleset of this name that exists already.
        no_reviewers: remove those that the reviewed environments have.
    """
    api = ("api", "--silent", "--method")
    steps = []
    for environment in environments(level, infrastructure):
        path = f"repos/{repository.name}/environments/{environment.name}"
        before = (known or {}).get(environment.name, Known())
        body = _protection(environment, before, reviewers, no_reviewers=no_reviewers)
        if repository.has_branch_rules and environment.branches:
            body["deployment_branch_policy"] = {
                "protected_branches": False,
                "custom_branch_policies": True,
            }
        title = f"environment {environment.name}: {environment.purpose}"
        steps.append(Step(title, (*api, "PUT", path, *_fields(body))))
        if repository.has_branch_rules:
            steps += [
                Step(
                    f"environment {environment.name}: allow {branch}",
                    (
                        *(*api, "POST", f"{path}/deployment-branch-policies"),
                        *_fields({"name": branch, "type": "branch"}),
                    ),
                )
                for branch in environment.branches
                if branch not in before.branches
            ]
        if environment.name in (client_ids or {}):
            value = (client_ids or {})[environment.name]
            command = ("variable", "set", CLIENT_ID, "--env", environment.name, "--body", value)
            title = f"environment {environment.name}: the variable {CLIENT_ID}"
            steps.append(Step(title, command))
    for name, value in variables.items():
        title = f"variable {name}: {VARIABLES[name]}"
        steps.append(Step(title, ("variable", "set", name, "--body", value)))
    if ruleset and repository.has_branch_rules:
        path = f"repos/{repository.name}/rulesets"
        method, path = ("POST", path) if ruleset_id is None else ("PUT", f"{path}/{ruleset_id}")
        command = (*api, method, path, "--input", RULESET.as_posix())
        steps.append(Step(f"rules of main, from {RULESET.as_posix()}", command))
    return steps


def set_up(
    root: Path,
    level: int,
    reviewers: Sequence[str],
    variables: Mapping[str, str],
    *,
    apply: bool,
    no_reviewers: bool = False,
    azure: AzureIds | None = None,
    command: Sequence[str] | None = None,
) -> tuple[Repository, list[Step]]:
    """Plan the set-up and, with `apply`, do it.

    Args:
        root: the project's folder.
        level: the maturity level.
        reviewers: who may approve a release.
        variables: variables of the repository to set.
        apply: whether to do it.
        no_reviewers: nobody has to approve a release.
        azure: as whom the jobs sign in to Azure; None sets nothing of it.
        command: in the place of gh.

    Raises:
        ConfigError: an option is wrong, or gh is missing or not signed in.
        PlatformError: GitHub refused a call; those before it stay done, and all can be repeated.
    """
    infrastructure = (root / INFRA_WORKFLOW).is_file()
    wanted = environments(level, infrastructure)
    client_ids = azure.client_ids if azure else {}
    strange = sorted(client_ids.keys() - {environment.name for environment in wanted})
    if strange:
        raise ConfigError(f"--azure: the workflows use no environment {', '.join(strange)}")
    variables = {**(azure.variables if azure else {}), **variables}
    _check_options(reviewers, variables, client_ids, no_reviewers=no_reviewers)
    ruleset = _ruleset_name(root)
    options: dict[str, Any] = {
        "level": level,
        "ruleset": ruleset is not None,
        "infrastructure": infrastructure,
        "client_ids": client_ids,
        "no_reviewers": no_reviewers,
    }
    if not apply:
        named = reviewers or ([] if no_reviewers else ["REVIEWER"])
        people = [{"type": _kind(who), "id": f"<id of {who}>"} for who in named]
        repository = Repository("{owner}/{repo}")
        return repository, plan_steps(repository, people, variables, **options)
    gh = Gh(root, command)
    repository = gh.repository()
    known = gh.environments(repository.name)
    if reviewers and not repository.has_reviewers:
        raise ConfigError(f"--reviewer: {repository.limits()[0]}; then leave --reviewer out")
    asked = [each.name for each in wanted if each.reviewed]
    open_to_all = any("reviewers" not in known.get(name, Known()).protection for name in asked)
    if repository.has_reviewers and open_to_all and not reviewers and not no_reviewers:
        raise ConfigError(
            "--reviewer: name those who may approve, such as --reviewer alice "
            "--reviewer our-organisation/our-team; or say --no-reviewers"
        )
    steps = plan_steps(
        repository,
        [gh.reviewer(who) for who in reviewers],
        variables,
        **options,
        known=known,
        ruleset_id=gh.ruleset_id(repository.name, ruleset) if repository.has_branch_rules else None,
    )
    for step in steps:
        try:
            gh.call(*step.command)
        except PlatformError as error:
            if repository.private and repository.plan is None and "reviewers" in str(step.command):
                raise PlatformError(
                    f"{error}; the plan of {repository.name} is not known: if it has no required "
                    "reviewers, use --no-reviewers in the place of --reviewer"
                ) from None
            raise
    return repository, steps


def who_reviews(root: Path) -> list[str]:
    """Say so where nobody owns the code: then the rule that an owner reviews it asks nothing."""
    path = root / OWNERS
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    if any("@" in line.partition("#")[0] for line in lines):
        return []
    owned = "/conf/, /.github/ and /infra/" if (root / INFRA).is_file() else "/conf/ and /.github/"
    return [
        f"{OWNERS.as_posix()} names nobody, so any reviewer is enough, also for a change of the "
        f"workflows or of approvals.required: name owners of {owned}"
    ]


def _check_options(
    reviewers: Sequence[str],
    variables: Mapping[str, str],
    client_ids: Mapping[str, str],
    *,
    no_reviewers: bool,
) -> None:
    unknown = sorted(variables.keys() - VARIABLES.keys())
    if unknown:
        raise ConfigError(f"--variable: the workflows read no {', '.join(unknown)}")
    platform = variables.get(PLATFORM)
    if platform is not None and platform not in PLATFORMS:
        raise ConfigError(
            f"--variable: {PLATFORM} is {platform!r}, but must be {' or '.join(PLATFORMS)}"
        )
    for option, values in (("--variable", variables), ("--azure", client_ids)):
        odd = sorted(name for name, value in values.items() if re.search(r"['\"\r\n]", value))
        if odd:
            raise ConfigError(f"{option}: {', '.join(odd)} must be one line without quotes")
    if reviewers and no_reviewers:
        raise ConfigError("--no-reviewers: leave it out, or leave --reviewer out")
    if len(reviewers) > MOST_REVIEWERS:
        raise ConfigError(f"--reviewer: GitHub takes at most {MOST_REVIEWERS}; name a team instead")


def _ruleset_name(root: Path) -> str | None:
    path = root / RULESET
    if not path.is_file():
        return None
    return str(json.loads(path.read_text(encoding="utf-8"))["name"])


def _protection(
    environment: Environment,
    known: Known,
    reviewers: Sequence[Mapping[str, Any]],
    *,
    no_reviewers: bool,
) -> dict[str, Any]:
    """Return who has to approve: what was asked for, else what the environment has already."""
    body = dict(known.protection)
    if not environment.reviewed:
        return body
    if no_reviewers:
        kept = {name: body[name] for name in ("wait_timer",) if name in body}
        return {**kept, "reviewers": None} if "reviewers" in body else kept
    if reviewers:
        body["reviewers"] = [dict(who) for who in reviewers]
    if "reviewers" in body:
        body |= {"prevent_self_review": True, "can_admins_bypass": False}
    return body


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


def _kind(who: str) -> str:
    return "Team" if "/" in who else "User"


class Gh:
    """The command gh, run in the project's folder.

    Args:
        root: that folder.
        command: in the place of gh.

    Raises:
        ConfigError: gh is not installed.
    """

    def __init__(self, root: Path, command: Sequence[str] | None = None) -> None:
        found = shutil.which("gh")
        if command is None and found is None:
            raise ConfigError(
                "gh is not installed: see https://cli.github.com, then `gh auth login`"
            )
        self._gh = list(command or [str(found)])
        self._root = root

    def call(self, *arguments: str) -> str:
        """Run gh and return what it prints.

        Raises:
            PlatformError: it failed.
        """
        done = subprocess.run(  # nosec B603  # a list of arguments, no shell
            [*self._gh, *arguments],
            cwd=self._root,
            stdin=subprocess.DEVNULL,
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
        return {"type": _kind(who), "id": json.loads(self.call("api", path))["id"]}

    def environments(self, repository: str) -> dict[str, Known]:
        """Return those of our environments that exist, with what they ask for."""
        found = json.loads(self.call("api", f"repos/{repository}/environments?per_page=100"))
        ours = {environment.name for environment in (*ENVIRONMENTS, *INFRASTRUCTURE)}
        known = {}
        for each in found["environments"]:
            if each["name"] in ours:
                path = f"repos/{repository}/environments/{each['name']}/deployment-branch-policies"
                policies = json.loads(self.call("api", path))["branch_policies"]
                branches = tuple(policy["name"] for policy in policies)
                known[each["name"]] = Known(branches, _asked_for(each))
        return known

    def ruleset_id(self, repository: str, name: str | None) -> int | None:
        """Return the id of the repository's ruleset of this name, if there is one."""
        found = json.loads(self.call("api", f"repos/{repository}/rulesets"))
        ids = [each["id"] for each in found if each["name"] == name]
        return int(ids[0]) if ids else None


def _asked_for(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an environment asks for, in the form in which GitHub takes it back."""
    protection: dict[str, Any] = {}
    if environment.get("can_admins_bypass") is False:
        protection["can_admins_bypass"] = False
    for rule in environment.get("protection_rules", ()):
        if rule["type"] == "wait_timer":
            protection["wait_timer"] = rule["wait_timer"]
        elif rule["type"] == "required_reviewers" and rule.get("reviewers"):
            protection["prevent_self_review"] = rule.get("prevent_self_review", False)
            protection["reviewers"] = [
                {"type": each["type"], "id": each["reviewer"]["id"]} for each in rule["reviewers"]
            ]
    return protection
