"""What follows from how alerts stand: done once, told once, and remembered beside the endpoint."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mlops.ci.job import run_url
from mlops.errors import MlopsError
from mlops.monitoring.alert_state import AlertState, Deed, Outcome
from mlops.monitoring.alerting.episodes import (
    ALARM_TOLD,
    END_TOLD,
    FAILED,
    FIRED,
    FIRED_ANEW,
    GIVEN_UP,
    GOES_ON,
    MEMORY,
    PASSED,
    PASSED_TOLD,
    RESOLVED,
    Episode,
    Key,
    episodes,
)
from mlops.monitoring.alerting.incident import (
    OPENED,
    THERE_ALREADY,
    Incident,
    given_up,
    incident_of,
    incident_of_notice,
)
from mlops.monitoring.alerting.message import Message, News
from mlops.monitoring.alerting.notice import BY_PLATFORM, Notice, Subject, of_episode
from mlops.monitoring.alerting.receivers import Told
from mlops.monitoring.decisions import Decision, Kind, decided, keep
from mlops.monitoring.rules.alerts import Alert
from mlops.platforms.base import Endpoint
from mlops.release.change_log import CHANGE, given_to_callers
from mlops.settings.loading import LoadedSettings
from mlops.window import Window

ROLLED_BACK = "rolled back"
FINAL = (ROLLED_BACK, "nothing to withdraw", "no way back", GIVEN_UP)
"""After one of these nothing is withdrawn again because of the same alarm."""
MOST_FAILURES = 3
"""So often the way back from one alarm may fail; then it is a person's."""
RETRIED = timedelta(hours=24)
"""For so long who could not be told of something past is tried again."""
_MOMENT = timedelta(seconds=1)
_AUDITED = (FIRED, FIRED_ANEW, RESOLVED, PASSED)


@dataclass(frozen=True)
class Done:
    """What came of an action: a word, a sentence, and what it is of by name."""

    outcome: str
    reason: str
    subject: str | None = None


@dataclass(frozen=True)
class Actions:
    """What may be done besides telling; None where the level does not allow it.

    Attributes:
        incident: opens an incident; it finds itself what is open already.
        tidy: removes what is kept longer than it should, given the versions of which an alarm goes
            on and that may be withdrawn yet; returns a sentence of each. It keeps that itself.
        rollback: withdraws a version, given its number and the cause.
        retrain: has the policy decide on a retraining, given the cause; it keeps that itself, tells
            what came of it, and can take hours.
        audit: takes note of an alarm that begins or is over.
    """

    incident: Callable[[Incident], Done] | None = None
    tidy: Callable[[frozenset[int]], list[str]] | None = None
    rollback: Callable[[int, str], Done] | None = None
    retrain: Callable[[str], list[Deed]] | None = None
    audit: Callable[[Decision], None] | None = None


def act(
    endpoint: Endpoint,
    settings: LoadedSettings,
    states: Sequence[AlertState],
    actions: Actions,
    receivers: Sequence[Told],
    *,
    serving: frozenset[int],
    now: datetime,
    notices: Sequence[Notice] = (),
) -> list[Deed]:
    """Do what follows from how alerts stand; what fails stops nothing else.

    Args:
        endpoint: whose alerts; it keeps what is decided.
        settings: of its environment.
        states: what `evaluate_alerts` found.
        actions: what may be done.
        receivers: who is told.
        serving: the versions that answer callers.
        now: the time of all that is decided.
        notices: what happened since the last look and is over.
    """
    acting = _Acting(endpoint, settings, actions, receivers, now)
    acting.remember()
    for state in states:
        if state.outcome is Outcome.ALARM:
            acting.alarm(state)
    for episode, reason, alert in _ended(acting.past, states, serving):
        acting.end(episode, reason, alert)
    subjects = {each.alert.id: Subject.of(each.alert) for each in states}
    acting.afterwards(notices, {**subjects, BY_PLATFORM.cause: BY_PLATFORM})
    acting.tidy(frozenset(each.alert.id for each in states if "rollback" in each.alert.actions))
    acting.check_receivers()
    acting.retrain(states)
    return acting.deeds


def _ended(
    past: Mapping[Key, Episode], states: Sequence[AlertState], serving: frozenset[int]
) -> Iterator[tuple[Episode, str, Alert]]:
    """Yield the alarms that are over, or were and not all know, with the reason.

    What there is no evidence of is not over, unless no caller reaches the version any more.
    """
    alerts = {state.alert.id: state.alert for state in states}
    now = {Key.of(state): state for state in states}
    for key, episode in past.items():
        alert = alerts.get(key.cause)
        if alert is None or episode.passed:
            continue
        state = now.get(key)
        if state is not None and state.outcome is Outcome.ALARM:
            continue
        if not episode.open:
            yield episode, "", alert
        elif state is not None and state.outcome is Outcome.OK:
            yield episode, state.reason, alert
        elif serving and key.model_version not in (None, *serving):
            yield episode, f"version {key.model_version} answers no caller any more", alert


@dataclass
class _Acting:
    """One run."""

    endpoint: Endpoint
    settings: LoadedSettings
    actions: Actions
    receivers: Sequence[Told]
    now: datetime
    known: list[Decision] = field(default_factory=list)
    given: dict[int, datetime] = field(default_factory=dict)
    remembers: bool = True
    deeds: list[Deed] = field(default_factory=list)

    @property
    def past(self) -> dict[Key, Episode]:
        """The last alarm of each key, by all that was decided until now."""
        return episodes(self.known)

    def remember(self) -> None:
        """Read what was decided; where that cannot be had, tell rather twice than not at all."""
        window = Window(self.now - MEMORY, self.now + _MOMENT)
        try:
            self.known = decided(self.endpoint, window)
            self.given = given_to_callers(self.endpoint.checks(CHANGE, window))
        except MlopsError as error:
            self.remembers = False
            reason = f"what was decided before cannot be read: {error.message}"
            self.deeds.append(Deed(Kind.ALERT, "", FAILED, reason, failed=True))

    def alarm(self, state: AlertState) -> None:
        """Do what follows from an alarm that is there."""
        key, alert = Key.of(state), state.alert
        episode = self.past.get(key)
        remind = timedelta(hours=self.settings.values.alerts.remind_hours)
        if episode is None or not episode.open:
            self._keep(Kind.ALERT, state, Done(FIRED, state.reason))
        elif self._released_since(episode):
            self._keep(Kind.ALERT, state, Done(FIRED_ANEW, state.reason))
        elif self.now - episode.announced >= remind:
            self._keep(Kind.ALERT, state, Done(GOES_ON, state.reason))
        before = len(self.deeds)
        self._roll_back(state)
        self._open_incident(state, self._sentences(before))
        if "notify" not in alert.actions:
            return
        episode, subject = self.past[key], Subject.of(alert)
        message = self._message(_news(episode), subject, key, state.reason, self._sentences(before))
        for receiver in self.receivers:
            if not episode.told(receiver.name):
                self._tell(receiver, message, key, ALARM_TOLD)

    def end(self, episode: Episode, reason: str, alert: Alert) -> None:
        """Tell once that an alarm is over."""
        key = episode.key
        if episode.open:
            self._keep(Kind.ALERT, key, Done(RESOLVED, reason))
            episode = replace(episode, ended=self.now)
        message = self._message(News.RESOLVED, Subject.of(alert), key, reason or "it is over", ())
        for receiver in self.receivers:
            if not episode.told(receiver.name):
                self._tell(receiver, message, key, END_TOLD)

    def afterwards(self, notices: Sequence[Notice], subjects: Mapping[str, Subject]) -> None:
        """Tell of what is over since the last look, and of what could not be told then.

        Args:
            notices: what happened.
            subjects: what it can be about, by cause.
        """
        for notice in notices:
            known = self.past.get(notice.key)
            # an alarm that goes on, or that ended later, is known
            new = known is None or (known.ended is not None and known.ended < notice.last)
            if new and notice.last >= self.now - MEMORY:
                self._keep(Kind.ALERT, notice, Done(PASSED, notice.reason))
                if notice.key.cause == BY_PLATFORM.cause:
                    self._keep(Kind.ROLLBACK, notice, Done(ROLLED_BACK, notice.reason))
        for key, episode in self.past.items():
            subject = subjects.get(key.cause)
            if subject and episode.ended and self.now - episode.ended < RETRIED:
                self._tell_afterwards(subject, episode)

    def tidy(self, causes: frozenset[str]) -> None:
        """Remove what is kept no longer, but not the way back from an alarm that goes on.

        Args:
            causes: the alerts because of which a version is withdrawn.
        """
        if self.actions.tidy is None or not self.remembers:
            return
        awaited = frozenset(
            key.model_version
            for key, episode in self.past.items()
            if key.cause in causes
            and key.model_version is not None
            and episode.open
            and not episode.done(Kind.ROLLBACK, FINAL)
        )
        try:
            self.deeds += [
                Deed(Kind.TIDYING, "", "removed", removed) for removed in self.actions.tidy(awaited)
            ]
        except Exception as error:
            self._keep(Kind.TIDYING, _NOTHING, Done(FAILED, _said(error)), failed=True)

    def check_receivers(self) -> None:
        """Say who could not be told anything, before there is something to tell."""
        named = {each.subject for each in self.deeds if each.failed}
        for receiver in self.receivers:
            if receiver.problem and receiver.name not in named:
                self.deeds.append(
                    Deed(
                        Kind.NOTIFICATION,
                        "",
                        "not ready",
                        receiver.problem,
                        receiver.name,
                        failed=True,
                    )
                )

    def retrain(self, states: Sequence[AlertState]) -> None:
        """Have the policy decide, once, after all else: it can train for hours."""
        action = self.actions.retrain
        causes = [
            each.alert.id
            for each in states
            if each.outcome is Outcome.ALARM and "retrain" in each.alert.actions
        ]
        if action is None or not causes:
            return
        try:
            self.deeds += action(causes[0])
        except Exception as error:
            self.deeds.append(Deed(Kind.RETRAINING, causes[0], FAILED, _said(error), failed=True))

    def _released_since(self, episode: Episode) -> bool:
        """Tell whether callers were given the version of an alarm anew since it began."""
        version = episode.key.model_version
        given = self.given.get(version) if version is not None else None
        return given is not None and given > episode.began

    def _roll_back(self, state: AlertState) -> None:
        """Withdraw a version; where that fails again and again, leave it to a person."""
        action, version, cause = self.actions.rollback, state.model_version, state.alert.id
        if action is None or "rollback" not in state.alert.actions or version is None:
            return
        key = Key.of(state)
        if self.past[key].done(Kind.ROLLBACK, FINAL):
            return
        self._do(Kind.ROLLBACK, state, lambda: action(version, cause))
        failures = self.past[key].count(Kind.ROLLBACK, (FAILED,))
        if failures >= MOST_FAILURES:
            reason = f"it failed {failures} times and is not tried again: a person has to go back"
            self._keep(Kind.ROLLBACK, state, Done(GIVEN_UP, reason), failed=True)

    def _open_incident(self, state: AlertState, done: Sequence[str]) -> None:
        """Open the incident of an alarm, and another once its way back is given up."""
        action, episode = self.actions.incident, self.past[Key.of(state)]
        if action is None or "incident" not in state.alert.actions:
            return
        if episode.count(Kind.INCIDENT, (OPENED, THERE_ALREADY), episode.given_up):
            return
        environment = self.settings.values.environment
        incident = incident_of(state, environment, self.endpoint.name, done, run_url())
        if episode.given_up:
            incident = given_up(incident)
        self._do(Kind.INCIDENT, state, lambda: action(incident))

    def _tell_afterwards(self, subject: Subject, episode: Episode) -> None:
        """Open the incident of what is over, and tell of it."""
        key, name = episode.key, self.endpoint.name
        notice, earlier = of_episode(episode), _withdrawals(episode)
        before, action = len(self.deeds), self.actions.incident
        opened = episode.done(Kind.INCIDENT, (OPENED, THERE_ALREADY))
        if action and "incident" in subject.actions and not opened:
            incident = incident_of_notice(
                subject, notice, self.settings.values.environment, name, earlier, run_url()
            )
            self._do(Kind.INCIDENT, key, lambda: action(incident))
        if "notify" not in subject.actions:
            return
        news = News.LATE if notice.noticed else News.PASSED
        said = (*earlier, *self._sentences(before))
        message = self._message(news, subject, key, notice.reason, said)
        for receiver in self.receivers:
            if episode.missed(receiver.name):
                self._tell(receiver, message, key, PASSED_TOLD)

    def _do(self, kind: Kind, about: AlertState | Key, action: Callable[[], Done]) -> None:
        try:
            self._keep(kind, about, action())
        except Exception as error:  # whatever fails, people are told of the alarm
            self._keep(kind, about, Done(FAILED, _said(error)), failed=True)

    def _tell(self, receiver: Told, message: Message, key: Key, outcome: str) -> None:
        sent = receiver.tell(message)
        done = Done(outcome if sent.arrived else FAILED, sent.reason, receiver.name)
        self._keep(Kind.NOTIFICATION, key, done, failed=not sent.arrived)

    def _sentences(self, since: int) -> tuple[str, ...]:
        return tuple(
            f"{each.kind.value.capitalize()}: {each.outcome}, {each.reason}"
            + (f" ({each.subject})" if each.subject else "")
            for each in self.deeds[since:]
            if each.kind is not Kind.ALERT
        )

    def _message(
        self, news: News, subject: Subject, key: Key, reason: str, done: tuple[str, ...]
    ) -> Message:
        version = "" if key.model_version is None else f"version {key.model_version}"
        return Message(
            news=news,
            key=key.name(self.endpoint.name),
            title=subject.title,
            tells=subject.tells,
            severity=subject.severity,
            environment=self.settings.values.environment,
            endpoint=self.endpoint.name,
            subject=f"{version} ({key.deployment})" if key.deployment else version,
            reason=reason,
            done=done,
            time=self.now,
            url=run_url(),
        )

    def _keep(
        self, kind: Kind, about: AlertState | Notice | Key, done: Done, *, failed: bool = False
    ) -> None:
        """Take note of what was done, here and beside the endpoint."""
        key = Key.of(about) if isinstance(about, AlertState) else about
        key = key.key if isinstance(key, Notice) else key
        measured = None if isinstance(about, Key) else about
        self.deeds.append(Deed(kind, key.cause, done.outcome, done.reason, done.subject, failed))
        decision = Decision(
            time=self.now,
            kind=kind,
            cause=key.cause,
            outcome=done.outcome,
            reason=done.reason,
            environment=self.settings.values.environment,
            endpoint=self.endpoint.name,
            model_name=self.settings.model_name,
            deployment=key.deployment,
            model_version=key.model_version,
            subject=done.subject,
            value=measured.value if measured else None,
            limit=measured.limit if measured else None,
        )
        self.known.append(decision)
        if self.actions.audit and kind is Kind.ALERT and done.outcome in _AUDITED:
            self.actions.audit(decision)
        try:
            keep(self.endpoint, [decision])
        except MlopsError as error:
            reason = f"it could not be remembered: {error.message}"
            self.deeds.append(Deed(kind, key.cause, FAILED, reason, failed=True))


_NOTHING = Key("", None, None)


def _withdrawals(episode: Episode) -> tuple[str, ...]:
    """Return a sentence of each way back that was decided on while an alarm went on."""
    return tuple(
        f"Rollback: {each.outcome}, {each.reason}"
        for each in episode.decisions
        if each.kind is Kind.ROLLBACK and each.outcome in FINAL and not episode.passed
    )


def _news(episode: Episode) -> News:
    if episode.given_up is not None and episode.announced == episode.given_up:
        return News.GIVEN_UP
    return News.GOES_ON if episode.announced > episode.began else News.ALARM


def _said(error: Exception) -> str:
    """Return what a failure says of itself."""
    if isinstance(error, MlopsError):
        return error.message
    return f"{type(error).__name__}: {error}"
