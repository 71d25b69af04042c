"""Who may do what: every right of every deployment, wholly; who may give them; who may sign in."""

import re
from pathlib import Path

import yaml

from tools.azure_deployments import CALLER
from tools.azure_roles import AZURE_ROLES, own_roles
from tools.bicep import Snapshot

ATTRIBUTE = "Microsoft.Authorization/roleAssignments"


def numbers(slug: str) -> dict[str, str]:
    """Return all roles by number."""
    return AZURE_ROLES | own_roles(slug)


def short(identity: str, slug: str) -> str:
    """Return a resource's id as the table has it: without the project and the hash."""
    name = re.sub("[a-z2-7]{13}$", "", identity.rpartition("/")[2])
    for part in (slug, slug[:24]):  # a workspace's name has room for so much
        name = name.replace(f"id-{part}-", "").replace(f"-{part}-", "-").removesuffix(f"-{part}")
    return name.removesuffix("-")


def rights(deployed: Snapshot, slug: str) -> list[tuple[str, str, str]]:
    roles = numbers(slug)
    return sorted(
        (short(each.who, slug), roles.get(each.role, each.role), short(each.scope, slug))
        for each in deployed.assignments
    )


def table(text: str) -> list[tuple[str, ...]]:
    return sorted(
        tuple(part.strip() for part in line.split("|")) for line in text.strip().split("\n")
    )


def environment_rights(name: str) -> str:
    """Return the rights that each environment has in the same form."""
    deploys = "AzureML Data Scientist" if name == "dev" else "endpoint-deployer"
    return f"""
        {name} | {deploys} | mlw-{name}
        {name} | Storage Blob Data Contributor | mlw
        {name} | audit-writer | audit
        {name} | Log Analytics Reader | log-{name}
        {name} | Monitoring Metrics Publisher | appi-{name}
        {name}-endpoint | Monitoring Metrics Publisher | appi-{name}
        {name}-monitoring | Log Analytics Reader | log-{name}
        {name}-endpoint | AzureML Metrics Writer | mlw-{name}
        {name}-endpoint | AcrPull | cr
        {name}-endpoint | Storage Blob Data Reader | mlw
        mlw-{name} | AcrPush | cr"""


def private_rights(name: str) -> str:
    """Return what a private network adds."""
    approved = "".join(
        f"\n        mlw-{name} | Azure AI Enterprise Network Connection Approver | {scope}"
        for scope in (f"mlw-{name}", "kv", "cr", "mlw", "lake")
    )
    seen = "".join(
        f"\n        mlw-{name} | Reader | pe-{name}-{target}"
        for target in ("workspace-blob", "workspace-file", "lake-blob", "lake-dfs")
    )
    return f"{approved}{seen}{builder_rights(name)}"


def builder_rights(name: str) -> str:
    """Return what a cluster that builds images adds."""
    return f"""
        build-{name} | AcrPush | cr
        build-{name} | Storage Blob Data Contributor | mlw"""


DEV = f"""{environment_rights("dev")}
        dev-registration | AzureML Data Scientist | mlw-dev
        dev-registration | Storage Blob Data Contributor | mlw
        dev-registration | audit-writer | audit
        dev-compute | AzureML Data Scientist | mlw-dev
        dev-compute | AcrPull | cr
        dev-compute | Storage Blob Data Contributor | mlw
        dev-compute | Storage Blob Data Reader | lake"""
PROD = f"""{environment_rights("prod")}
        prod-rollback | endpoint-operator | mlw-prod
        prod-rollback | audit-writer | audit
        prod-monitor | audit-writer | audit
        prod-rollback | Monitoring Metrics Publisher | appi-prod
        prod-monitor | endpoint-watcher | mlw-prod
        prod-monitor | Storage Blob Data Reader | mlw
        prod-monitor | Log Analytics Reader | log-prod
        prod-monitor | Monitoring Metrics Publisher | appi-prod
        prod-monitor | Key Vault Secrets User | kva
        prod-monitor | Reader | alert-prod-latency
        prod-monitor | Reader | alert-prod-error-rate
        prod-monitor | Reader | alert-prod-drift
        prod-monitor | Reader | alert-prod-performance
        prod-monitor | Reader | log-cap-prod
        dev | endpoint-reader | mlw-prod"""
RIGHTS = {
    "dev": DEV,
    "test": environment_rights("test"),
    "prod": PROD,
    "prod-later": PROD.replace(
        "endpoint | Storage Blob Data Reader", "endpoint | Storage Blob Data Contributor"
    )
    + builder_rights("prod")
    + f"""
        prod-monitoring | Storage Blob Data Contributor | mlw
        {CALLER} | endpoint-caller | mlw-prod
        logic-prod-rollback | traffic-mover | an-endpoint""",
    "dev-private": DEV + private_rights("dev"),
    "prod-private": PROD + private_rights("prod"),
    "shared": """
        infra | Reader | rg-shared
        infra-plan | infrastructure-plan | rg-shared
        dev | registry-reader | mlr
        dev-registration | AzureML Registry User | mlr
        test | registry-reader | mlr
        prod | registry-reader | mlr
        prod-rollback | registry-reader | mlr
        prod-monitor | registry-reader | mlr
        dev-endpoint | registry-reader | mlr
        test-endpoint | registry-reader | mlr
        prod-endpoint | registry-reader | mlr
        dev | Managed Identity Operator | dev-endpoint
        test | Managed Identity Operator | test-endpoint
        prod | Managed Identity Operator | prod-endpoint
        prod-rollback | Managed Identity Operator | prod-endpoint
        prod-monitor | Managed Identity Operator | prod-endpoint
        infra | Managed Identity Operator | dev-compute
        infra | Managed Identity Operator | dev-monitoring
        infra | Managed Identity Operator | test-monitoring
        infra | Managed Identity Operator | prod-monitoring
        infra | Contributor | rg-dev
        infra | Contributor | rg-test
        infra | Contributor | rg-prod
        infra | Role Based Access Control Administrator | rg-dev
        infra | Role Based Access Control Administrator | rg-test
        infra | Role Based Access Control Administrator | rg-prod
        infra-plan | infrastructure-plan | rg-dev
        infra-plan | infrastructure-plan | rg-test
        infra-plan | infrastructure-plan | rg-prod""",
}

LEVEL_1 = """
    infra | Reader | rg-shared
    infra-plan | infrastructure-plan | rg-shared
    dev | registry-reader | mlr
    dev-endpoint | registry-reader | mlr
    dev | Managed Identity Operator | dev-endpoint
    infra | Managed Identity Operator | dev-compute
    infra | Managed Identity Operator | dev-monitoring
    infra | Contributor | rg-dev
    infra | Role Based Access Control Administrator | rg-dev
    infra-plan | infrastructure-plan | rg-dev"""


def check_rights(name: str, deployed: Snapshot, slug: str) -> None:
    """Exactly these rights, each on one resource; on a group only for the two of the workflow."""
    assert rights(deployed, slug) == table(RIGHTS[name])


def check_anew(name: str, deployed: Snapshot, slug: str) -> None:
    """An identity that was made anew gets its rights: who gets one is part of its name."""
    assert len(deployed.assignments) > 5, name
    for each in deployed.assignments:
        assert each.named, f"{name}: {each}"
        assert each.body.keys() == {"apiVersion", "properties"}
        administrator = numbers(slug)[each.role].startswith("Role Based")
        expected = {"principalType", *({"condition", "conditionVersion"} if administrator else ())}
        assert each.body["properties"].keys() == expected
        assert each.body["properties"]["principalType"] == "ServicePrincipal"


def check_delegation(name: str, deployed: Snapshot, slug: str) -> None:
    """The workflow may assign what main.bicep assigns, and no other role, to machines alone."""
    roles = {role: number for number, role in numbers(slug).items()}
    given = {
        roles[role] for each in RIGHTS if each != "shared" for _, role, _ in table(RIGHTS[each])
    }
    conditions = [
        each.body["properties"]["condition"]
        for each in deployed.assignments
        if "condition" in each.body["properties"]
    ]
    assert len(conditions) == 3, name
    for condition in conditions:
        lists = re.findall(r"ForAnyOfAnyValues:GuidEquals \{([^}]*)\}", condition)
        assert set(lists[0].split(", ")) == given
        assert condition == " AND ".join(
            f"((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/{action}'}})) OR "
            f"(@{of}[{ATTRIBUTE}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{lists[0]}}} AND "
            f"@{of}[{ATTRIBUTE}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase "
            "{'ServicePrincipal'}))"
            for action, of in (("write", "Request"), ("delete", "Resource"))
        )


def signing_in(project: Path) -> set[str]:
    """Return the GitHub environments whose jobs may get a token for Azure, from the workflows."""
    found: set[str] = set()
    for path in (project / ".github" / "workflows").iterdir():
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        for job in workflow["jobs"].values():
            if "environment" in job and job.get("permissions", {}).get("id-token") == "write":
                name = job["environment"]["name"]
                found |= {"test", "prod"} if "inputs.environment" in name else {_named(name)}
    return found


def _named(name: str) -> str:
    """Return the one environment that a name can mean, where an expression may leave it out."""
    return next(iter(re.findall(r"'([a-z-]+)'", name)), name) if name.startswith("$") else name


GITHUB = {
    "dev",
    "dev-registration",
    "test",
    "prod",
    "prod-rollback",
    "prod-monitor",
    "infra",
    "infra-plan",
}


def check_federation(name: str, deployed: Snapshot, slug: str) -> None:
    """Each GitHub environment that signs in has one identity, trusted in both forms."""
    github = GITHUB if name == "shared" else {"dev", "infra", "infra-plan"}
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities"
    machines = {
        f"{environment}-{duty}"
        for environment in github & {"dev", "test", "prod"}
        for duty in ("endpoint", "monitoring", *(["compute"] if environment == "dev" else []))
    }
    identities = sorted(short(each.id, slug) for each in deployed.of(kind))
    assert identities == sorted(github | machines)
    found = sorted(
        (short("/".join(each.id.split("/")[:-2]), slug), each.properties["subject"])
        for each in deployed.of(f"{kind}/federatedIdentityCredentials")
    )
    assert found == sorted(
        (each, subject)
        for each in github
        for subject in (
            f"repo:Acme/churn:environment:{each}",
            f"repo:Acme@11/churn@22:environment:{each}",
        )
    )
    for each in deployed.of(f"{kind}/federatedIdentityCredentials"):
        assert each.properties.keys() == {"issuer", "audiences", "subject"}
        assert each.properties["issuer"] == "https://token.actions.githubusercontent.com"
        assert each.properties["audiences"] == ["api://AzureADTokenExchange"]
