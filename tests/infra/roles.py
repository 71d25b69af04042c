"""The roles that infra/ makes are narrow."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.infra.bicep import SUBSCRIPTION
from tests.infra.project import MACHINE_LEARNING, Infra

PLAN = "infrastructure plan"
ROLES = {"endpoint operator", "endpoint deployer", "endpoint reader", "registry reader", PLAN}
CHANGES = re.compile(
    r"(?<!deployments/whatIf)(?<!deployments/validate)(^|/)(\*|write|delete|action)$"
)
# What whoever proposes a change may not read: requests, images, data, models and their runs.
KEPT_FROM_A_PLAN = (
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
)


@dataclass(frozen=True)
class Role:
    """What a role that infra/ makes allows, and where it may be given."""

    scopes: set[str]
    actions: set[str]
    left_out: set[str]


def roles(infra: Infra) -> dict[str, Role]:
    """Return the roles by their short names."""
    found = {}
    for each in infra.shared().of("Microsoft.Authorization/roleDefinitions"):
        properties = each.body["properties"]
        (permission,) = properties["permissions"]
        assert permission.keys() <= {"actions", "notActions"}, each.source
        found[properties["roleName"].removeprefix(f"{infra.slug} ")] = Role(
            set(properties["assignableScopes"]),
            set(permission["actions"]),
            set(permission.get("notActions", [])),
        )
    return found


def check_role_scopes(infra: Infra) -> None:
    """There are these roles, and each can be given in the project's groups alone."""
    made = roles(infra)
    assert made.keys() == ROLES
    groups = {
        f"{SUBSCRIPTION}/resourceGroups/rg-{infra.slug}-{name}"
        for name in ("shared", *infra.environments)
    }
    for name, role in made.items():
        assert role.scopes == groups, name
    assert {name for name, role in made.items() if role.left_out} == {PLAN}


def check_plan_role(infra: Infra) -> None:
    """A plan reads every resource that what-if compares, and nothing of what they hold."""
    left_out = roles(infra)[PLAN].left_out
    for read in KEPT_FROM_A_PLAN:
        assert any(fnmatchcase(read, each) for each in left_out), read
    needed = {f"{each.kind}/read" for result in infra.everything() for each in result.resources}
    assert {
        f"{MACHINE_LEARNING}/workspaces/{each}/read"
        for each in ("computes", "datastores", "onlineEndpoints", "outboundRules")
    } < needed
    for read in needed:
        assert not any(fnmatchcase(read, each) for each in left_out), read


def check_reading_roles(infra: Infra) -> None:
    """What only reads changes nothing."""
    made = roles(infra)
    assert made["endpoint reader"].actions == {
        f"{MACHINE_LEARNING}/workspaces/{each}"
        for each in ("read", "onlineEndpoints/read", "onlineEndpoints/deployments/read")
    }
    for name in ("registry reader", "endpoint reader", PLAN):
        assert [each for each in made[name].actions if CHANGES.search(each)] == []
    for asset in ("registries/read", "registries/assets/read"):
        wanted = f"{MACHINE_LEARNING}/{asset}"
        assert any(fnmatchcase(wanted, each) for each in made["registry reader"].actions), asset


def check_endpoint_roles(infra: Infra) -> None:
    """Who deploys may do what who operates may, and bring code and images besides."""
    made = roles(infra)
    deployer, operator = made["endpoint deployer"].actions, made["endpoint operator"].actions
    assert operator < deployer
    for each in deployer:
        assert each.startswith(f"{MACHINE_LEARNING}/")
    assert {each.partition("/workspaces/")[2] for each in deployer - operator} == {
        "onlineEndpoints/delete",
        "codes/*",
        "environments/*",
        "datastores/listSecrets/action",
    }
    assert {each for each in operator if CHANGES.search(each)} == {
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
