"""What is refused before anything of a repository is changed."""

from collections.abc import Mapping, Sequence

from mlops.ci.setup_github.environments import MAIN, GitHubEnvironment
from mlops.ci.setup_github.github import GitHub
from mlops.ci.setup_github.hosting import INSTEAD, UNSUPPORTED, runs_the_workflows
from mlops.ci.setup_github.protection import Known
from mlops.ci.setup_github.read_back import GIVE_ACCESS
from mlops.ci.setup_github.repository import Repository
from mlops.ci.setup_github.request import Request
from mlops.ci.setup_github.variables import CLIENT_ID
from mlops.errors import ConfigError


def check_repository(request: Request, repository: Repository, github: GitHub) -> None:
    """Refuse where no workflow could run, or no job sign in.

    Raises:
        ConfigError: it is on another GitHub, without main, somebody else's to administer, or its
            tokens name jobs otherwise than `azure` needs.
    """
    name, default = repository.name, repository.default_branch
    if not runs_the_workflows(repository.host):
        raise ConfigError(f"{name} is on {repository.host}. {UNSUPPORTED}", INSTEAD)
    if not repository.administered:
        raise ConfigError(
            f"who is signed in to gh (`gh auth status`) is no administrator of {name}",
            "let one of them run it, or make you one (Settings, Collaborators and teams)",
        )
    if default != MAIN and not github.has_branch(name, MAIN):
        raise ConfigError(
            f"{name} has no branch {MAIN}: its default branch is {default}, and no workflow would "
            "ever start",
            f"rename it: `gh api --method POST repos/{name}/branches/{default}/rename "
            f"-f new_name={MAIN}`, then here `git branch -m {default} {MAIN}`, `git fetch` and "
            f"`git branch -u origin/{MAIN}`",
        )
    if request.azure and repository.subject.is_customised:
        raise ConfigError(
            f"--azure: {repository.subject.found(name)}",
            f"{repository.subject.remedy(name)}, and set {CLIENT_ID} of each "
            "environment with `gh variable set` in the place of --azure",
        )


def check_reviewers(
    request: Request,
    repository: Repository,
    used: Sequence[GitHubEnvironment],
    known: Mapping[str, Known],
) -> None:
    """Refuse to leave a release open to all without having been told so.

    Where the plan has no reviewers nobody could be named: there `infra` gets no identity instead.

    Raises:
        ConfigError: an environment has no reviewers, and nothing was said of them.
    """
    reviewed = [each.name for each in used if each.reviewed]
    open_to_all = any(not known.get(name, Known()).protection.reviewers for name in reviewed)
    unsaid = not request.reviewers and not request.asks_nobody
    if repository.has_reviewers and open_to_all and unsaid:
        raise ConfigError(
            "--reviewer: nobody would have to approve a release",
            "name those who may approve, such as --reviewer alice "
            "--reviewer our-organisation/our-team, or say --no-reviewers",
        )


def check_access(request: Request, repository: Repository, github: GitHub) -> None:
    """Refuse reviewers whom GitHub would drop without a word.

    Raises:
        ConfigError: somebody has no access to the repository.
    """
    if not repository.has_reviewers:
        return
    strangers = [who for who in request.reviewers if github.may_read(repository.name, who) is False]
    if strangers:
        has = "has" if len(strangers) == 1 else "have"
        raise ConfigError(
            f"--reviewer: {', '.join(strangers)} {has} no access to {repository.name}, so GitHub "
            "would not take them, and would not say so",
            GIVE_ACCESS,
        )
