"""Write what infra/ asks of Azure, with Microsoft's Bicep CLI. Read the diff before a commit.

tests/infra/deployments/ gets every resource and right, template/docs/azure-resources.md what a
security reviewer reads.
"""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from copier import run_copy

from tools.azure_deployments import CALLER, DEPLOYMENTS, FOLDER, committed, deployed, lines_of
from tools.azure_names import LONGEST
from tools.azure_roles import AZURE_ROLES, own_roles
from tools.bicep import Bicep, Resource, Snapshot
from tools.worktree import ROOT, copy_worktree

SLUG = "purchase-prediction"
ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
PAGE = ROOT / "template" / "docs" / "azure-resources.md"
NOT_LISTED = re.compile(
    "/(blobServices|containers|federatedIdentityCredentials|roleDefinitions|virtualNetworkLinks|"
    "privateDnsZoneGroups)$"
)
HEAD = """# What is made in Azure

For a security reviewer: every resource that `infra/` asks Azure for, and every right. `<project>`
is the project's name, `<hash>` 13 letters and digits made of the resource group and the region,
`<GUID>` one made of the resource group.
The tables were written from what Microsoft's Bicep compiler says that the files ask for, as they
came, for the default region; the kind of storage follows from the region. Nothing here was
deployed: [going-live.md](going-live.md#what-was-not-checked).

One right is Azure's own gift and in no file: it makes each workspace's own identity *Azure AI
Administrator* of the workspace's whole resource group, data lake included.

"A token" is one of Microsoft Entra, of somebody who has a role on the resource. The environments
test and prod come with maturity level 2. Endpoints are not among the resources: `mlops deploy`
makes them ([going-live.md](going-live.md)). The roles named `<project> …` are the project's own,
in `infra/modules/roles.bicep`; their names end in part of a hash of the subscription.
"Letters, at most" is the length of a name with a project's longest name, of what Azure allows.
"""
MORE_ASKED_FOR = """With `dataCollector`, `imageBuilder`, somebody in `callerPrincipalIds`, an
endpoint whose requests are logged, and a budget, there are besides:
"""
TITLES = {
    "shared": "The shared group",
    "dev": "dev",
    "test": "test",
    "prod": "prod",
}


def main() -> None:
    """Compile the default project, and write what each deployment asks for."""
    program = shutil.which(os.environ.get("BICEP") or "bicep")
    if program is None:
        sys.exit("Microsoft's Bicep CLI is needed: on PATH, or its path in the variable BICEP.")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Bicep(program) as bicep:
        source = copy_worktree(Path(folder, "template"))
        project = Path(folder, "project")
        run_copy(str(source), project, defaults=True, quiet=True)
        for name in DEPLOYMENTS:
            text = lines_of(deployed(bicep, project / "infra", SLUG, name))
            (FOLDER / f"{name}.jsonl").write_text(text, encoding="utf-8", newline="\n")
    PAGE.write_text(page(), encoding="utf-8", newline="\n")


def page() -> str:
    """Return the page, from what is committed of each deployment."""
    parts = [HEAD]
    for name, title in TITLES.items():
        snapshot = committed(name)
        parts += [f"\n## {title}\n", resources(snapshot), rights(snapshot)]
    later = committed("prod-later")
    parts += [
        "\n## With more asked for, as in prod\n",
        MORE_ASKED_FOR,
        resources(later, less=committed("prod")),
        rights(later, less=committed("prod")),
    ]
    for name in ("dev", "prod"):
        private = committed(f"{name}-private")
        parts += [
            f"\n## {name} with `privateNetwork`\n",
            "What differs from above:\n",
            resources(private, less=committed(name)),
            rights(private, less=committed(name)),
        ]
    return "\n".join(parts)


def shown(text: str) -> str:
    """Return a name as the page has it."""
    text = re.sub(r"\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", "<GUID>", text)
    return re.sub("(?<![a-z2-7])(lake|mlw|cr|mlr|.*-)[a-z2-7]{13}$", r"\1<hash>", text).replace(
        SLUG, "<project>"
    )


def table(columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [tuple(columns), tuple("---" for _ in columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def resources(snapshot: Snapshot, less: Snapshot | None = None) -> str:
    """Return the table of resources, without those that another deployment has just so."""
    known = [row(each) for each in less.resources] if less else []
    rows = sorted(row(each) for each in snapshot.resources if not NOT_LISTED.search(each.kind))
    new = [each for each in rows if each not in known]
    return table(
        (
            "Resource",
            "Name",
            "Letters, at most",
            "Reached from the internet",
            "Keys and passwords",
            "Else",
        ),
        new,
    )


def rights(snapshot: Snapshot, less: Snapshot | None = None) -> str:
    """Return the table of rights, without those that another deployment has."""
    roles = (
        AZURE_ROLES
        | {
            ADMINISTRATOR: "Role Based Access Control Administrator, for the roles in the next "
            "tables, given to machines alone",
        }
        | {
            number: f"`<project> {role.replace('-', ' ')} …`"
            for number, role in own_roles(SLUG).items()
        }
    )

    def rows_of(one: Snapshot) -> set[tuple[str, str, str]]:
        return {
            (principal(each.who), roles[each.role], last(each.scope)) for each in one.assignments
        }

    found = rows_of(snapshot) - (rows_of(less) if less else set())
    return table(("Who", "Role", "On"), sorted(found))


def principal(who: str) -> str:
    """Return whose identity it is."""
    return "a caller" if who == CALLER else last(who)


def last(identity: str) -> str:
    """Return the name at the end of an id."""
    return f"`{shown(identity.rpartition('/')[2])}`"


def row(resource: Resource) -> tuple[str, ...]:
    """Return a resource's line."""
    kind = resource.kind.removeprefix("Microsoft.")
    name = resource.name if resource.kind.endswith("datastores") else shown(resource.name)
    return (
        kind,
        f"`{name}`",
        length(resource),
        reached(resource),
        keys(resource),
        more(resource),
    )


def length(resource: Resource) -> str:
    """Return how long the name is for the longest name of a project, and may be."""
    if resource.kind not in LONGEST:
        return ""
    room = 24 if resource.kind.endswith("Services/workspaces") else 27
    longest = resource.name.replace(SLUG, "x" * room)
    return f"{len(longest)} of {LONGEST[resource.kind]}"


def reached(resource: Resource) -> str:
    """Return whether and how the internet reaches a resource."""
    properties = resource.properties
    kinds = ("Microsoft.OperationalInsights/workspaces", "Microsoft.Insights/components")
    if resource.kind in kinds:
        return "yes, with a token"
    if resource.kind == "Microsoft.MachineLearningServices/workspaces/computes":
        return "no: nobody signs in to a machine"
    access = properties.get("publicNetworkAccess")
    if access is None:
        return ""
    if access == "Disabled":
        return "no"
    if properties.get("networkAcls", {}).get("defaultAction") == "Deny":
        allowed = [
            last(rule["resourceId"]) for rule in properties["networkAcls"]["resourceAccessRules"]
        ]
        return f"no, but for {', '.join(allowed)}"
    return "yes, with a token"


_OFF: Mapping[str, tuple[Any, str]] = {
    "allowSharedKeyAccess": (False, "off"),
    "adminUserEnabled": (False, "off: no admin, nobody pulls without a token"),
    "enableRbacAuthorization": (True, "secrets by roles alone"),
    "systemDatastoresAuthMode": ("Identity", "off: identities alone"),
    "disableLocalAuth": (True, "off"),
}


def keys(resource: Resource) -> str:
    """Return whether a resource takes keys or passwords."""
    properties = resource.properties | resource.properties.get("features", {})
    found = [
        words if properties[name] == off else "**on**"
        for name, (off, words) in _OFF.items()
        if name in properties
    ]
    return ", ".join(found) or ""


def machines(cluster: Mapping[str, Any]) -> str:
    """Return how many machines of which kind a cluster has."""
    scale = cluster["scaleSettings"]
    addresses = "with" if cluster["enableNodePublicIp"] else "without"
    return (
        f"{cluster['vmSize']}, {cluster['vmPriority']}, {scale['minNodeCount']} to "
        f"{scale['maxNodeCount']} machines, {addresses} public addresses"
    )


_MORE: Mapping[str, Callable[[Resource], str]] = {
    "vaults": lambda each: (
        ("purge protection" if each.properties["enablePurgeProtection"] else "no purge protection")
        + f", kept {each.properties['softDeleteRetentionInDays']} days after a removal"
    ),
    "storageAccounts": lambda each: f"{each.body['sku']['name']}, TLS 1.2, no anonymous reading",
    "ContainerRegistry/registries": lambda each: str(each.body["sku"]["name"]),
    "OperationalInsights/workspaces": lambda each: (
        f"{each.properties['retentionInDays']} days, at most "
        f"{each.properties['workspaceCapping']['dailyQuotaGb']} GB a day"
    ),
    "MachineLearningServices/workspaces": lambda each: (
        f"managed network: {each.properties['managedNetwork']['isolationMode']}; "
        + "its own identity, and "
        + ", ".join(last(one) for one in each.body["identity"]["userAssignedIdentities"])
    ),
    "MachineLearningServices/registries": lambda each: (
        "Premium, in " + ", ".join(one["location"] for one in each.properties["regionDetails"])
    ),
    "computes": lambda each: machines(each.properties["properties"]),
    "diagnosticSettings": lambda each: (
        "of "
        + last(each.id.split("/providers/Microsoft.Insights/")[0])
        + ": "
        + ", ".join(one.get("category") or one["categoryGroup"] for one in each.properties["logs"])
    ),
    "virtualNetworks": lambda each: ", ".join(
        f"{one['name']} {one['properties']['addressPrefix']}" for one in each.properties["subnets"]
    ),
    "privateEndpoints": lambda each: ", ".join(
        f"to {last(to['privateLinkServiceId'])} ({to['groupIds'][0]})"
        for to in (one["properties"] for one in each.properties["privateLinkServiceConnections"])
    ),
    "workbooks": lambda each: (
        f"called `{shown(each.properties['displayName'])}`, charts of "
        + last(each.properties["sourceId"])
    ),
    "actionGroups": lambda each: (
        f"mail to {len(each.properties['emailReceivers'])} of `contactEmails`"
        if "emailReceivers" in each.properties
        else "calls "
        + ", ".join(last(one["resourceId"]) for one in each.properties["logicAppReceivers"])
    ),
    "scheduledQueryRules": lambda each: (
        f"asks the logs every {each.properties['evaluationFrequency']}, as "
        + ", ".join(last(one) for one in each.body["identity"]["userAssignedIdentities"])
    ),
    "budgets": lambda each: f"{each.properties['amount']} a month, warns",
}


def more(resource: Resource) -> str:
    """Return what else a reviewer asks of a resource of that kind."""
    for kind, words in _MORE.items():
        if resource.kind.endswith(kind):
            return words(resource)
    return ""


if __name__ == "__main__":
    main()
