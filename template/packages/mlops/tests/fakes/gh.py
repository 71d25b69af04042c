"""gh and the part of GitHub's REST API behind it, as the documents describe them.

Beside each rule is where it is said: "docs" is docs.github.com, "issue" a public report. None of it
was seen on GitHub itself.
"""

import copy
import json
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mlops.ci.setup_github.request import Request
from mlops.ci.setup_github.set_up import Outcome, apply

REPOSITORY = "acme/model"
PATH = f"repos/{REPOSITORY}/environments"
CUSTOM = {"protected_branches": False, "custom_branch_policies": True}
PROTECTED = {"protected_branches": True, "custom_branch_policies": False}
# docs, rest/deployments/environments: what a plan without protection rules does not take.
GATED = {"wait_timer", "reviewers", "prevent_self_review", "can_admins_bypass"}
# issue terraform-provider-github#1262, backstage#28977: the words of both refusals.
NO_REVIEWERS = (
    "Failed to create the environment protection rule. Please ensure the billing plan supports the "
    "required reviewers protection rule."
)
NO_BRANCHES = (
    "Fail to create protected rule, please ensure billing plan include protected branch gate."
)
# issue F-U-S-E-E/FuseDevelopmentGroup#58: what rulesets answer in a private repository on Free.
NO_RULESETS = "Upgrade to GitHub Pro or make this repository public to enable this feature."
NO_RIGHT = "Resource not accessible by personal access token"


class Refusal(Exception):
    """GitHub's answer to what it does not do."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass
class FakeEnvironment:
    """One environment, as GitHub keeps it."""

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    reviewers: list[dict[str, Any]] = field(default_factory=list)
    policy: dict[str, bool] | None = None
    policies: list[dict[str, Any]] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    def answer(self) -> dict[str, Any]:
        """Return it in the form of `Get an environment` (docs, rest/deployments/environments)."""
        rules: list[dict[str, Any]] = []
        if self.settings.get("wait_timer"):
            rules.append({"type": "wait_timer", "wait_timer": self.settings["wait_timer"]})
        if self.reviewers:
            people = [
                {"type": who["type"], "reviewer": {"id": who["id"]}} for who in self.reviewers
            ]
            prevent = bool(self.settings.get("prevent_self_review"))
            rules.append(
                {
                    "type": "required_reviewers",
                    "prevent_self_review": prevent,
                    "reviewers": people,
                }
            )
        if self.policy:
            rules.append({"type": "branch_policy"})
        return {
            "name": self.name,
            "can_admins_bypass": self.settings.get("can_admins_bypass", True),
            "protection_rules": rules,
            "deployment_branch_policy": self.policy,
        }


@dataclass
class FakeGitHub:
    """A repository on GitHub, and gh in front of it: call it with gh's arguments."""

    root: Path
    private: bool = False
    plan: str = "free"
    plan_is_shown: bool = True
    free_takes_environments: bool = False
    owner: str = "acme"
    owner_type: str = "Organization"
    host: str = "github.com"
    version: str = "gh version 2.83.1 (2025-11-13)"
    default_branch: str = "main"
    branches: list[str] = field(default_factory=lambda: ["main"])
    admin: bool = True
    subject: dict[str, Any] | None = field(default_factory=lambda: {"use_default": True})
    people: dict[str, tuple[int, str]] = field(
        default_factory=lambda: {"ann": (7, "write"), "bob": (9, "admin"), "zoe": (11, "none")}
    )
    teams: dict[str, tuple[int, bool]] = field(
        default_factory=lambda: {"acme/owners": (8, True), "acme/strangers": (12, False)}
    )
    drops: set[int] = field(default_factory=set)
    forbidden: str = "(?!)"
    environments: dict[str, FakeEnvironment] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    organisation_variables: dict[str, str] = field(default_factory=dict)
    rulesets: list[dict[str, Any]] = field(default_factory=list)
    organisation_rulesets: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    numbers: int = 100

    # What the plan has: docs, actions/reference, deployments-and-environments; rulesets: docs,
    # repositories, about-rulesets ("public repositories with GitHub Free, and public and private
    # repositories with GitHub Pro, GitHub Team, and GitHub Enterprise Cloud").
    @property
    def has_reviewers(self) -> bool:
        return not self.private or self.plan == "enterprise"

    @property
    def has_rules(self) -> bool:
        return not self.private or self.plan != "free"

    @property
    def has_environments(self) -> bool:
        # "Users with GitHub Free plans can only configure environments for public repositories."
        return self.has_rules or self.free_takes_environments

    def __call__(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Answer as gh does."""
        self.calls.append(tuple(arguments))
        try:
            answer = self._answer(list(arguments))
        except Refusal as refusal:
            # cli/cli, pkg/cmd/api: "gh: MESSAGE (HTTP STATUS)".
            said = f"{refusal.message} (HTTP {refusal.status})"
            return subprocess.CompletedProcess(arguments, 1, "", f"gh: {said}\n")
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return subprocess.CompletedProcess(arguments, 0, "" if answer is None else text, "")

    def _answer(self, arguments: list[str]) -> Any:
        if arguments == ["--version"]:
            return f"{self.version}\nhttps://github.com/cli/cli/releases\n"
        if arguments[0] == "variable":
            return self._variable(arguments)
        method, path = "GET", arguments[1]
        if "--method" in arguments:
            method, path = arguments[3:5]
        if re.search(self.forbidden, f"{method} {path}"):
            # docs, rest troubleshooting: too few permissions of a fine-grained token.
            raise Refusal(403, NO_RIGHT)
        return self._request(method, path, body_of(arguments, self.root))

    def _variable(self, arguments: list[str]) -> None:
        action, name = arguments[1:3]
        where = arguments[arguments.index("--env") + 1] if "--env" in arguments else None
        if re.search(self.forbidden, f"variable {action} {name} {where}"):
            raise Refusal(403, NO_RIGHT)
        variables = self.variables
        if where:
            # docs: environment variables in private repositories need Pro, Team or Enterprise.
            if not self.has_environments or where not in self.environments:
                raise Refusal(404, "Not Found")
            variables = self.environments[where].variables
        if action == "set":
            variables[name] = arguments[arguments.index("--body") + 1]
        elif variables.pop(name, None) is None:
            raise Refusal(404, "Not Found")

    def _request(self, method: str, path: str, body: dict[str, Any]) -> Any:
        address = urlsplit(path.replace("{owner}/{repo}", REPOSITORY))
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        routes: list[tuple[str, Callable[..., Any]]] = [
            (r"GET repos/acme/model", self._repository),
            (r"GET (?:orgs/(\w+)|user)", self._account),
            (r"GET repos/acme/model/actions/oidc/customization/sub", self._subject),
            (r"GET repos/acme/model/branches/([\w-]+)", self._branch),
            (r"GET users/([\w-]+)", self._user),
            (r"GET orgs/(\w+)/teams/([\w-]+)", self._team),
            (r"GET orgs/(\w+)/teams/([\w-]+)/repos/acme/model", self._team_access),
            (r"GET repos/acme/model/collaborators/([\w-]+)/permission", self._permission),
            (r"GET repos/acme/model/collaborators", self._collaborators),
            (r"GET repos/acme/model/environments", self._environments),
            (r"PUT repos/acme/model/environments/([\w-]+)", self._put_environment),
            (r"GET repos/acme/model/environments/([\w-]+)/variables/(\w+)", self._env_variable),
            (
                r"(\w+) repos/acme/model/environments/([\w-]+)/deployment-branch-policies"
                r"(?:/(\d+))?",
                self._policies,
            ),
            (r"GET repos/acme/model/actions/variables/(\w+)", self._repo_variable),
            (r"GET repos/acme/model/actions/(variables|organization-variables)", self._variables),
            (r"(\w+) repos/acme/model/rulesets(?:/(\d+))?", self._rulesets),
            (r"GET repos/acme/model/rules/branches/main", self._rules_of_main),
        ]
        for pattern, answer in routes:
            found = re.fullmatch(pattern, f"{method} {address.path}")
            if found:
                return answer(*found.groups(), body=body, query=query)
        raise Refusal(404, f"Not Found: no such route {method} {address.path}")

    def _repository(self, **_: Any) -> Any:
        return {
            "full_name": REPOSITORY,
            "private": self.private,
            "html_url": f"https://{self.host}/{REPOSITORY}",
            "owner": {"login": self.owner, "type": self.owner_type},
            "default_branch": self.default_branch,
            "permissions": {"admin": self.admin, "push": True, "pull": True},
        }

    def _account(self, login: str | None, **_: Any) -> Any:
        # docs, rest/orgs, get an organization: the plan is shown to its owners alone.
        plan = {"plan": {"name": self.plan}} if self.plan_is_shown else {}
        return {"login": login or self.owner} | plan

    def _subject(self, **_: Any) -> Any:
        if self.subject is None:
            raise Refusal(404, "Not Found")
        return self.subject

    def _branch(self, name: str, **_: Any) -> Any:
        if name not in self.branches:
            raise Refusal(404, "Branch not found")
        return {"name": name}

    def _user(self, name: str, **_: Any) -> Any:
        if name not in self.people:
            raise Refusal(404, "Not Found")
        return {"login": name, "id": self.people[name][0]}

    def _team(self, organisation: str, name: str, **_: Any) -> Any:
        team = self.teams.get(f"{organisation}/{name}")
        if team is None:
            raise Refusal(404, "Not Found")
        return {"slug": name, "id": team[0]}

    def _team_access(self, organisation: str, name: str, **_: Any) -> None:
        # docs, rest/teams: 204, or "404 if the team does not have permission for the repository".
        if not self.teams.get(f"{organisation}/{name}", (0, False))[1]:
            raise Refusal(404, "Not Found")

    def _permission(self, name: str, **_: Any) -> Any:
        # docs, rest/collaborators: admin, write, read or none; in public all may read.
        permission = self.people[name][1]
        if permission == "none" and not self.private:
            permission = "read"
        return {"permission": permission, "role_name": permission}

    def _collaborators(self, query: Mapping[str, str], **_: Any) -> Any:
        everybody = [
            {"login": name, "permissions": {"push": permission in ("write", "admin")}}
            for name, (_, permission) in self.people.items()
            if permission != "none"
        ]
        return page(everybody, query)

    def _environments(self, query: Mapping[str, str], **_: Any) -> Any:
        found = [each.answer() for each in self.environments.values()]
        return {"total_count": len(found), "environments": page(found, query)}

    def _put_environment(self, name: str, body: dict[str, Any], **_: Any) -> Any:
        if not self.has_environments:
            raise Refusal(404, "Not Found")
        # issue alchemy-run/alchemy#1373: refused when such a field is there at all.
        if GATED & body.keys() and not self.has_reviewers:
            raise Refusal(422, NO_REVIEWERS)
        policy = body.pop("deployment_branch_policy", None)
        if policy and not self.has_rules:
            raise Refusal(422, NO_BRANCHES)
        # docs, rest/deployments: both the same is a 422.
        if policy and len(set(policy.values())) == 1:
            raise Refusal(422, "Validation Failed")
        there = self.environments.setdefault(name, FakeEnvironment(name))
        there.policy = policy
        # issue terraform-provider-github#1166: who has no access is dropped without a word.
        asked = body.pop("reviewers", None) or []
        there.reviewers = [who for who in asked if who["id"] not in self._without_access()]
        there.settings = body
        return there.answer()

    def _without_access(self) -> set[int]:
        people = {number for number, permission in self.people.values() if permission == "none"}
        return (
            people | {number for number, access in self.teams.values() if not access} | self.drops
        )

    def _policies(
        self,
        method: str,
        name: str,
        number: str | None,
        body: dict[str, Any],
        query: Mapping[str, str],
    ) -> Any:
        there = self.environments.get(name)
        if there is None:
            raise Refusal(404, "Not Found")
        if method == "GET":
            found = page(there.policies, query)
            return {"total_count": len(there.policies), "branch_policies": found}
        # docs, rest/deployments/branch-policies: custom_branch_policies must be true for these.
        if not (there.policy or {}).get("custom_branch_policies"):
            raise Refusal(404, "Not Found")
        if method == "DELETE":
            there.policies = [each for each in there.policies if each["id"] != int(number or 0)]
            return None
        self.numbers += 1
        there.policies.append({"id": self.numbers, "type": "branch"} | body)
        return there.policies[-1]

    def _env_variable(self, where: str, name: str, **_: Any) -> Any:
        there = self.environments.get(where)
        if there is None or name not in there.variables:
            raise Refusal(404, "Not Found")
        return {"name": name, "value": there.variables[name]}

    def _repo_variable(self, name: str, **_: Any) -> Any:
        if name not in self.variables:
            raise Refusal(404, "Not Found")
        return {"name": name, "value": self.variables[name]}

    def _variables(self, which: str, query: Mapping[str, str], **_: Any) -> Any:
        kept = self.variables if which == "variables" else self.organisation_variables
        found = [{"name": name, "value": value} for name, value in kept.items()]
        return {"total_count": len(found), "variables": page(found, query)}

    def _rulesets(
        self, method: str, number: str | None, body: dict[str, Any], query: Mapping[str, str]
    ) -> Any:
        if not self.has_rules:
            raise Refusal(403, NO_RULESETS)
        if method == "GET" and number is None:
            # docs, rest/repos/rules: includes_parents is true unless said otherwise.
            others = self.organisation_rulesets if query.get("includes_parents") != "false" else []
            return page([*others, *self.rulesets], query)
        if method == "POST":
            self.numbers += 1
            self.rulesets.append({"id": self.numbers} | with_defaults(body))
            return self.rulesets[-1]
        (there,) = [each for each in self.rulesets if each["id"] == int(number or 0)]
        if method == "PUT":
            there.clear()
            there.update({"id": int(number or 0)} | with_defaults(body))
        return there

    def _rules_of_main(self, query: Mapping[str, str], **_: Any) -> Any:
        if not self.has_rules:
            raise Refusal(403, NO_RULESETS)
        own = [{"type": "deletion", "ruleset_source_type": "Repository"}] if self.rulesets else []
        others = [
            {"type": "deletion", "ruleset_source_type": "Organization", "ruleset_source": "acme"}
            for _ in self.organisation_rulesets
        ]
        return page(own + others, query)

    # What tests ask of it.

    def apply(self, *reviewers: str, level: int = 3, **options: Any) -> Outcome:
        """Set up the repository."""
        return apply(self.root, Request(level, reviewers, **options), self)

    def there_is(
        self,
        name: str,
        *reviewers: int,
        branches: Sequence[str] = ("main",),
        tags: Sequence[str] = (),
        policy: dict[str, bool] | None = CUSTOM,
        **settings: Any,
    ) -> FakeEnvironment:
        """Let an environment exist, with the people of these ids as its reviewers."""
        there = FakeEnvironment(name, settings, policy=policy)
        there.reviewers = [{"type": "User", "id": number} for number in reviewers]
        for kind, names in (("branch", branches), ("tag", tags)):
            for each in names:
                self.numbers += 1
                there.policies.append({"id": self.numbers, "name": each, "type": kind})
        self.environments[name] = there
        return there

    def allowed(self, name: str) -> list[str]:
        """Return what may use an environment, as `type name`."""
        return [f"{each['type']} {each['name']}" for each in self.environments[name].policies]

    def changes(self) -> list[str]:
        """Return each call that changed, or would have changed, something."""
        return [
            " ".join(call[3:] if call[0] == "api" else call)
            for call in self.calls
            if "--method" in call or call[0] == "variable"
        ]

    def client_ids(self) -> dict[str, str]:
        """Return as whom the jobs of each environment sign in."""
        return {
            name: each.variables["AZURE_CLIENT_ID"]
            for name, each in self.environments.items()
            if "AZURE_CLIENT_ID" in each.variables
        }


def page(items: list[Any], query: Mapping[str, str]) -> list[Any]:
    """Return one page: docs, using-pagination, 30 items unless said otherwise, 100 at most."""
    size = min(int(query.get("per_page", 30)), 100)
    first = (int(query.get("page", 1)) - 1) * size
    return items[first : first + size]


def with_defaults(ruleset: dict[str, Any]) -> dict[str, Any]:
    """Return a ruleset as GitHub keeps it, with what it adds (docs, rest/repos/rules)."""
    kept = copy.deepcopy(ruleset)
    for rule in kept["rules"]:
        if rule["type"] == "pull_request":
            rule["parameters"].setdefault("allowed_merge_methods", ["merge", "squash", "rebase"])
        if rule["type"] == "required_status_checks":
            rule["parameters"].setdefault("do_not_enforce_on_create", False)
    return kept | {"source_type": "Repository", "source": REPOSITORY}


def body_of(arguments: Sequence[str], root: Path) -> dict[str, Any]:
    """Return the JSON that gh makes of its fields, or reads from a file."""
    if "--input" in arguments:
        content: dict[str, Any] = json.loads((root / arguments[-1]).read_text())
        return content
    body: dict[str, Any] = {}
    for text in (text for option, text in pairwise(arguments) if option == "-F"):
        name, _, value = text.partition("=")
        first, *inner = re.findall(r"[^\[\]]+|\[\]", name)
        parsed = json.loads(value) if re.fullmatch(r"\d+|true|false|null", value) else value
        if not inner:
            body[first] = parsed
        elif inner[0] == "[]":
            items = body.setdefault(first, [])
            if not items or inner[1] in items[-1]:
                items.append({})
            items[-1][inner[1]] = parsed
        else:
            body.setdefault(first, {})[inner[0]] = parsed
    return body
