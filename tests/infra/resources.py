"""What is made: every setting of what holds data, secrets, images, models, logs or money."""

import json
import re
from typing import Any

from tools.azure_names import LONGEST
from tools.bicep import TENANT, Resource, Snapshot
from tools.worktree import ROOT

MACHINE_LEARNING = "Microsoft.MachineLearningServices"
ACCOUNT = "Microsoft.Storage/storageAccounts"
CLUSTER = f"{MACHINE_LEARNING}/workspaces/computes"
DIAGNOSTICS = "Microsoft.Insights/diagnosticSettings"
LOGS = "Microsoft.OperationalInsights/workspaces"
UNTAGGED = re.compile(
    r"/(blobServices|containers|datastores|federatedIdentityCredentials|privateDnsZoneGroups|"
    r"roleDefinitions|diagnosticSettings|budgets|immutabilityPolicies)$"
)
WORKBOOK = "Microsoft.Insights/workbooks"
POLICY = f"{ACCOUNT}/blobServices/containers/immutabilityPolicies"
LOGIC_APP = "Microsoft.Logic/workflows"
VAULT = "Microsoft.KeyVault/vaults"
REGISTRY_ID = "/registries/mlr-"


def environment_of(name: str) -> str:
    return name.partition("-")[0]


def is_private(name: str) -> bool:
    return name.endswith("-private")


def of_group(deployed: Snapshot) -> str:
    return deployed.resources[0].id.split("/providers/")[0]


def without_tags(resource: Resource) -> dict[str, Any]:
    return {key: value for key, value in resource.body.items() if key != "tags"}


def check_kinds(name: str, deployed: Snapshot, slug: str) -> None:
    """Nothing else is made than what these lists have, and each the number of times it should."""
    found: dict[str, int] = {}
    for each in deployed.resources:
        found[each.kind] = found.get(each.kind, 0) + 1
    identities = "Microsoft.ManagedIdentity/userAssignedIdentities"
    if name == "shared":
        assert found == {
            f"{MACHINE_LEARNING}/registries": 1,
            "Microsoft.Authorization/roleDefinitions": 9,
            identities: 8 + 7,
            f"{identities}/federatedIdentityCredentials": 16,
        }
        return
    later = name.partition("-")[2]
    vaults = len(vaults_of(name))
    expected = {
        LOGS: 1,
        "Microsoft.Insights/components": 1,
        WORKBOOK: 1,
        "Microsoft.Insights/actionGroups": 2 if name == "prod-later" else 1,
        "Microsoft.Insights/scheduledQueryRules": 5,
        ACCOUNT: 3,
        f"{ACCOUNT}/blobServices": 3,
        f"{ACCOUNT}/blobServices/containers": 2,
        POLICY: 1,
        VAULT: vaults,
        "Microsoft.ContainerRegistry/registries": 1,
        f"{MACHINE_LEARNING}/workspaces": 1,
        f"{MACHINE_LEARNING}/workspaces/datastores": 1,
        DIAGNOSTICS: vaults + bool(later),
    }
    clusters = [environment_of(name) == "dev", bool(later)].count(True)
    if clusters:
        expected[CLUSTER] = clusters
    if later:
        expected["Microsoft.Consumption/budgets"] = 1
    if name == "prod-later":
        expected[LOGIC_APP] = 1
    if is_private(name):
        expected |= {
            "Microsoft.Network/networkSecurityGroups": 1,
            "Microsoft.Network/virtualNetworks": 1,
            "Microsoft.Network/privateDnsZones": 7,
            "Microsoft.Network/privateDnsZones/virtualNetworkLinks": 7,
            "Microsoft.Network/privateEndpoints": 7 + vaults,
            "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": 7 + vaults,
        }
    assert found == expected


def vaults_of(name: str) -> tuple[str, ...]:
    """Return how the names of the vaults begin: prod has one of addresses, too."""
    return ("kv-", "kva-") if environment_of(name) == "prod" else ("kv-",)


def network_of(name: str) -> dict[str, Any]:
    """Return what every resource says of the network."""
    return {
        "publicNetworkAccess": "Disabled" if is_private(name) else "Enabled",
        "networkAcls": {
            "defaultAction": "Deny" if is_private(name) else "Allow",
            "bypass": "AzureServices",
        },
    }


def check_storage(name: str, deployed: Snapshot, slug: str) -> None:
    """No storage is public, and no key is needed; a private one lets the registry alone in."""
    for start in ("lake", "mlw", "audit"):
        account = deployed.one(ACCOUNT, start)
        network = network_of(name)
        if (name, start) == ("dev-private", "mlw"):
            registry = next(
                rule["resourceId"]
                for rule in account.properties["networkAcls"]["resourceAccessRules"]
            )
            assert registry.endswith(
                f"{slug}-shared/providers/{MACHINE_LEARNING}{REGISTRY_ID}{slug}"
            )
            network["publicNetworkAccess"] = "Enabled"
            network["networkAcls"]["resourceAccessRules"] = [
                {"tenantId": TENANT, "resourceId": registry}
            ]
        assert without_tags(account) == {
            "location": "westeurope",
            "kind": "StorageV2",
            "sku": {"name": "Standard_ZRS"},
            "properties": {
                "isHnsEnabled": start == "lake",
                "accessTier": "Hot",
                "minimumTlsVersion": "TLS1_2",
                "supportsHttpsTrafficOnly": True,
                "allowBlobPublicAccess": False,
                "allowSharedKeyAccess": False,
                "allowCrossTenantReplication": False,
                **network,
            },
        }
    for service in deployed.of(f"{ACCOUNT}/blobServices"):
        assert service.body == {
            "properties": {
                "deleteRetentionPolicy": {"enabled": True, "days": 14},
                "containerDeleteRetentionPolicy": {"enabled": True, "days": 14},
            }
        }
    for start in ("lake", "audit"):
        container = deployed.one(f"{ACCOUNT}/blobServices/containers", start)
        assert container.body == {"properties": {"publicAccess": "None"}}


def check_audit(name: str, deployed: Snapshot, slug: str) -> None:
    """What was appended to the audit log stays for a year, and the workspace names its account.

    The compiler says nothing of a policy that Azure refuses: no day at all, both flags of
    protected appends, a hierarchy.
    """
    account = deployed.one(ACCOUNT, "audit")
    assert len(deployed.of(POLICY)) == 1
    policy = deployed.one(POLICY)
    assert policy.id.startswith(f"{account.id}/blobServices/default/containers/audit/")
    assert policy.name == "default"
    assert policy.properties == {
        "immutabilityPeriodSinceCreationInDays": 365,
        "allowProtectedAppendWrites": True,
    }
    workspace = deployed.one(f"{MACHINE_LEARNING}/workspaces")
    assert workspace.body["tags"].get("audit-account") == account.name
    container = policy.id.partition("/immutabilityPolicies")[0]
    scopes = {each.scope for each in deployed.assignments if each.scope.startswith(account.id)}
    assert scopes == {container}


def check_vault_and_images(name: str, deployed: Snapshot, slug: str) -> None:
    """Roles open the vault and the images, no passwords; only dev can be made anew at once."""
    for start in vaults_of(name):
        assert deployed.one(VAULT, start).body["properties"] == {
            "tenantId": TENANT,
            "sku": {"family": "A", "name": "standard"},
            "enableRbacAuthorization": True,
            "enableSoftDelete": True,
            "softDeleteRetentionInDays": 90,
            "enablePurgeProtection": None if environment_of(name) == "dev" else True,
            **network_of(name),
        }
    sku = "Standard" if environment_of(name) == "prod" else "Basic"
    images = deployed.one("Microsoft.ContainerRegistry/registries")
    assert without_tags(images) == {
        "location": "westeurope",
        "sku": {"name": "Premium" if is_private(name) else sku},
        "properties": {
            "adminUserEnabled": False,
            "anonymousPullEnabled": False,
            "publicNetworkAccess": network_of(name)["publicNetworkAccess"],
            "networkRuleBypassOptions": "AzureServices",
        },
    }


def check_workspace(name: str, deployed: Snapshot, slug: str) -> None:
    """The workspace uses what is made beside it, by identity, and closes its network if asked."""
    group, environment = of_group(deployed), environment_of(name)
    workspace = deployed.one(f"{MACHINE_LEARNING}/workspaces")
    lake = deployed.one(ACCOUNT, "lake").id
    network: dict[str, Any] = {"isolationMode": "Disabled"}
    if is_private(name):
        network = {
            "isolationMode": "AllowInternetOutbound",
            "outboundRules": {
                f"lake-{target}": {
                    "type": "PrivateEndpoint",
                    "category": "UserDefined",
                    "destination": {
                        "serviceResourceId": lake,
                        "subresourceTarget": target,
                        "sparkEnabled": False,
                    },
                }
                for target in ("blob", "dfs")
            },
        }
    identity = (
        f"{group.replace(f'{slug}-{environment}', f'{slug}-shared')}/providers/"
        f"Microsoft.ManagedIdentity/userAssignedIdentities/id-{slug}-{environment}-monitoring"
    )
    builds = f"build-{environment}" if "-" in name else None
    assert without_tags(workspace) == {
        "location": "westeurope",
        "kind": "Default",
        "sku": {"name": "Basic", "tier": "Basic"},
        "identity": {
            "type": "SystemAssigned,UserAssigned",
            "userAssignedIdentities": {identity: {}},
        },
        "properties": {
            "friendlyName": workspace.name,
            "storageAccount": deployed.one(ACCOUNT, "mlw").id,
            "keyVault": deployed.one(VAULT, "kv-").id,
            "applicationInsights": deployed.one("Microsoft.Insights/components").id,
            "containerRegistry": deployed.one("Microsoft.ContainerRegistry/registries").id,
            "systemDatastoresAuthMode": "Identity",
            "publicNetworkAccess": network_of(name)["publicNetworkAccess"],
            "managedNetwork": network,
            "imageBuildCompute": builds,
            "v1LegacyMode": False,
        },
    }
    store = deployed.one(f"{MACHINE_LEARNING}/workspaces/datastores", "lake")
    assert store.properties == {
        "datastoreType": "AzureDataLakeGen2",
        "accountName": lake.rpartition("/")[2],
        "filesystem": "lake",
        "credentials": {"credentialsType": "None"},
        "description": store.properties["description"],
    }


def check_machines(name: str, deployed: Snapshot, slug: str) -> None:
    """Nothing idles at a price, and nobody gets into a machine; endpoints are not made here."""
    environment = environment_of(name)
    expected = {f"cpu-{environment}"} if environment == "dev" else set()
    expected |= {f"build-{environment}"} if "-" in name else set()
    clusters = {each.name: each for each in deployed.of(CLUSTER)}
    assert clusters.keys() == expected
    for cluster in clusters.values():
        trains = cluster.name.startswith("cpu-")
        identity = cluster.body["identity"]
        assert identity["type"] == ("UserAssigned" if trains else "SystemAssigned")
        assert [each.rpartition("/")[2] for each in identity.get("userAssignedIdentities", {})] == (
            [f"id-{slug}-{environment}-compute"] if trains else []
        )
        assert cluster.properties == {
            "computeType": "AmlCompute",
            "disableLocalAuth": True,
            "properties": {
                "osType": "Linux",
                "vmSize": "Standard_D4as_v4",
                "vmPriority": "Dedicated",
                "remoteLoginPortPublicAccess": "Disabled",
                "enableNodePublicIp": not is_private(name),
                "scaleSettings": {
                    "minNodeCount": 0,
                    "maxNodeCount": 2 if trains else 1,
                    "nodeIdleTimeBeforeScaleDown": "PT2M",
                },
            },
        }


def check_logs(name: str, deployed: Snapshot, slug: str) -> None:
    """Logs are kept, capped and read by identity; vault and endpoint write to them."""
    prod = environment_of(name) == "prod"
    logs = deployed.one(LOGS)
    assert logs.properties == {
        "sku": {"name": "PerGB2018"},
        "retentionInDays": 90 if prod else 30,
        "workspaceCapping": {"dailyQuotaGb": 5 if prod else 1},
        "features": {
            "disableLocalAuth": True,
            "enableLogAccessUsingOnlyResourcePermissions": True,
        },
    }
    assert deployed.one("Microsoft.Insights/components").properties == {
        "Application_Type": "web",
        "WorkspaceResourceId": logs.id,
        "IngestionMode": "LogAnalytics",
        "DisableLocalAuth": True,
    }
    expected = {
        f"{deployed.one(VAULT, start).id}/providers/{DIAGNOSTICS}/audit": {
            "workspaceId": logs.id,
            "logs": [{"categoryGroup": "audit", "enabled": True}],
        }
        for start in vaults_of(name)
    }
    if "-" in name:
        endpoint = (
            f"{deployed.one(f'{MACHINE_LEARNING}/workspaces').id}/onlineEndpoints/an-endpoint"
        )
        expected[f"{endpoint}/providers/{DIAGNOSTICS}/requests"] = {
            "workspaceId": logs.id,
            "logs": [{"category": "AmlOnlineEndpointTrafficLog", "enabled": True}],
        }
    assert {each.id: each.properties for each in deployed.of(DIAGNOSTICS)} == expected


def check_workbook(name: str, deployed: Snapshot, slug: str) -> None:
    """The workbook is that of observability/, over this environment's logs, and stays one."""
    logs = deployed.one(LOGS).id
    found = deployed.one(WORKBOOK)
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", found.name)
    assert found.body["kind"] == "shared"
    held = json.loads(found.properties["serializedData"])
    assert held.pop("fallbackResourceIds") == [logs]
    assert held == json.loads((ROOT / "template/observability/workbook.json").read_text("utf-8"))
    assert {key: value for key, value in found.properties.items() if key != "serializedData"} == {
        "displayName": f"{slug}-{environment_of(name)}",
        "category": "workbook",
        "sourceId": logs,
    }


def check_budget(name: str, deployed: Snapshot, slug: str) -> None:
    """A budget warns of what was and of what will be spent, and keeps its first day."""
    budgets = deployed.of("Microsoft.Consumption/budgets")
    assert len(budgets) == ("-" in name)
    for budget in budgets:
        contacts = budget.properties["notifications"]["spent"]["contactEmails"]
        assert len(contacts) == 1
        assert "@" in contacts[0]
        assert budget.properties == {
            "category": "Cost",
            "amount": 300 if environment_of(name) == "prod" else 100,
            "timeGrain": "Monthly",
            "timePeriod": {"startDate": "2026-12-01"},
            "notifications": {
                "spent": {
                    "enabled": True,
                    "operator": "GreaterThanOrEqualTo",
                    "threshold": 80,
                    "thresholdType": "Actual",
                    "contactEmails": contacts,
                },
                "expected": {
                    "enabled": True,
                    "operator": "GreaterThan",
                    "threshold": 100,
                    "thresholdType": "Forecasted",
                    "contactEmails": contacts,
                },
            },
        }


def check_registry(name: str, deployed: Snapshot, slug: str) -> None:
    """The registry is in each region, and what Azure makes for it has a name of ours."""
    registry = deployed.one(f"{MACHINE_LEARNING}/registries")
    assert len(registry.properties["regionDetails"]) == 1
    made = registry.properties["regionDetails"][0]["acrDetails"][0]["systemCreatedAcrAccount"]
    assert re.fullmatch("mlr[a-z2-7]{13}", made["acrAccountName"])
    assert without_tags(registry) == {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "publicNetworkAccess": "Enabled",
            "regionDetails": [
                {
                    "location": "westeurope",
                    "acrDetails": [
                        {
                            "systemCreatedAcrAccount": {
                                "acrAccountName": made["acrAccountName"],
                                "acrAccountSku": "Premium",
                            }
                        }
                    ],
                    "storageAccountDetails": [
                        {
                            "systemCreatedStorageAccount": {
                                "allowBlobPublicAccess": False,
                                "storageAccountHnsEnabled": False,
                                "storageAccountName": made["acrAccountName"],
                                "storageAccountType": "Standard_ZRS",
                            }
                        }
                    ],
                }
            ],
        },
    }


def check_tags(name: str, deployed: Snapshot, slug: str) -> None:
    """Whatever can have tags says whose it is."""
    file = "shared" if name == "shared" else "main"
    for each in deployed.resources:
        tags = each.body.get("tags")
        if UNTAGGED.search(each.kind):
            assert tags is None, each.id
        else:
            assert tags is not None, each.id
            more = {"audit-account"} if each.kind == f"{MACHINE_LEARNING}/workspaces" else set()
            expected = {"owner", "project", "environment", "managedBy"} | more
            assert tags.keys() == expected, each.id
            assert tags["project"] == slug
            assert tags["environment"] == environment_of(name)
            assert tags["managedBy"] == f"infra/{file}.bicep"


def check_names(name: str, deployed: Snapshot, slug: str) -> None:
    """No name is longer than Azure takes, and none is known only while Azure works."""
    assert len({each.id for each in deployed.resources}) == len(deployed.resources)
    for each in deployed.resources:
        assert "[" not in each.id, each.id
        assert len(each.name) <= LONGEST.get(each.kind, 260), each.id
        if each.kind in {ACCOUNT, "Microsoft.ContainerRegistry/registries"}:
            assert re.fullmatch("[a-z0-9]{5,24}", each.name), each.id
    group = f"/resourceGroups/rg-{slug}-{environment_of(name)}/"
    assert {group in each.id for each in deployed.resources} == {True}
