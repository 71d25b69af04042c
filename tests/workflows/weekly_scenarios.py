"""What must hold of the workflow `weekly` under act."""

import base64
import tomllib
from typing import Any

from tests.workflows.act import Act, Outcome
from tests.workflows.events import PUSH

NEWER = "Updated idna v3.15 -> v3.20\nAdded h11 v1\nUpdated `evil` $(exit 3)"
BRANCH = "weekly/dependencies"
WRITES = ("git/blobs", "git/trees", "git/commits", "git/refs", "pulls")


def weekly(act: Act, package: str = "", **played: Any) -> Outcome:
    """Let a week be over, or a person ask for one package."""
    (act.project / "uv.lock").write_text("a lock", encoding="utf-8")
    payload = {**PUSH, "inputs": {"package": package}}
    event = "workflow_dispatch" if package else "schedule"
    return act(event, payload, workflow="weekly.yml", **played)


def sent(outcome: Outcome, path: str) -> list[dict[str, str]]:
    """Return the fields of each call that sends something to a path of GitHub's API."""
    return [
        dict(field.partition("=")[::2] for field in call["fields"])
        for call in outcome.find(f"gh api repos/acme/model/{path}") + outcome.find("--method PATCH")
        if f"/{path}" in call["command"] and call["fields"]
    ]


def weekly_proposal(act: Act) -> None:
    """What is newer is locked, tested and proposed: two files on a branch of main's commit."""
    outcome = weekly(act, newer=NEWER)
    assert outcome.ok, outcome.log
    assert outcome.commands("newer")[-5:] == [
        "run mlops ci dependencies --package ",
        "lock --upgrade",
        "sync --locked",
        "run pytest",
        "run pytest packages/mlops/tests --numprocesses auto",
    ]
    assert outcome.artifacts == {"dependencies": ["changes.txt", "pyproject.toml", "uv.lock"]}
    settings, lock = (base64.b64decode(each["content"]) for each in sent(outcome, "git/blobs"))
    assert tomllib.loads(settings.decode())["tool"]["uv"]["exclude-newer"] == "2031-02-03"
    assert lock == b"a newer lock"
    (commit,) = sent(outcome, "git/commits")
    assert commit == {
        "message": "Move the dependencies forward",
        "tree": "a-tree",
        "parents[]": commit["parents[]"],
    }
    assert sent(outcome, "git/refs") == [{"ref": f"refs/heads/{BRANCH}", "sha": "a-commit"}]
    (pull,) = sent(outcome, "pulls")
    assert (pull["head"], pull["base"]) == (BRANCH, "main")
    assert "All tests pass" in pull["body"]
    assert "*Approve workflows to run*" in pull["body"]
    assert "idna v3.15 -> v3.20" in pull["body"]
    assert "evil" not in pull["body"], "what is no line of uv's is not shown"
    ran = outcome.commands("propose")
    assert [command for command in ran if not command.startswith("gh api repos/")] == []


def weekly_proposal_of_red(act: Act) -> None:
    """What turns tests red is proposed, too: the run is red, and the pull request says so."""
    outcome = weekly(act, newer=NEWER, fail="pytest packages")
    assert not outcome.ok
    (pull,) = sent(outcome, "pulls")
    assert "**Tests fail with these versions.**" in pull["body"]


def weekly_with_another_file(act: Act) -> None:
    """What holds more than the two files is proposed to nobody."""
    outcome = weekly(act, newer=NEWER, extra="conf/prod.yaml")
    assert not outcome.ok
    assert "The proposal holds something else" in outcome.log
    assert outcome.find("gh ") == []


def weekly_again(act: Act) -> None:
    """The next week replaces its own commit, and never somebody else's."""
    outcome = weekly(act, newer=NEWER, branch="last-week", pull="5")
    assert outcome.ok, outcome.log
    assert sent(outcome, "git/refs") == [{"sha": "a-commit", "force": "true"}]
    assert len(outcome.find(f"--method PATCH repos/acme/model/git/refs/heads/{BRANCH} ")) == 1
    assert len(outcome.find("--method PATCH repos/acme/model/pulls/5 ")) == 1
    outcome = weekly(act, newer=NEWER, branch="last-week", others="a-persons-commit", pull="5")
    assert not outcome.ok
    assert "holds commits of somebody else" in outcome.log
    assert [path for path in WRITES if sent(outcome, path)] == []


def weekly_without_news(act: Act) -> None:
    """Where nothing is newer, or no version is fixed, nothing is proposed, and it says so."""
    outcome = weekly(act)
    assert outcome.ok, outcome.log
    assert "There is nothing newer" in outcome.log
    assert outcome.find("gh ") == []
    assert outcome.artifacts == {}
    (act.project / "uv.lock").unlink()
    outcome = act("schedule", PUSH, workflow="weekly.yml", newer=NEWER)
    assert outcome.ok, outcome.log
    assert "There is no uv.lock" in outcome.log
    assert outcome.commands("newer") == []
    assert outcome.find("gh ") == []


def weekly_without_the_right(act: Act) -> None:
    """Where workflows may not open pull requests, the branch is there, with a link."""
    said = "GitHub Actions is not permitted to create or approve pull requests."
    outcome = weekly(act, newer=NEWER, pulls_forbidden=said)
    assert outcome.ok, outcome.log
    assert f"/acme/model/compare/main...{BRANCH}?expand=1" in outcome.log
    assert not weekly(act, newer=NEWER, pulls_forbidden="Validation Failed").ok


def weekly_fix(act: Act) -> None:
    """A security fix: one package past the day, on a branch of its own; no week's tests."""
    outcome = weekly(act, package="idna", newer=NEWER)
    assert outcome.ok, outcome.log
    assert outcome.commands("tests") == []
    assert "lock --upgrade-package idna" in outcome.everything
    settings = base64.b64decode(sent(outcome, "git/blobs")[0]["content"]).decode()
    assert tomllib.loads(settings)["tool"]["uv"]["exclude-newer-package"] == {"idna": "2031-02-03"}
    assert sent(outcome, "pulls")[0]["head"] == "weekly/idna"
    outcome = weekly(act, package="a; exit 3", newer=NEWER)
    assert not outcome.ok
    assert "no name of a package" in outcome.log
    assert outcome.find("gh ") == []
