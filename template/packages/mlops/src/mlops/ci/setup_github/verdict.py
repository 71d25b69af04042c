"""One sentence on what protects production in a repository, and what does not."""

from dataclasses import dataclass

from mlops.ci.setup_github.environments import UNAPPROVED
from mlops.ci.setup_github.repository import Repository

CHECK = "Pull request checked"


@dataclass(frozen=True)
class Guards:
    """What stands before production.

    Attributes:
        level: the maturity level; below 2 nothing is released.
        infra: whether the project deploys infra/.
        rules: whether main has the rules of the project.
        branches: whether the environments of production take jobs of main alone.
        releases_ask: whether GitHub asks somebody before a release.
        infra_asks: whether it asks somebody before a change of infra/.
        infra_signs_in: whether `infra` has an identity, so that it can deploy.
        alone: the rules of main need no review.
        ignored: environments that had reviewers which the plan ignores.
    """

    level: int
    infra: bool
    rules: bool
    branches: bool
    releases_ask: bool
    infra_asks: bool
    infra_signs_in: bool
    alone: bool = False
    ignored: tuple[str, ...] = ()

    @property
    def releases(self) -> bool:
        """Whether anything is released at all."""
        return self.level >= 2


def what_protects(repository: Repository, guards: Guards) -> str:
    """Return the sentence; where nobody is asked it says what is refused, and what is not."""
    where = f"in {repository.name}, {repository.kind},"
    protects, lacks = _protects(guards), _lacks(repository, guards)
    if not protects:
        ignored = f" ({_ignored(guards)})" if guards.ignored else ""
        return f"{where} nothing on GitHub protects production{ignored}: {_then(guards)}"
    said = f"{where} production is protected by {listed(protects)}"
    if lacks:
        return f"{said}, but not by {listed(lacks)}: {_then(guards)}"
    return f"{said}; a rollback waits for nobody" if guards.releases else said


def _protects(guards: Guards) -> list[str]:
    said = []
    if guards.rules:
        review = "no review" if guards.alone else "one review"
        said.append(f"the rules of main (pull requests with {review} and the check `{CHECK}`)")
    if guards.branches and (guards.releases or guards.infra):
        said.append("environments that take jobs of main alone")
    if guards.releases and guards.releases_ask:
        said.append("two approvals of each release")
    if guards.infra and guards.infra_asks:
        said.append("an approval of each change of infra/")
    return said


def _lacks(repository: Repository, guards: Guards) -> list[str]:
    said = []
    if not guards.rules:
        said.append("rules of main")
    if not guards.branches and (guards.releases or guards.infra):
        said.append("limits of environments to main")
    of = [
        *(["releases"] if guards.releases and not guards.releases_ask else []),
        *(["infra/"] if guards.infra and not guards.infra_asks else []),
    ]
    if of:
        said.append(f"reviewers of {listed(of)}{_why(repository, guards)}")
    return said


def _why(repository: Repository, guards: Guards) -> str:
    if repository.has_reviewers:
        return ", as nobody is named to be asked"
    return f" ({_ignored(guards)})" if guards.ignored else ", which GitHub does not have here"


def _ignored(guards: Guards) -> str:
    return (
        f"the reviewers of {listed(list(guards.ignored))} are from when it was public or on "
        "another plan, and GitHub ignores them"
    )


def _then(guards: Guards) -> str:
    said = []
    if not (guards.rules and guards.branches):
        can = ["change main"] if not guards.rules else []
        if not guards.branches and (guards.releases or guards.infra):
            can.append("use each environment")
        said.append(f"whoever may push can {' and '.join(can)}")
    if guards.releases and not guards.releases_ask:
        said.append(
            "each release to prod is refused while approvals.required in conf/prod.yaml is above 0"
        )
    if guards.infra and not guards.infra_asks:
        said.append(
            UNAPPROVED
            if guards.infra_signs_in
            else "infra/ is not deployed, as `infra` has no AZURE_CLIENT_ID to sign in with"
        )
    return ", and ".join(said)


def listed(words: list[str]) -> str:
    """Return words as a sentence lists them."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
