"""What else there is to know of a repository after it was set up."""

from collections.abc import Mapping, Sequence

from mlops.ci.setup_github.environments import MAIN
from mlops.ci.setup_github.github import GitHub
from mlops.ci.setup_github.plan import Wanted
from mlops.ci.setup_github.protection import Known
from mlops.ci.setup_github.repository import Repository
from mlops.ci.setup_github.request import Request
from mlops.ci.setup_github.variables import CLIENT_ID
from mlops.ci.setup_github.verdict import listed


def how_to_find_ids(named: Sequence[str]) -> tuple[str, ...]:
    """Say how to find the ids that the calls name only by whose they are."""
    if not named:
        return ()
    commands = listed([f"`{_shows_id(who)}` shows the <id of {who}>" for who in named])
    return (f"GitHub takes reviewers by their ids: {commands}",)


def _shows_id(who: str) -> str:
    organisation, slash, team = who.partition("/")
    path = f"orgs/{organisation}/teams/{team}" if slash else f"users/{who}"
    return f"gh api {path} --jq .id"


def without_the_plan(repository: Repository, wanted: Wanted) -> list[str]:
    """Say what was asked for and cannot be had on the owner's plan."""
    said = []
    if not repository.has_branch_rules:
        said.append(
            f"the rules of main, and the limits of environments to main: {repository.kind} has "
            "neither. Make it public, or change the plan"
        )
    reviewed = any(each.reviewed for each in wanted.environments)
    if reviewed and not repository.has_reviewers and not wanted.no_reviewers:
        said.append(
            f"reviewers of environments: {repository.kind} has none. If nobody is to be asked, run "
            "it again with --no-reviewers in the place of --reviewer"
        )
    return said


def remarks(
    github: GitHub,
    repository: Repository,
    request: Request,
    wanted: Wanted,
    now: Mapping[str, Known],
    *,
    ruled: bool,
) -> list[str]:
    """Say what may surprise later.

    Args:
        github: is asked who may push, and which rules are others'.
        repository: the repository.
        request: what was asked for.
        wanted: the state wanted.
        now: the environments.
        ruled: whether main has the project's rules.
    """
    said = [*_branches(repository, wanted, now), *_identity(github, repository)]
    if ruled:
        others = github.foreign_rules(repository.name)
        if others:
            said.append(f"main has rules of {', '.join(others)} besides; all of them count")
        said += _one_person(github.writers(repository.name), request)
    people = {each for each in wanted.reviewers if each.type == "User"}
    if (
        request.level >= 2
        and len(wanted.reviewers) == len(people) == 1
        and repository.has_reviewers
    ):
        said.append(
            f"{request.reviewers[0]} is the only one who may approve, and a release to prod needs "
            "as many different people as approvals.required in conf/prod.yaml says (2)"
        )
    return said


def _branches(repository: Repository, wanted: Wanted, now: Mapping[str, Known]) -> list[str]:
    said = []
    if repository.default_branch != MAIN:
        said.append(
            f"the default branch is {repository.default_branch}: the workflows that start by hand "
            f"or by the clock are those of that branch, and pull requests go there, not to {MAIN}"
        )
    for environment in wanted.environments:
        more = [
            each
            for each in now.get(environment.name, Known()).policies
            if each.type != "branch" or each.name not in environment.branches
        ]
        if more and environment.branches and not environment.is_of_main_alone:
            said.append(
                f"environment {environment.name} also allows {', '.join(map(str, more))}, which "
                f"was kept: who may push there can sign in as {environment.name}"
            )
    return said


def _identity(github: GitHub, repository: Repository) -> list[str]:
    where = github.shared_variable(repository.name, CLIENT_ID)
    if where is None:
        return []
    remove = f"remove it there, as with `gh variable delete {CLIENT_ID}`"
    return [
        f"{CLIENT_ID} is a variable of the whole {where}, so each environment that has none of its "
        f"own signs in with that one: {remove}"
    ]


def _one_person(writers: tuple[str, ...] | None, request: Request) -> list[str]:
    if writers is None:
        return ["not read: who may push; one person alone can merge nothing, without --alone"]
    if len(writers) == 1 and not request.alone:
        return [
            f"{writers[0]} alone may push, and nobody approves their own pull request, so that "
            "nothing can be merged to main: give somebody else write access, or run it again with "
            "--alone"
        ]
    if len(writers) > 1 and request.alone:
        return [
            f"--alone: {len(writers)} people may push, and what they change is merged without a "
            "review"
        ]
    return []
