"""What is made: what is right, safe, logged, tagged, private and called as the commands say."""

import re

from mlops.settings import azure_names
from mlops.settings.sections import AzureSettings

from tests.infra.bicep import SUBSCRIPTION, parse
from tests.infra.bicep_types import AzureTypes
from tests.infra.project import (
    ACCOUNT,
    CLUSTER,
    MACHINE_LEARNING,
    PRIVATE,
    ROLE_ASSIGNMENT,
    VARIABLES,
    Infra,
)

OUTBOUND = f"{MACHINE_LEARNING}/workspaces/outboundRules"


def check_syntax(infra: Infra) -> None:
    """The grammar takes every file."""
    files = [*infra.folder.rglob("*.bicep"), *infra.folder.glob("*.bicepparam")]
    assert len(files) > 10
    for path in files:
        parse(path)


def check_types(infra: Infra, types: AzureTypes) -> None:
    """Each resource is what Azure's definitions say, and so is what is read of one."""
    for result in infra.everything():
        assert [problem for each in result.resources for problem in types.problems(each)] == []
        for typed, name in result.reads:
            assert types.schema(typed).has(name), f"{typed} has no properties.{name}"


def check_storage(infra: Infra) -> None:
    """No storage is public, and no key is needed."""
    for name in infra.environments:
        result = infra.environment(name)
        lake, workspace = sorted(result.of(ACCOUNT), key=lambda account: account.name)
        assert lake.body["properties"]["isHnsEnabled"] is True
        assert workspace.body["properties"]["isHnsEnabled"] is False
        for account in (lake, workspace):
            assert account.body["properties"]["allowBlobPublicAccess"] is False
            assert account.body["properties"]["allowSharedKeyAccess"] is False
            assert account.body["properties"]["supportsHttpsTrafficOnly"] is True
        for container in result.of(f"{ACCOUNT}/blobServices/containers"):
            assert container.body["properties"]["publicAccess"] == "None"


def check_vault_and_images(infra: Infra) -> None:
    """Roles open the vault and the images, no passwords; only dev can be made anew at once."""
    for name in infra.environments:
        result = infra.environment(name)
        (vault,) = result.of("Microsoft.KeyVault/vaults")
        assert vault.body["properties"]["enableRbacAuthorization"] is True
        purge_protection = None if name == "dev" else True
        assert vault.body["properties"]["enablePurgeProtection"] is purge_protection
        (images,) = result.of("Microsoft.ContainerRegistry/registries")
        assert images.body["properties"]["adminUserEnabled"] is False


def check_machines(infra: Infra) -> None:
    """Nothing idles at a price: machines go when there is no work, endpoints are not made here."""
    for name in infra.environments:
        result = infra.environment(name)
        clusters = result.of(CLUSTER)
        assert [each.name for each in clusters] == (["cpu-dev"] if name == "dev" else [])
        for cluster in (*clusters, *infra.environment(name, **PRIVATE).of(CLUSTER)):
            machines = cluster.body["properties"]["properties"]
            assert machines["scaleSettings"]["minNodeCount"] == 0
            assert machines["remoteLoginPortPublicAccess"] == "Disabled"
            assert machines["vmPriority"] == "Dedicated", "compute.low_priority is for who asks"
        assert result.of(f"{MACHINE_LEARNING}/workspaces/onlineEndpoints") == []


def check_budget(infra: Infra) -> None:
    """A budget warns of what was and of what will be spent; logs are capped, least in prod."""
    for name in infra.environments:
        (budget,) = infra.environment(name).of("Microsoft.Consumption/budgets")
        notifications = budget.body["properties"]["notifications"].values()
        assert {each["thresholdType"] for each in notifications} == {"Actual", "Forecasted"}
    assert infra.environment("dev", VARIABLES).of("Microsoft.Consumption/budgets") == []
    quotas = [
        logs.body["properties"]["workspaceCapping"]["dailyQuotaGb"]
        for name in infra.environments
        for logs in infra.environment(name).of("Microsoft.OperationalInsights/workspaces")
    ]
    assert max(quotas[:-1]) < quotas[-1], "prod has callers, and a test that reads the log"


def check_logs(infra: Infra) -> None:
    """The requests to the endpoint are logged where the A/B test reads them, once it exists."""
    kind = "Microsoft.Insights/diagnosticSettings"
    assert infra.environment("dev", VARIABLES).of(kind) == []
    result = infra.environment("dev")
    (setting,) = result.of(kind)
    (logs,) = result.of("Microsoft.OperationalInsights/workspaces")
    assert "/onlineEndpoints/an-endpoint/providers/" in setting.id
    assert setting.body["properties"] == {
        "workspaceId": logs.id,
        "logs": [{"category": "AmlOnlineEndpointTrafficLog", "enabled": True}],
    }
    (insights,) = result.of("Microsoft.Insights/components")
    assert insights.body["properties"]["WorkspaceResourceId"] == logs.id
    assert result.outputs["logAnalyticsWorkspaceId"] == f"{logs.id}#properties.customerId"


def check_tags(infra: Infra) -> None:
    """Whatever can have tags says whose it is."""
    untagged = re.compile(
        r"/(blobServices|containers|datastores|outboundRules|federatedIdentityCredentials|privateDnsZoneGroups|"
        r"roleAssignments|roleDefinitions|diagnosticSettings|budgets)$"
    )
    for result in infra.everything():
        for each in result.resources:
            if not each.existing and not untagged.search(each.kind):
                tags = each.body["tags"]
                assert tags["project"] == infra.slug, each.source
                assert {"owner", "environment", "managedBy"} < tags.keys()


def check_closed(infra: Infra) -> None:
    """With a private network, nothing of an environment can be reached from outside."""
    result = infra.environment("prod", **PRIVATE)
    reached = set()
    for each in result.resources:
        access = each.body.get("properties", {}).get("publicNetworkAccess")
        if access is not None:
            assert access == "Disabled", each.source
            reached.add(each.id)
    assert len(reached) == 5, "workspace, vault, images, two storage accounts"
    connections = [
        each.body["properties"]["privateLinkServiceConnections"][0]["properties"]
        for each in result.of("Microsoft.Network/privateEndpoints")
    ]
    assert {each["privateLinkServiceId"] for each in connections} == reached
    zones = {each.name for each in result.of("Microsoft.Network/privateDnsZones")}
    linked = {
        config["properties"]["privateDnsZoneId"].rpartition("/")[2]
        for group in result.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
        for config in group.body["properties"]["privateDnsZoneConfigs"]
    }
    assert linked == zones


def check_private_builds(infra: Infra) -> None:
    """In a private network images are built by a cluster of the environment's own."""
    result = infra.environment("prod", **PRIVATE)
    (images,) = result.of("Microsoft.ContainerRegistry/registries")
    assert images.body["sku"]["name"] == "Premium"
    (workspace,) = result.of(f"{MACHINE_LEARNING}/workspaces")
    assert workspace.body["properties"]["managedNetwork"]["isolationMode"] != "Disabled"
    (builder,) = result.of(CLUSTER)
    assert workspace.body["properties"]["imageBuildCompute"] == builder.name
    assert builder.body["properties"]["properties"]["enableNodePublicIp"] is False


def check_way_to_the_lake(infra: Infra) -> None:
    """From a private network a workspace reaches its lake, and the order of making it is right."""
    result = infra.environment("prod", **PRIVATE)
    (lake,) = (each.id for each in result.of(ACCOUNT) if each.name.startswith("lake"))
    rules = [each.body["properties"] for each in result.of(OUTBOUND)]
    assert {rule["type"] for rule in rules} == {"PrivateEndpoint"}
    assert {rule["destination"]["serviceResourceId"] for rule in rules} == {lake}
    assert {rule["destination"]["subresourceTarget"] for rule in rules} == {"blob", "dfs"}
    main = (infra.folder / "main.bicep").read_text(encoding="utf-8")
    assert main.count("dependsOn: [approver, outbound") == 2, "each cluster, after its network"
    assert main.count("dependsOn: [approver]") == 1, "the rules, after the right to approve them"


def check_public(infra: Infra) -> None:
    """Without a private network there is nothing of one."""
    public = infra.environment("prod")
    for private in ("Microsoft.Network/privateEndpoints", CLUSTER, OUTBOUND):
        assert public.of(private) == []
    (workspace,) = public.of(f"{MACHINE_LEARNING}/workspaces")
    assert workspace.body["properties"]["imageBuildCompute"] is None


def check_names(infra: Infra) -> None:
    """The names are those by which the commands look for the resources."""
    (registry,) = infra.shared().of(f"{MACHINE_LEARNING}/registries")
    for name in infra.environments:
        expected = azure_names.azure_names(infra.slug, name, AzureSettings())
        result = infra.environment(name)
        (workspace,) = result.of(f"{MACHINE_LEARNING}/workspaces")
        clusters = [each.name for each in result.of(CLUSTER)]
        assert workspace.name == expected.workspace
        assert clusters == ([expected.compute] if name == "dev" else [])
        assert (registry.name, registry.group) == (
            expected.registry,
            expected.registry_resource_group,
        )
        assert workspace.group == expected.resource_group
        (endpoint,) = (
            each
            for each in result.resources
            if each.existing and each.name == expected.endpoint_identity
        )
        azure = AzureSettings(
            subscription_id=SUBSCRIPTION.split("/")[-1],
            endpoint_identity="user",
        )
        assert azure_names.identity_id(expected, azure) == endpoint.id
        assert 3 <= len(workspace.name) <= 33
        assert all(2 <= len(each) <= 16 for each in clusters)
    given = {each.group for each in infra.shared().of(ROLE_ASSIGNMENT)}
    assert given == {f"rg-{infra.slug}-{name}" for name in ("shared", *infra.environments)}
