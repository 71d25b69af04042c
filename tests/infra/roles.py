"""The roles that infra/ makes are narrow: their actions, wholly."""

from fnmatch import fnmatchcase

from tools.azure_roles import OWN_ROLES
from tools.bicep import SUBSCRIPTION, Snapshot, guid

ML = "Microsoft.MachineLearningServices"
WORKSPACE = f"{ML}/workspaces"
OPERATE = [
    f"{WORKSPACE}/read",
    f"{WORKSPACE}/*/read",
    f"{WORKSPACE}/models/write",
    f"{WORKSPACE}/onlineEndpoints/write",
    f"{WORKSPACE}/onlineEndpoints/listKeys/action",
    f"{WORKSPACE}/onlineEndpoints/token/action",
    f"{WORKSPACE}/onlineEndpoints/score/action",
    f"{WORKSPACE}/onlineEndpoints/deployments/write",
    f"{WORKSPACE}/onlineEndpoints/deployments/delete",
    f"{WORKSPACE}/onlineEndpoints/deployments/*/action",
    f"{ML}/locations/*/read",
]
PLAN_NEVER = [
    "Microsoft.OperationalInsights/workspaces/query/read",
    "Microsoft.OperationalInsights/workspaces/query/*/read",
    "Microsoft.OperationalInsights/workspaces/tables/query/read",
    "Microsoft.OperationalInsights/workspaces/listKeys/read",
    "Microsoft.OperationalInsights/workspaces/sharedKeys/read",
    "Microsoft.Insights/logs/*",
    "Microsoft.Insights/generateLiveToken/read",
    "Microsoft.Insights/components/*/read",
    "Microsoft.ContainerRegistry/registries/pull/read",
    "Microsoft.ContainerRegistry/registries/quarantine/read",
    f"{ML}/registries/*/read",
    *(
        f"{WORKSPACE}/{each}"
        for each in (
            *("jobs/read", "jobs/*/read", "experiments/read", "experiments/*/read"),
            *("models/read", "models/*/read", "data/read", "data/*/read"),
            *("datasets/read", "datasets/*/read"),
            *("metadata/*/read", "listNotebookAccessToken/read", "listNotebookKeys/read"),
            *("notebooks/*", "labeling/*", "batchEndpoints/*", "codes/*"),
        )
    ),
]
ACTIONS = {
    "endpoint-operator": OPERATE,
    "endpoint-deployer": [
        *OPERATE,
        f"{WORKSPACE}/onlineEndpoints/delete",
        f"{WORKSPACE}/codes/*",
        f"{WORKSPACE}/environments/*",
        f"{WORKSPACE}/data/versions/write",
        f"{WORKSPACE}/datastores/listSecrets/action",
    ],
    "endpoint-watcher": [
        f"{WORKSPACE}/read",
        f"{WORKSPACE}/models/read",
        f"{WORKSPACE}/models/versions/read",
        f"{WORKSPACE}/models/write",
        f"{WORKSPACE}/datastores/read",
        f"{WORKSPACE}/onlineEndpoints/read",
        f"{WORKSPACE}/onlineEndpoints/write",
        f"{WORKSPACE}/onlineEndpoints/deployments/read",
        f"{WORKSPACE}/onlineEndpoints/deployments/delete",
        f"{ML}/locations/*/read",
    ],
    "endpoint-reader": [
        f"{WORKSPACE}/read",
        f"{WORKSPACE}/onlineEndpoints/read",
        f"{WORKSPACE}/onlineEndpoints/deployments/read",
    ],
    "endpoint-caller": [f"{WORKSPACE}/onlineEndpoints/score/action"],
    "traffic-mover": [
        f"{WORKSPACE}/onlineEndpoints/read",
        f"{WORKSPACE}/onlineEndpoints/write",
        f"{WORKSPACE}/onlineEndpoints/deployments/read",
    ],
    "audit-writer": [
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action",
    ],
    "registry-reader": [f"{ML}/registries/read", f"{ML}/registries/*/read"],
    "infrastructure-plan": [
        "*/read",
        "Microsoft.Resources/deployments/whatIf/action",
        "Microsoft.Resources/deployments/validate/action",
    ],
}


def check_roles(name: str, deployed: Snapshot, slug: str) -> None:
    """There are these roles, each with these actions, for the project's groups alone."""
    groups = [
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-{slug}-{each}"
        for each in ("shared", "dev", "test", "prod")
    ]
    made = {each.name: each for each in deployed.of("Microsoft.Authorization/roleDefinitions")}
    assert made.keys() == {guid(f"/subscriptions/{SUBSCRIPTION}", slug, each) for each in OWN_ROLES}
    mark = {each.properties["roleName"].rpartition(" ")[2] for each in made.values()}
    assert len(mark) == 1
    assert len(mark.copy().pop()) == 6, "part of a hash of the subscription"
    for role, actions in ACTIONS.items():
        properties = made[guid(f"/subscriptions/{SUBSCRIPTION}", slug, role)].properties
        permission = {"actions": actions}
        if role == "audit-writer":
            permission = {"dataActions": actions}
        if role == "infrastructure-plan":
            permission["notActions"] = PLAN_NEVER
        assert properties == {
            "roleName": f"{slug} {role.replace('-', ' ')} {min(mark)}",
            "description": properties["description"],
            "type": "CustomRole",
            "assignableScopes": groups,
            "permissions": [permission],
        }, role


def may_plan(action: str) -> bool:
    """Tell whether the plan's identity may do what Azure calls so."""
    allowed = any(
        fnmatchcase(action.lower(), each.lower()) for each in ACTIONS["infrastructure-plan"]
    )
    return allowed and not any(fnmatchcase(action.lower(), each.lower()) for each in PLAN_NEVER)
