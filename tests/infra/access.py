"""Who may do what: rights, roles, who may give them, who may sign in."""

import re
from typing import Any

import yaml

from tests.infra.bicep import GUID_PARTS, SUBSCRIPTION, Resource
from tests.infra.project import PRIVATE, ROLE_ASSIGNMENT, Infra

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


def check_role_names(infra: Infra) -> None:
    """The page names each of the project's roles, and the errors name none that is not there."""
    made = {
        str(each.body["properties"]["roleName"])
        for each in infra.shared().of("Microsoft.Authorization/roleDefinitions")
    }
    page = (infra.project / "docs" / "going-live.md").read_text(encoding="utf-8")
    assert [name for name in sorted(made) if f"`{name}`" not in page] == []
    errors = infra.project / "packages/mlops/src/mlops/platforms/azure/errors.py"
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
