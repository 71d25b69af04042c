"""What `mlops setup github --apply` prints in each kind of repository, at 80 columns."""

import json
import shutil
import textwrap
from typing import Any

import pytest

from fakes.cli import Command
from fakes.gh import FakeGitHub
from fakes.places import PROJECT
from mlops.ci.setup_github import gh
from mlops.ci.setup_github.environments import environments
from mlops.ci.setup_github.project_files import (
    INFRA,
    INFRA_WORKFLOW,
    OWNERS,
    RULESET,
    RULESET_ALONE,
)
from mlops.settings.project import Project

SIGN_IN = [each.name for each in environments(3, True) if each.name != "prod-approval"]
IDS = {
    "tenantId": {"value": "the-tenant"},
    "subscriptionId": {"value": "the-subscription"},
    "clientIds": {"value": [{"environment": name, "clientId": name} for name in SIGN_IN]},
}


@pytest.fixture
def github(project: Project, monkeypatch: pytest.MonkeyPatch) -> FakeGitHub:
    root = project.root
    settings = root / "pyproject.toml"
    settings.write_text(settings.read_text().replace("maturity_level = 1", "maturity_level = 3"))
    for file in (RULESET, RULESET_ALONE, INFRA, INFRA_WORKFLOW):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    for file in (RULESET, RULESET_ALONE):
        shutil.copy(PROJECT / file, root / file)
    (root / OWNERS).write_text("/conf/ @acme/owners\n")
    (root / "azure.json").write_text(json.dumps(IDS))
    fake = FakeGitHub(root)
    monkeypatch.setattr(gh, "_in", lambda _root: fake)
    monkeypatch.setattr("shutil.which", lambda _name: "gh")
    return fake


LIMITED = """\
done: environment dev: training, from main and develop alone
done: environment dev-registration: versions for all environments, from main
alone
done: environment test: the release before production, from main alone
done: environment prod-approval: the first approval of a release, from main
alone
done: environment prod: the second approval, then the release, from main alone
done: environment prod-rollback: the way back, which waits for nobody, from main
alone
done: environment prod-monitor: watching prod, and telling what was found, from
main alone
done: environment infra: changes of the infrastructure, from main alone
done: environment infra-plan: what a pull request would change there
done: rules of main, from .github/rulesets/main.json
"""
VARIABLES = """\
done: variable AZURE_TENANT_ID: whom Azure asks who a job is
done: variable AZURE_SUBSCRIPTION_ID: the subscription that holds the resources
left as it is: the variable MLOPS_PLATFORM (where the steps run; not set: local,
on the runner, as a rehearsal)
left as it is: the variable MLOPS_RUNNER (the label of a runner of your own; not
set: GitHub's machines)
left as it is: the variable MLOPS_CHECKS_RUNNER (the label of another one, for
checks; not set: GitHub's machines)
left as it is: the variable CODECOV (true sends the tests' coverage to Codecov)
left as it is: the variable MLOPS_ATTEST (true attests each version by GitHub,
and checks that before a release)
left as it is: the variable MLOPS_AUDIT_BRANCH (true keeps the audit log on a
branch, where the platform is local)
"""


def identities(*without: str) -> str:
    return "".join(
        f"done: environment {name}: the variable AZURE_CLIENT_ID\n"
        for name in SIGN_IN
        if name not in without
    )


PUBLIC = f"""\
{LIMITED}{identities()}{VARIABLES}\
read back: all of it is as asked. In acme/model, a public repository, production
is protected by the rules of main (pull requests with one review and the check
`Pull request checked`), environments that take jobs of main alone, two
approvals of each release and an approval of each change of infra/; a rollback
waits for nobody
"""
ENTERPRISE = f"""\
{LIMITED}{identities()}{VARIABLES}\
read back: all of it is as asked. In acme/model, a private repository on the
plan Enterprise, production is protected by the rules of main (pull requests
with one review and the check `Pull request checked`), environments that take
jobs of main alone, two approvals of each release and an approval of each change
of infra/; a rollback waits for nobody
"""
TEAM = f"""\
{LIMITED}{identities("infra")}{VARIABLES}\
not set: reviewers of environments: a private repository on the plan Team has
none. If nobody is to be asked, run it again with --no-reviewers in the place of
--reviewer
error: not all of it is as asked: in acme/model, a private repository on the
plan Team, production is protected by the rules of main (pull requests with one
review and the check `Pull request checked`) and environments that take jobs of
main alone, but not by reviewers of releases and infra/, which GitHub does not
have here: each release to prod is refused while approvals.required in
conf/prod.yaml is above 0, and infra/ is not deployed, as `infra` has no
AZURE_CLIENT_ID to sign in with
"""
TEAM_UNREVIEWED = f"""\
{LIMITED}{identities()}{VARIABLES}\
read back: all of it is as asked. In acme/model, a private repository on the
plan Team, production is protected by the rules of main (pull requests with one
review and the check `Pull request checked`) and environments that take jobs of
main alone, but not by reviewers of releases and infra/, which GitHub does not
have here: each release to prod is refused while approvals.required in
conf/prod.yaml is above 0, and a deployment of infra/ that nobody approved is
refused while approvals.required in conf/prod.yaml is above 0; with 0, or
without that file, infra/ is deployed unasked
"""
FREE = f"""\
{VARIABLES}\
not set: the rules of main, and the limits of environments to main: a private
repository on a plan like Free has neither. Make it public, or change the plan
not set: reviewers of environments: a private repository on a plan like Free has
none. If nobody is to be asked, run it again with --no-reviewers in the place of
--reviewer
not set: the environments, which GitHub does not make: `gh api PUT
repos/acme/model/environments/dev` failed: gh: Not Found (HTTP 404)
error: not all of it is as asked: in acme/model, a private repository on a plan
like Free, nothing on GitHub protects production: whoever may push can change
main and use each environment, and each release to prod is refused while
approvals.required in conf/prod.yaml is above 0, and infra/ is not deployed, as
`infra` has no AZURE_CLIENT_ID to sign in with
"""
GONE = """\
done: environment infra: no variable AZURE_CLIENT_ID any more, as nobody would
be asked
"""
MADE_PRIVATE = f"""\
{LIMITED}{identities("infra", "infra-plan")}{GONE}{identities(*SIGN_IN[:-1])}{VARIABLES}\
not set: reviewers of environments: a private repository on the plan Team has
none. If nobody is to be asked, run it again with --no-reviewers in the place of
--reviewer
error: not all of it is as asked: in acme/model, a private repository on the
plan Team, production is protected by the rules of main (pull requests with one
review and the check `Pull request checked`) and environments that take jobs of
main alone, but not by reviewers of releases and infra/ (the reviewers of prod-
approval, prod and infra are from when it was public or on another plan, and
GitHub ignores them): each release to prod is refused while approvals.required
in conf/prod.yaml is above 0, and infra/ is not deployed, as `infra` has no
AZURE_CLIENT_ID to sign in with
"""
MADE_PRIVATE_ON_FREE = f"""\
{VARIABLES}\
not set: the rules of main, and the limits of environments to main: a private
repository on the plan Free has neither. Make it public, or change the plan
not set: reviewers of environments: a private repository on the plan Free has
none. If nobody is to be asked, run it again with --no-reviewers in the place of
--reviewer
not set: the environments, which GitHub does not make: `gh api PUT
repos/acme/model/environments/dev` failed: gh: Not Found (HTTP 404)
not set: infra still has its AZURE_CLIENT_ID, and a deployment of infra/ that
nobody approved is refused while approvals.required in conf/prod.yaml is above
0; with 0, or without that file, infra/ is deployed unasked. `gh variable delete
MLOPS_PLATFORM` stops its workflow, until the identity of infra in Azure has no
federated credential any more
error: not all of it is as asked: in acme/model, a private repository on the
plan Free, nothing on GitHub protects production (the reviewers of prod-
approval, prod and infra are from when it was public or on another plan, and
GitHub ignores them): whoever may push can change main and use each environment,
and each release to prod is refused while approvals.required in conf/prod.yaml
is above 0, and a deployment of infra/ that nobody approved is refused while
approvals.required in conf/prod.yaml is above 0; with 0, or without that file,
infra/ is deployed unasked
"""
PEOPLE = ("--reviewer", "ann", "--reviewer", "acme/owners")
NOBODY = ("--no-reviewers",)
WAS_PUBLIC = ("prod-approval", "prod", "infra")


@pytest.mark.parametrize(
    ("settings", "reviewed", "options", "code", "expected"),
    [
        ({}, (), PEOPLE, 0, PUBLIC),
        ({"private": True, "plan_is_shown": False}, (), PEOPLE, 1, FREE),
        ({"private": True, "plan": "team"}, (), PEOPLE, 1, TEAM),
        ({"private": True, "plan": "pro"}, (), PEOPLE, 1, TEAM.replace("plan Team", "plan Pro")),
        ({"private": True, "plan": "team"}, (), NOBODY, 0, TEAM_UNREVIEWED),
        ({"private": True, "plan": "enterprise"}, (), PEOPLE, 0, ENTERPRISE),
        ({"private": True, "plan": "team"}, WAS_PUBLIC, (), 1, MADE_PRIVATE),
        ({"private": True, "plan": "free"}, WAS_PUBLIC, PEOPLE, 1, MADE_PRIVATE_ON_FREE),
    ],
    ids=[
        "public",
        "private on Free, whose plan is not shown",
        "private on Team",
        "private on Pro",
        "private on Team, where nobody is to be asked",
        "private on Enterprise",
        "public made private, on Team",
        "public made private, on Free",
    ],
)
def test_what_is_printed(
    github: FakeGitHub,
    mlops: Command,
    capsys: pytest.CaptureFixture[str],
    settings: dict[str, Any],
    reviewed: tuple[str, ...],
    options: tuple[str, ...],
    code: int,
    expected: str,
) -> None:
    vars(github).update(settings)
    for name in reviewed:
        github.there_is(name, 7).variables = {"AZURE_CLIENT_ID": name}
    assert mlops("setup", "github", "--apply", "--azure", "azure.json", *options) == code
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert "".join(f"{textwrap.fill(line, 80)}\n" for line in lines) == expected
