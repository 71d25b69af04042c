"""One sentence on what protects production in a repository, and what does not."""

from dataclasses import dataclass

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
        infra_signs_in: whether `infra` has an identity; it could deploy unasked.
        alone: the rules of main need no review.
        ignored: environments whose reviewers are shown, and ignored by the plan.
        planned: nothing of it is set yet.
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
    planned: bool = False


def what_protects(repository: Repository, guards: Guards) -> str:
    """Return the sentence; where nothing is asked it says what is refused instead."""
    protects = [*_main(guards), *_asked(guards)]
    lacks = [*_no_rules(guards), *_unasked(repository, guards)]
    kind = repository.kind
    said = f"in {repository.name}, {kind.rstrip(',')}, "
    said += "production is protected by " + (_joined(protects) if protects else "nothing on GitHub")
    return f"{said}; not protected: {_joined(lacks)}" if lacks else said


def _main(guards: Guards) -> list[str]:
    said = []
    if guards.rules:
        review = "no review" if guards.alone else "one review"
        said.append(f"the rules of main (pull requests with {review} and the check `{CHECK}`)")
    if guards.branches and (guards.level >= 2 or guards.infra):
        said.append("environments that take jobs of main alone")
    return said


def _asked(guards: Guards) -> list[str]:
    said = []
    if guards.level >= 2 and guards.releases_ask:
        said.append("two approvals of each release")
    if guards.infra and guards.infra_asks:
        said.append("an approval of each change of infra/")
    return said


def _no_rules(guards: Guards) -> list[str]:
    said = []
    if not guards.rules:
        said.append("main, which takes whatever somebody with the right to push pushes")
    if not guards.branches and (guards.level >= 2 or guards.infra):
        said.append("the environments, which any branch can use")
    return said


def _unasked(repository: Repository, guards: Guards) -> list[str]:
    lacks = [] if repository.has_reviewers else ["no plan but Enterprise"]
    why = ""
    if lacks:
        why = ", as GitHub has no reviewers here"
        if guards.ignored:
            why = (
                f", as GitHub ignores the reviewers that {_joined(list(guards.ignored))} still show"
            )
    said = []
    if guards.level >= 2 and not guards.releases_ask:
        said.append(
            f"releases, which GitHub asks nobody about{why}, so that each to prod is refused while "
            "approvals.required in conf/prod.yaml is above 0"
        )
    if guards.infra and not guards.infra_asks:
        said.append(
            "infra/, where a merge is deployed unasked"
            if guards.infra_signs_in
            else "infra/, which nobody would be asked about, so that its jobs cannot sign in: "
            "`infra` has no AZURE_CLIENT_ID"
        )
    return said


def _joined(words: list[str]) -> str:
    return ", and ".join(filter(None, ("; ".join(words[:-1]), words[-1])))
