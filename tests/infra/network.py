"""A private network: everything in it, and nothing else open."""

from tests.infra.resources import (
    ACCOUNT,
    MACHINE_LEARNING,
    VAULT,
    environment_of,
    is_private,
    vaults_of,
)
from tools.bicep import Snapshot

NETWORK = "Microsoft.Network"
# https://learn.microsoft.com/azure/private-link/private-endpoint-dns
TARGETS = {
    "workspace": ("amlworkspace", ["api.azureml.ms", "notebooks.azure.net"]),
    "vault": ("vault", ["vaultcore.azure.net"]),
    "images": ("registry", ["azurecr.io"]),
    "workspace-blob": ("blob", ["blob.core.windows.net"]),
    "workspace-file": ("file", ["file.core.windows.net"]),
    "lake-blob": ("blob", ["blob.core.windows.net"]),
    "lake-dfs": ("dfs", ["dfs.core.windows.net"]),
    "audit-blob": ("blob", ["blob.core.windows.net"]),
}
ALERT_VAULT = {"alert-vault": TARGETS["vault"]}
RANGES = {"dev": "10.40.0", "test": "10.40.1", "prod": "10.40.2"}


def targets_of(name: str) -> dict[str, tuple[str, list[str]]]:
    """Return what has a private endpoint."""
    return TARGETS | (ALERT_VAULT if len(vaults_of(name)) > 1 else {})


def check_network(name: str, deployed: Snapshot, slug: str) -> None:
    """There is a private network where it is wanted, with these two subnets, closed to callers."""
    made = {each.kind for each in deployed.resources if each.kind.startswith(f"{NETWORK}/")}
    if not is_private(name):
        assert made == set()
        return
    start = RANGES[environment_of(name)]
    closed = deployed.one(f"{NETWORK}/networkSecurityGroups")
    assert closed.properties == {}, "the rules that every group begins with let nobody in"
    assert deployed.one(f"{NETWORK}/virtualNetworks").properties == {
        "addressSpace": {"addressPrefixes": [f"{start}.0/24"]},
        "subnets": [
            {
                "name": "endpoints",
                "properties": {
                    "addressPrefix": f"{start}.0/26",
                    "defaultOutboundAccess": False,
                    "networkSecurityGroup": {"id": closed.id},
                },
            },
            {
                "name": "runners",
                "properties": {
                    "addressPrefix": f"{start}.64/26",
                    "defaultOutboundAccess": False,
                    "networkSecurityGroup": {"id": closed.id},
                    "natGateway": None,
                },
            },
        ],
    }


def check_private_endpoints(name: str, deployed: Snapshot, slug: str) -> None:
    """Each resource that holds something has its endpoints, and their names lead to them."""
    target_ids = {
        "workspace": deployed.one(f"{MACHINE_LEARNING}/workspaces").id,
        "vault": deployed.one(VAULT, "kv-").id,
        "alert": deployed.one(VAULT, vaults_of(name)[-1]).id,
        "images": deployed.one("Microsoft.ContainerRegistry/registries").id,
        "lake": deployed.one(ACCOUNT, "lake").id,
        "audit": deployed.one(ACCOUNT, "audit").id,
    }
    account = deployed.one(ACCOUNT, "mlw").id
    subnet = f"{deployed.one(f'{NETWORK}/virtualNetworks').id}/subnets/endpoints"
    expected = {}
    for target, (group, _) in targets_of(name).items():
        resource = account if target.startswith("workspace-") else target_ids[target.split("-")[0]]
        connection = {"privateLinkServiceId": resource, "groupIds": [group]}
        expected[f"pe-{slug}-{environment_of(name)}-{target}"] = {
            "subnet": {"id": subnet},
            "privateLinkServiceConnections": [{"name": target, "properties": connection}],
        }
    found = {each.name: each.properties for each in deployed.of(f"{NETWORK}/privateEndpoints")}
    assert found == expected


def check_zones(name: str, deployed: Snapshot, slug: str) -> None:
    """The names of private endpoints are looked up in these zones, linked to this network alone."""
    zones = {f"privatelink.{zone}" for _, each in targets_of(name).values() for zone in each}
    kind = f"{NETWORK}/privateDnsZones"
    ids = {each.name: each.id for each in deployed.of(kind)}
    assert ids.keys() == zones
    network = deployed.one(f"{NETWORK}/virtualNetworks").id
    links = {each.id: each.properties for each in deployed.of(f"{kind}/virtualNetworkLinks")}
    assert links == {
        f"{zone}/virtualNetworkLinks/link-{slug}-{environment_of(name)}": {
            "registrationEnabled": False,
            "virtualNetwork": {"id": network},
        }
        for zone in ids.values()
    }
    records = {
        each.id.split("/")[-3]: each.properties
        for each in deployed.of(f"{NETWORK}/privateEndpoints/privateDnsZoneGroups")
    }
    assert records == {
        f"pe-{slug}-{environment_of(name)}-{target}": {
            "privateDnsZoneConfigs": [
                {
                    "name": f"privatelink.{zone}".replace(".", "-"),
                    "properties": {"privateDnsZoneId": ids[f"privatelink.{zone}"]},
                }
                for zone in zones_of
            ]
        }
        for target, (_, zones_of) in targets_of(name).items()
    }
