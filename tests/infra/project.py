"""The infrastructure of a generated project, worked out: every deployment, each to its group."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.infra.bicep import Result, deploy, parameters
from tests.support import HOSTILE, LONG_PACKAGE

VARIABLES = {
    "GITHUB_REPOSITORY": "Acme/churn",
    "GITHUB_REPOSITORY_ID": "22",
    "GITHUB_REPOSITORY_OWNER_ID": "11",
}
LATER = VARIABLES | {"ENDPOINT": "an-endpoint", "BUDGET_START": "2026-12-01"}
PRIVATE: dict[str, Any] = {"privateNetwork": True, "storageKeys": True}
ANSWERS: dict[str, dict[str, Any]] = {
    "default": {},
    "level-1": {"maturity_level": 1},
    "long-names": {"project_slug": "a-slug-of-27-plain-letters1", "package_name": LONG_PACKAGE},
    "hostile": HOSTILE,
}
ROLE_ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
MACHINE_LEARNING = "Microsoft.MachineLearningServices"
ACCOUNT = "Microsoft.Storage/storageAccounts"
CLUSTER = f"{MACHINE_LEARNING}/workspaces/computes"


@dataclass
class Infra:
    """The infrastructure of one project: every deployment, each to its group."""

    project: Path

    @property
    def folder(self) -> Path:
        return self.project / "infra"

    @property
    def slug(self) -> str:
        return str(parameters(self.folder / "dev.bicepparam", VARIABLES)["slug"])

    @property
    def environments(self) -> list[str]:
        return [
            name
            for name in ("dev", "test", "prod")
            if (self.folder / f"{name}.bicepparam").exists()
        ]

    def shared(self) -> Result:
        given = parameters(self.folder / "shared.bicepparam", VARIABLES)
        return deploy(self.folder / "shared.bicep", f"rg-{self.slug}-shared", given)

    def environment(self, name: str, variables: Mapping[str, str] = LATER, **more: Any) -> Result:
        given = parameters(self.folder / f"{name}.bicepparam", variables)
        return deploy(self.folder / "main.bicep", f"rg-{self.slug}-{name}", given | more)

    def everything(self) -> Iterator[Result]:
        """Yield each deployment: the shared one, and each environment's at first and with all."""
        yield self.shared()
        for name in self.environments:
            yield self.environment(name, VARIABLES)
            yield self.environment(name, **PRIVATE)
