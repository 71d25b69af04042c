"""In which order Azure is asked: what must be there first, and what it refuses at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.azure_deployments import DEPLOYMENTS, written
from tools.bicep import Bicep

pytestmark = pytest.mark.needs("bicep")

# What comes before each module of main.bicep; identities that exist are left out.
MAIN = {
    "monitoring": set(),
    "workbook": {"monitoring"},
    "storage": set(),
    "workspace": {"monitoring", "storage"},
    "workspacePushes": {"workspace"},
    "audit": set(),
    "alertVault": {"monitoring"},
    "network": {"workspace", "alertVault", "audit"},
    "connections": {"workspace", "network"},
    "rights": {"workspace"},
    "alerts": {"rights", "rollbackGroup"},
    "watcherRights": {"alerts", "alertVault"},
    "cluster": {"rights", "network", "connections"},
    "builder": {"rights", "network", "connections", "cluster"},
    "builderRights": {"builder"},
    "endpointLogs": {"workspace"},
    "rollbackByAlert": {"workspace"},
    "rollbackRight": {"rollbackByAlert"},
    "rollbackGroup": {"rollbackRight"},
    "budget": set(),
}
# And before each of shared.bicep, of loops the whole.
SHARED = {
    "registry": set(),
    "roles": set(),
    "githubIdentities": set(),
    "machineIdentities": set(),
    "endpointGivers": {"githubIdentities", "machineIdentities"},
    "computeGivers": {"githubIdentities", "machineIdentities"},
    "monitoringGivers": {"githubIdentities", "machineIdentities"},
    "registryRights": {"githubIdentities", "registry", "roles"},
    "registryEndpoints": {"machineIdentities", "registry", "roles"},
    "infraRights": {"githubIdentities", "roles"},
    "sharedRights": {"githubIdentities", "roles"},
}


def modules(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a template, and those of its modules, below each other."""
    yield template
    for each in resources(template).values():
        if each["type"] == "Microsoft.Resources/deployments":
            yield from modules(each["properties"]["template"])


def resources(template: dict[str, Any]) -> dict[str, Any]:
    found = template["resources"]
    return found if isinstance(found, dict) else {str(n): each for n, each in enumerate(found)}


def before(template: dict[str, Any]) -> dict[str, set[str]]:
    """Return what each module waits for."""
    found = {name: each for name, each in resources(template).items() if not each.get("existing")}
    return {
        name: {
            part.partition("[{0}]")[0].removeprefix("[format('")
            for part in each.get("dependsOn", ())
        }
        & found.keys()
        for name, each in found.items()
    }


def one_by_one(template: dict[str, Any]) -> set[str]:
    """Return the types of which Azure is asked for one after the other."""
    return {
        each["type"].rpartition("/")[2]
        for module in modules(template)
        for each in resources(module).values()
        if each.get("copy", {}).get("mode") == "serial" and each["copy"]["batchSize"] == 1
    }


def test_azure_is_asked_in_the_right_order(compiler: Bicep, infra: Path) -> None:
    template = compiler.template(written(infra, "dev", DEPLOYMENTS["dev-private"].values))
    assert before(template) == MAIN
    assert one_by_one(template) == {"privateEndpoints", "privateDnsZoneGroups"}
    shared = compiler.template(infra / "shared.bicepparam")
    assert before(shared) == SHARED
    assert one_by_one(shared) == {"federatedIdentityCredentials"}


def test_two_runs_at_once_share_no_deployment(compiler: Bicep, infra: Path) -> None:
    for file in ("shared", "prod"):
        names = [
            each["name"]
            for module in modules(compiler.template(infra / f"{file}.bicepparam"))
            for each in resources(module).values()
            if each["type"] == "Microsoft.Resources/deployments"
        ]
        assert len(names) > 5
        assert all("deployment().name" in each for each in names)


FAULTS = {
    "a cluster before its rights": ("main.bicep", "[rights, network, connections]", "[network]"),
    "a builder before the first cluster": ("main.bicep", "connections, cluster]", "connections]"),
    "private endpoints at once": (
        "modules/network.bicep",
        "@batchSize(1)\nresource endpoints",
        "resource endpoints",
    ),
    "an alarm before what it calls": ("main.bicep", "[rights, rollbackGroup]", "[rights]"),
    "a call before the right of what is called": (
        "main.bicep",
        "    workflowName: rollbackName\n  }\n  dependsOn: [rollbackRight]\n",
        "    workflowName: rollbackName\n  }\n",
    ),
    "a workspace before its storage": ("main.bicep", "[monitoring, storage]", "[monitoring]"),
    "credentials at once": ("modules/github-identity.bicep", "@batchSize(1)\n", ""),
    "rights before the registry": ("shared.bicep", "    dependsOn: [registry, roles]\n", ""),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_order_is_noticed(compiler: Bicep, infra: Path, name: str) -> None:
    file, old, new = FAULTS[name]
    path = infra / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(AssertionError):
        test_azure_is_asked_in_the_right_order(compiler, infra)
