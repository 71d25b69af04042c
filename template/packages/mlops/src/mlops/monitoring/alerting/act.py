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
    FIRED,
    GOES_ON,
    MEMORY,
    RESOLVED,
    Episode,
    Key,
    episodes,
)
from mlops.monitoring.alerting.incident import OPENED, THERE_ALREADY, Incident, incident_of
from mlops.monitoring.alerting.message import Message, News
from mlops.monitoring.alerting.receivers import Told
from mlops.monitoring.decisions import Decision, Kind, decided, keep
from mlops.monitoring.rules.alerts import Alert
from mlops.platforms.base import Endpoint
from mlops.settings.loading import LoadedSettings
from mlops.window import Window

FAILED = "failed"
FINAL = ("rolled back", "nothing to withdraw", "no way back")
"""After one of these nothing is withdrawn again because of the same alarm."""
_MOMENT = timedelta(seconds=1)


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
        tidy: removes what is kept longer than it should; returns a sentence of each. It keeps that
            itself.
        rollback: withdraws a version, given its number and the cause.
        retrain: has the policy decide on a retraining, given the cause; it keeps that itself, tells
            what came of it, and can take hours.
    """

    incident: Callable[[Incident], Done] | None = None
    tidy: Callable[[], list[str]] | None = None
    rollback: Callable[[int, str], Done] | None = None
    retrain: Callable[[str], list[Deed]] | None = None


def act(
    endpoint: Endpoint,
    settings: LoadedSettings,
    states: Sequence[AlertState],
    actions: Actions,
    receivers: Sequence[Told],
    *,
    serving: frozenset[int],
    now: datetime,
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
    """
    acting = _Acting(endpoint, settings, actions, receivers, now)
    acting.remember()
    for state in states:
        if state.outcome is Outcome.ALARM:
            acting.alarm(state)
    for episode, reason, alert in _ended(acting.past, states, serving):
        acting.end(episode, reason, alert)
    acting.tidy()
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
        if alert is None:
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
    past: dict[Key, Episode] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=list)

    def remember(self) -> None:
        """Read what was decided; where that cannot be had, tell rather twice than not at all."""
        window = Window(self.now - MEMORY, self.now + _MOMENT)
        try:
            self.past = episodes(decided(self.endpoint, window))
        except MlopsError as error:
            reason = f"what was decided before cannot be read: {error.message}"
            self.deeds.append(Deed(Kind.ALERT, "", FAILED, reason, failed=True))

    def alarm(self, state: AlertState) -> None:
        """Do what follows from an alarm that is there."""
        key, alert = Key.of(state), state.alert
        episode = self.past.get(key)
        remind = timedelta(hours=self.settings.values.alerts.remind_hours)
        news = News.ALARM
        if episode is None or not episode.open:
            self._keep(Kind.ALERT, state, Done(FIRED, state.reason))
            episode = Episode(key, self.now, self.now, None, ())
        elif self.now - episode.announced >= remind:
            self._keep(Kind.ALERT, state, Done(GOES_ON, state.reason))
            episode = replace(episode, announced=self.now)
        if episode.announced > episode.began:
            news = News.GOES_ON
        before = len(self.deeds)
        self._roll_back(state, episode)
        self._open_incident(state, episode, self._sentences(before))
        if "notify" in alert.actions:
            message = self._message(news, alert, key, state.reason, self._sentences(before))
            for receiver in self.receivers:
                if not episode.told(receiver.name):
                    self._tell(receiver, message, key, ALARM_TOLD)

    def end(self, episode: Episode, reason: str, alert: Alert) -> None:
        """Tell once that an alarm is over."""
        key = episode.key
        if episode.open:
            self._keep(Kind.ALERT, key, Done(RESOLVED, reason))
            episode = replace(episode, ended=self.now)
        message = self._message(News.RESOLVED, alert, key, reason or "it is over", ())
        for receiver in self.receivers:
            if not episode.told(receiver.name):
                self._tell(receiver, message, key, END_TOLD)

    def tidy(self) -> None:
        """Remove what is kept no longer."""
        if self.actions.tidy is None:
            return
        try:
            self.deeds += [
                Deed(Kind.TIDYING, "", "removed", removed) for removed in self.actions.tidy()
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

    def _roll_back(self, state: AlertState, episode: Episode) -> None:
        action, version, cause = self.actions.rollback, state.model_version, state.alert.id
        if action is None or "rollback" not in state.alert.actions or version is None:
            return
        if not episode.done(Kind.ROLLBACK, FINAL):
            self._do(Kind.ROLLBACK, state, lambda: action(version, cause))

    def _open_incident(self, state: AlertState, episode: Episode, done: Sequence[str]) -> None:
        action = self.actions.incident
        if action is None or "incident" not in state.alert.actions:
            return
        if episode.done(Kind.INCIDENT, (OPENED, THERE_ALREADY)):
            return
        environment = self.settings.values.environment
        incident = incident_of(state, environment, self.endpoint.name, done, run_url())
        self._do(Kind.INCIDENT, state, lambda: action(incident))

    def _do(self, kind: Kind, state: AlertState, action: Callable[[], Done]) -> None:
        try:
            self._keep(kind, state, action())
        except Exception as error:  # whatever fails, people are told of the alarm
            self._keep(kind, state, Done(FAILED, _said(error)), failed=True)

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
        self, news: News, alert: Alert, key: Key, reason: str, done: tuple[str, ...]
    ) -> Message:
        version = "" if key.model_version is None else f"version {key.model_version}"
        return Message(
            news=news,
            key=key.name(self.endpoint.name),
            title=alert.title,
            tells=alert.tells,
            severity=alert.severity,
            environment=self.settings.values.environment,
            endpoint=self.endpoint.name,
            subject=f"{version} ({key.deployment})" if key.deployment else version,
            reason=reason,
            done=done,
            time=self.now,
            url=run_url(),
        )

    def _keep(
        self, kind: Kind, about: AlertState | Key, done: Done, *, failed: bool = False
    ) -> None:
        """Take note of what was done, here and beside the endpoint."""
        key = about if isinstance(about, Key) else Key.of(about)
        measured = about if isinstance(about, AlertState) else None
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
        try:
            keep(self.endpoint, [decision])
        except MlopsError as error:
            reason = f"it could not be remembered: {error.message}"
            self.deeds.append(Deed(kind, key.cause, FAILED, reason, failed=True))


_NOTHING = Key("", None, None)


def _said(error: Exception) -> str:
    """Return what a failure says of itself."""
    if isinstance(error, MlopsError):
        return error.message
    return f"{type(error).__name__}: {error}"
