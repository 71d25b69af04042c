"""What `mlops setup github` asks for, against a GitHub that a fake plays."""

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fakes.gh import CUSTOM, FakeGitHub
from fakes.places import PROJECT
from mlops.ci.setup_github import project_files
from mlops.ci.setup_github.azure_ids import read_azure_ids
from mlops.ci.setup_github.environments import ENVIRONMENTS, INFRASTRUCTURE, environments
from mlops.ci.setup_github.project_files import (
    INFRA,
    INFRA_WORKFLOW,
    RULESET,
    RULESET_ALONE,
    where_it_is,
    who_reviews,
)
from mlops.ci.setup_github.request import Request
from mlops.ci.setup_github.set_up import preview
from mlops.ci.setup_github.variables import CLIENT_ID, VARIABLES
from mlops.errors import ConfigError


def with_infra(root: Path) -> None:
    (root / INFRA_WORKFLOW).parent.mkdir(parents=True)
    (root / INFRA_WORKFLOW).touch()


def test_a_public_repository_gets_everything(github: FakeGitHub) -> None:
    outcome = github.apply("ann", "acme/owners", variables={"MLOPS_PLATFORM": "azure"})
    assert outcome.not_set == ()
    for each in ENVIRONMENTS:
        there = github.environments[each.name]
        assert there.policy == CUSTOM
        assert bool(there.reviewers) == (each.name in {"prod-approval", "prod"})
        assert github.allowed(each.name) == [f"branch {name}" for name in each.branches]
    prod = github.environments["prod"]
    assert prod.reviewers == [{"type": "User", "id": 7}, {"type": "Team", "id": 8}]
    assert prod.settings == {"prevent_self_review": True, "can_admins_bypass": False}
    assert [each["name"] for each in github.rulesets] == ["main"]
    assert github.variables == {"MLOPS_PLATFORM": "azure"}


def test_it_can_be_repeated(github: FakeGitHub) -> None:
    first = github.apply("ann")
    state = (github.rulesets, github.environments)
    github.calls.clear()
    assert github.apply("ann").not_set == first.not_set == ()
    assert (github.rulesets, github.environments) == state
    assert all(call.startswith("PUT ") for call in github.changes())


def test_reviewers_of_an_environment_stay_unless_others_are_named(github: FakeGitHub) -> None:
    github.people |= {"eve": (12, "write"), "joe": (13, "write")}
    github.teams.clear()
    github.there_is("prod-approval", 9)
    github.there_is("prod", 12, can_admins_bypass=True)
    github.there_is("test", 13, can_admins_bypass=False)
    assert github.apply().not_set == ()
    for name, number in (("prod-approval", 9), ("prod", 12), ("test", 13)):
        there = github.environments[name]
        assert there.reviewers == [{"type": "User", "id": number}]
        assert there.settings["can_admins_bypass"] is False
    assert github.environments["prod"].settings["prevent_self_review"] is True
    github.apply("ann")
    assert github.environments["prod"].reviewers == [{"type": "User", "id": 7}]
    assert github.environments["test"].reviewers == [{"type": "User", "id": 13}]


def test_reviewers_go_when_that_is_asked_for(github: FakeGitHub) -> None:
    github.there_is("prod", 7)
    outcome = github.apply(no_reviewers=True)
    assert outcome.not_set == ()
    assert github.environments["prod"].reviewers == []
    assert "nobody is named to be asked" in outcome.protection


def test_one_environment_without_reviewers_is_asked_about(github: FakeGitHub) -> None:
    github.there_is("prod", 7)
    with pytest.raises(ConfigError, match="name those who may approve"):
        github.apply()


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


def test_without_apply_nothing_is_asked(github: FakeGitHub, root: Path) -> None:
    outcome = preview(root, Request(3, ("ann", "acme/owners")))
    shown = "\n".join(call.shown() for call in outcome.calls)
    assert github.calls == []
    assert "'repos/{owner}/{repo}/environments/prod-rollback'" in shown
    assert "'reviewers[][id]=<id of ann>'" in shown
    assert outcome.notes == (
        "GitHub takes reviewers by their ids: `gh api users/ann --jq .id` shows the <id of ann> "
        "and `gh api orgs/acme/teams/owners --jq .id` shows the <id of acme/owners>",
    )
    assert preview(root, Request(3, no_reviewers=True)).notes == ()


def test_what_is_printed_means_the_same_in_bash_and_powershell(root: Path) -> None:
    variables = {"CODECOV": "true", "AZURE_TENANT_ID": "a b $c `d`"}
    calls = preview(root, Request(3, ("ann", "acme/owners"), variables=variables)).calls
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


@pytest.mark.parametrize(("level", "count"), [(1, 1), (2, 7), (3, 7)])
def test_every_environment_is_used_from_level_2_on(level: int, count: int) -> None:
    assert len(environments(level, infrastructure=False)) == count
    assert len(environments(level, infrastructure=True)) == count + 2


def test_as_many_reviewers_as_github_takes_are_taken(root: Path) -> None:
    calls = preview(root, Request(3, tuple("abcdef"))).calls
    assert any("reviewers[][id]=<id of f>" in call.command for call in calls)
    with pytest.raises(ConfigError, match="at most 6"):
        preview(root, Request(3, tuple("abcdefg")))


def test_level_1_needs_no_environment_but_dev(github: FakeGitHub) -> None:
    outcome = github.apply(level=1)
    assert list(github.environments) == ["dev"]
    assert "releases" not in outcome.protection
    assert "environments" not in outcome.protection


def test_with_infra_the_plan_is_open_to_branches_and_changes_are_reviewed(
    github: FakeGitHub, root: Path
) -> None:
    github.apply("ann")
    assert not {each.name for each in INFRASTRUCTURE} & github.environments.keys()
    with_infra(root)
    github.apply("ann")
    assert github.environments["infra"].reviewers == [{"type": "User", "id": 7}]
    assert github.allowed("infra") == ["branch main"]
    assert github.environments["infra-plan"].policy is None
    github.there_is("infra")
    with pytest.raises(ConfigError, match="name those who may approve"):
        github.apply()
    github.there_is("infra", 9)
    github.apply()
    assert github.environments["infra"].reviewers == [{"type": "User", "id": 9}]


IDS = {
    "tenantId": {"type": "String", "value": "the-tenant"},
    "subscriptionId": {"type": "String", "value": "the-subscription"},
    "clientIds": {"type": "Array", "value": [{"environment": "prod", "clientId": "prod-id"}]},
}


def test_what_azure_returned_becomes_variables(
    github: FakeGitHub, root: Path, tmp_path: Path
) -> None:
    path = tmp_path / "azure.json"
    path.write_text(json.dumps(IDS))
    github.apply("ann", azure=read_azure_ids(path, root))
    assert github.client_ids() == {"prod": "prod-id"}
    assert github.variables == {
        "AZURE_TENANT_ID": "the-tenant",
        "AZURE_SUBSCRIPTION_ID": "the-subscription",
    }


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
def test_a_platform_that_there_is_not_is_refused(github: FakeGitHub, platform: str) -> None:
    with pytest.raises(ConfigError, match=r"MLOPS_PLATFORM is .*, but must be local or azure"):
        github.apply("ann", variables={"MLOPS_PLATFORM": platform})
    assert github.calls == []
    github.apply("ann", variables={"MLOPS_PLATFORM": "azure"})
    assert github.variables == {"MLOPS_PLATFORM": "azure"}


def test_an_environment_that_no_workflow_uses_is_refused(
    github: FakeGitHub, root: Path, tmp_path: Path
) -> None:
    path = tmp_path / "azure.json"
    path.write_text(json.dumps(IDS).replace("prod", "production"))
    with pytest.raises(ConfigError, match="no environment production"):
        github.apply("ann", azure=read_azure_ids(path, root))
    assert github.calls == []


@pytest.mark.parametrize(
    ("value", "words"), [("the-tenant", "AZURE_TENANT_ID"), ("prod-id", "--azure: prod")]
)
def test_ids_that_a_shell_would_read_are_refused(
    github: FakeGitHub, root: Path, tmp_path: Path, value: str, words: str
) -> None:
    path = tmp_path / "azure.json"
    path.write_text(json.dumps(IDS).replace(value, "it's"))
    with pytest.raises(ConfigError, match=f"{words} must be one line without quotes"):
        github.apply("ann", azure=read_azure_ids(path, root))
    assert github.calls == []


def test_each_variable_that_a_workflow_reads_can_be_set() -> None:
    files = [*(PROJECT / ".github").rglob("*.yml"), *(PROJECT / ".github").rglob("*.yaml")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    read = {name for text in texts for name in re.findall(r"\bvars\.(\w+)", text)}
    assert read - VARIABLES.keys() == {CLIENT_ID}


@pytest.mark.parametrize(
    ("reviewers", "options", "words"),
    [
        ("", {}, "name those who may approve"),
        (["ann"], {"variables": {"MLOPS_PLATFROM": "azure"}}, "read no MLOPS_PLATFROM"),
        (["ann"], {"no_reviewers": True}, "leave one of them out"),
        (["ann"], {"alone": True}, "who works alone has nobody to ask"),
        ("abcdefg", {}, "at most 6"),
        (["nobody"], {}, "GitHub shows no person nobody; look at the spelling"),
        (["acme/none"], {}, "GitHub shows no team acme/none; look at the spelling"),
    ],
)
def test_wrong_options_change_nothing(
    github: FakeGitHub, reviewers: Sequence[str], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        github.apply(*reviewers, **options)
    assert github.changes() == []


def test_without_rules_for_one_person_alone_is_refused(github: FakeGitHub, root: Path) -> None:
    (root / RULESET_ALONE).unlink()
    with pytest.raises(ConfigError, match="--alone: there is no"):
        github.apply(alone=True)
    (root / RULESET).unlink()
    assert "not by rules of main" in github.apply(alone=True).protection
