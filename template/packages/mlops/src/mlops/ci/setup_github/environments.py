"""The repository's environments: who may deploy to each, and from where."""

from dataclasses import dataclass

MAIN = "main"


@dataclass(frozen=True)
class GitHubEnvironment:
    """One environment of the repository.

    Attributes:
        name: what the workflows call it.
        branches: those whose jobs may use it; any branch where none is named.
        reviewed: whether people have to approve each use.
        purpose: what it is for.
    """

    name: str
    branches: tuple[str, ...]
    reviewed: bool
    purpose: str

    @property
    def is_of_main_alone(self) -> bool:
        """Whether another branch could release or deploy there; else its branches are a choice."""
        return self.branches == (MAIN,)


ENVIRONMENTS = (
    GitHubEnvironment("dev", (MAIN, "develop"), False, "training"),
    GitHubEnvironment("dev-registration", (MAIN,), False, "versions for all environments"),
    GitHubEnvironment("test", (MAIN,), False, "the release before production"),
    GitHubEnvironment("prod-approval", (MAIN,), True, "the first approval of a release"),
    GitHubEnvironment("prod", (MAIN,), True, "the second approval, then the release"),
    GitHubEnvironment("prod-rollback", (MAIN,), False, "the way back, which waits for nobody"),
    GitHubEnvironment("prod-monitor", (MAIN,), False, "watching prod, and telling what was found"),
)
INFRA = "infra"
"""GitHub asks its reviewers; `UNAPPROVED` is what holds where it asks nobody."""
UNAPPROVED = (
    "a deployment of infra/ that nobody approved is refused while approvals.required in "
    "conf/prod.yaml is above 0; with 0, or without that file, infra/ is deployed unasked"
)
# For infra/. Pull requests come from any branch, so infra-plan may only read.
INFRASTRUCTURE = (
    GitHubEnvironment(INFRA, (MAIN,), True, "changes of the infrastructure"),
    GitHubEnvironment("infra-plan", (), False, "what a pull request would change there"),
)


def environments(level: int, infrastructure: bool) -> tuple[GitHubEnvironment, ...]:
    """Return the environments that the workflows of a project name.

    Args:
        level: the maturity level; below 2 only `dev` is used.
        infrastructure: whether the project has the workflow that deploys infra/.
    """
    used = ENVIRONMENTS if level >= 2 else ENVIRONMENTS[:1]
    return (*used, *INFRASTRUCTURE) if infrastructure else used
