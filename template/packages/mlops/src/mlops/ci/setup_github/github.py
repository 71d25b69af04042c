"""What is read of a repository on GitHub; nothing here changes one."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from mlops.ci.setup_github.environments import ENVIRONMENTS, INFRASTRUCTURE, MAIN
from mlops.ci.setup_github.gh import Gh, GhError
from mlops.ci.setup_github.protection import (
    BranchPolicy,
    Known,
    Reviewer,
    kind_of,
    protection_from,
)
from mlops.ci.setup_github.repository import PLANS, Repository
from mlops.ci.setup_github.subject import Subject, subject_from
from mlops.errors import ConfigError

_OURS = frozenset(each.name for each in (*ENVIRONMENTS, *INFRASTRUCTURE))
_NO_ACCESS = 404


class GitHub:
    """What GitHub tells, through gh, of this folder's repository."""

    def __init__(self, gh: Gh) -> None:
        self._gh = gh

    def repository(self) -> Repository:
        """Return this folder's repository and the plan it is on.

        Raises:
            GhError: GitHub does not show it.
        """
        found = self._gh.get("repos/{owner}/{repo}")
        name, private = found["full_name"], bool(found["private"])
        plan = self._plan(found["owner"]) if private else None
        return Repository(
            name,
            private,
            plan,
            host=urlsplit(found["html_url"]).hostname or "",
            subject=self._subject(name),
            default_branch=found.get("default_branch") or MAIN,
            administered=(found.get("permissions") or {}).get("admin") is not False,
            refuses_rules=private and plan is None and self._refuses_rules(name),
        )

    def _plan(self, owner: Mapping[str, str]) -> str | None:
        """Return the owner's plan; only its administrators see it."""
        login = owner["login"]
        try:
            path = f"orgs/{login}" if owner["type"] == "Organization" else "user"
            account = self._gh.get(path)
        except GhError:
            return None
        same = account.get("login", "").lower() == login.lower()
        plan = (account.get("plan") or {}).get("name") if same else None
        return plan if plan in PLANS else None

    def _refuses_rules(self, repository: str) -> bool:
        try:
            self._gh.get(_rulesets(repository))
        except GhError as error:
            if error.is_of_the_plan:
                return True
            raise
        return False

    def _subject(self, repository: str) -> Subject:
        path = f"repos/{repository}/actions/oidc/customization/sub"
        try:
            return subject_from(self._gh.get(path))
        except GhError as error:
            return Subject(None, error.message)

    def has_branch(self, repository: str, branch: str) -> bool:
        """Whether there is such a branch."""
        return self._is_there(f"repos/{repository}/branches/{branch}")

    def reviewer(self, who: str) -> Reviewer:
        """Return a person, or a team named `organisation/team`, with its id.

        Raises:
            ConfigError: GitHub knows nobody of that name.
        """
        organisation, _, team = who.rpartition("/")
        path = f"orgs/{organisation}/teams/{team}" if organisation else f"users/{who}"
        try:
            return Reviewer(kind_of(who), self._gh.get(path)["id"])
        except GhError as error:
            if error.status != _NO_ACCESS:
                raise
            kind = "team" if organisation else "person"
            raise ConfigError(
                f"--reviewer: GitHub shows no {kind} {who}",
                "look at the spelling; a team is organisation/its-name-in-the-address",
            ) from None

    def may_read(self, repository: str, who: str) -> bool | None:
        """Whether a person or team has access to the repository; None: GitHub does not tell."""
        organisation, _, team = who.rpartition("/")
        path = (
            f"orgs/{organisation}/teams/{team}/repos/{repository}"
            if organisation
            else f"repos/{repository}/collaborators/{who}/permission"
        )
        try:
            answer = self._gh.get(path)
        except GhError as error:
            return False if error.status == _NO_ACCESS else None
        return not isinstance(answer, dict) or answer.get("permission") != "none"

    def writers(self, repository: str) -> tuple[str, ...] | None:
        """Return who may push; None: GitHub does not tell."""
        try:
            people = self._gh.pages(f"repos/{repository}/collaborators")
        except GhError:
            return None
        return tuple(
            each["login"] for each in people if (each.get("permissions") or {}).get("push")
        )

    def environments(self, repository: Repository) -> dict[str, Known]:
        """Return those of our environments that exist, with what they ask for.

        Raises:
            GhError: GitHub does not show them, though the plan has them.
        """
        try:
            found = self._gh.pages(f"repos/{repository.name}/environments", "environments")
        except GhError as error:
            if error.status in (403, _NO_ACCESS) and not repository.has_branch_rules:
                return {}
            raise
        return {
            each["name"]: self._known(repository, each) for each in found if each["name"] in _OURS
        }

    def _known(self, repository: Repository, environment: Mapping[str, Any]) -> Known:
        policy = environment.get("deployment_branch_policy") or {}
        restricted = bool(policy.get("custom_branch_policies"))
        path = f"repos/{repository.name}/environments/{environment['name']}"
        try:
            found = self._gh.pages(f"{path}/deployment-branch-policies", "branch_policies")
        except GhError:
            if restricted and repository.has_branch_rules:
                raise
            found = []
        return Known(
            policies=tuple(
                BranchPolicy(each["name"], each.get("type") or "branch", each.get("id", 0))
                for each in found
            ),
            restricted=restricted,
            protection=protection_from(environment),
        )

    def variable(self, repository: str, name: str, environment: str | None = None) -> str | None:
        """Return the value of a variable, of the repository or an environment, if it is there.

        Raises:
            GhError: GitHub does not tell.
        """
        place = f"environments/{environment}" if environment else "actions"
        try:
            return str(self._gh.get(f"repos/{repository}/{place}/variables/{name}")["value"])
        except GhError as error:
            if error.status == _NO_ACCESS:
                return None
            raise

    def shared_variable(self, repository: str, name: str) -> str | None:
        """Return where a variable is set that each environment would see; None: nowhere known."""
        places = {"repository": "variables", "organisation": "organization-variables"}
        for place, path in places.items():
            try:
                found = self._gh.pages(f"repos/{repository}/actions/{path}", "variables")
            except GhError:
                continue
            if any(each["name"] == name for each in found):
                return place
        return None

    def ruleset_id(self, repository: str, name: str | None) -> int | None:
        """Return the id of the repository's own ruleset of this name, if there is one."""
        found = self._gh.pages(_rulesets(repository))
        ids = [each["id"] for each in found if each["name"] == name]
        return int(ids[0]) if ids else None

    def ruleset(self, repository: str, number: int) -> Mapping[str, Any]:
        """Return all of a ruleset of the repository."""
        answer: Mapping[str, Any] = self._gh.get(f"repos/{repository}/rulesets/{number}")
        return answer

    def foreign_rules(self, repository: str) -> tuple[str, ...]:
        """Return whose rules main has besides the repository's own; none where it is not told."""
        try:
            rules = self._gh.pages(f"repos/{repository}/rules/branches/{MAIN}")
        except GhError:
            return ()
        others = {
            f"{each['ruleset_source']} ({each['ruleset_source_type'].lower()})"
            for each in rules
            if each.get("ruleset_source_type", "Repository") != "Repository"
        }
        return tuple(sorted(others))

    def _is_there(self, path: str) -> bool:
        try:
            self._gh.get(path)
        except GhError as error:
            if error.status == _NO_ACCESS:
                return False
            raise
        return True


def _rulesets(repository: str) -> str:
    return f"repos/{repository}/rulesets?includes_parents=false"
