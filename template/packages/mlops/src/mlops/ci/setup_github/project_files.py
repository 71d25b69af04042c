"""The files of a project that say how its repository is to be set up."""

import json
from pathlib import Path
from typing import Any

from mlops.steps.provenance import OWN_ROOT, below_the_root, repository_above

RULESET = Path(".github/rulesets/main.json")
RULESET_ALONE = Path(".github/rulesets/main-alone.json")
OWNERS = Path(".github/CODEOWNERS")
INFRA_WORKFLOW = Path(".github/workflows/infra.yml")
INFRA = Path("infra/shared.bicep")


def ruleset_file(root: Path, *, alone: bool = False) -> Path | None:
    """Return the file with the rules of main, or None where the project has none.

    Args:
        root: the project's folder.
        alone: those for one person alone, who can have no review.
    """
    file = RULESET_ALONE if alone else RULESET
    return file if (root / file).is_file() else None


def ruleset(root: Path, file: Path) -> dict[str, Any]:
    """Return what a file of rules says."""
    content: dict[str, Any] = json.loads((root / file).read_text(encoding="utf-8"))
    return content


def where_it_is(root: Path) -> list[str]:
    """Say so where the project is only a folder of its repository."""
    above = repository_above(root)
    return [f"{below_the_root(above)}. {OWN_ROOT}"] if above else []


def who_reviews(root: Path) -> list[str]:
    """Say so where nobody owns the code: then the rule that an owner reviews it asks nothing."""
    path = root / OWNERS
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    if any("@" in line.partition("#")[0] for line in lines):
        return []
    owned = "/conf/, /.github/ and /infra/" if (root / INFRA).is_file() else "/conf/ and /.github/"
    return [
        f"{OWNERS.as_posix()} names nobody, so any reviewer is enough, also for a change of the "
        f"workflows or of approvals.required: name owners of {owned}"
    ]
