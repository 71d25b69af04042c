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


def pull(outcome: Outcome) -> dict[str, str]:
    """Return the one pull request that was opened."""
    opened = sent(outcome, "pulls")
    assert len(opened) == 1, outcome.log
    return opened[0]


def weekly_proposal(act: Act) -> None:
    """What is newer is locked, tested and proposed: two files on a branch of main's commit."""
    outcome = weekly(act, newer=NEWER)
    assert outcome.ok, outcome.log
    assert outcome.commands("newer")[-5:] == [
        "run mlops ci dependencies --package ",
        "lock --upgrade",
        "sync --locked",
        "run pytest",
        "run --all-groups pytest packages/mlops/tests --numprocesses auto",
    ]
    locks = outcome.find("lock --upgrade")
    builds_nothing = [call["settings"].get("UV_NO_BUILD") for call in locks]
    assert builds_nothing == ["1"], "what is new would run before it is kept"
    assert outcome.artifacts == {"dependencies": ["changes.txt", "pyproject.toml", "uv.lock"]}
    settings, lock = (base64.b64decode(each["content"]) for each in sent(outcome, "git/blobs"))
    assert tomllib.loads(settings.decode())["tool"]["uv"]["exclude-newer"] == "2031-02-03"
    assert lock == b"a newer lock"
    commits = sent(outcome, "git/commits")
    assert [(each["message"], each["tree"]) for each in commits] == [
        ("Move the dependencies forward", "a-tree")
    ]
    assert sent(outcome, "git/refs") == [{"ref": f"refs/heads/{BRANCH}", "sha": "a-commit"}]
    opened = pull(outcome)
    assert (opened["head"], opened["base"]) == (BRANCH, "main")
    for said in ("All tests pass", "*Approve workflows to run*", "idna v3.15 -> v3.20"):
        assert said in opened["body"]
    assert "evil" not in opened["body"], "what is no line of uv's is not shown"
    ran = outcome.commands("propose")
    assert [command for command in ran if not command.startswith("gh api repos/")] == []


def weekly_proposal_of_red(act: Act) -> None:
    """What turns tests red is proposed, too: the run is red, and the pull request says so."""
    outcome = weekly(act, newer=NEWER, fail="pytest packages")
    assert not outcome.ok
    assert "**Tests fail with these versions.**" in pull(outcome)["body"]


def weekly_with_another_file(act: Act) -> None:
    """What holds more than the two files is proposed to nobody."""
    outcome = weekly(act, newer=NEWER, extra="conf/prod.yaml")
    assert not outcome.ok
    assert "The proposal holds something else" in outcome.log
    assert outcome.find("gh ") == []


def weekly_replaced(act: Act) -> None:
    """What was put in the place of the proposal after it was locked is proposed to nobody."""
    outcome = weekly(act, newer=NEWER, replaced="uv.lock")
    assert not outcome.ok
    assert "The proposal is another one than was locked" in outcome.log
    assert outcome.find("gh ") == []


def weekly_elsewhere(act: Act) -> None:
    """On another branch than main nothing is proposed, and it says so."""
    (act.project / "uv.lock").write_text("a lock", encoding="utf-8")
    payload = {"ref": "refs/heads/master", "inputs": {"package": ""}}
    outcome = act("workflow_dispatch", payload, workflow="weekly.yml", newer=NEWER)
    assert outcome.ok, outcome.log
    assert "This ran on refs/heads/master" in outcome.log
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
    assert pull(outcome)["head"] == "weekly/idna"
    outcome = weekly(act, package="a; exit 3", newer=NEWER)
    assert not outcome.ok
    assert "no name of a package" in outcome.log
    assert outcome.find("gh ") == []


def weekly_vulnerable(act: Act) -> None:
    """A known vulnerability, or nobody who answers, turns the week red and stops no proposal."""
    outcome = weekly(act, newer=NEWER, fail="compliance vulnerabilities")
    assert not outcome.ok
    assert pull(outcome)["head"] == BRANCH
