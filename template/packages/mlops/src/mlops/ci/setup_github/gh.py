"""What is asked of GitHub through gh, its own command line.

Only gh talks to GitHub, with the rights of whoever is signed in.
"""

import json
import shutil
import subprocess  # nosec B404  # only gh, with arguments of our own
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from mlops.ci.setup_github.environments import ENVIRONMENTS, INFRASTRUCTURE
from mlops.ci.setup_github.protection import Known, Reviewer, kind_of, protection_from
from mlops.ci.setup_github.repository import Repository
from mlops.ci.setup_github.subject import Subject, subject_from
from mlops.errors import ConfigError, PlatformError

TIMEOUT_SECONDS = 60


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
                "gh is not installed", "see https://cli.github.com, then `gh auth login`"
            )
        self._gh = list(command or [str(found)])
        self._root = root

    def call(self, *arguments: str) -> str:
        """Run gh and return what it prints.

        Raises:
            PlatformError: it failed, or did not answer in time.
        """
        try:
            done = subprocess.run(  # nosec B603  # a list of arguments, no shell
                [*self._gh, *arguments],
                cwd=self._root,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                encoding="utf-8",
                check=False,
                timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise PlatformError(
                f"`gh {' '.join(arguments[:4])}` did not end within {TIMEOUT_SECONDS} seconds"
            ) from None
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
        name = found["full_name"]
        host = urlsplit(found["html_url"]).hostname or ""
        return Repository(name, bool(found["private"]), plan, host, self._subject(name))

    def _subject(self, repository: str) -> Subject:
        path = f"repos/{repository}/actions/oidc/customization/sub"
        try:
            return subject_from(json.loads(self.call("api", path)))
        except PlatformError as error:
            return Subject(None, error.message)

    def reviewer(self, who: str) -> Reviewer:
        """Return a person, or a team named `organisation/team`, with its id."""
        organisation, _, team = who.rpartition("/")
        path = f"orgs/{organisation}/teams/{team}" if organisation else f"users/{who}"
        return Reviewer(kind_of(who), json.loads(self.call("api", path))["id"])

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
                known[each["name"]] = Known(branches, protection_from(each))
        return known

    def ruleset_id(self, repository: str, name: str | None) -> int | None:
        """Return the id of the repository's ruleset of this name, if there is one."""
        found = json.loads(self.call("api", f"repos/{repository}/rulesets"))
        ids = [each["id"] for each in found if each["name"] == name]
        return int(ids[0]) if ids else None
