"""On which GitHub the workflows run, and by what its tokens name a job."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fakes.gh import CUSTOM, FakeGitHub
from mlops.ci.setup_github.azure_ids import AzureIds
from mlops.ci.setup_github.environments import UNAPPROVED
from mlops.ci.setup_github.gh import Gh
from mlops.ci.setup_github.hosting import (
    asked_by_gh,
    host_of,
    runs_the_workflows,
    where_it_is_hosted,
)
from mlops.ci.setup_github.project_files import INFRA_WORKFLOW
from mlops.ci.setup_github.subject import Subject, subject_from
from mlops.errors import ConfigError
from mlops.ops.github_side import hosting, infra_approval, sign_in

IDS = AzureIds({"AZURE_TENANT_ID": "the-tenant"}, {"prod": "prod-id"})


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://github.com/acme/model.git", "github.com"),
        ("https://someone@github.acme.com:8443/acme/model", "github.acme.com"),
        ("git@github.com:acme/model.git", "github.com"),
        ("github.acme.com:acme/model", "github.acme.com"),
        ("ssh://git@ssh.github.com:443/acme/model.git", "ssh.github.com"),
        ("git@github-work:acme/model.git", None),
        ("../model", None),
        ("/srv/git/my.model:2", None),
        ("file:///srv/git/model", None),
        ("", None),
    ],
)
def test_the_host_of_a_remote(url: str, host: str | None) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("host", "runs"),
    [
        ("github.com", True),
        ("GitHub.com", True),
        ("ssh.github.com", True),
        ("acme.ghe.com", True),
        ("github.acme.com", False),
        ("notgithub.com", False),
        ("github.com.acme.net", False),
        ("ghe.com", False),
        ("", False),
    ],
)
def test_the_workflows_run_on_githubs_cloud_alone(host: str, runs: bool) -> None:
    assert runs_the_workflows(host) is runs


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://github.acme.com/acme/model", "origin is at github.acme.com"),
        ("git@acme.ghe.com:acme/model.git", None),
        (None, None),
    ],
)
def test_a_server_of_ones_own_is_named(tmp_path: Path, url: str | None, words: str | None) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    if url:
        subprocess.run(["git", "remote", "add", "origin", url], cwd=tmp_path, check=True)
    said = where_it_is_hosted(tmp_path)
    advice = hosting(tmp_path)
    assert [each.found for each in advice] == said
    assert len(said) == (words is not None)
    if words:
        assert words in said[0]
        assert "GitHub Enterprise Server is not supported" in said[0]
        assert not advice[0].needed
        assert "ghe.com" in advice[0].remedy


def test_on_an_enterprise_server_nothing_is_set_up(github: FakeGitHub) -> None:
    github.host = "github.acme.com"
    with pytest.raises(ConfigError, match=r"github\.acme\.com.*Enterprise Server is not supported"):
        github.apply("ann")
    assert github.changes() == []
    github.host = "acme.ghe.com"
    assert github.apply("ann").repository.host == "acme.ghe.com"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("git@acme.ghe.com:acme/model.git", "acme.ghe.com"),
        ("https://github.acme.com/acme/model", "github.acme.com"),
        ("ssh://git@ssh.github.com:443/acme/model.git", "github.com"),
        ("git@github-work:acme/model.git", None),
    ],
)
def test_gh_asks_the_host_of_the_remote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, host: str | None
) -> None:
    monkeypatch.delenv("GH_HOST", raising=False)
    path = tmp_path / "bin" / "gh"
    path.parent.mkdir()
    path.write_text('#!/bin/sh\necho "\\"$GH_HOST\\""\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "remote", "add", "origin", url], cwd=tmp_path, check=True)
    assert Gh(tmp_path).get("user") == (host or "")
    said = asked_by_gh(tmp_path)
    assert len(said) == (host == "acme.ghe.com")
    assert not said or "set GH_HOST to acme.ghe.com first" in said[0]
    monkeypatch.setenv("GH_HOST", "other.ghe.com")
    assert Gh(tmp_path).get("user") == "other.ghe.com"


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        ({"use_default": True}, ("repo", "context")),
        ({"use_default": True, "include_claim_keys": ["actor"]}, ("repo", "context")),
        ({"use_default": False, "include_claim_keys": ["repo", "context"]}, ("repo", "context")),
        ({"use_default": False, "include_claim_keys": ["context", "repo"]}, ("context", "repo")),
        ({"use_default": False, "include_claim_keys": ["repository_id"]}, ("repository_id",)),
        ({"use_default": False}, None),
        ({"use_default": False, "include_claim_keys": []}, None),
        ({}, None),
    ],
)
def test_what_github_answers_of_the_template(
    answer: dict[str, Any], claims: tuple[str, ...] | None
) -> None:
    subject = subject_from(answer)
    assert subject.claims == claims
    assert subject.is_customised == (claims not in (None, ("repo", "context")))
    assert bool(subject.notes("acme/model")) == (claims != ("repo", "context"))


def test_identities_that_no_job_could_sign_in_as_are_refused(github: FakeGitHub) -> None:
    claims = ["repository_owner", "job_workflow_ref"]
    github.subject = {"use_default": False, "include_claim_keys": claims}
    with pytest.raises(
        ConfigError, match=r"--azure: the tokens.* by repository_owner, job_workflow_ref"
    ):
        github.apply("ann", azure=IDS)
    assert github.changes() == []
    repository = github.apply("ann", variables={"AZURE_TENANT_ID": "the-tenant"}).repository
    assert github.variables == {"AZURE_TENANT_ID": "the-tenant"}
    (note,) = repository.subject.notes(repository.name)
    assert "use_default=true` brings the default back" in note


def test_a_template_that_cannot_be_read_is_no_default(github: FakeGitHub) -> None:
    github.subject = None
    repository = github.apply("ann", azure=IDS).repository
    assert repository.subject.claims is None
    (note,) = repository.subject.notes(repository.name)
    assert note.startswith("not checked: ")
    assert "HTTP 404" in note


@pytest.mark.parametrize(
    ("answer", "passed", "words"),
    [
        ({"use_default": True}, True, "acme/model name repository and environment"),
        ({"use_default": False, "include_claim_keys": ["actor"]}, False, "name a job by actor"),
        ({"use_default": False}, False, "not checked: "),
        (None, False, "not checked: "),
    ],
)
def test_the_doctor_looks_at_the_tokens(
    github: FakeGitHub, answer: dict[str, Any] | None, passed: bool, words: str
) -> None:
    github.subject = answer
    if answer is None:
        github.forbidden = "GET repos"
    found = sign_in(github.root, github)
    assert found.passed is passed
    assert words in found.found
    assert passed or found.remedy
    assert not found.needed or passed


@pytest.mark.parametrize(
    ("private", "plan", "reviewers", "identity", "passed", "words"),
    [
        (False, "free", [7], True, True, "somebody is asked before infra/ is deployed"),
        (True, "enterprise", [7], True, True, "somebody is asked before infra/ is deployed"),
        (True, "team", [7], True, False, "GitHub ignores reviewers in a private repository on"),
        (True, "free", [7], True, False, "GitHub ignores reviewers in a private repository on"),
        (False, "free", [], True, False, "the environment infra has no reviewers"),
        (True, "team", [7], False, True, "infra has no AZURE_CLIENT_ID, so it deploys nothing"),
    ],
)
def test_the_doctor_says_where_infra_is_deployed_unasked(
    github: FakeGitHub,
    private: bool,
    plan: str,
    reviewers: list[int],
    identity: bool,
    passed: bool,
    words: str,
) -> None:
    assert infra_approval(github.root, github) == []
    (github.root / INFRA_WORKFLOW).parent.mkdir(parents=True)
    (github.root / INFRA_WORKFLOW).touch()
    github.private, github.plan = private, plan
    infra = github.there_is("infra", *reviewers, policy=CUSTOM)
    infra.variables = {"AZURE_CLIENT_ID": "an-id"} if identity else {}
    (found,) = infra_approval(github.root, github)
    assert (found.passed, found.needed) == (passed, False)
    assert words in found.found
    assert passed or "setup github --apply" in found.remedy
    assert (UNAPPROVED in found.found) == (not passed)
    github.forbidden = "infra/variables"
    (unread,) = infra_approval(github.root, github)
    assert not unread.passed
    assert unread.found.startswith("not checked: ")


def test_with_a_plan_that_github_does_not_show_the_doctor_is_not_sure(github: FakeGitHub) -> None:
    (github.root / INFRA_WORKFLOW).parent.mkdir(parents=True)
    (github.root / INFRA_WORKFLOW).touch()
    github.private, github.plan, github.plan_is_shown = True, "team", False
    github.there_is("infra", 7).variables = {"AZURE_CLIENT_ID": "an-id"}
    (found,) = infra_approval(github.root, github)
    assert not found.passed
    assert "not known: whether GitHub asks the reviewers of infra" in found.found


def test_without_gh_the_doctor_says_that_it_did_not_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = sign_in(tmp_path)
    assert found.found == "not checked: gh is not installed"
    assert not found.passed
    assert not found.needed


def test_the_default_is_silent() -> None:
    assert Subject().notes("acme/model") == []
