"""Writing acts down: what is intended before it is done, and what came of it after it.

Where callers of others depend on an act and `audit.required` says so, what cannot be written down
is not done. What protects callers (a way back, an alarm) is done in any case, and reported.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from mlops.errors import Hold, Interrupted, MlopsError, Refused
from mlops.governance.audit.actor import actor_of, job_of
from mlops.governance.audit.entry import (
    TRAFFIC,
    Act,
    Actor,
    Ending,
    Phase,
    Scalar,
    traffic_text,
)
from mlops.governance.audit.log import BrokenLog, Note, append, read_lines
from mlops.governance.audit.verify import Verified, Wrong, verify
from mlops.hints import typed
from mlops.platforms.auditing import NotAnchored
from mlops.platforms.base import Endpoint, Platform
from mlops.progress import Report, silent
from mlops.settings.loading import LoadedSettings

_PAUSES = (0.1, 0.4)
"""Seconds after which a line that is not anchored is looked at again."""

Subject = Mapping[str, str | int]
Details = dict[str, Scalar]


@dataclass
class Recording:
    """What came of an act while it goes on; without a word of its own it is `done`.

    Attributes:
        outcome: a word of `Ending`, or one of the act's own.
        reason: a sentence.
        subject: what it was done to and was not known before, such as a version's number.
        details: what else is known.
    """

    outcome: str = Ending.DONE.value
    reason: str = ""
    subject: dict[str, str | int] = field(default_factory=dict)
    details: Details = field(default_factory=dict)


@contextmanager
def recorded(
    platform: Platform,
    settings: LoadedSettings,
    act: Act,
    subject: Subject,
    *,
    report: Report = silent,
    details: Mapping[str, Scalar] | None = None,
    after: Callable[[], Details] | None = None,
    protects: bool = False,
) -> Iterator[Recording]:
    """Write down that an act is intended, and at the end of the block what came of it.

    Args:
        platform: has the log.
        settings: of the environment in which it is done.
        act: what.
        subject: to what.
        report: is told what could not be written down.
        details: what else is known before.
        after: returns what is known after it, however it ended.
        protects: whether it protects callers, and is done also without the log.

    Raises:
        BrokenLog: the log is broken, and nothing is done without it here.
        MlopsError: it cannot be written, and nothing is done without it here.
    """
    writer = _Writer(platform, settings, report)
    note = Note(
        act=act,
        phase=Phase.INTENT,
        actor=actor_of(),
        environment=settings.values.environment,
        subject={"model": settings.model_name, **subject},
        details=dict(details or {}),
    )
    writer.intend(note, needed=_is_needed(platform, settings) and not protects)
    recording = Recording()
    try:
        yield recording
    except BaseException as error:
        recording.outcome, recording.reason = ending_of(error)
        raise
    finally:
        writer.end(note, recording, after)


def noted(
    platform: Platform,
    settings: LoadedSettings,
    act: Act,
    subject: Subject,
    outcome: str,
    reason: str = "",
    *,
    report: Report = silent,
    details: Mapping[str, Scalar] | None = None,
    actor: Actor | None = None,
) -> None:
    """Write down what has happened, or who has said something; it holds also where that fails.

    Args:
        platform: has the log.
        settings: of the environment.
        act: what.
        subject: to what.
        outcome: a word.
        reason: a sentence.
        report: is told what could not be written down.
        details: what else is known.
        actor: who; None: whoever runs this command.
    """
    note = Note(
        act=act,
        phase=Phase.OUTCOME,
        actor=actor or actor_of(),
        environment=settings.values.environment,
        subject={"model": settings.model_name, **subject},
        outcome=outcome,
        reason=reason,
        details=dict(details or {}),
    )
    _Writer(platform, settings, report).write(note)


def ending_of(error: BaseException) -> tuple[str, str]:
    """Return how an act ended by an error, and why.

    What an unexpected error says of itself may quote data: only its kind is written down.
    """
    if isinstance(error, Refused):
        return Ending.REFUSED.value, error.message
    if isinstance(error, Hold):
        return Ending.HOLD.value, error.message
    if isinstance(error, Interrupted):
        return Ending.INTERRUPTED.value, error.message
    if isinstance(error, MlopsError):
        return Ending.FAILED.value, error.message
    if isinstance(error, Exception):
        return Ending.FAILED.value, type(error).__name__
    return Ending.INTERRUPTED.value, "it was interrupted"


def verified(platform: Platform, settings: LoadedSettings) -> Verified:
    """Return what verification finds in the log of the settings' environment.

    Raises:
        NoAuditLog: the platform has no place for a log.
        PlatformError: it cannot be read for now.
    """
    found = _verified(platform, settings)
    for pause in _PAUSES:
        if all(each.kind is not Wrong.NOT_ANCHORED for each in found.findings):
            break
        # a writer may just be between its line and the anchor
        time.sleep(pause)
        found = _verified(platform, settings)
    return found


def retention_of(settings: LoadedSettings) -> timedelta:
    """Return how long lines are kept."""
    return timedelta(days=settings.values.audit.retention_days)


def require_sound_log(
    platform: Platform, settings: LoadedSettings, report: Report = silent
) -> None:
    """Refuse to give callers anything where the log is broken.

    Raises:
        BrokenLog: so; it names the first line that is wrong.
        MlopsError: it cannot be read, and nothing is done without it here.
    """
    try:
        found = verified(platform, settings)
    except MlopsError as error:
        if _is_needed(platform, settings):
            raise
        report(f"the audit log cannot be read: {error.message}")
        return
    if not found.whole:
        raise BrokenLog(
            f"the audit log is broken: {found.sentence}",
            f"{typed('audit verify')} names all, docs/audit.md says what to do",
        )


def serving_of(endpoint: Endpoint) -> Details:
    """Return what an endpoint serves, as an act that changes it says it afterwards."""
    if not endpoint.exists():
        return {TRAFFIC: ""}
    shares = endpoint.traffic()
    found: dict[int, int] = {}
    for each in endpoint.deployments():
        if percent := shares.get(each.name):
            found[each.model_version] = found.get(each.model_version, 0) + percent
    return {TRAFFIC: traffic_text(found)}


def _verified(platform: Platform, settings: LoadedSettings) -> Verified:
    store = platform.audit()
    anchor = store.anchor()  # before the lines: so none that it counts can be younger than they are
    return verify(read_lines(store), anchor, settings.clock(), retention_of(settings))


def _is_needed(platform: Platform, settings: LoadedSettings) -> bool:
    return platform.has_callers and settings.values.audit.required


@dataclass
class _Writer:
    """Writes the lines of one act."""

    platform: Platform
    settings: LoadedSettings
    report: Report

    def intend(self, note: Note, *, needed: bool) -> None:
        """Write an intent; if it cannot be written and is needed, raise why."""
        if not needed:
            self.write(note)
            return
        try:
            self._append(note)
        except NotAnchored as error:
            self.report(error.message)
        except MlopsError:
            self.report(f"the {note.act} is not begun: it cannot be written down")
            raise

    def end(self, note: Note, recording: Recording, after: Callable[[], Details] | None) -> None:
        """Write an outcome."""
        details: Details = {**note.details, **recording.details}
        if after is not None:
            try:
                details |= after()
            except Exception as error:
                self.report(f"what serves now is not written down: {error}")
        self.write(
            Note(
                act=note.act,
                phase=Phase.OUTCOME,
                actor=note.actor,
                environment=note.environment,
                subject={**note.subject, **recording.subject},
                outcome=recording.outcome,
                reason=recording.reason,
                details=details,
                act_id=note.act_id,
            )
        )

    def write(self, note: Note) -> None:
        """Write a note; report that it is missing where that fails."""
        try:
            self._append(note)
        except NotAnchored as error:
            self.report(error.message)
        except Exception as error:  # what was done stays done
            said = error.message if isinstance(error, MlopsError) else type(error).__name__
            self.report(f"the {note.phase} of the {note.act} is not in the audit log: {said}")

    def _append(self, note: Note) -> None:
        details = {**job_of(), **note.details}
        append(self.platform.audit(), replace(note, details=details), self.settings.clock())
