"""What the template's default project asks of Azure, deployment by deployment, as committed.

tests/infra/deployments/ has one file for each of DEPLOYMENTS, one resource or right a line. It is
written by `make azure`, with Microsoft's compiler; tests look at it where there is no compiler.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tools.bicep import Assignment, Bicep, Place, Resource, Snapshot, with_values
from tools.worktree import ROOT

FOLDER = ROOT / "tests" / "infra" / "deployments"
LATER = {"endpointName": "an-endpoint", "budgetStart": "2026-12-01"}
CALLER = "00000000-0000-0000-0000-00000000ca11"


@dataclass(frozen=True)
class Deployment:
    """A parameter file, with the values that differ from what a project comes with."""

    file: str
    values: Mapping[str, Any] = field(default_factory=dict)


DEPLOYMENTS = {
    "shared": Deployment("shared"),
    "dev": Deployment("dev"),
    "test": Deployment("test"),
    "prod": Deployment("prod"),
    "prod-later": Deployment(
        "prod",
        LATER
        | {
            "dataCollector": True,
            "imageBuilder": True,
            "callerPrincipalIds": [CALLER],
            "alertsMoveTraffic": True,
        },
    ),
    "dev-private": Deployment("dev", LATER | {"privateNetwork": True}),
    "prod-private": Deployment("prod", LATER | {"privateNetwork": True}),
}


def deployed(bicep: Bicep, infra: Path, slug: str, name: str) -> Snapshot:
    """Return what one of DEPLOYMENTS asks for in a project whose folder infra/ is given."""
    wanted = DEPLOYMENTS[name]
    return with_other_values(bicep, infra, slug, wanted.file, wanted.values)


def with_other_values(
    bicep: Bicep,
    infra: Path,
    slug: str,
    file: str,
    values: Mapping[str, Any],
    place: Place | None = None,
) -> Snapshot:
    """Return what a parameter file asks for with other values than it has."""
    place = place or Place(f"rg-{slug}-{file}")
    return bicep.snapshot(written(infra, file, values), place)


def written(infra: Path, file: str, values: Mapping[str, Any]) -> Path:
    """Return a parameter file with other values, written beside the original."""
    original = infra / f"{file}.bicepparam"
    if not values:
        return original
    changed = infra / f"{file}-changed.bicepparam"
    changed.write_text(with_values(original.read_text(encoding="utf-8"), values), encoding="utf-8")
    return changed


def lines_of(snapshot: Snapshot) -> str:
    """Return a snapshot as it is committed: what sorts first comes first."""
    each = [
        *(asdict(resource) for resource in snapshot.resources),
        *(asdict(assignment) for assignment in snapshot.assignments),
    ]
    return "".join(sorted(json.dumps(one, sort_keys=True) + "\n" for one in each))


def committed(name: str) -> Snapshot:
    """Return one of DEPLOYMENTS as it is committed."""
    snapshot = Snapshot()
    for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        if "role" in one:
            snapshot.assignments.append(Assignment(**one))
        else:
            snapshot.resources.append(Resource(**one))
    return snapshot
