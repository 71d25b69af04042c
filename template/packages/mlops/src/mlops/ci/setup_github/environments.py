"""The repository's environments: who may deploy to each, and from where."""

from dataclasses import dataclass


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


ENVIRONMENTS = (
    GitHubEnvironment("dev", ("main", "develop"), False, "training"),
    GitHubEnvironment("dev-registration", ("main",), False, "versions for all environments"),
    GitHubEnvironment("test", ("main",), False, "the release before production"),
    GitHubEnvironment("prod-approval", ("main",), True, "the first approval of a release"),
    GitHubEnvironment("prod", ("main",), True, "the second approval, then the release"),
    GitHubEnvironment("prod-rollback", ("main",), False, "the way back, which waits for nobody"),
)
# For infra/. Pull requests come from any branch, so infra-plan may only read.
INFRASTRUCTURE = (
    GitHubEnvironment("infra", ("main",), True, "changes of the infrastructure"),
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
