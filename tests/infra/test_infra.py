"""infra/ of a generated project: what a deployment would ask Azure for, without Azure or Bicep.

`bicep.py` works out the resources, `bicep_types.py` compares them with Azure's type definitions,
checkov looks for bad habits, and the policy below says who may do what. The faults at the end show
that each is asked in earnest.
"""

import importlib.util
import json
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

from tools.worktree import ROOT

from .bicep import (
    GUID_PARTS,
    SUBSCRIPTION,
    BicepError,
    Resource,
    Result,
    deploy,
    parameters,
    parse,
)
from .bicep_types import UNTYPED, AzureTypes
from .infra_faults import FAULTS, LONG
from .support import HOSTILE, LONG_PACKAGE, Template, run, uv

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
# Of Azure's roles, by number, those that may be assigned at all.
ROLES = {
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "8311e382-0749-4cb8-b61a-304f252e45ec": "AcrPush",
    "1823dd4f-9b8c-4ab6-ab4e-7397a3684615": "AzureML Registry User",
    "f6c7c914-8db3-469d-8ca1-694a8f32e121": "AzureML Data Scientist",
    "635dd51f-9968-44d3-b7fb-6d9a6bd613ae": "AzureML Metrics Writer",
    "73c42c96-874c-492b-b04d-ab87d138a893": "Log Analytics Reader",
    "f1a07417-d97a-45cb-824c-7a7467783830": "Managed Identity Operator",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "b556d68e-0be0-4f35-a333-ad7ee1ce17ea": "Azure AI Enterprise Network Connection Approver",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
}
CHECKOV = "checkov==3.3.30"
# What checkov would have otherwise, and why it is as it is.
ACCEPTED = {
    "CKV_AZURE_166": "images are built by the workspace; quarantine would need a scanner",
    "CKV_AZURE_206": "copies in another region cost more; what is stored can be made anew",
    "CKV_AZURE_243": "the private endpoint is a resource of its own, which this check does not see",
}
ACCEPTED_IN_PUBLIC = {
    "CKV_AZURE_35": "open to the internet, with identities alone, unless privateNetwork",
    "CKV_AZURE_59": "the same",
    "CKV_AZURE_109": "the same",
    "CKV_AZURE_139": "the same",
    "CKV_AZURE_189": "the same",
    "CKV2_AZURE_49": "the same",
}
ACCEPTED_IN_DEV = {
    "CKV_AZURE_42": "dev can be torn down and made anew the same day",
    "CKV_AZURE_110": "the same",
    "CKV_AZURE_163": "the registry is the cheapest, which is not scanned",
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


@pytest.fixture(scope="module")
def projects(template: Template, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Infra]:
    folder = tmp_path_factory.mktemp("infra")
    return {
        name: Infra(template.render(folder / name, **answers)) for name, answers in ANSWERS.items()
    }


@pytest.fixture
def infra(projects: dict[str, Infra]) -> Infra:
    return projects["default"]


@pytest.fixture(scope="module")
def types() -> Iterator[AzureTypes]:
    with AzureTypes() as found:
        yield found


# --- What must hold; a fault must break one of them ----------------------------------------------


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


def role_of(assignment: Resource, roles: dict[str, str]) -> str:
    number = assignment.body["properties"]["roleDefinitionId"].rpartition("/")[2]
    assert number in roles, f"{assignment.source}: the role {number} is not one of the list"
    return roles[number]


def rights(infra: Infra, **more: Any) -> set[tuple[str, str, str]]:
    """Return who has which role on what, by short names."""
    shared = infra.shared()
    made = {each.name: each for each in shared.of("Microsoft.Authorization/roleDefinitions")}
    roles = ROLES | {
        number: each.body["properties"]["roleName"].removeprefix(f"{infra.slug} ")
        for number, each in made.items()
    }
    found = set()
    for result in (shared, *(infra.environment(name, **more) for name in infra.environments)):
        for each in result.of(ROLE_ASSIGNMENT):
            who = each.body["properties"]["principalId"].partition("#")[0].rpartition("/")[2]
            scope = each.id.partition(f"/providers/{ROLE_ASSIGNMENT}")[0].removeprefix(SUBSCRIPTION)
            short = re.sub("[a-z2-7]{13}$", "", scope.rpartition("/")[2])
            right = (
                who.removeprefix(f"id-{infra.slug}-"),
                role_of(each, roles),
                short.replace(f"-{infra.slug}", ""),
            )
            found.add(right)
    return found


def check_rights(infra: Infra) -> None:
    """Exactly these rights, each on one resource; on a group only for the two of the workflow."""
    expected = {
        ("infra", "Reader", "rg-shared"),
        ("infra-plan", "infrastructure plan", "rg-shared"),
        ("dev", "registry reader", "mlr"),
        ("dev-registration", "AzureML Registry User", "mlr"),
        ("dev-registration", "AzureML Data Scientist", "mlw-dev"),
        ("dev-registration", "Storage Blob Data Contributor", "mlw"),
        ("test", "registry reader", "mlr"),
        ("prod", "registry reader", "mlr"),
        ("prod-rollback", "registry reader", "mlr"),
        ("prod-rollback", "endpoint operator", "mlw-prod"),
        ("prod-rollback", "Managed Identity Operator", "id-prod-endpoint"),
        ("dev", "endpoint reader", "mlw-prod"),
        ("infra", "Managed Identity Operator", "id-dev-compute"),
        ("dev-compute", "AzureML Data Scientist", "mlw-dev"),
        ("dev-compute", "AcrPull", "cr"),
        ("dev-compute", "Storage Blob Data Contributor", "mlw"),
        ("dev-compute", "Storage Blob Data Reader", "lake"),
    }
    for name in infra.environments:
        deploys = "AzureML Data Scientist" if name == "dev" else "endpoint deployer"
        endpoint = f"{name}-endpoint"
        expected |= {
            ("infra", "Contributor", f"rg-{name}"),
            ("infra", "Role Based Access Control Administrator", f"rg-{name}"),
            ("infra-plan", "infrastructure plan", f"rg-{name}"),
            (name, "Managed Identity Operator", f"id-{endpoint}"),
            (name, deploys, f"mlw-{name}"),
            (name, "Storage Blob Data Contributor", "mlw"),
            (name, "Log Analytics Reader", f"log-{name}"),
            (endpoint, "AzureML Metrics Writer", f"mlw-{name}"),
            (endpoint, "AcrPull", "cr"),
            (endpoint, "Storage Blob Data Reader", "mlw"),
            (endpoint, "registry reader", "mlr"),
            (f"mlw-{infra.slug}-{name}", "AcrPush", "cr"),
        }
    assert rights(infra) == expected
    approver = "Azure AI Enterprise Network Connection Approver"
    private = {(f"build-{name}", "AcrPush", "cr") for name in infra.environments} | {
        (f"mlw-{infra.slug}-{name}", approver, scope)
        for name in infra.environments
        for scope in (f"mlw-{name}", "mlw", "lake", "kv-", "cr")
    }
    assert rights(infra, **PRIVATE) == expected | private


def check_anew(infra: Infra) -> None:
    """An identity that was made anew gets its rights: who gets one is part of its name."""
    for result in infra.everything():
        assigned = result.of(ROLE_ASSIGNMENT)
        assert len(assigned) > 5
        for each in assigned:
            properties = each.body["properties"]
            parts = GUID_PARTS[each.name]
            assert properties["principalId"] in parts, each.source
            assert properties["roleDefinitionId"].endswith(parts[-1]), each.source
            assert each.id.startswith(parts[0]), each.source


def check_delegation(infra: Infra) -> None:
    """The workflow may assign the roles that main.bicep assigns, and no others."""
    administrator = next(number for number, name in ROLES.items() if name.startswith("Role Based"))
    conditions = [
        each.body["properties"].get("condition", "")
        for each in infra.shared().of(ROLE_ASSIGNMENT)
        if each.body["properties"]["roleDefinitionId"].endswith(administrator)
    ]
    assert len(conditions) == len(infra.environments)
    assigned = {
        each.body["properties"]["roleDefinitionId"].rpartition("/")[2]
        for name in infra.environments
        for more in ({}, PRIVATE)
        for each in infra.environment(name, **more).of(ROLE_ASSIGNMENT)
    }
    for condition in conditions:
        lists = re.findall(r"ForAnyOfAnyValues:GuidEquals \{([^}]*)\}", condition)
        assert len(lists) == 2, "for giving and for taking away"
        for each in lists:
            assert set(each.split(", ")) == assigned
        machines = "PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}"
        assert condition.count("} AND @") == condition.count(machines) == 2, "no person's right"
        assert "roleAssignments/write" in condition
        assert "roleAssignments/delete" in condition


def check_roles(infra: Infra) -> None:
    """The project's own roles are narrow."""
    found = {
        each.body["properties"]["roleName"].removeprefix(f"{infra.slug} "): each.body["properties"]
        for each in infra.shared().of("Microsoft.Authorization/roleDefinitions")
    }
    groups = {
        f"{SUBSCRIPTION}/resourceGroups/rg-{infra.slug}-{name}"
        for name in ("shared", *infra.environments)
    }
    actions: dict[str, set[str]] = {}
    left_out: dict[str, set[str]] = {}
    for name, role in found.items():
        assert set(role["assignableScopes"]) == groups
        (permission,) = role["permissions"]
        actions[name] = set(permission.pop("actions"))
        left_out[name] = set(permission.pop("notActions", []))
        assert permission == {}
    assert actions.keys() == {
        "endpoint operator",
        "endpoint deployer",
        "endpoint reader",
        "registry reader",
        "infrastructure plan",
    }
    changes = re.compile(
        r"(?<!deployments/whatIf)(?<!deployments/validate)(^|/)(\*|write|delete|action)$"
    )
    assert {name for name, each in left_out.items() if each} == {"infrastructure plan"}
    for read in (
        "Microsoft.OperationalInsights/workspaces/query/AmlOnlineEndpointTrafficLog/read",
        "Microsoft.OperationalInsights/workspaces/query/read",
        "Microsoft.OperationalInsights/workspaces/tables/query/read",
        "Microsoft.Insights/logs/AmlOnlineEndpointTrafficLog/read",
        "Microsoft.Insights/components/query/read",
        "Microsoft.ContainerRegistry/registries/pull/read",
        f"{MACHINE_LEARNING}/registries/assets/read",
        *(
            f"{MACHINE_LEARNING}/workspaces/{each}/read"
            for kind in ("jobs", "experiments", "models", "data")
            for each in (kind, f"{kind}/of-it")
        ),
        f"{MACHINE_LEARNING}/workspaces/experiments/runs/read",
        f"{MACHINE_LEARNING}/workspaces/metadata/artifacts/read",
        f"{MACHINE_LEARNING}/workspaces/metadata/secrets/read",
        f"{MACHINE_LEARNING}/workspaces/datasets/registered/preview/read",
    ):
        assert any(fnmatchcase(read, each) for each in left_out["infrastructure plan"]), read
    # What-if compares each resource with the one that is there.
    needed = {f"{each.kind}/read" for result in infra.everything() for each in result.resources}
    assert {
        f"{MACHINE_LEARNING}/workspaces/{each}/read"
        for each in ("computes", "datastores", "onlineEndpoints", "outboundRules")
    } < needed
    for read in needed:
        assert not any(fnmatchcase(read, each) for each in left_out["infrastructure plan"]), read
    assert actions["endpoint reader"] == {
        f"{MACHINE_LEARNING}/workspaces/{each}"
        for each in ("read", "onlineEndpoints/read", "onlineEndpoints/deployments/read")
    }
    for name in ("registry reader", "endpoint reader", "infrastructure plan"):
        assert [each for each in actions[name] if changes.search(each)] == []
    for asset in ("registries/read", "registries/assets/read"):
        wanted = f"{MACHINE_LEARNING}/{asset}"
        assert any(fnmatchcase(wanted, each) for each in actions["registry reader"]), asset
    assert actions["endpoint operator"] < actions["endpoint deployer"]
    for each in actions["endpoint deployer"] | actions["endpoint operator"]:
        assert each.startswith(f"{MACHINE_LEARNING}/")
    more = {
        each.partition("/workspaces/")[2]
        for each in actions["endpoint deployer"] - actions["endpoint operator"]
    }
    assert more == {
        "onlineEndpoints/delete",
        "codes/*",
        "environments/*",
        "datastores/listSecrets/action",
    }
    assert {each for each in actions["endpoint operator"] if changes.search(each)} == {
        f"{MACHINE_LEARNING}/workspaces/onlineEndpoints/{each}"
        for each in (
            "write",
            "listKeys/action",
            "token/action",
            "score/action",
            "deployments/write",
            "deployments/delete",
            "deployments/*/action",
        )
    }


def check_role_names(infra: Infra) -> None:
    """The page names each of the project's roles, and the errors name none that is not there."""
    made = {
        str(each.body["properties"]["roleName"])
        for each in infra.shared().of("Microsoft.Authorization/roleDefinitions")
    }
    page = (infra.project / "docs" / "going-live.md").read_text(encoding="utf-8")
    assert [name for name in sorted(made) if f"`{name}`" not in page] == []
    (errors,) = infra.project.glob("src/*/platforms/azure_errors.py")
    named = re.findall(r"`… ([a-z ]+)`", errors.read_text(encoding="utf-8"))
    assert {f"{infra.slug} {name}" for name in named} <= made
    assert len(named) == 2


def signing_in(infra: Infra) -> set[str]:
    """Return the GitHub environments whose jobs may get a token for Azure, from the workflows."""
    found: set[str] = set()
    for path in (infra.project / ".github" / "workflows").iterdir():
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        for job in workflow["jobs"].values():
            if "environment" in job and job.get("permissions", {}).get("id-token") == "write":
                name = job["environment"]["name"]
                found |= {"test", "prod"} if "inputs.environment" in name else {name}
    return found


def check_federation(infra: Infra) -> None:
    """Each GitHub environment that signs in has one identity, trusted in both forms."""
    subjects: dict[str, set[str]] = {}
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
    for each in infra.shared().of(kind):
        properties = each.body["properties"]
        assert properties["issuer"] == "https://token.actions.githubusercontent.com"
        assert properties["audiences"] == ["api://AzureADTokenExchange"]
        identity = each.id.split("/")[-3].removeprefix(f"id-{infra.slug}-")
        subjects.setdefault(identity, set()).add(properties["subject"])
    used = signing_in(infra)
    if len(infra.environments) == 1:
        used -= {"dev-registration", "test", "prod"}
    assert subjects == {
        name: {
            f"repo:Acme/churn:environment:{name}",
            f"repo:Acme@11/churn@22:environment:{name}",
        }
        for name in used
    }
    module = (infra.folder / "modules/github-identity.bicep").read_text(encoding="utf-8")
    assert "@batchSize(1)\nresource credentials" in module, "Azure refuses two writes at once"


def check_safety(infra: Infra) -> None:
    """Nothing is public that need not be, no key is needed, nothing idles at a price."""
    for name in infra.environments:
        result = infra.environment(name)
        prefix = "Microsoft.Storage/storageAccounts"
        lake, workspace = sorted(result.of(prefix), key=lambda account: account.name)
        assert lake.body["properties"]["isHnsEnabled"] is True
        assert workspace.body["properties"]["isHnsEnabled"] is False
        for account in (lake, workspace):
            assert account.body["properties"]["allowBlobPublicAccess"] is False
            assert account.body["properties"]["allowSharedKeyAccess"] is False
            assert account.body["properties"]["supportsHttpsTrafficOnly"] is True
        for container in result.of(f"{prefix}/blobServices/containers"):
            assert container.body["properties"]["publicAccess"] == "None"
        (vault,) = result.of("Microsoft.KeyVault/vaults")
        assert vault.body["properties"]["enableRbacAuthorization"] is True
        assert vault.body["properties"]["enablePurgeProtection"] is (
            None if name == "dev" else True
        )
        (images,) = result.of("Microsoft.ContainerRegistry/registries")
        assert images.body["properties"]["adminUserEnabled"] is False
        clusters = result.of(CLUSTER)
        assert [each.name for each in clusters] == (["cpu-dev"] if name == "dev" else [])
        for cluster in (*clusters, *infra.environment(name, **PRIVATE).of(CLUSTER)):
            machines = cluster.body["properties"]["properties"]
            assert machines["scaleSettings"]["minNodeCount"] == 0
            assert machines["remoteLoginPortPublicAccess"] == "Disabled"
            low = "LowPriority" if cluster.name == "cpu-dev" else "Dedicated"
            assert machines["vmPriority"] == low
        (budget,) = result.of("Microsoft.Consumption/budgets")
        kinds = {
            each["thresholdType"] for each in budget.body["properties"]["notifications"].values()
        }
        assert kinds == {"Actual", "Forecasted"}
        assert result.of(f"{MACHINE_LEARNING}/workspaces/onlineEndpoints") == []
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


def check_private(infra: Infra) -> None:
    """With a private network, nothing of an environment can be reached from outside."""
    result = infra.environment("prod", **PRIVATE)
    reached = set()
    for each in result.resources:
        access = each.body.get("properties", {}).get("publicNetworkAccess")
        if access is not None:
            assert access == "Disabled", each.source
            reached.add(each.id)
    assert len(reached) == 5, "workspace, vault, images, two storage accounts"
    endpoints = result.of("Microsoft.Network/privateEndpoints")
    connections = [
        each.body["properties"]["privateLinkServiceConnections"][0]["properties"]
        for each in endpoints
    ]
    assert {each["privateLinkServiceId"] for each in connections} == reached
    zones = {each.name for each in result.of("Microsoft.Network/privateDnsZones")}
    linked = {
        config["properties"]["privateDnsZoneId"].rpartition("/")[2]
        for group in result.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
        for config in group.body["properties"]["privateDnsZoneConfigs"]
    }
    assert linked == zones
    (images,) = result.of("Microsoft.ContainerRegistry/registries")
    assert images.body["sku"]["name"] == "Premium"
    (workspace,) = result.of(f"{MACHINE_LEARNING}/workspaces")
    assert workspace.body["properties"]["managedNetwork"]["isolationMode"] != "Disabled"
    (builder,) = result.of(CLUSTER)
    assert workspace.body["properties"]["imageBuildCompute"] == builder.name
    assert builder.body["properties"]["properties"]["enableNodePublicIp"] is False
    kind = f"{MACHINE_LEARNING}/workspaces/outboundRules"
    (lake,) = (each.id for each in result.of(ACCOUNT) if each.name.startswith("lake"))
    rules = [each.body["properties"] for each in result.of(kind)]
    assert {rule["type"] for rule in rules} == {"PrivateEndpoint"}
    assert {rule["destination"]["serviceResourceId"] for rule in rules} == {lake}
    assert {rule["destination"]["subresourceTarget"] for rule in rules} == {"blob", "dfs"}
    main = (infra.folder / "main.bicep").read_text(encoding="utf-8")
    assert main.count("dependsOn: [approver, outbound") == 2, "each cluster, after its network"
    assert main.count("dependsOn: [approver]") == 1, "the rules, after the right to approve them"
    public = infra.environment("prod")
    for private in ("Microsoft.Network/privateEndpoints", CLUSTER, kind):
        assert public.of(private) == []
    (workspace,) = public.of(f"{MACHINE_LEARNING}/workspaces")
    assert workspace.body["properties"]["imageBuildCompute"] is None


def check_names(infra: Infra) -> None:
    """The names are those by which the commands look for the resources."""
    module = load(next(infra.project.glob("src/*/platforms/azure_names.py")))
    none = dict.fromkeys(
        ("resource_group", "workspace", "compute", "registry", "registry_resource_group")
    )
    (registry,) = infra.shared().of(f"{MACHINE_LEARNING}/registries")
    for name in infra.environments:
        expected = module.azure_names(infra.slug, name, SimpleNamespace(**none))
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
        azure = SimpleNamespace(
            subscription_id=SUBSCRIPTION.split("/")[-1],
            endpoint_identity="user",
            endpoint_identity_id=None,
        )
        assert module.identity_id(expected, azure) == endpoint.id
        assert 3 <= len(workspace.name) <= 33
        assert all(2 <= len(each) <= 16 for each in clusters)
    given = {each.group for each in infra.shared().of(ROLE_ASSIGNMENT)}
    assert given == {f"rg-{infra.slug}-{name}" for name in ("shared", *infra.environments)}


def load(path: Path) -> ModuleType:
    """Import a module of a generated project that needs no other but errors.py."""
    package = path.parent.parent
    name = f"generated_{abs(hash(path))}"
    for part, file in (
        ("", None),
        (".errors", package / "errors.py"),
        (".platforms", None),
        (".platforms.azure_names", path),
    ):
        full = name + part
        if file is None:
            module = ModuleType(full)
            module.__path__ = []
        else:
            spec = importlib.util.spec_from_file_location(full, file)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        if file is not None:
            spec.loader.exec_module(module)  # type: ignore[union-attr]
    return sys.modules[f"{name}.platforms.azure_names"]


CHECKS = {
    check.__name__.removeprefix("check_"): check
    for check in (
        check_syntax, check_rights, check_anew, check_delegation, check_roles, check_role_names,
        check_federation, check_safety, check_logs, check_tags, check_names, check_private,
    )
}  # fmt: skip


class TestSound:
    @pytest.mark.parametrize("answers", ANSWERS)
    def test_what_is_deployed_is_what_azure_defines(
        self, projects: dict[str, Infra], types: AzureTypes, answers: str
    ) -> None:
        check_types(projects[answers], types)

    @pytest.mark.parametrize("check", CHECKS)
    def test_what_must_hold_holds(self, infra: Infra, check: str) -> None:
        CHECKS[check](infra)

    @pytest.mark.parametrize("check", ["federation", "tags", "names"])
    @pytest.mark.parametrize("answers", ["level-1", "long-names"])
    def test_it_holds_for_other_answers(
        self, projects: dict[str, Infra], answers: str, check: str
    ) -> None:
        CHECKS[check](projects[answers])

    def test_every_job_that_signs_in_is_found(self, infra: Infra) -> None:
        assert signing_in(infra) == {
            *("dev", "dev-registration", "test", "prod", "prod-rollback", "infra", "infra-plan"),
        }

    def test_level_1_has_dev_alone(self, projects: dict[str, Infra]) -> None:
        infra = projects["level-1"]
        assert infra.environments == ["dev"]
        assert "registers" not in parameters(infra.folder / "dev.bicepparam", VARIABLES)

    def test_the_size_of_machines_is_that_of_conf(self, projects: dict[str, Infra]) -> None:
        project = projects["hostile"].project
        conf = yaml.safe_load((project / "conf/dev.yaml").read_text(encoding="utf-8"))
        given = parameters(project / "infra/dev.bicepparam", VARIABLES)
        assert given["computeSize"] == conf["compute"]["size"]
        assert given["computeLowPriority"] is conf["compute"]["low_priority"]
        assert given["location"] == "westeurope"
        assert given["contactEmails"] == [HOSTILE["contact_email"]]
        assert given["tags"]["owner"] == HOSTILE["team"]

    def test_a_budget_needs_an_amount_and_an_address(self, infra: Infra) -> None:
        with pytest.raises(BicepError, match=r"contactEmails = \[\] breaks @minLength"):
            infra.environment("dev", contactEmails=[])
        with pytest.raises(BicepError, match="budgetAmount = 0 breaks @minValue"):
            infra.environment("dev", budgetAmount=0)

    def test_github_may_have_a_domain_of_its_own(self, infra: Infra) -> None:
        issuer = "https://token.actions.example.ghe.com"
        given = parameters(infra.folder / "shared.bicepparam", VARIABLES)
        result = deploy(
            infra.folder / "shared.bicep", "rg-shared", given | {"githubIssuer": issuer}
        )
        credentials = [
            each.body["properties"]["issuer"]
            for each in result.resources
            if each.kind.endswith("/federatedIdentityCredentials")
        ]
        assert set(credentials) == {issuer}

    def test_the_repository_must_be_named(self, infra: Infra) -> None:
        with pytest.raises(BicepError, match="GITHUB_REPOSITORY is not set"):
            parameters(infra.folder / "shared.bicepparam", {})

    def test_no_type_but_the_known_ones_is_left_unchecked(self, infra: Infra) -> None:
        made = {
            f"{each.kind}@{each.version}"
            for result in infra.everything()
            for each in result.resources
        }
        assert made > UNTYPED
        assert len(made) > 20

    def test_checkov_finds_what_is_known_and_nothing_else(
        self, infra: Infra, tmp_path: Path
    ) -> None:
        """It reads no Bicep of today, but the resources as an ARM template."""
        templates = {
            "shared": infra.shared(),
            "dev": infra.environment("dev"),
            "prod": infra.environment("prod"),
            "private": infra.environment("prod", privateNetwork=True),
        }
        for name, result in templates.items():
            text = json.dumps(result.template())
            (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
        settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        said = run(
            *(uv(), "tool", "run", "--quiet", "--from", CHECKOV),
            *("--exclude-newer", settings["tool"]["uv"]["exclude-newer"]),
            *("checkov", "--directory", ".", "--framework", "arm", "--skip-download", "--compact"),
            *("--quiet", "--output", "json", "--soft-fail"),
            folder=tmp_path,
        )
        report = json.loads(said[said.index("{") :])
        assert report["summary"]["parsing_errors"] == 0
        assert report["summary"]["passed"] > 50
        found: dict[str, set[str]] = {name: set() for name in templates}
        for each in report["results"]["failed_checks"]:
            found[Path(each["file_path"]).stem].add(each["check_id"])
        expected = {
            "shared": set(),
            "dev": {*ACCEPTED, *ACCEPTED_IN_DEV, *ACCEPTED_IN_PUBLIC},
            "prod": {*ACCEPTED, *ACCEPTED_IN_PUBLIC},
            "private": {*ACCEPTED},
        }
        assert found == expected


class TestFaults:
    """Each changes one file of a sound project; the check that it names must fail."""

    @pytest.mark.parametrize("name", FAULTS)
    def test_a_fault_turns_its_check_red(
        self, projects: dict[str, Infra], types: AzureTypes, tmp_path: Path, name: str
    ) -> None:
        infra = projects["long-names" if name in LONG else "default"]
        file, old, new, check = FAULTS[name]
        project = tmp_path / "project"
        shutil.copytree(infra.project, project)
        path = project / "infra" / file
        text = path.read_text(encoding="utf-8")
        if old not in text:
            pytest.fail("the fault no longer applies: give it the present text")
        path.write_text(text.replace(old, new), encoding="utf-8")
        faulty = Infra(project)
        with pytest.raises(AssertionError):
            check_types(faulty, types) if check == "types" else CHECKS[check](faulty)
