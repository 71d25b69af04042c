"""What the pipeline asks GitHub, answered by a small server in its place."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from mlops.ci.github import (
    Approvals,
    GitHub,
    ask_approvals,
    count_approvals,
    previous_run,
    require_unasked,
)
from mlops.errors import ConfigError, PlatformError, Refused


class Api:
    """Answers by path, and what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.url = ""

    def github(self, **variables: str) -> GitHub:
        known = {
            "GITHUB_API_URL": self.url,
            "GITHUB_REPOSITORY": "acme/model",
            "GITHUB_TOKEN": "secret-of-the-job",
        }
        return GitHub(known | variables)


@pytest.fixture
def api() -> Iterator[Api]:
    found = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            split = urlsplit(self.path)
            found.asked.append((split.path, dict(parse_qsl(split.query))))
            trusted = self.headers["Authorization"] == "Bearer secret-of-the-job"
            answer = found.answers.get(split.path.removeprefix("/repos/acme/model/"))
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(200 if trusted and answer is not None else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


RUN = {
    "actor": {"login": "starter"},
    "triggering_actor": {"login": "restarter"},
    "run_attempt": 1,
}
NAMES = ("prod", "prod-approval")


def require_approvals(
    github: GitHub, run_id: str, required: int, environment: str, attempt: int = 1
) -> Approvals:
    """Return who approved, or raise what refuses the release."""
    asked = ask_approvals(github, run_id, required, environment, attempt)
    if asked.refusal:
        raise asked.refusal
    return asked.approvals


def review(
    login: str, environment: str = "prod", state: str = "approved", kind: str = "User"
) -> dict[str, Any]:
    return {
        "state": state,
        "user": {"login": login, "type": kind},
        "environments": [{"name": environment}],
    }


def test_two_people_are_two_approvals() -> None:
    found = count_approvals([review("bob"), review("ann", "prod-approval")], RUN, NAMES)
    assert found.counted == ("ann", "bob")
    assert found.ignored == ()


@pytest.mark.parametrize(
    ("reviews", "counted", "why"),
    [
        ([review("ann"), review("ANN", "prod-approval")], 1, None),
        ([review("ann"), review("starter")], 1, ("starter", "started this run")),
        ([review("Starter"), review("restarter")], 0, ("restarter", "started this run")),
        ([review("ann"), review("bob", state="rejected")], 1, ("bob", "did not approve")),
        ([review("ann"), review("bot[bot]", kind="Bot")], 1, ("bot[bot]", "is not a person")),
        ([review("ann"), review("bob", "dev")], 1, None),
        ([{"state": "approved", "environments": [{"name": "prod"}]}], 0, None),
        ([], 0, None),
    ],
)
def test_what_does_not_count_is_said(
    reviews: list[dict[str, Any]], counted: int, why: tuple[str, str] | None
) -> None:
    found = count_approvals(reviews, RUN, NAMES)
    assert len({name.lower() for name in found.counted}) == len(found.counted) == counted
    assert why is None or why in found.ignored


def test_one_approval_is_not_enough(api: Api) -> None:
    api.answers = {
        "actions/runs/12": RUN,
        "actions/runs/12/approvals": [review("ann"), review("starter")],
    }
    with pytest.raises(Refused, match=r"needs 2 .*so far: ann, but starter started this run"):
        require_approvals(api.github(), "12", 2, "prod")
    assert require_approvals(api.github(), "12", 1, "prod").counted == ("ann",)


def test_two_approvals_pass(api: Api) -> None:
    api.answers = {
        "actions/runs/12": RUN,
        "actions/runs/12/approvals": [review("ann", "prod-approval"), review("bob")],
    }
    assert require_approvals(api.github(), "12", 2, "prod").counted == ("ann", "bob")
    with pytest.raises(Refused, match="so far: nobody"):
        require_approvals(api.github(), "12", 2, "test")


@pytest.mark.parametrize("attempt", [2, 3, None])
def test_approvals_of_one_attempt_do_not_let_another_pass(api: Api, attempt: int | None) -> None:
    api.answers = {
        "actions/runs/12": RUN | {"run_attempt": attempt},
        "actions/runs/12/approvals": [review("ann", "prod-approval"), review("bob")],
    }
    with pytest.raises(Refused, match="start a new run"):
        require_approvals(api.github(), "12", 2, "prod")


def test_a_later_attempt_may_ask_as_long_as_nobody_was_asked_before(api: Api) -> None:
    api.answers = {
        "actions/runs/12": RUN | {"run_attempt": 2},
        "actions/runs/12/approvals": [review("ann", "infra")],
    }
    assert require_unasked(api.github(), "12", "prod") == 2
    api.answers["actions/runs/12/approvals"] = [review("ann", "prod-approval"), review("bob")]
    assert require_approvals(api.github(), "12", 2, "prod", 2).counted == ("ann", "bob")
    with pytest.raises(Refused, match=r"attempt 2 of run 12.*"):
        require_approvals(api.github(), "12", 2, "prod", 1)


@pytest.mark.parametrize("environment", NAMES)
@pytest.mark.parametrize("state", ["approved", "rejected"])
def test_an_attempt_after_a_reviewed_one_asks_nobody(
    api: Api, environment: str, state: str
) -> None:
    api.answers = {
        "actions/runs/12": RUN | {"run_attempt": 2},
        "actions/runs/12/approvals": [review("ann", environment, state)],
    }
    with pytest.raises(Refused, match="attempt 2 asks nobody") as caught:
        require_unasked(api.github(), "12", "prod")
    assert "start a new run" in caught.value.remedy


def test_whether_somebody_was_asked_must_be_known(api: Api) -> None:
    api.answers = {"actions/runs/12": RUN}
    with pytest.raises(PlatformError, match="actions: read"):
        require_unasked(api.github(), "12", "prod")
    api.answers = {"actions/runs/12": {}, "actions/runs/12/approvals": []}
    with pytest.raises(PlatformError, match="does not say which attempt of run 12"):
        require_unasked(api.github(), "12", "prod")


def test_no_answer_is_no_approval(api: Api) -> None:
    with pytest.raises(PlatformError, match="actions: read"):
        require_approvals(api.github(), "12", 2, "prod")
    api.answers = {"actions/runs/12": b"<html>"}
    with pytest.raises(PlatformError):
        require_approvals(api.github(), "12", 2, "prod")
    with pytest.raises(PlatformError):
        require_approvals(api.github(GITHUB_TOKEN="another"), "12", 2, "prod")
    with pytest.raises(ConfigError, match="is not the number of a run"):
        require_approvals(api.github(), "../../other", 2, "prod")


@pytest.mark.parametrize("name", ["GITHUB_REPOSITORY", "GITHUB_TOKEN"])
def test_outside_of_github_it_says_so(api: Api, name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is not set"):
        api.github(**{name: ""})


def test_the_newest_run_that_keeps_the_artifact_is_found(api: Api) -> None:
    runs = "actions/workflows/ml-cicd.yml/runs"
    api.answers = {
        runs: {
            "workflow_runs": [
                {"id": 4, "event": "pull_request"},
                {"id": 3, "event": "push", "conclusion": "success"},
                {"id": 2, "event": "workflow_dispatch", "conclusion": "failure"},
                {"id": 1, "event": "push", "conclusion": "success"},
            ]
        },
        "actions/runs/4/artifacts": {"artifacts": [{"expired": False}]},
        "actions/runs/3/artifacts": {"artifacts": []},
        "actions/runs/2/artifacts": {"artifacts": [{"expired": True}, {"expired": False}]},
    }
    assert previous_run(api.github(), "ml-cicd.yml", "main", "model-version") == 2
    path, asked = api.asked[0]
    assert path.endswith(runs)
    assert asked["branch"] == "main"
    assert "status" not in asked
    assert api.asked[1][1] == {"name": "model-version"}


def test_the_first_run_has_none_before_it(api: Api) -> None:
    api.answers = {"actions/workflows/ml-cicd.yml/runs": {"workflow_runs": []}}
    assert previous_run(api.github(), "ml-cicd.yml", "main", "model-version") is None
