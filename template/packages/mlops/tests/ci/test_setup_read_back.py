"""What `mlops setup github` reads back, and what GitHub took otherwise or not at all."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fakes.gh import CUSTOM, PROTECTED, FakeEnvironment, FakeGitHub, with_defaults
from fakes.places import PROJECT
from mlops.ci.setup_github.azure_ids import AzureIds
from mlops.ci.setup_github.environments import UNAPPROVED, environments
from mlops.ci.setup_github.project_files import (
    INFRA_WORKFLOW,
    RULESET,
    RULESET_ALONE,
)
from mlops.ci.setup_github.variables import CLIENT_ID
from mlops.errors import ConfigError, PlatformError

TO_MAIN = [each.name for each in environments(3, infrastructure=True) if each.is_of_main_alone]
IDS = AzureIds({}, {"prod": "prod-id", "infra": "infra-id"})


def with_infra(root: Path) -> None:
    (root / INFRA_WORKFLOW).parent.mkdir(parents=True)
    (root / INFRA_WORKFLOW).touch()


def test_each_check_counts_from_github_actions_alone(github: FakeGitHub) -> None:
    github.apply("ann")
    rules = {rule["type"]: rule.get("parameters") for rule in github.rulesets[0]["rules"]}
    checks = rules["required_status_checks"]["required_status_checks"]
    assert checks == [{"context": "Pull request checked", "integration_id": 15368}]


def test_the_rules_of_an_organisation_are_left_alone(github: FakeGitHub) -> None:
    theirs = {"id": 1, "name": "main", "source_type": "Organization", "rules": []}
    github.organisation_rulesets = [theirs]
    outcome = github.apply("ann")
    assert [each["name"] for each in github.rulesets] == ["main"]
    assert theirs["rules"] == []
    assert any("main has rules of acme (organization) besides" in note for note in outcome.notes)


def test_a_ruleset_on_a_later_page_is_found(github: FakeGitHub) -> None:
    github.apply("ann")
    own = github.rulesets.pop()
    github.rulesets = [*({"id": n, "name": f"r{n}", "rules": []} for n in range(1000, 1130)), own]
    assert github.apply("ann").not_set == ()
    assert [each["name"] for each in github.rulesets].count("main") == 1


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize(("who", "number"), [("ann", 7), ("acme/owners", 8)])
def test_a_reviewer_whom_github_dropped_is_named(
    github: FakeGitHub, who: str, number: int, private: bool
) -> None:
    github.private, github.plan, github.drops = private, "enterprise", {number}
    (said,) = github.apply("bob", who).not_set
    assert said.startswith(f"GitHub did not take {who} as a reviewer of prod-approval and prod")
    assert "give them at least read access (Settings, Collaborators and teams)" in said
    assert github.environments["prod"].reviewers == [{"type": "User", "id": 9}]


@pytest.mark.parametrize(
    ("private", "who"), [(True, "zoe"), (True, "acme/strangers"), (False, "acme/strangers")]
)
def test_who_has_no_access_is_found_before_anything_is_set(
    github: FakeGitHub, private: bool, who: str
) -> None:
    github.private, github.plan = private, "enterprise"
    with pytest.raises(ConfigError, match=f"{who} has no access to acme/model.*; give them"):
        github.apply("ann", who)
    assert github.changes() == []


def test_access_that_cannot_be_read_is_seen_afterwards(github: FakeGitHub) -> None:
    github.forbidden = "permission"
    github.drops = {7}
    assert github.apply("ann").not_set[0].startswith("GitHub did not take ann")


def test_where_infra_would_ask_nobody_it_gets_no_identity(github: FakeGitHub, root: Path) -> None:
    with_infra(root)
    github.drops = {7}
    outcome = github.apply("ann", azure=IDS)
    assert github.client_ids() == {"prod": "prod-id"}
    assert "infra/ is not deployed, as `infra` has no AZURE_CLIENT_ID" in outcome.protection
    github.drops = set()
    assert github.apply("ann", azure=IDS).not_set == ()
    assert github.client_ids() == {"prod": "prod-id", "infra": "infra-id"}
    github.drops = {7}
    github.apply("ann")
    assert github.client_ids() == {"prod": "prod-id"}


def test_an_identity_that_each_environment_sees_is_named(github: FakeGitHub, root: Path) -> None:
    with_infra(root)
    github.drops = {7}
    github.organisation_variables = {CLIENT_ID: "everybody"}
    outcome = github.apply("ann")
    assert UNAPPROVED in outcome.protection
    assert any("a variable of the whole organisation" in note for note in outcome.notes)


def test_branches_that_could_release_are_removed(github: FakeGitHub, root: Path) -> None:
    with_infra(root)
    for name in TO_MAIN:
        github.there_is(name, branches=["main", "develop", "*"], tags=["main", "v*"])
    outcome = github.apply("ann")
    assert outcome.not_set == ()
    assert {name: github.allowed(name) for name in TO_MAIN} == {
        name: ["branch main"] for name in TO_MAIN
    }
    titles = [call.title for call in outcome.calls if not call.is_part]
    for gone in ("the branch develop", "the branch *", "the tag main", "the tag v*"):
        assert f"environment prod: no longer allow {gone}" in titles


@pytest.mark.parametrize("policy", [None, PROTECTED])
def test_another_kind_of_limit_becomes_main_alone(
    github: FakeGitHub, policy: dict[str, bool] | None
) -> None:
    for name in ("prod", "test"):
        github.there_is(name, 7, branches=["release/*"], policy=policy)
    assert github.apply("ann").not_set == ()
    assert github.environments["prod"].policy == CUSTOM
    assert github.allowed("prod") == github.allowed("test") == ["branch main"]


def test_branches_of_dev_are_the_teams_choice(github: FakeGitHub) -> None:
    github.there_is("dev", branches=["main"])
    assert github.apply("ann").not_set == ()
    assert github.allowed("dev") == ["branch main"]
    github.there_is("dev", branches=["main", "feature/*"])
    notes = github.apply("ann").notes
    assert github.allowed("dev") == ["branch main", "branch feature/*"]
    assert any("dev also allows the branch feature/*, which was kept" in note for note in notes)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("DELETE .*/prod/deployment", "DELETE repos/acme/model/environments/prod/deployment"),
        ("POST .*/rulesets", "POST repos/acme/model/rulesets"),
        ("PUT .*/test", "PUT repos/acme/model/environments/test` failed.*HTTP 403"),
        ("variable set CODECOV", "variable set CODECOV"),
    ],
)
def test_what_was_done_before_a_refusal_stays(github: FakeGitHub, call: str, words: str) -> None:
    github.there_is("prod", 7, branches=["*"])
    github.forbidden = call
    with pytest.raises(PlatformError, match=rf"{words}.*what was done before stays.*again"):
        github.apply("ann", variables={"CODECOV": "true"})
    assert "dev" in github.environments
    github.forbidden = "(?!)"
    assert github.apply("ann", variables={"CODECOV": "true"}).not_set == ()
    assert github.allowed("prod") == ["branch main"]


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (lambda kept: kept.update(enforcement="evaluate"), "enforcement is not as in the file"),
        (lambda kept: kept["bypass_actors"].append({"actor_id": 5}), "bypass_actors is not"),
        (lambda kept: kept["rules"].pop(0), "deletion is not as in the file"),
        (lambda kept: kept["rules"].append({"type": "creation"}), "creation is not as"),
        (
            lambda kept: kept["rules"][3]["parameters"]["required_status_checks"][0].update(
                integration_id=None
            ),
            "required_status_checks is not as in the file",
        ),
        (lambda kept: kept.update(name="other"), "the rules of main: they are not there"),
    ],
)
def test_rules_that_github_kept_otherwise_are_named(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tamper: Any, words: str
) -> None:
    def keep(ruleset: dict[str, Any]) -> dict[str, Any]:
        kept = with_defaults(ruleset)
        tamper(kept)
        return kept

    monkeypatch.setattr("fakes.gh.with_defaults", keep)
    outcome = github.apply("ann")
    assert any(words in said for said in outcome.not_set)
    assert "not by rules of main" in outcome.protection


@pytest.mark.parametrize(
    ("name", "spoil", "words"),
    [
        ("prod", {"prevent_self_review": False}, "environment prod: who starts a run may approve"),
        ("prod", {"can_admins_bypass": True}, "environment prod: administrators may go on"),
        ("test", {"wait_timer": 0}, "environment test: it no longer waits 30 minutes"),
    ],
)
def test_what_an_environment_asks_for_is_read_again(
    github: FakeGitHub,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    spoil: dict[str, Any],
    words: str,
) -> None:
    github.there_is("test", wait_timer=30)
    answer = FakeEnvironment.answer

    def spoiled(self: FakeEnvironment) -> dict[str, Any]:
        if self.name == name and any("PUT" in call for call in github.calls):
            self.settings.update(spoil)
        return answer(self)

    monkeypatch.setattr(FakeEnvironment, "answer", spoiled)
    (said,) = github.apply("ann").not_set
    assert said.startswith(words)


def test_what_github_says_it_did_and_did_not_is_named(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    github.apply("ann")
    del github.environments["dev"]
    github.environments["prod-rollback"].policy = None
    github.environments["test"].policies = []
    github.environments["prod"].policies.append({"id": 1, "name": "*", "type": "branch"})
    policies = FakeGitHub._policies

    def unchanged(self: FakeGitHub, method: str, *more: Any, **body: Any) -> Any:
        return policies(self, method, *more, **body) if method == "GET" else None

    monkeypatch.setattr(FakeGitHub, "_policies", unchanged)
    monkeypatch.setattr(FakeGitHub, "_put_environment", lambda *_args, **_more: {})
    outcome = github.apply("ann")
    assert outcome.not_set == (
        "environment dev: it is not there",
        "environment test: it does not allow the branch main",
        "environment prod: it still allows the branch *, run it again",
        "environment prod-rollback: it is not limited to branches by name",
    )
    assert "but not by limits of environments to main" in outcome.protection


def test_a_variable_that_is_not_what_was_asked_for_is_named(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeGitHub, "_variable", lambda *_: None)
    github.variables = {"CODECOV": "false"}
    outcome = github.apply("ann", variables={"CODECOV": "true"})
    assert outcome.not_set == ("the variable CODECOV is not what was asked for",)


@pytest.mark.parametrize(
    ("people", "options", "words"),
    [
        ({"ann": (7, "admin")}, {}, "ann alone may push, .* run it again with --alone"),
        ({"ann": (7, "admin")}, {"alone": True}, None),
        ({"ann": (7, "admin"), "bob": (9, "write")}, {"alone": True}, "2 people may push"),
        ({"ann": (7, "admin"), "bob": (9, "write")}, {}, None),
        ({"ann": (7, "admin"), "bob": (9, "read")}, {}, "ann alone may push"),
    ],
)
def test_one_person_alone(
    github: FakeGitHub,
    people: dict[str, tuple[int, str]],
    options: dict[str, bool],
    words: str | None,
) -> None:
    github.people = people
    outcome = github.apply(**({"no_reviewers": True} | options))
    found = [note for note in outcome.notes if "may push" in note]
    assert len(found) == (words is not None)
    assert words is None or re.search(words, found[0])
    review = github.rulesets[0]["rules"][2]["parameters"]
    reviews = 0 if options else 1
    assert review["required_approving_review_count"] == reviews
    assert (
        review["require_code_owner_review"] is review["require_last_push_approval"] is (not options)
    )
    assert f"with {'no' if options else 'one'} review" in outcome.protection


def test_the_rules_for_one_person_differ_in_reviews_alone() -> None:
    usual, alone = (json.loads((PROJECT / file).read_text()) for file in (RULESET, RULESET_ALONE))
    usual["rules"][2]["parameters"] |= {
        "required_approving_review_count": 0,
        "require_code_owner_review": False,
        "require_last_push_approval": False,
    }
    assert usual == alone


def test_who_may_push_may_be_unknown(github: FakeGitHub) -> None:
    github.forbidden = "GET .*/collaborators"
    assert any(note.startswith("not read: who may push") for note in github.apply("ann").notes)


def test_another_default_branch_is_refused(github: FakeGitHub) -> None:
    github.default_branch, github.branches = "master", ["master"]
    with pytest.raises(
        ConfigError, match=r"no branch main.*branches/master/rename -f new_name=main"
    ):
        github.apply("ann")
    assert github.changes() == []
    github.branches = ["master", "main"]
    assert any("the default branch is master" in note for note in github.apply("ann").notes)


def test_who_may_not_administer_is_refused(github: FakeGitHub) -> None:
    github.admin = False
    with pytest.raises(ConfigError, match="is no administrator of acme/model"):
        github.apply("ann")
    assert github.changes() == []


@pytest.mark.parametrize(
    ("version", "refused"),
    [
        ("gh version 2.24.3 (2023-03-09)", True),
        ("gh version 1.9.0 (2021-04-20)", True),
        ("gh version 2.25.0 (2023-03-21)", False),
        ("gh version 3.0.0", False),
        ("gh version DEV", False),
    ],
)
def test_a_gh_that_would_stop_half_way_is_refused(
    github: FakeGitHub, version: str, refused: bool
) -> None:
    github.version = version
    if refused:
        with pytest.raises(ConfigError, match=r"is too old.*install 2\.25 or newer"):
            github.apply("ann")
        assert github.calls == [("--version",)]
    else:
        assert github.apply("ann").not_set == ()


@pytest.mark.parametrize(
    ("plan", "reviewed", "ruled"),
    [("enterprise", True, True), ("team", False, True), ("free", False, False)],
)
def test_a_plan_that_is_not_shown_is_found_out(
    github: FakeGitHub, root: Path, plan: str, reviewed: bool, ruled: bool
) -> None:
    with_infra(root)
    github.private, github.plan, github.plan_is_shown = True, plan, False
    github.free_takes_environments = True
    outcome = github.apply("ann", azure=IDS)
    assert outcome.repository.has_reviewers is reviewed
    assert outcome.repository.has_branch_rules is ruled
    assert len(outcome.not_set) == (not reviewed) + (not ruled)
    assert bool(github.environments["prod"].reviewers) is reviewed
    assert bool(github.rulesets) is bool(github.allowed("prod")) is ruled
    assert github.client_ids() == IDS.client_ids if reviewed else {"prod": "prod-id"}


def test_an_environment_on_a_later_page_is_found(github: FakeGitHub) -> None:
    for number in range(120):
        github.there_is(f"other-{number}")
    github.there_is("prod", 7, branches=[f"b{number}" for number in range(130)])
    assert github.apply("ann").not_set == ()
    assert github.allowed("prod") == ["branch main"]
