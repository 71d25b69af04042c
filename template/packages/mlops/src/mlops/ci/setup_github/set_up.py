"""Planning the set-up of a repository, doing it, and reading it back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlops.ci.setup_github.checks import check_access, check_repository, check_reviewers
from mlops.ci.setup_github.environments import (
    INFRA,
    MAIN,
    UNAPPROVED,
    GitHubEnvironment,
    environments,
)
from mlops.ci.setup_github.gh import Gh, GhError, Run
from mlops.ci.setup_github.github import GitHub
from mlops.ci.setup_github.plan import Found, GhCall, Wanted, protection_calls, variable_calls
from mlops.ci.setup_github.project_files import (
    INFRA_WORKFLOW,
    RULESET,
    RULESET_ALONE,
    ruleset,
    ruleset_file,
)
from mlops.ci.setup_github.protection import Known, Reviewer, kind_of
from mlops.ci.setup_github.read_back import environment_differences, ruleset_differences
from mlops.ci.setup_github.remarks import how_to_find_ids, remarks, without_the_plan
from mlops.ci.setup_github.repository import Repository
from mlops.ci.setup_github.request import Request, check_options
from mlops.ci.setup_github.variables import CLIENT_ID, PLATFORM
from mlops.ci.setup_github.verdict import Guards, what_protects
from mlops.errors import ConfigError, PlatformError

_OF_THE_PLAN = (403, 404, 422)


@dataclass(frozen=True)
class Outcome:
    """What was done, or is to be done.

    Attributes:
        repository: the repository.
        calls: those that were made, or are to be made.
        not_set: what was asked for and is not so.
        notes: what else there is to know.
        protection: one sentence on what protects production, and what does not.
    """

    repository: Repository
    calls: list[GhCall]
    not_set: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    protection: str = ""


def preview(root: Path, request: Request) -> Outcome:
    """Return the calls that `apply` would make in a new repository; nothing is asked of GitHub.

    Args:
        root: the project's folder.
        request: what is wanted.

    Raises:
        ConfigError: an option is wrong.
    """
    used = _environments(root, request)
    named = request.reviewers or (() if request.asks_nobody else ("REVIEWER",))
    people = tuple(Reviewer(kind_of(who), f"<id of {who}>") for who in named)
    repository = Repository("{owner}/{repo}")
    wanted = _wanted(root, request, used, people)
    calls = protection_calls(repository, wanted) + variable_calls(wanted, infra_is_asked=True)
    return Outcome(repository, calls, notes=how_to_find_ids(named))


def apply(
    root: Path,
    request: Request,
    run: Run | None = None,
    report: Callable[[GhCall], None] | None = None,
) -> Outcome:
    """Set the repository up, and read back what it is now.

    Args:
        root: the project's folder.
        request: what is wanted.
        run: in the place of gh.
        report: is told of each call that was made.

    Raises:
        ConfigError: an option is wrong, gh is missing, too old or not signed in, the workflows
            could not run in this repository, or a reviewer has no access to it.
        PlatformError: GitHub refused a call; those before it stay done, and all can be repeated.
    """
    used = _environments(root, request)
    gh = Gh(root, run)
    gh.check_version()
    github = GitHub(gh)
    repository = github.repository()
    check_repository(request, repository, github)
    known = github.environments(repository)
    check_reviewers(request, repository, used, known)
    people = tuple(github.reviewer(who) for who in request.reviewers)
    check_access(request, repository, github)
    wanted = _wanted(root, request, used, people)
    repository = _after_trying_reviewers(gh, repository, wanted, known)
    return _SetUp(root, request, gh, github, repository, wanted, report or _silent).run(known)


def _silent(_call: GhCall) -> None:
    """Report nothing."""


@dataclass
class _SetUp:
    """One set-up, after all that can be refused beforehand was looked at."""

    root: Path
    request: Request
    gh: Gh
    github: GitHub
    repository: Repository
    wanted: Wanted
    report: Callable[[GhCall], None]

    def __post_init__(self) -> None:
        self.done: list[GhCall] = []
        self.not_set: list[str] = without_the_plan(self.repository, self.wanted)

    def run(self, known: Mapping[str, Known]) -> Outcome:
        """Set protection, read it back, and give `infra` an identity only if somebody is asked."""
        name, file = self.repository.name, self.wanted.ruleset
        rules = ruleset(self.root, file) if file and self.repository.has_branch_rules else None
        number = self.github.ruleset_id(name, str(rules["name"])) if rules else None
        before = Found(known, number)
        closed = self._make(protection_calls(self.repository, self.wanted, before))
        now = self.github.environments(self.repository)
        if not closed:
            names = dict(zip(self.wanted.reviewers, self.request.reviewers, strict=False))
            self.not_set += environment_differences(
                self.repository, self.wanted, before, now, names
            )
        ruled = bool(rules) and self._rules_are(rules or {})
        self._set_variables(now, closed=closed)
        guards = self._guards(known, now, ruled)
        notes = remarks(self.github, self.repository, self.request, self.wanted, now, ruled=ruled)
        protection = what_protects(self.repository, guards)
        return Outcome(self.repository, self.done, tuple(self.not_set), tuple(notes), protection)

    def _rules_are(self, rules: Mapping[str, object]) -> bool:
        name = self.repository.name
        number = self.github.ruleset_id(name, str(rules["name"]))
        now = None if number is None else self.github.ruleset(name, number)
        differences = ruleset_differences(rules, now)
        self.not_set += differences
        return not differences

    def _set_variables(self, now: Mapping[str, Known], *, closed: bool) -> None:
        asked = self._asks(now, INFRA) or self.request.asks_nobody
        found = Found(infra_signs_in=self._infra_signs_in())
        calls = variable_calls(self.wanted, found, infra_is_asked=asked)
        if closed:
            calls = [call for call in calls if call.environment in (None, INFRA)]
        self._make(calls)
        self._read_variables(asked=asked, closed=closed)
        if not asked and self._infra_signs_in():
            self.not_set.append(
                f"infra still has its {CLIENT_ID}, and {UNAPPROVED}. "
                f"`gh variable delete {PLATFORM}` stops its workflow, until the identity of infra "
                "in Azure has no federated credential any more"
            )

    def _read_variables(self, *, asked: bool, closed: bool) -> None:
        places: dict[tuple[str, str | None], str] = {
            (name, None): value for name, value in self.wanted.variables.items()
        }
        for environment, value in self.wanted.client_ids.items():
            if (environment != INFRA or asked) and not closed:
                places[CLIENT_ID, environment] = value
        for (name, where), value in places.items():
            if self.github.variable(self.repository.name, name, where) != value:
                of = f" of the environment {where}" if where else ""
                self.not_set.append(f"the variable {name}{of} is not what was asked for")

    def _make(self, calls: Sequence[GhCall]) -> bool:
        """Make the calls; return whether the plan has no environments at all."""
        closed = False
        for call in calls:
            if closed and call.environment:
                continue
            try:
                self.gh.call(*call.command)
            except GhError as error:
                if "delete" in call.command and error.status == 404:
                    continue
                if self.repository.has_branch_rules or not call.environment:
                    raise _half_way(error, self.done) from None
                if error.status not in _OF_THE_PLAN:
                    raise _half_way(error, self.done) from None
                closed = True
                self.not_set.append(
                    f"the environments, which GitHub does not make: {error.message}"
                )
                continue
            self.done.append(call)
            self.report(call)
        return closed

    def _asks(self, now: Mapping[str, Known], *names: str) -> bool:
        return self.repository.has_reviewers and all(
            now.get(name, Known()).protection.reviewers for name in names
        )

    def _infra_signs_in(self) -> bool:
        """Whether the jobs of `infra` have an identity; what cannot be read counts as one."""
        if INFRA not in (each.name for each in self.wanted.environments):
            return False
        try:
            return self.github.variable(self.repository.name, CLIENT_ID, INFRA) is not None
        except GhError:
            return True

    def _guards(self, before: Mapping[str, Known], now: Mapping[str, Known], ruled: bool) -> Guards:
        used = self.wanted.environments
        of_main = [each.name for each in used if each.is_of_main_alone]
        limited = [now.get(name, Known()) for name in of_main]
        reviewed = [each.name for each in used if each.reviewed]
        shown = [name for name in reviewed if before.get(name, Known()).protection.reviewers]
        shared = self.github.shared_variable(self.repository.name, CLIENT_ID) is not None
        return Guards(
            level=self.request.level,
            infra=INFRA in reviewed,
            rules=ruled,
            branches=self.repository.has_branch_rules
            and all(each.restricted and each.patterns == {("branch", MAIN)} for each in limited),
            releases_ask=self._asks(now, "prod-approval", "prod"),
            infra_asks=self._asks(now, INFRA),
            infra_signs_in=self._infra_signs_in() or shared,
            alone=self.request.alone,
            ignored=() if self.repository.has_reviewers else tuple(shown),
        )


def _after_trying_reviewers(
    gh: Gh, repository: Repository, wanted: Wanted, known: Mapping[str, Known]
) -> Repository:
    """Find out whether there are reviewers here, where the plan does not tell."""
    if not repository.private or repository.plan is not None or not repository.has_reviewers:
        return repository
    reviewed = tuple(each for each in wanted.environments if each.reviewed)[:1]
    calls = protection_calls(
        repository, replace(wanted, environments=reviewed, ruleset=None), Found(known)
    )
    for call in calls[:1]:
        try:
            gh.call(*call.command)
        except GhError as error:
            if not error.is_of_the_plan:
                raise _half_way(error, []) from None
            return replace(repository, refuses_reviewers=True)
    return repository


def _half_way(error: GhError, done: Sequence[GhCall]) -> PlatformError:
    stays = "what was done before stays" if done else "nothing was changed"
    return PlatformError(
        f"{error.message} ({stays})",
        "mend what it names, and run the same command again. Which rights it needs: "
        "docs/pipeline.md, Setting up the repository",
    )


def _wanted(
    root: Path, request: Request, used: tuple[GitHubEnvironment, ...], people: tuple[Reviewer, ...]
) -> Wanted:
    return Wanted(
        environments=used,
        reviewers=people,
        no_reviewers=request.asks_nobody,
        variables=request.all_variables,
        client_ids=request.client_ids,
        ruleset=ruleset_file(root, alone=request.alone),
    )


def _environments(root: Path, request: Request) -> tuple[GitHubEnvironment, ...]:
    """Return the environments that the project's workflows name, if the request fits them."""
    used = environments(request.level, (root / INFRA_WORKFLOW).is_file())
    strange = sorted(request.client_ids.keys() - {environment.name for environment in used})
    if strange:
        raise ConfigError(f"--azure: the workflows use no environment {', '.join(strange)}")
    check_options(request)
    if request.alone and not ruleset_file(root, alone=True) and ruleset_file(root):
        raise ConfigError(
            f"--alone: there is no {RULESET_ALONE.as_posix()}",
            f"copy {RULESET.as_posix()} to it, with 0 reviews and without those of code owners "
            "and of the last push",
        )
    return used
