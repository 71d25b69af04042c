"""A small server in the place of GitHub's API: what a test says it answers, it answers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


class GitHubApi:
    """Answers by path, and what was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: dict[str, Any] = {}
        self.first_answers: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def no_earlier_run(self) -> None:
        """Answer that the workflow never ran before."""
        self.earlier_runs()

    def earlier_runs(self, *runs: tuple[int, bool], event: str = "push") -> None:
        """Answer with runs, each its id and whether its artifact is still kept."""
        found = [{"id": number, "event": event, "conclusion": "failure"} for number, _ in runs]
        self.answers["actions/workflows/ml-cicd.yml/runs"] = {"workflow_runs": found}
        for number, kept in runs:
            artifacts = [{"name": "model-version", "expired": not kept}]
            self.answers[f"actions/runs/{number}/artifacts"] = {"artifacts": artifacts}

    def approved_by(self, *names: str, attempt: int = 1, before: bool = False) -> None:
        """Answer that these people approve run 1 of somebody else, one after the other.

        Args:
            names: who they are.
            attempt: the run's present attempt.
            before: whether they had done so before this attempt; else once it has been looked.
        """
        actor = {"login": "starter"}
        run = {"actor": actor, "triggering_actor": actor, "run_attempt": attempt}
        self.answers["actions/runs/1"] = run
        reviews: list[dict[str, Any]] = [
            {
                "state": "approved",
                "user": {"login": name, "type": "User"},
                "environments": [{"name": ("prod-approval", "prod")[position % 2]}],
            }
            for position, name in enumerate(names)
        ]
        self.answers["actions/runs/1/approvals"] = reviews
        self.first_answers["actions/runs/1/approvals"] = reviews if before else []

    def infra_approved_by(self, *names: str) -> None:
        """Answer that these people approved the deployments of infra/ in run 1."""
        self.approved_by(*names, before=True)
        for review in self.answers["actions/runs/1/approvals"]:
            review["environments"] = [{"name": "infra"}]


@contextmanager
def github_api() -> Iterator[GitHubApi]:
    """Run the server while the block runs."""
    api = GitHubApi()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            split = urlsplit(self.path)
            path = split.path.split("/", 4)[-1]
            api.asked.append((path, dict(parse_qsl(split.query))))
            known = self.headers.get("Authorization") == "Bearer token-of-the-job"
            answer = api.first_answers.pop(path, api.answers.get(path)) if known else None
            body = json.dumps(answer).encode()
            self.send_response(200 if answer is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
