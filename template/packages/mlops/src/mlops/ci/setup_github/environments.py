"""The repository's environments: who may deploy to each, and from where."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Environment:
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
    Environment("dev", ("main", "develop"), False, "training"),
    Environment("dev-registration", ("main",), False, "versions for all environments"),
    Environment("test", ("main",), False, "the release before production"),
    Environment("prod-approval", ("main",), True, "the first approval of a release"),
    Environment("prod", ("main",), True, "the second approval, then the release"),
    Environment("prod-rollback", ("main",), False, "the way back, which waits for nobody"),
)
# For infra/. Pull requests come from any branch, so infra-plan may only read.
INFRASTRUCTURE = (
    Environment("infra", ("main",), True, "changes of the infrastructure"),
    Environment("infra-plan", (), False, "what a pull request would change there"),
)


def environments(level: int, infrastructure: bool) -> tuple[Environment, ...]:
    """Return the environments that the workflows of a project name.

    Args:
        level: the maturity level; below 2 only `dev` is used.
        infrastructure: whether the project has the workflow that deploys infra/.
    """
    used = ENVIRONMENTS if level >= 2 else ENVIRONMENTS[:1]
    return (*used, *INFRASTRUCTURE) if infrastructure else used
