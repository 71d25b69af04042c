"""infra/ compiled by Microsoft's own Bicep CLI: every parameter file, with nothing to say.

The CLI ends with 0 where it only warns, of a misspelt property too, so each diagnostic counts. What
it says of the rules of its linter is in template/infra/bicepconfig.json.
"""

import itertools
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.infra.access import GITHUB, LEVEL_1, RIGHTS, check_federation, rights, table
from tests.infra.checks import CHECKS
from tests.infra.project import ANSWERS, SLUG
from tests.support import HOSTILE
from tools.azure_deployments import (
    DEPLOYMENTS,
    LATER,
    committed,
    deployed,
    lines_of,
    with_other_values,
    written,
)
from tools.bicep import Bicep, Place

pytestmark = pytest.mark.needs("bicep")

# With an endpoint and a budget, and every option that adds something.
VARIANTS: dict[str, dict[str, Any]] = {
    "at first": {},
    "later": dict(LATER),
    "private": {**DEPLOYMENTS["prod-private"].values, "natGateway": True},
    "all": {
        **DEPLOYMENTS["prod-later"].values,
        "privateNetwork": True,
        "storageKeys": True,
        "privateDnsZonesGroupId": "/subscriptions/11111111-1111-4111-8111-111111111111"
        "/resourceGroups/rg-hub",
    },
}
WHOLE = "level-2, long names"
LEAST = ("at first", "all")
SLUGS = {name: str(answers.get("project_slug", SLUG)) for name, answers in ANSWERS.items()}


def parameter_files(infra: Path) -> list[str]:
    return sorted(file.stem for file in infra.glob("*.bicepparam") if "-changed" not in file.name)


@pytest.mark.parametrize("answers", ANSWERS)
def test_every_parameter_file_compiles_with_nothing_to_say(
    compiler: Bicep, projects: dict[str, Path], answers: str
) -> None:
    infra = projects[answers] / "infra"
    files = parameter_files(infra)
    one = answers.startswith("level-1")
    assert files == (["dev", "shared"] if one else ["dev", "prod", "shared", "test"])
    for file in files:
        variants = VARIANTS if answers in WHOLE else {name: VARIANTS[name] for name in LEAST}
        for variant, values in variants.items() if file != "shared" else [("at first", {})]:
            said = compiler.diagnostics(written(infra, file, values))
            assert said == [], f"{file}, {variant}"


@pytest.mark.parametrize("answers", ["level-1, short names", "blank, hostile"])
def test_every_file_is_formatted(compiler: Bicep, projects: dict[str, Path], answers: str) -> None:
    infra = projects[answers] / "infra"
    files = [
        *infra.rglob("*.bicep"),
        *(infra / f"{name}.bicepparam" for name in parameter_files(infra)),
    ]
    assert len(files) > 18
    for file in files:
        assert compiler.formatted(file) == file.read_text(encoding="utf-8"), file.name


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_what_is_committed_is_what_the_compiler_says(
    compiler: Bicep, projects: dict[str, Path], name: str
) -> None:
    found = deployed(compiler, projects["default"] / "infra", SLUG, name)
    assert lines_of(found) == lines_of(committed(name)), "run `make azure`, and read the diff"


@pytest.mark.parametrize("answers", ["level-2, long names", "blank, hostile"])
@pytest.mark.parametrize("name", ["shared", "prod", "dev-private"])
def test_it_holds_for_other_names(
    compiler: Bicep, projects: dict[str, Path], answers: str, name: str
) -> None:
    slug = SLUGS[answers]
    found = deployed(compiler, projects[answers] / "infra", slug, name)
    for check in ("names", "tags", "rights"):
        CHECKS[check][0](name, found, slug)


def test_the_linter_leaves_out_what_depends_on_the_date_alone(projects: dict[str, Path]) -> None:
    text = (projects["default"] / "infra/bicepconfig.json").read_text(encoding="utf-8")
    rules = json.loads(re.sub(r"^ *//.*$", "", text, flags=re.M))["analyzers"]["core"]["rules"]
    assert {each["level"] for each in rules.values()} == {"error"}
    assert "use-recent-api-versions" not in rules
    assert {"what-if-short-circuiting", "use-resource-id-functions", "use-user-defined-types"} <= (
        rules.keys()
    )


def test_only_the_ids_of_principals_keep_what_if_from_looking(projects: dict[str, Path]) -> None:
    for file in (projects["default"] / "infra").rglob("*.bicep"):
        lines = file.read_text(encoding="utf-8").split("\n")
        for line, following in itertools.pairwise(lines):
            if "disable-next-line what-if" in line:
                assert re.match(r" *(infraP|planP|p)rincipalId: ", following), (
                    f"{file.name}: {following}"
                )


def global_names(compiler: Bicep, infra: Path, region: str) -> set[str]:
    """Return the names that are unique in Azure, or that a removed vault or log workspace keeps."""
    for name in ("infra", "conf", "observability"):  # the compiler reads a file of conf/ once
        shutil.copytree(infra.parent / name, infra.parent / region / name)
    infra = infra.parent / region / "infra"
    base = infra.parent / "conf" / "base.yaml"
    base.write_text(f"azure: {{region: {region}}}\n", encoding="utf-8")
    found = set()
    kinds = (
        "storageAccounts",
        "vaults",
        "ContainerRegistry/registries",
        "OperationalInsights/workspaces",
    )
    for file in parameter_files(infra):
        snapshot = compiler.snapshot(
            infra / f"{file}.bicepparam", Place(f"rg-{SLUG}-{file}", region=region)
        )
        found |= {each.name for each in snapshot.resources if each.kind.endswith(kinds)}
        for registry in snapshot.of("Microsoft.MachineLearningServices/registries"):
            for each in registry.properties["regionDetails"]:
                made = each["storageAccountDetails"][0]["systemCreatedStorageAccount"]
                found.add(made["storageAccountName"])
    return found


def test_two_regions_share_no_global_name(compiler: Bicep, infra: Path) -> None:
    names = [global_names(compiler, infra, each) for each in ("westeurope", "northeurope")]
    assert [len(each) for each in names] == [20, 20]
    assert not names[0] & names[1]


def test_a_region_has_the_names_of_its_other_spelling(compiler: Bicep, infra: Path) -> None:
    names = [global_names(compiler, infra, each) for each in ("westeurope", "West Europe")]
    assert names[0] == names[1]


def test_two_subscriptions_share_no_role(compiler: Bicep, infra: Path) -> None:
    other = "00000000-0000-0000-0000-000000000003"
    first, second = (
        compiler.snapshot(infra / "shared.bicepparam", Place(f"rg-{SLUG}-shared", each))
        for each in ("00000000-0000-0000-0000-000000000001", other)
    )
    kind = "Microsoft.Authorization/roleDefinitions"
    for what in ("roleName", "name"):
        names = [
            {each.name if what == "name" else each.properties[what] for each in shared.of(kind)}
            for shared in (first, second)
        ]
        assert [len(each) for each in names] == [9, 9]
        assert not names[0] & names[1]


def test_two_private_environments_share_no_address(compiler: Bicep, infra: Path) -> None:
    ranges = []
    for file in ("dev", "test", "prod"):
        found = with_other_values(compiler, infra, SLUG, file, {"privateNetwork": True})
        network = found.one("Microsoft.Network/virtualNetworks").properties
        ranges += network["addressSpace"]["addressPrefixes"]
    assert ranges == ["10.40.0.0/24", "10.40.1.0/24", "10.40.2.0/24"]


def test_a_second_deployment_changes_only_what_was_asked(compiler: Bicep, infra: Path) -> None:
    """A month later, with another amount: the budget alone, and not its first day."""
    first, second = (
        with_other_values(compiler, infra, SLUG, "prod", LATER | {"budgetAmount": amount})
        for amount in (300, 500)
    )
    changed = set(lines_of(first).splitlines()) ^ set(lines_of(second).splitlines())
    assert len(changed) == 2
    assert all("Microsoft.Consumption/budgets" in each for each in changed)
    assert all('"startDate": "2026-12-01"' in each for each in changed)


def test_the_first_deployment_alone_leaves_purge_protection_off(
    compiler: Bicep, infra: Path
) -> None:
    file = infra / "prod.bicepparam"
    text = file.read_text(encoding="utf-8")
    for name, value in (("FIRST_DEPLOYMENT", "yes"), ("ENDPOINT", "another")):
        assert f"readEnvironmentVariable('{name}', '')" in text
        text = text.replace(f"readEnvironmentVariable('{name}', '')", f"'{value}'")
    file.write_text(text, encoding="utf-8")
    found = compiler.snapshot(file, Place(f"rg-{SLUG}-prod"))
    vaults = found.of("Microsoft.KeyVault/vaults")
    assert [each.properties["enablePurgeProtection"] for each in vaults] == [None, None]
    assert any("/onlineEndpoints/another/" in each.id for each in found.resources)


def test_zones_of_the_company_are_used_where_they_are_named(compiler: Bicep, infra: Path) -> None:
    hub = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-hub"
    values = {"privateNetwork": True, "privateDnsZonesGroupId": hub, "natGateway": True}
    found = with_other_values(compiler, infra, SLUG, "prod", values)
    assert not [each for each in found.resources if "privateDnsZones/" in f"{each.kind}/"]
    ids = {
        config["properties"]["privateDnsZoneId"]
        for group in found.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
        for config in group.properties["privateDnsZoneConfigs"]
    }
    assert len(ids) == 7
    assert all(
        each.startswith(f"{hub}/providers/Microsoft.Network/privateDnsZones/") for each in ids
    )
    runners = found.one("Microsoft.Network/virtualNetworks").properties["subnets"][1]
    assert (
        runners["properties"]["natGateway"]["id"] == found.one("Microsoft.Network/natGateways").id
    )


def test_conf_decides_on_region_registry_and_machines(compiler: Bicep, infra: Path) -> None:
    """A region outside base.yaml is obeyed, and the registry knows of it."""
    conf = infra.parent / "conf"
    (conf / "base.yaml").write_text(
        "azure: {region: francecentral, registry: mlr-all, registry_resource_group: rg-ml}\n"
        "compute: {size: Standard_F8s, low_priority: true}\n",
        encoding="utf-8",
    )
    (conf / "prod.yaml").write_text("azure: {region: westus}\n", encoding="utf-8")
    (conf / "dev.yaml").write_text("compute: {size: Standard_E4s_v5}\n", encoding="utf-8")
    prod, dev, shared = (
        with_other_values(compiler, infra, SLUG, file, {}) for file in ("prod", "dev", "shared")
    )
    regions = {each.body.get("location", "westus") for each in prod.resources}
    assert regions == {"westus", "global"}, "an action group is of no region"
    accounts = prod.of("Microsoft.Storage/storageAccounts")
    assert {each.body["sku"]["name"] for each in accounts} == {"Standard_LRS"}, "it has no zones"
    cluster = dev.one("Microsoft.MachineLearningServices/workspaces/computes")
    assert cluster.properties["properties"]["vmSize"] == "Standard_E4s_v5"
    assert cluster.properties["properties"]["vmPriority"] == "LowPriority", "of base.yaml"
    assert not shared.of("Microsoft.MachineLearningServices/registries"), "another project's"
    scopes = {each.scope for each in shared.assignments if "/registries/" in each.scope}
    assert {each.partition("/resourceGroups/")[2] for each in scopes} == {
        "rg-ml/providers/Microsoft.MachineLearningServices/registries/mlr-all"
    }
    own = with_other_values(compiler, infra, SLUG, "shared", {"registryResourceGroup": None})
    (registry,) = own.of("Microsoft.MachineLearningServices/registries")
    assert registry.name == "mlr-all"
    places = [each["location"] for each in registry.properties["regionDetails"]]
    assert places == ["francecentral", "westus"]


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("dev", {"contactEmails": []}),
        ("dev", {"budgetAmount": 0}),
        ("prod", {"environment": "production"}),
        ("prod", {"purgeProtection": None}),
        ("shared", {"registryName": "a"}),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    compiler: Bicep, infra: Path, file: str, values: dict[str, Any]
) -> None:
    assert compiler.diagnostics(written(infra, file, values))


def test_conf_decides_on_the_limits_of_alerts(compiler: Bicep, infra: Path) -> None:
    """Of prod before base, and of the code where neither says anything, or null."""
    conf = infra.parent / "conf"
    (conf / "base.yaml").write_text(
        "alerts: {latency_ms: 300, error_rate: 0.02, drift_checks: null}\n", encoding="utf-8"
    )
    (conf / "prod.yaml").write_text("alerts: {latency_ms: 250.5}\n", encoding="utf-8")
    found = with_other_values(compiler, infra, SLUG, "prod", {})
    limits = {
        each.properties["actions"]["customProperties"]["cause"]: each.properties["criteria"][
            "allOf"
        ][0]["threshold"]
        for each in found.of("Microsoft.Insights/scheduledQueryRules")
    }
    assert limits.pop("log-cap") == 0
    assert limits == {"latency": 250.5, "error-rate": 0.02, "drift": 1, "performance": 1.0}


def test_github_may_have_a_domain_of_its_own(compiler: Bicep, infra: Path) -> None:
    issuer = "https://token.actions.example.ghe.com"
    found = with_other_values(compiler, infra, SLUG, "shared", {"githubIssuer": issuer})
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
    assert {each.properties["issuer"] for each in found.of(kind)} == {issuer}


def test_answers_and_conf_arrive_as_they_are(compiler: Bicep, projects: dict[str, Path]) -> None:
    infra = projects["blank, hostile"] / "infra"
    found = with_other_values(compiler, infra, HOSTILE["project_slug"], "prod", LATER)
    assert {each.body["tags"]["owner"] for each in found.resources if "tags" in each.body} == {
        HOSTILE["team"]
    }
    told = found.one("Microsoft.Consumption/budgets").properties["notifications"].values()
    assert [each["contactEmails"] for each in told] == [[HOSTILE["contact_email"]]] * 2


def test_what_is_returned_is_what_pages_and_commands_read(compiler: Bicep, infra: Path) -> None:
    shared, prod = (
        with_other_values(compiler, infra, SLUG, file, {}) for file in ("shared", "prod")
    )
    assert shared.outputs.keys() == {"clientIds", "tenantId", "subscriptionId"}
    pairs = re.findall(
        r"createObject\('environment', '([\w-]+)', 'clientId', reference\('[^']+/id-([\w-]+)', "
        r"'[^']+'\)\.clientId\)",
        shared.outputs["clientIds"],
    )
    assert {name for name, _ in pairs} == GITHUB
    assert all(identity == f"{SLUG}-{name}" for name, identity in pairs)
    assert prod.outputs.keys() == {
        "workspaceName",
        "lakeAccountName",
        "logAnalyticsWorkspaceId",
        "insightsConnectionString",
        "alertVaultName",
    }
    assert prod.outputs["alertVaultName"] == prod.one("Microsoft.KeyVault/vaults", "kva-").name
    logs = prod.one("Microsoft.OperationalInsights/workspaces")
    returned = prod.outputs["logAnalyticsWorkspaceId"]
    assert returned == f"[reference('{logs.id}', '{logs.version}').customerId]"
    insights = prod.one("Microsoft.Insights/components")
    returned = prod.outputs["insightsConnectionString"]
    assert returned == f"[reference('{insights.id}', '{insights.version}').ConnectionString]"


def test_level_1_gives_no_right_for_environments_that_are_not_there(
    compiler: Bicep, projects: dict[str, Path]
) -> None:
    infra = projects["level-1, short names"] / "infra"
    found = deployed(compiler, infra, "a", "shared")
    check_federation("level 1", found, "a")
    assert rights(found, "a") == table(LEVEL_1)
    dev = deployed(compiler, infra, "a", "dev")
    assert rights(dev, "a") == [
        right for right in table(RIGHTS["dev"]) if right[0] != "dev-registration"
    ]
