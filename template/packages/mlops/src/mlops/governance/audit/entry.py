"""One line of the audit log, and how it is written down.

A line is JSON with sorted keys and no spaces, so that an entry has exactly one text. It holds the
hash of the line before it and its own, over everything else that it says. Nothing of customers
stands in it: subjects are models, versions, runs, deployments and ids of requests.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

SCHEMA = 1
NOTHING_BEFORE = "0" * 64
"""What the first line of a log says of the line before it."""

TRAFFIC = "traffic"
"""The detail in which an act that changes it says the traffic afterwards, see `traffic_text`."""

Scalar = str | int | float | bool | None


class Act(StrEnum):
    """What was done."""

    GATE = "gate"
    REGISTER = "register"
    RELEASE = "release"
    SWITCH = "switch"
    ROLLBACK = "rollback"
    """Also the withdrawal of a version by an alarm."""
    APPROVAL = "approval"
    RETRAINING = "retraining"
    ALARM = "alarm"
    DELETION = "deletion"
    MONTH = "month"
    """No act: the last line of a month's file, which says that the next one goes on."""
    ACCEPTANCE = "acceptance"
    """A person has looked at what verification found, and the log goes on all the same."""
    COLLECTION = "collection"
    """No act: a log whose lines were copied to this one was broken when they were."""


class Phase(StrEnum):
    """Before the act, or after it. What only takes note of something has no intent."""

    INTENT = "intent"
    OUTCOME = "outcome"


class Ending(StrEnum):
    """The usual outcomes; an act may have words of its own, such as `approved` or `fired`."""

    DONE = "done"
    REFUSED = "refused"
    HOLD = "hold"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Actor:
    """Who acts: `kind` is `person`, `pipeline` or `schedule`; `run_url` is its run's page."""

    name: str
    kind: str
    run_url: str = ""


@dataclass(frozen=True)
class Entry:
    """One line.

    Attributes:
        number: 1 for the first line of the log; without a gap over all months.
        act_id: pairs an intent with its outcome.
        time: when it was written, with its offset. Lines are in order of their numbers; times come
            from the machines that wrote them.
        act: what was done.
        phase: before it or after it.
        actor: who did it.
        environment: dev, test, prod …
        subject: what it was done to: `model`, `version`, `run_id`, `deployment`, `endpoint`,
            `request_id` …; texts and whole numbers.
        outcome: empty for an intent; else a word of `Ending`, or one of the act's own.
        reason: a sentence, for people.
        details: what else is known: texts, numbers, true, false, null.
        previous: the hash of the line before.
        sha256: of this line's canonical JSON without this field.
    """

    number: int
    act_id: str
    time: datetime
    act: Act
    phase: Phase
    actor: Actor
    environment: str
    subject: Mapping[str, str | int] = field(default_factory=dict)
    outcome: str = ""
    reason: str = ""
    details: Mapping[str, Scalar] = field(default_factory=dict)
    previous: str = NOTHING_BEFORE
    sha256: str = ""

    @property
    def version(self) -> int | None:
        """The model version that it is about, if it is about one."""
        found = self.subject.get("version")
        return found if isinstance(found, int) else None

    def to_dict(self) -> dict[str, Any]:
        """Return it as the log and `--json` say it."""
        return {
            "schema": SCHEMA,
            "number": self.number,
            "act_id": self.act_id,
            "time": self.time.isoformat(),
            "act": self.act.value,
            "phase": self.phase.value,
            "who": {
                "name": self.actor.name,
                "kind": self.actor.kind,
                "run_url": self.actor.run_url,
            },
            "environment": self.environment,
            "subject": dict(self.subject),
            "outcome": self.outcome,
            "reason": self.reason,
            "details": dict(self.details),
            "previous": self.previous,
            "sha256": self.sha256,
        }

    def computed_hash(self) -> str:
        """Return the hash that `sha256` must be."""
        content = {name: value for name, value in self.to_dict().items() if name != "sha256"}
        return hashlib.sha256(_canonical(content).encode()).hexdigest()

    def sealed(self) -> "Entry":
        """Return the entry with its own hash."""
        return replace(self, sha256=self.computed_hash())

    def line(self) -> str:
        """Return the line of the log, with its newline."""
        return _canonical(self.to_dict()) + "\n"


def read_line(text: str) -> Entry:
    """Return the entry of a line.

    Raises:
        ValueError: it is not exactly the text of an entry; its hash is not looked at.
    """
    try:
        content = json.loads(text)
        who = content["who"]
        found = Entry(
            number=content["number"],
            act_id=content["act_id"],
            time=datetime.fromisoformat(content["time"]),
            act=Act(content["act"]),
            phase=Phase(content["phase"]),
            actor=Actor(who["name"], who["kind"], who["run_url"]),
            environment=content["environment"],
            subject=content["subject"],
            outcome=content["outcome"],
            reason=content["reason"],
            details=content["details"],
            previous=content["previous"],
            sha256=content["sha256"],
        )
        read_traffic(str(found.details.get(TRAFFIC, "")))
        same = found.line() == text.rstrip("\n") + "\n"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no line of an audit log: {error}") from None
    if not same or not isinstance(found.number, int) or isinstance(found.number, bool):
        raise ValueError("not written as a line of an audit log is")
    return found


def traffic_text(traffic: dict[int, int]) -> str:
    """Return the traffic of versions as a line says it, such as `3=90 4=10`; empty for none."""
    return " ".join(f"{version}={percent}" for version, percent in sorted(traffic.items()))


def read_traffic(text: str) -> dict[int, int]:
    """Return the percentage of each version that `traffic_text` has written.

    Raises:
        ValueError: it has not written that.
    """
    pairs = (each.partition("=") for each in text.split())
    return {int(version): int(percent) for version, _, percent in pairs}


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
