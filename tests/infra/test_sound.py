"""infra/ of a generated project: what a deployment would ask Azure for, without Azure or Bicep.

`bicep.py` works out the resources, `bicep_types.py` compares them with Azure's type definitions;
`access.py` and `resources.py` say what must hold.
"""

import pytest
import yaml

from tests.infra.access import signing_in
from tests.infra.bicep import BicepError, deploy, parameters
from tests.infra.bicep_types import UNTYPED, AzureTypes
from tests.infra.checks import CHECKS
from tests.infra.project import ANSWERS, VARIABLES, Infra
from tests.infra.resources import check_types
from tests.support import HOSTILE


@pytest.mark.parametrize("answers", ANSWERS)
def test_what_is_deployed_is_what_azure_defines(
    projects: dict[str, Infra], types: AzureTypes, answers: str
) -> None:
    check_types(projects[answers], types)


@pytest.mark.parametrize("check", CHECKS)
def test_what_must_hold_holds(infra: Infra, check: str) -> None:
    CHECKS[check](infra)


@pytest.mark.parametrize("check", ["federation", "tags", "names"])
@pytest.mark.parametrize("answers", ["level-1", "long-names"])
def test_it_holds_for_other_answers(projects: dict[str, Infra], answers: str, check: str) -> None:
    CHECKS[check](projects[answers])


def test_every_job_that_signs_in_is_found(infra: Infra) -> None:
    assert signing_in(infra) == {
        *("dev", "dev-registration", "test", "prod", "prod-rollback", "infra", "infra-plan"),
    }


def test_level_1_has_dev_alone(projects: dict[str, Infra]) -> None:
    infra = projects["level-1"]
    assert infra.environments == ["dev"]
    assert "registers" not in parameters(infra.folder / "dev.bicepparam", VARIABLES)


def test_the_size_of_machines_is_that_of_conf(projects: dict[str, Infra]) -> None:
    project = projects["hostile"].project
    conf = yaml.safe_load((project / "conf/dev.yaml").read_text(encoding="utf-8"))
    given = parameters(project / "infra/dev.bicepparam", VARIABLES)
    assert given["computeSize"] == conf["compute"]["size"]
    assert given["computeLowPriority"] is conf["compute"]["low_priority"]
    assert given["location"] == "westeurope"
    assert given["contactEmails"] == [HOSTILE["contact_email"]]
    assert given["tags"]["owner"] == HOSTILE["team"]


def test_a_budget_needs_an_amount_and_an_address(infra: Infra) -> None:
    with pytest.raises(BicepError, match=r"contactEmails = \[\] breaks @minLength"):
        infra.environment("dev", contactEmails=[])
    with pytest.raises(BicepError, match="budgetAmount = 0 breaks @minValue"):
        infra.environment("dev", budgetAmount=0)


def test_github_may_have_a_domain_of_its_own(infra: Infra) -> None:
    issuer = "https://token.actions.example.ghe.com"
    given = parameters(infra.folder / "shared.bicepparam", VARIABLES)
    result = deploy(infra.folder / "shared.bicep", "rg-shared", given | {"githubIssuer": issuer})
    credentials = [
        each.body["properties"]["issuer"]
        for each in result.resources
        if each.kind.endswith("/federatedIdentityCredentials")
    ]
    assert set(credentials) == {issuer}


def test_the_repository_must_be_named(infra: Infra) -> None:
    with pytest.raises(BicepError, match="GITHUB_REPOSITORY is not set"):
        parameters(infra.folder / "shared.bicepparam", {})


def test_no_type_but_the_known_ones_is_left_unchecked(infra: Infra) -> None:
    made = {
        f"{each.kind}@{each.version}" for result in infra.everything() for each in result.resources
    }
    assert made > UNTYPED
    assert len(made) > 20
