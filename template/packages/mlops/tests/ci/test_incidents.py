"""An incident is one issue on GitHub, whoever opened it."""

import itertools
import json
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlops.ci.incidents import LABEL, open_issue
from mlops.ci.setup_github.gh import Gh, GhError
from mlops.monitoring.alerting.incident import Incident

WHEN = datetime(2026, 6, 30, tzinfo=UTC)
INCIDENT = Incident("tiny-prod/error-rate/green/3", "Failing requests", "what happened\n", WHEN)


class GitHub:
    """The issues of a repository, and what gh answers."""

    def __init__(self) -> None:
        self.issues: list[dict[str, Any]] = []
        self.refuses = False

    def run(self, arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        if self.refuses:
            error = "gh: Resource not accessible by integration (HTTP 403)"
            return subprocess.CompletedProcess(arguments, 1, "", error)
        if "POST" not in arguments:
            page = int(arguments[1].rpartition("=")[2])
            shown = self.issues[100 * (page - 1) : 100 * page]
            return subprocess.CompletedProcess(arguments, 0, json.dumps(shown), "")
        fields = dict(
            value.split("=", 1) for flag, value in itertools.pairwise(arguments) if flag == "-f"
        )
        url = f"https://github.com/example/project/issues/{len(self.issues) + 1}"
        labels = [{"name": fields["labels[]"]}]
        self.issues.append(
            {"html_url": url, "body": fields["body"], "fields": fields, "labels": labels}
        )
        return subprocess.CompletedProcess(arguments, 0, f"{url}\n", "")

    def open(self, incident: Incident = INCIDENT) -> tuple[str, str | None]:
        done = open_issue(Gh(Path(), self.run), incident)
        return done.outcome, done.subject


def test_it_is_opened_once() -> None:
    github = GitHub()
    url = "https://github.com/example/project/issues/1"
    assert github.open() == ("opened", url)
    assert github.open() == ("there already", url)
    (issue,) = github.issues
    assert issue["fields"]["title"] == "Failing requests"
    assert issue["fields"]["labels[]"] == LABEL
    assert issue["body"].startswith("what happened\n")


def test_another_alarm_and_another_s_issue_are_no_obstacle() -> None:
    github = GitHub()
    github.issues = [{"html_url": "u", "body": None}, *[{"html_url": "u", "body": "x"}] * 120]
    assert github.open()[0] == "opened"
    other = Incident("tiny-prod/error-rate/green/31", "Other", "what else\n", WHEN)
    assert github.open(other)[0] == "opened"
    assert github.open()[0] == "there already", "it is found on the second page"


def test_an_issue_of_anybody_with_the_same_mark_is_no_obstacle() -> None:
    github = GitHub()
    github.issues = [{"html_url": "theirs", "body": f"see {INCIDENT.mark}", "labels": []}]
    assert github.open()[0] == "opened"


def test_a_refusal_is_said() -> None:
    github = GitHub()
    github.refuses = True
    with pytest.raises(GhError, match="not accessible"):
        github.open()
