"""What must hold of the workflow `template-update` under act.

`mlops ci template-update` is the project's own code, git is real, and so is the push, to a
repository beside it; Copier is played.
"""

from pathlib import Path
from typing import Any

from tests.support import commit_all, run
from tests.workflows.act import Act, Outcome
from tests.workflows.events import PUSH

BRANCH = "template-update"
TITLE = "Update from the template: 1.0.0 to 1.1.0"
FILES = {"template-update": ["body.md", "update.bundle"]}
WORKFLOW = ".github/workflows/weekly.yml"


def remote_of(act: Act) -> Path:
    """Return a repository in the place of GitHub's, made of the project's commits at first."""
    remote = act.folder / "remote.git"
    if not remote.exists():
        # a branch in a file of its own: act copies no empty folder, and git wants one for branches
        commit_all(act.project)
        run("git", "clone", "--quiet", "--bare", act.project, remote, folder=act.folder)
        act.environment |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{remote}.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://github.com/acme/model",
        }
    return remote


def update(act: Act, event: str = "schedule", **played: Any) -> Outcome:
    """Let a week be over, where there is a newer template."""
    remote_of(act)
    workflow = "template-update.yml"
    return act(event, PUSH, workflow=workflow, **{"template": "1.1.0", **played})


def fields(outcome: Outcome, path: str) -> dict[str, str]:
    """Return the fields of the one call that sends something to a path of GitHub's API."""
    found = [each for each in outcome.find(f"/{path}") if each.get("fields")]
    assert len(found) == 1, outcome.log
    return dict(field.partition("=")[::2] for field in found[0]["fields"])


def pushed(act: Act) -> list[str]:
    """Return parent and title of what the branch on GitHub holds; nothing if it is not there."""
    log = ("git", "log", "-1", "--format=%P%n%s", f"refs/heads/{BRANCH}")
    return run(*log, folder=remote_of(act), expect=None).splitlines()


def head(act: Act) -> str:
    return run("git", "rev-parse", "HEAD", folder=act.project).strip()


def template_pull_request(act: Act) -> None:
    """A newer template is a branch of one commit, and its pull request with what it brings."""
    outcome = update(act)
    assert outcome.ok, outcome.log
    assert outcome.artifacts == FILES
    assert pushed(act) == [head(act), TITLE]
    opened = fields(outcome, "pulls")
    assert (opened["title"], opened["head"], opened["base"]) == (TITLE, BRANCH, "main")
    assert "## What 1.1.0 brings" in opened["body"]
    assert "Conflicts" not in opened["body"]
    ran = outcome.commands("pull-request")
    assert ran
    assert all(command.startswith("gh api ") for command in ran), "nothing of the project runs"
    assert outcome.commands("issue") == []


def template_issue(act: Act) -> None:
    """Where workflows change there is an issue with the commands, and no branch without them."""
    outcome = update(act, template_changes=WORKFLOW)
    assert outcome.ok, outcome.log
    opened = fields(outcome, "issues")
    assert opened["title"] == TITLE
    assert f"- `{WORKFLOW}`" in opened["body"]
    assert "\nuvx copier update\n" in opened["body"]
    assert pushed(act)[:1] != [head(act)]
    assert outcome.commands("pull-request") == []
    again = update(act, template_changes=WORKFLOW, issue="7")
    assert again.ok, again.log
    assert len(again.find("--method PATCH repos/acme/model/issues/7 ")) == 1
    assert again.find("--method POST") == []


def template_conflict(act: Act) -> None:
    """Conflicts are proposed, too, and named on top."""
    outcome = update(act, template_conflicts="README.md")
    assert outcome.ok, outcome.log
    assert fields(outcome, "pulls")["body"].startswith("**Conflicts:")
    kept = run("git", "show", f"{BRANCH}:README.md", folder=remote_of(act))
    assert "<<<<<<< before updating" in kept


def template_without_news(act: Act) -> None:
    """Where nothing is newer nothing is proposed; on another branch nothing is asked."""
    outcome = update(act, template="1.0.0")
    assert outcome.ok, outcome.log
    assert "the newest version of the template" in outcome.log
    assert outcome.artifacts == {}
    assert outcome.find("gh ") == []
    other = act("workflow_dispatch", {"ref": "refs/heads/idea"}, workflow="template-update.yml")
    assert other.ok, other.log
    assert other.calls == []


def template_each_code(act: Act) -> None:
    """A template that cannot be read, and a project that names none, are red: no all-clear."""
    unreadable = update(act, template="")
    assert not unreadable.ok
    assert "copier failed: fatal: could not read from the template" in unreadable.log
    assert "may read it" in unreadable.log
    (act.project / ".copier-answers.yml").unlink()
    nameless = update(act)
    assert not nameless.ok
    assert "names no template" in nameless.log
    for outcome in (unreadable, nameless):
        assert outcome.artifacts == {}
        assert outcome.find("gh ") == []


def template_again(act: Act) -> None:
    """The same update again changes nothing; what somebody else pushed is left alone."""
    update(act)
    first = run("git", "rev-parse", BRANCH, folder=remote_of(act))
    again = update(act, pull="5")
    assert again.ok, again.log
    assert run("git", "rev-parse", BRANCH, folder=remote_of(act)) == first
    assert len(again.find("--method PATCH repos/acme/model/pulls/5 ")) == 1
    others = update(act, template="1.2.0", others="a-persons-commit", pull="5")
    assert not others.ok
    assert "holds commits of somebody else" in others.log
    assert run("git", "rev-parse", BRANCH, folder=remote_of(act)) == first


def template_without_the_right(act: Act) -> None:
    """Where workflows may not open pull requests, the branch is there, with a link."""
    said = "GitHub Actions is not permitted to create or approve pull requests."
    outcome = update(act, pulls_forbidden=said)
    assert outcome.ok, outcome.log
    assert f"/acme/model/compare/main...{BRANCH}?expand=1" in outcome.log
    assert pushed(act)[1] == TITLE
    assert not update(act, template="1.2.0", pulls_forbidden="Validation Failed").ok
