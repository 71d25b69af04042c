"""Planning the set-up of a repository and doing it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlops.ci.setup_github.azure_ids import AzureIds
from mlops.ci.setup_github.environments import GitHubEnvironment, environments
from mlops.ci.setup_github.gh import Gh
from mlops.ci.setup_github.hosting import INSTEAD, UNSUPPORTED, runs_the_workflows
from mlops.ci.setup_github.plan import Found, GhCall, Wanted, plan_calls
from mlops.ci.setup_github.project_files import INFRA_WORKFLOW, ruleset_name
from mlops.ci.setup_github.protection import Known, Reviewer, kind_of
from mlops.ci.setup_github.repository import Repository
from mlops.ci.setup_github.variables import CLIENT_ID, PLATFORM, VARIABLES
from mlops.errors import ConfigError, PlatformError
from mlops.settings.platform_names import PLATFORM_NAMES

MOST_REVIEWERS = 6


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line.

    Attributes:
        level: the project's maturity level.
        reviewers: who may approve a release: people, or teams as `organisation/team`.
        no_reviewers: nobody has to approve a release.
        variables: variables of the repository to set; they win over those of `azure`.
        azure: as whom the jobs sign in to Azure; None sets nothing of it.
    """

    level: int
    reviewers: tuple[str, ...] = ()
    no_reviewers: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    azure: AzureIds | None = None

    @property
    def client_ids(self) -> Mapping[str, str]:
        """The identity in Azure of each environment."""
        return self.azure.client_ids if self.azure else {}

    @property
    def all_variables(self) -> dict[str, str]:
        """All variables of the repository to set."""
        return {**(self.azure.variables if self.azure else {}), **self.variables}


def preview(root: Path, request: Request) -> tuple[Repository, list[GhCall]]:
    """Return the calls that `apply` would make in a new repository; nothing is asked of GitHub.

    Args:
        root: the project's folder.
        request: what is wanted.

    Raises:
        ConfigError: an option is wrong.
    """
    used = _environments(root, request)
    named = request.reviewers or (() if request.no_reviewers else ("REVIEWER",))
    people = tuple(Reviewer(kind_of(who), f"<id of {who}>") for who in named)
    repository = Repository("{owner}/{repo}")
    return repository, plan_calls(repository, _wanted(root, request, used, people))


def apply(
    root: Path, request: Request, command: Sequence[str] | None = None
) -> tuple[Repository, list[GhCall]]:
    """Set the repository up; return it with the calls that were made.

    Args:
        root: the project's folder.
        request: what is wanted.
        command: in the place of gh.

    Raises:
        ConfigError: an option is wrong, gh is missing or not signed in, the repository is on a
            GitHub Enterprise Server, or its tokens name jobs otherwise than `azure` needs.
        PlatformError: GitHub refused a call; those before it stay done, and all can be repeated.
    """
    used = _environments(root, request)
    gh = Gh(root, command)
    repository = gh.repository()
    _check_repository(request, repository)
    known = gh.environments(repository.name)
    _check_reviewers(request, repository, used, known)
    people = tuple(gh.reviewer(who) for who in request.reviewers)
    ruleset = ruleset_name(root)
    found = Found(
        environments=known,
        ruleset_id=gh.ruleset_id(repository.name, ruleset) if repository.has_branch_rules else None,
    )
    calls = plan_calls(repository, _wanted(root, request, used, people), found)
    for call in calls:
        _make(gh, repository, call)
    return repository, calls


def _wanted(
    root: Path, request: Request, used: tuple[GitHubEnvironment, ...], people: tuple[Reviewer, ...]
) -> Wanted:
    return Wanted(
        environments=used,
        reviewers=people,
        no_reviewers=request.no_reviewers,
        variables=request.all_variables,
        client_ids=request.client_ids,
        ruleset=ruleset_name(root) is not None,
    )


def _environments(root: Path, request: Request) -> tuple[GitHubEnvironment, ...]:
    """Return the environments that the project's workflows name, if the request fits them."""
    used = environments(request.level, (root / INFRA_WORKFLOW).is_file())
    strange = sorted(request.client_ids.keys() - {environment.name for environment in used})
    if strange:
        raise ConfigError(f"--azure: the workflows use no environment {', '.join(strange)}")
    _check_options(request)
    return used


def _check_options(request: Request) -> None:
    variables = request.all_variables
    unknown = sorted(variables.keys() - VARIABLES.keys())
    if unknown:
        raise ConfigError(f"--variable: the workflows read no {', '.join(unknown)}")
    platform = variables.get(PLATFORM)
    if platform is not None and platform not in PLATFORM_NAMES:
        raise ConfigError(
            f"--variable: {PLATFORM} is {platform!r}, but must be {' or '.join(PLATFORM_NAMES)}"
        )
    for option, values in (("--variable", variables), ("--azure", request.client_ids)):
        odd = sorted(name for name, value in values.items() if re.search(r"['\"\r\n]", value))
        if odd:
            raise ConfigError(f"{option}: {', '.join(odd)} must be one line without quotes")
    if request.reviewers and request.no_reviewers:
        raise ConfigError("--no-reviewers: --reviewer is given as well", "leave one of them out")
    if len(request.reviewers) > MOST_REVIEWERS:
        raise ConfigError(
            f"--reviewer: GitHub takes at most {MOST_REVIEWERS}", "name a team instead"
        )


def _check_repository(request: Request, repository: Repository) -> None:
    """Refuse where no workflow could run, and identities that no job could sign in as."""
    if not runs_the_workflows(repository.host):
        raise ConfigError(f"{repository.name} is on {repository.host}. {UNSUPPORTED}", INSTEAD)
    if request.azure and repository.subject.is_customised:
        raise ConfigError(
            f"--azure: {repository.subject.found(repository.name)}",
            f"{repository.subject.remedy(repository.name)}, and set {CLIENT_ID} of each "
            "environment with `gh variable set` in the place of --azure",
        )


def _check_reviewers(
    request: Request,
    repository: Repository,
    used: Sequence[GitHubEnvironment],
    known: Mapping[str, Known],
) -> None:
    """Refuse reviewers that the plan cannot have, and to leave a release open to all unasked."""
    if request.reviewers and not repository.has_reviewers:
        limit = repository.limits()[0]
        raise ConfigError(
            f"--reviewer: {limit.what}", f"{limit.instead}, then leave --reviewer out"
        )
    reviewed = [each.name for each in used if each.reviewed]
    open_to_all = any(not known.get(name, Known()).protection.reviewers for name in reviewed)
    unsaid = not request.reviewers and not request.no_reviewers
    if repository.has_reviewers and open_to_all and unsaid:
        raise ConfigError(
            "--reviewer: nobody would have to approve a release",
            "name those who may approve, such as --reviewer alice "
            "--reviewer our-organisation/our-team, or say --no-reviewers",
        )


def _make(gh: Gh, repository: Repository, call: GhCall) -> None:
    try:
        gh.call(*call.command)
    except PlatformError as error:
        if repository.private and repository.plan is None and "reviewers" in str(call.command):
            raise PlatformError(
                f"{error.message} (the plan of {repository.name} is not known)",
                "if it has no required reviewers, use --no-reviewers in the place of --reviewer",
            ) from None
        raise
