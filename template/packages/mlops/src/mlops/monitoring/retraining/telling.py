"""Telling people what became of retraining: that it has stopped, and how each candidate ended.

Each of them is told once. Who knows is noted at the endpoint, where the next look reads it at once,
and kept as a decision: what did not arrive is tried again by the next look, and nothing else is.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from mlops.ci.job import run_url
from mlops.errors import MlopsError
from mlops.markdown import escaped, table
from mlops.monitoring.alert_state import Deed
from mlops.monitoring.alerting.act import Done
from mlops.monitoring.alerting.episodes import FAILED
from mlops.monitoring.alerting.incident import Incident
from mlops.monitoring.alerting.message import Message, News
from mlops.monitoring.alerting.receivers import Told
from mlops.monitoring.decisions import Decision, Kind, keep
from mlops.monitoring.retraining.knowledge import STOPPED, last_ends
from mlops.monitoring.rules.alerts import Severity
from mlops.platforms.base import AtWork, Endpoint
from mlops.platforms.lease_rules import EndpointBusy
from mlops.release.candidate_end import RELEASED

TOLD = "told"
ENDED = "candidate-told"
"""The name of the note that says who knows how the last candidate ended."""
PAGER = "pager"
_INCIDENT = "incident"
_LOOK_AT = "docs/retraining.md says what to look at, and how to go on."


@dataclass(frozen=True)
class Hearers:
    """Who is told.

    Attributes:
        receivers: of messages. A pager is told that retraining has stopped, and of no candidate:
            there is nothing to do about one.
        incident: opens an incident; None: nobody does.
    """

    receivers: Sequence[Told] = ()
    incident: Callable[[Incident], Done] | None = None


NOBODY = Hearers()


@dataclass(frozen=True)
class _Topic:
    """What is told: the note of who knows, what it is of, and the message."""

    note: str
    of: str
    cause: str
    message: Message


def tell_stop(
    endpoint: Endpoint, hearers: Hearers, stop: Decision, past: Sequence[Decision]
) -> list[Deed]:
    """Open an incident and tell all who do not know yet that retraining has stopped.

    Args:
        endpoint: keeps who knows.
        hearers: who is told.
        stop: the decision.
        past: what was decided before, oldest first.
    """
    message = _message(stop, "Retraining has stopped", "error", News.ALARM)
    message = replace(
        message,
        key=f"{endpoint.name}/{STOPPED}/-/{stop.model_version}",
        tells=f"Nothing is trained again by itself until a person has looked. {_LOOK_AT}",
    )
    topic = _Topic(STOPPED, str(stop.model_version), STOPPED, message)
    telling = _Telling(endpoint, stop, past, topic)
    if hearers.incident is not None:
        telling.open(hearers.incident, _incident(message, stop, past))
    telling.tell(hearers.receivers)
    telling.remember()
    return telling.deeds


def tell_end(
    endpoint: Endpoint, hearers: Hearers, end: Decision, past: Sequence[Decision]
) -> list[Deed]:
    """Tell all who do not know yet how a candidate ended.

    Args:
        endpoint: keeps who knows.
        hearers: who is told.
        end: the decision about it.
        past: what was decided before, oldest first.
    """
    severity: Severity = "info" if end.outcome == RELEASED else "warning"
    message = _message(end, f"Candidate {end.outcome}", severity, News.ENDED)
    message = replace(
        message,
        key=f"{endpoint.name}/{ENDED}/{end.subject}/{end.outcome}",
        tells=f"Candidate {end.subject} was trained to replace version {end.model_version}.",
    )
    of = f"{end.subject}:{end.outcome}"
    telling = _Telling(endpoint, end, past, _Topic(ENDED, of, f"candidate {of}", message))
    telling.tell([each for each in hearers.receivers if each.name != PAGER])
    telling.remember()
    return telling.deeds


@dataclass
class _Telling:
    """One topic, told to those who do not know it."""

    endpoint: Endpoint
    about: Decision
    past: Sequence[Decision]
    topic: _Topic
    deeds: list[Deed] = field(default_factory=list)
    arrived: set[str] = field(default_factory=set)
    knows: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Read who knows."""
        of, *names = self.endpoint.notes().get(self.topic.note, "").split(" ")
        noted = names if of == self.topic.of else []
        kept = [each for each in self.past if self._is_told(each)]
        self.knows = frozenset(noted) | {
            _INCIDENT if each.kind is Kind.INCIDENT else str(each.subject) for each in kept
        }

    def open(self, action: Callable[[Incident], Done], incident: Incident) -> None:
        """Open an incident, once."""
        if _INCIDENT in self.knows:
            return
        try:
            done = action(incident)
        except Exception as error:  # whatever fails, people are told
            said = error.message if isinstance(error, MlopsError) else str(error)
            self._note(Kind.INCIDENT, Done(FAILED, said or type(error).__name__))
        else:
            self.arrived.add(_INCIDENT)
            self._note(Kind.INCIDENT, done)

    def tell(self, receivers: Sequence[Told]) -> None:
        """Bring the message to each receiver that does not know."""
        done = tuple(
            f"{each.kind.value.capitalize()}: {each.outcome}, {each.subject or each.reason}"
            for each in self.deeds
        )
        message = replace(self.topic.message, done=done)
        for receiver in receivers:
            if receiver.name in self.knows:
                continue
            sent = receiver.tell(message)
            if sent.arrived:
                self.arrived.add(receiver.name)
            outcome = TOLD if sent.arrived else FAILED
            self._note(Kind.NOTIFICATION, Done(outcome, sent.reason, receiver.name))

    def remember(self) -> None:
        """Keep who knows; without memory it is rather told twice than not at all.

        While another command changes the endpoint, what is kept as decisions has to do.
        """
        if not self.deeds:
            return
        try:
            keep(self.endpoint, [self._decision(each) for each in self.deeds])
            if self.arrived:
                names = sorted(self.knows | self.arrived)
                with suppress(EndpointBusy, AtWork):
                    self.endpoint.note(self.topic.note, " ".join([self.topic.of, *names]))
        except MlopsError as error:
            reason = f"who was told could not be remembered: {error.message}"
            self._note(Kind.NOTIFICATION, Done(FAILED, reason))

    def _is_told(self, before: Decision) -> bool:
        return (
            before.kind in (Kind.INCIDENT, Kind.NOTIFICATION)
            and before.cause == self.topic.cause
            and before.model_version == self.about.model_version
            and before.outcome != FAILED
        )

    def _note(self, kind: Kind, done: Done) -> None:
        failed = done.outcome == FAILED
        deed = Deed(kind, self.topic.cause, done.outcome, done.reason, done.subject, failed)
        self.deeds.append(deed)

    def _decision(self, deed: Deed) -> Decision:
        return replace(
            self.about,
            kind=deed.kind,
            cause=deed.cause,
            outcome=deed.outcome,
            reason=deed.reason,
            subject=deed.subject,
            value=None,
            limit=None,
        )


def _message(about: Decision, title: str, severity: Severity, news: News) -> Message:
    """Return a message about a decision, of which key and first sentence are still to be said."""
    return Message(
        news=news,
        key="",
        title=title,
        tells="",
        severity=severity,
        environment=about.environment,
        endpoint=about.endpoint,
        subject=f"version {about.model_version}",
        reason=about.reason,
        done=(),
        time=about.time,
        url=run_url(),
    )


def _incident(message: Message, stop: Decision, past: Sequence[Decision]) -> Incident:
    """Return the incident of a stop, with the candidates that did not replace the version."""
    rows = [
        (f"{each.time:%Y-%m-%d %H:%M} UTC", each.subject, each.outcome, each.reason)
        for each in last_ends(past)
        if each.model_version == stop.model_version
    ]
    lines = [
        escaped(message.tells),
        "",
        *table(("", ""), [*message.facts]),
        "",
        "#### Candidates",
        "",
        *table(("when", "candidate", "outcome", "why"), rows),
        *(["", f"Noticed by {message.url}"] if message.url else []),
    ]
    return Incident(
        key=message.key,
        title=f"[{stop.environment}] Retraining has stopped at {stop.endpoint}, "
        f"version {stop.model_version}",
        body="\n".join(lines) + "\n",
        time=stop.time,
    )
