"""What `mlops setup github` asks of gh, which a small script plays."""

import json
import re
import shlex
from pathlib import Path

import pytest

from fakes.gh import PATH, FakeGh
from fakes.places import PROJECT
from mlops.ci.setup_github import project_files
from mlops.ci.setup_github.azure_ids import read_azure_ids
from mlops.ci.setup_github.environments import ENVIRONMENTS, INFRASTRUCTURE, environments
from mlops.ci.setup_github.gh import Gh
from mlops.ci.setup_github.plan import Wanted, plan_calls
from mlops.ci.setup_github.project_files import (
    INFRA,
    INFRA_WORKFLOW,
    RULESET,
    where_it_is,
    who_reviews,
)
from mlops.ci.setup_github.repository import Repository
from mlops.ci.setup_github.set_up import Request, apply, preview
from mlops.ci.setup_github.variables import CLIENT_ID, VARIABLES
from mlops.errors import ConfigError, PlatformError


@pytest.fixture
def gh(tmp_path: Path) -> FakeGh:
    folder = tmp_path / "bin"
    folder.mkdir()
    return FakeGh(folder)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "project" / RULESET
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"name": "main", "rules": []}))
    return tmp_path / "project"


def test_a_public_repository_gets_everything(gh: FakeGh, root: Path) -> None:
    repository = gh.apply(root, "ann", "acme/owners", variables={"MLOPS_PLATFORM": "azure"})
    assert repository.limits() == []
    changes = gh.changes()
    for each in ENVIRONMENTS:
        body = changes[f"PUT {PATH}/{each.name}"]
        assert body["deployment_branch_policy"]["custom_branch_policies"] is True
        assert ("reviewers" in body) == (each.name in {"prod-approval", "prod"})
    assert changes[f"PUT {PATH}/prod"]["reviewers"] == [
        {"type": "User", "id": 7},
        {"type": "Team", "id": 8},
    ]
    assert changes[f"PUT {PATH}/prod"]["prevent_self_review"] is True
    assert changes[f"PUT {PATH}/prod"]["can_admins_bypass"] is False
    for name in ("dev-registration", "prod-rollback"):
        allowed = changes[f"POST {PATH}/{name}/deployment-branch-policies"]
        assert allowed == {"name": "main", "type": "branch"}
    assert changes["POST repos/acme/model/rulesets"] == {"name": "main", "rules": []}
    assert "--body azure" in changes


def test_it_can_be_repeated(gh: FakeGh, root: Path) -> None:
    gh.answers["repos/acme/model/rulesets"] = [{"id": 5, "name": "main"}, {"id": 6, "name": "x"}]
    for each in ENVIRONMENTS:
        gh.there_is(each.name)
    gh.apply(root, "ann")
    assert [name for name in gh.changes() if not name.startswith("PUT ")] == []
    assert "PUT repos/acme/model/rulesets/5" in gh.changes()


@pytest.mark.parametrize(
    ("plan", "reviewers", "rules", "words"),
    [
        ("free", [], False, ["cannot require reviewers", "neither branches nor environments"]),
        ("team", [], True, ["on the plan Team, environments cannot require reviewers"]),
        ("enterprise", ["ann"], True, []),
        (None, ["ann"], True, ["unless the owner has GitHub Enterprise"]),
    ],
)
def test_a_private_repository_gets_what_its_plan_offers(
    gh: FakeGh, root: Path, plan: str | None, reviewers: list[str], rules: bool, words: list[str]
) -> None:
    gh.answers["repos/{owner}/{repo}"]["private"] = True
    gh.answers["orgs/acme"] = {"login": "acme"} | ({"plan": {"name": plan}} if plan else {})
    limits = gh.apply(root, *reviewers).limits()
    assert len(limits) == len(words)
    assert all(word in str(limit) for word, limit in zip(words, limits, strict=True))
    changes = gh.changes()
    people = [{"type": "User", "id": 7} for _ in reviewers]
    assert changes[f"PUT {PATH}/prod"].get("reviewers", []) == people
    assert ("POST repos/acme/model/rulesets" in changes) == rules
    assert any("deployment-branch-policies" in name for name in changes) == rules


def test_a_reviewer_that_the_plan_cannot_have_is_not_dropped_quietly(
    gh: FakeGh, root: Path
) -> None:
    gh.answers["repos/{owner}/{repo}"]["private"] = True
    gh.answers["orgs/acme"] = {"login": "acme", "plan": {"name": "team"}}
    with pytest.raises(ConfigError, match=r"plan Team.*leave --reviewer out"):
        gh.apply(root, "ann")
    assert gh.changes() == {}


def test_where_the_plan_is_unknown_github_says_whether_there_are_reviewers(
    gh: FakeGh, root: Path
) -> None:
    gh.answers["repos/{owner}/{repo}"]["private"] = True
    gh.answers["orgs/acme"] = {"login": "acme"}
    gh.answers["refuse"] = f"{PATH}/prod-approval"
    with pytest.raises(PlatformError, match=r"HTTP 403: not allowed.* use --no-reviewers"):
        gh.apply(root, "ann")
    del gh.answers["refuse"]
    assert gh.apply(root, no_reviewers=True).plan is None


def test_reviewers_of_an_environment_stay_unless_others_are_named(gh: FakeGh, root: Path) -> None:
    gh.there_is("prod-approval", 11)
    gh.there_is("prod", 12, can_admins_bypass=True)
    gh.there_is("test", 13, can_admins_bypass=False)
    gh.apply(root)
    changes = gh.changes()
    for name, number in (("prod-approval", 11), ("prod", 12), ("test", 13)):
        body = changes[f"PUT {PATH}/{name}"]
        assert body["reviewers"] == [{"type": "User", "id": number}]
        assert body["can_admins_bypass"] is False
    assert changes[f"PUT {PATH}/prod"]["prevent_self_review"] is True
    gh.apply(root, "ann")
    assert gh.changes()[f"PUT {PATH}/prod"]["reviewers"] == [{"type": "User", "id": 7}]
    assert gh.changes()[f"PUT {PATH}/test"]["reviewers"] == [{"type": "User", "id": 13}]


def test_reviewers_go_when_that_is_asked_for(gh: FakeGh, root: Path) -> None:
    gh.there_is("prod", 12)
    gh.apply(root, no_reviewers=True)
    assert gh.changes()[f"PUT {PATH}/prod"]["reviewers"] is None
    assert "reviewers" not in gh.changes()[f"PUT {PATH}/prod-approval"]


def test_one_environment_without_reviewers_is_asked_about(gh: FakeGh, root: Path) -> None:
    gh.there_is("prod", 12)
    with pytest.raises(ConfigError, match="name those who may approve"):
        gh.apply(root)


def test_it_says_when_github_would_not_find_the_workflows(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_files, "repository_above", lambda _root: root.parent)
    (note,) = where_it_is(root)
    assert f"a folder of the repository {root.parent}" in note
    assert "at a repository's root only" in note
    monkeypatch.setattr(project_files, "repository_above", lambda _root: None)
    assert where_it_is(root) == []


def test_it_says_when_nobody_owns_the_code(root: Path) -> None:
    assert "names nobody" in who_reviews(root)[0]
    assert who_reviews(root)[0].endswith("name owners of /conf/ and /.github/")
    (root / INFRA).parent.mkdir()
    (root / INFRA).touch()
    assert who_reviews(root)[0].endswith("name owners of /conf/, /.github/ and /infra/")
    path = root / ".github" / "CODEOWNERS"
    path.write_text("# /conf/ @acme/owners\n")
    assert len(who_reviews(root)) == 1
    path.write_text("/conf/ @acme/owners\n")
    assert who_reviews(root) == []


def test_the_plan_of_a_person_is_known_only_to_that_person(gh: FakeGh, root: Path) -> None:
    owner = {"login": "ann", "type": "User"}
    gh.answers["repos/{owner}/{repo}"] |= {"private": True, "owner": owner}
    gh.answers["user"] = {"login": "Ann", "plan": {"name": "pro"}}
    gh.answer()
    assert Gh(root, gh.command).repository() == Repository("acme/model", private=True, plan="pro")
    gh.answers["user"] = {"login": "bob", "plan": {"name": "free"}}
    gh.answer()
    assert Gh(root, gh.command).repository().plan is None


def test_without_apply_nothing_is_asked(gh: FakeGh, root: Path) -> None:
    repository, calls = preview(root, Request(3, ("ann",)))
    assert not gh.calls.exists()
    shown = "\n".join(call.shown() for call in calls)
    assert "'repos/{owner}/{repo}/environments/prod-rollback'" in shown
    assert "'reviewers[][id]=<id of ann>'" in shown
    assert len(repository.limits()) == 2


def test_what_is_printed_means_the_same_in_bash_and_powershell(root: Path) -> None:
    variables = {"CODECOV": "true", "AZURE_TENANT_ID": "a b $c `d`"}
    _, calls = preview(root, Request(3, ("ann", "acme/owners"), variables=variables))
    for call in calls:
        # Outside of single quotes is nothing that either shell would read as more than itself.
        bare = re.sub(r"'[^']*'", "", call.shown())
        assert re.fullmatch(r"[\w./:= -]+", bare)
        assert "\n" not in call.shown()
        assert tuple(shlex.split(call.shown())) == ("gh", *call.command)
    assert any(call.shown().endswith(f"--input {RULESET.as_posix()}") for call in calls)
    for value in ("it's", 'a "b"', "a\nb"):
        with pytest.raises(ConfigError, match="CODECOV must be one line without quotes"):
            preview(root, Request(3, ("ann",), variables={"CODECOV": value}))


@pytest.mark.parametrize(("level", "count"), [(1, 1), (2, 6), (3, 6)])
def test_every_environment_is_used_from_level_2_on(level: int, count: int) -> None:
    assert len(environments(level, infrastructure=False)) == count
    assert len(environments(level, infrastructure=True)) == count + 2


def test_as_many_reviewers_as_github_takes_are_taken(root: Path) -> None:
    _, calls = preview(root, Request(3, tuple("abcdef")))
    assert any("reviewers[][id]=<id of f>" in call.command for call in calls)
    with pytest.raises(ConfigError, match="at most 6"):
        preview(root, Request(3, tuple("abcdefg")))


def test_level_1_needs_no_environment_but_dev() -> None:
    calls = plan_calls(Repository("acme/model"), Wanted(environments(1, infrastructure=False)))
    assert {call.title.split(":")[0] for call in calls} == {"environment dev"}


def test_with_infra_the_plan_is_open_to_branches_and_changes_are_reviewed(
    gh: FakeGh, root: Path
) -> None:
    gh.apply(root, "ann")
    assert not any(each.name in change for each in INFRASTRUCTURE for change in gh.changes())
    (root / INFRA_WORKFLOW).parent.mkdir(parents=True)
    (root / INFRA_WORKFLOW).touch()
    gh.apply(root, "ann")
    changes = gh.changes()
    assert changes[f"PUT {PATH}/infra"]["reviewers"] == [{"type": "User", "id": 7}]
    assert changes[f"POST {PATH}/infra/deployment-branch-policies"]["name"] == "main"
    assert changes[f"PUT {PATH}/infra-plan"] == {}
    assert f"POST {PATH}/infra-plan/deployment-branch-policies" not in changes
    for name in ("prod-approval", "prod"):
        gh.there_is(name, 11)
    with pytest.raises(ConfigError, match="name those who may approve"):
        gh.apply(root)
    gh.there_is("infra", 12)
    gh.there_is("infra-plan")
    gh.apply(root)
    assert gh.changes()[f"PUT {PATH}/infra"]["reviewers"] == [{"type": "User", "id": 12}]


IDS = {
    "tenantId": {"type": "String", "value": "the-tenant"},
    "subscriptionId": {"type": "String", "value": "the-subscription"},
    "clientIds": {"type": "Array", "value": [{"environment": "prod", "clientId": "prod-id"}]},
}


def test_what_azure_returned_becomes_variables(gh: FakeGh, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "azure.json"
    path.write_text(json.dumps(IDS))
    gh.apply(root, "ann", azure=read_azure_ids(path, root))
    assert gh.variables() == [
        "AZURE_CLIENT_ID --env prod --body prod-id",
        "AZURE_TENANT_ID --body the-tenant",
        "AZURE_SUBSCRIPTION_ID --body the-subscription",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"])
def test_what_powershell_wrote_can_be_read(root: Path, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "azure.json"
    mark = "\ufeff" if encoding.startswith("utf-16") else ""
    path.write_bytes((mark + json.dumps(IDS)).encode(encoding))
    assert read_azure_ids(path, root).client_ids == {"prod": "prod-id"}


OTHER = ["", "[]", "{}", '{"tenantId": "no value"}']


@pytest.mark.parametrize("text", OTHER)
def test_other_content_is_refused(root: Path, tmp_path: Path, text: str) -> None:
    path = tmp_path / "azure.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match="--variable, and each environment's identity with `gh"):
        read_azure_ids(path, root)
    (root / INFRA).parent.mkdir()
    (root / INFRA).touch()
    with pytest.raises(ConfigError, match="does not hold the outputs of infra/shared"):
        read_azure_ids(path, root)


@pytest.mark.parametrize("platform", ["Azure", "", "aws"])
def test_a_platform_that_there_is_not_is_refused(gh: FakeGh, root: Path, platform: str) -> None:
    with pytest.raises(ConfigError, match=r"MLOPS_PLATFORM is .*, but must be local or azure"):
        gh.apply(root, "ann", variables={"MLOPS_PLATFORM": platform})
    assert not gh.calls.exists()
    gh.apply(root, "ann", variables={"MLOPS_PLATFORM": "azure"})
    assert gh.variables() == ["MLOPS_PLATFORM --body azure"]


def test_an_environment_that_no_workflow_uses_is_refused(
    gh: FakeGh, root: Path, tmp_path: Path
) -> None:
    path = tmp_path / "azure.json"
    path.write_text(json.dumps(IDS).replace("prod", "production"))
    with pytest.raises(ConfigError, match="no environment production"):
        gh.apply(root, "ann", azure=read_azure_ids(path, root))
    assert not gh.calls.exists()


@pytest.mark.parametrize(
    ("value", "words"), [("the-tenant", "AZURE_TENANT_ID"), ("prod-id", "--azure: prod")]
)
def test_ids_that_a_shell_would_read_are_refused(
    gh: FakeGh, root: Path, tmp_path: Path, value: str, words: str
) -> None:
    path = tmp_path / "azure.json"
    path.write_text(json.dumps(IDS).replace(value, "it's"))
    with pytest.raises(ConfigError, match=f"{words} must be one line without quotes"):
        gh.apply(root, "ann", azure=read_azure_ids(path, root))
    assert not gh.calls.exists()


def test_each_variable_that_a_workflow_reads_can_be_set() -> None:
    files = [*(PROJECT / ".github").rglob("*.yml"), *(PROJECT / ".github").rglob("*.yaml")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    read = {name for text in texts for name in re.findall(r"\bvars\.(\w+)", text)}
    assert read - VARIABLES.keys() == {CLIENT_ID}


def test_wrong_options_change_nothing(gh: FakeGh, root: Path) -> None:
    with pytest.raises(ConfigError, match="name those who may approve"):
        gh.apply(root)
    with pytest.raises(ConfigError, match="read no MLOPS_PLATFROM"):
        gh.apply(root, "ann", variables={"MLOPS_PLATFROM": "azure"})
    with pytest.raises(ConfigError, match="leave one of them out"):
        gh.apply(root, "ann", no_reviewers=True)
    with pytest.raises(ConfigError, match="at most 6"):
        gh.apply(root, *"abcdefg")
    with pytest.raises(PlatformError, match="users/nobody"):
        gh.apply(root, "nobody")
    assert gh.changes() == {}


def test_what_github_refuses_is_said(gh: FakeGh, root: Path) -> None:
    gh.answers["refuse"] = f"{PATH}/prod"
    with pytest.raises(PlatformError, match="HTTP 403: not allowed"):
        gh.apply(root, "ann")


def test_a_missing_gh_says_where_to_get_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="gh is not installed"):
        apply(root, Request(3, ("ann",)))
