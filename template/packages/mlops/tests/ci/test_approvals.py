"""Who approved a release, as it is kept."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlops.artifacts.documents import APPROVALS
from mlops.ci.approvals import Question, note_approvals, write_approvals
from mlops.ci.github import Asked, count_approvals
from mlops.errors import ConfigError, PlatformError, Refused
from mlops.governance.audit.entry import Act
from mlops.governance.audit.log import read_entries
from mlops.platforms import open_platform
from mlops.platforms.local.platform import LocalPlatform
from mlops.progress import silent
from mlops.settings.loading import LoadedSettings

MOMENT = datetime(2026, 11, 3, 10, 11, 12, tzinfo=UTC)
RUN: dict[str, Any] = {
    "run_attempt": 1,
    "html_url": "https://github.com/acme/model/actions/runs/12",
    "head_sha": "0123",
    "actor": {"login": "Starter"},
    "triggering_actor": {"login": "starter"},
}
REVIEWS = [
    {
        "state": "approved",
        "comment": "fine",
        "user": {"login": "Ann", "type": "User"},
        "environments": [{"name": "prod-approval"}, {"name": "prod"}],
    },
    {
        "state": "rejected",
        "user": {"login": "bob", "type": "User"},
        "environments": [{"name": "prod"}],
    },
    {
        "state": "approved",
        "user": {"login": "cid", "type": "User"},
        "environments": [{"name": "infra"}],
    },
]
QUESTION = Question("12", "prod", 2, 7)


def asked(refusal: Refused | None = None) -> Asked:
    return Asked(RUN, count_approvals(REVIEWS, RUN, ("prod", "prod-approval")), refusal)


def test_what_was_counted_is_written(tmp_path: Path) -> None:
    path = write_approvals(tmp_path / "releases", QUESTION, asked(), MOMENT)
    assert path == tmp_path / "releases" / "approvals.json"
    assert APPROVALS.read(path.parent) == {
        "schema": 1,
        "environment": "prod",
        "model_version": 7,
        "required": 2,
        "outcome": "approved",
        "reason": "",
        "run": {
            "id": "12",
            "attempt": 1,
            "url": "https://github.com/acme/model/actions/runs/12",
            "commit": "0123",
            "started_by": ["starter"],
        },
        "approved_by": ["Ann"],
        "reviews": [
            {
                "who": "Ann",
                "state": "approved",
                "environments": ["prod-approval", "prod"],
                "comment": "fine",
                "counts": True,
                "why_not": "",
            },
            {
                "who": "bob",
                "state": "rejected",
                "environments": ["prod"],
                "comment": "",
                "counts": False,
                "why_not": "did not approve",
            },
        ],
        "asked_at": "2026-11-03T10:11:12+00:00",
    }


@pytest.mark.parametrize(
    ("said", "outcome", "reason", "reviews"),
    [
        (asked(Refused("too few", "ask")), "refused", "too few; ask", 2),
        (PlatformError("GitHub did not answer"), "unknown", "GitHub did not answer", None),
    ],
)
def test_a_refusal_and_no_answer_are_written_as_such(
    tmp_path: Path, said: Asked | PlatformError, outcome: str, reason: str, reviews: int | None
) -> None:
    write_approvals(tmp_path, QUESTION, said, MOMENT)
    content = APPROVALS.read(tmp_path)
    assert (content["outcome"], content["reason"]) == (outcome, reason)
    assert (content["reviews"] and len(content["reviews"])) == reviews
    assert content["run"]["id"] == "12"


def test_the_audit_log_says_whose_approval_counted(settings: LoadedSettings) -> None:
    note_approvals(QUESTION, asked(Refused("one is not enough")), lambda: settings, silent)
    first, second = read_entries(open_platform(settings).audit())
    assert (first.act, first.outcome, first.version) == (Act.APPROVAL, "approved", 7)
    assert (first.actor.name, first.actor.kind, first.actor.run_url) == (
        "Ann",
        "person",
        RUN["html_url"],
    )
    assert (second.actor.name, second.outcome) == ("bob", "not counted")
    assert second.reason == "bob did not approve"
    assert first.details == {"state": "approved", "attempt": 1, "required": 2, "enough": False}
    assert "fine" not in first.line()


def test_an_approval_that_is_asked_for_twice_is_in_the_log_once(settings: LoadedSettings) -> None:
    again = replace(asked(), run={**RUN, "run_attempt": 2})
    for each in (asked(), asked(), again):
        note_approvals(QUESTION, each, lambda: settings, silent)
    found = [
        (each.actor.name, each.details["attempt"])
        for each in read_entries(open_platform(settings).audit())
    ]
    assert found == [("Ann", 1), ("bob", 1), ("Ann", 2), ("bob", 2)]


def test_who_started_the_run_is_told_not_to_count(settings: LoadedSettings) -> None:
    own = {**REVIEWS[0], "user": {"login": "starter", "type": "User"}}
    counted = count_approvals([own], RUN, ("prod",))
    note_approvals(QUESTION, Asked(RUN, counted), lambda: settings, silent)
    (entry,) = read_entries(open_platform(settings).audit())
    assert (entry.actor.name, entry.outcome) == ("starter", "not counted")
    assert entry.details["state"] == "approved"


@pytest.mark.parametrize("error", [PlatformError("no network"), ImportError("no package")])
def test_a_log_that_cannot_be_read_ends_nothing(
    settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(_: object) -> None:
        raise error

    monkeypatch.setattr(LocalPlatform, "audit", fails)
    said: list[str] = []
    note_approvals(QUESTION, asked(), lambda: settings, lambda line, /: said.append(line))
    assert len(said) == 2
    assert all("of the approval is not in the audit log" in each for each in said)


def test_approvals_of_an_environment_without_settings_are_told_not_to_be_in_the_log() -> None:
    def missing() -> LoadedSettings:
        raise ConfigError("there is no conf/prod.yaml")

    said: list[str] = []
    note_approvals(QUESTION, asked(), missing, lambda line, /: said.append(line))
    assert said == ["the approvals are not in the audit log: there is no conf/prod.yaml"]
