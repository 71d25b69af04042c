"""Adding the lines of a run's logs to the branch: under new numbers, in a new chain, once.

A line keeps its act, its time and who acted; where it comes from stands in its details, so that it
can be compared with the line that the job wrote. Two runs that add at once both do: who comes later
reads the branch again, and chains its lines to the new end.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from time import sleep
from typing import Any

from mlops.errors import PlatformError
from mlops.governance.audit.accept import FINDINGS, acceptances_of
from mlops.governance.audit.actor import JOB, actor_of
from mlops.governance.audit.entry import Act, Entry, Phase, Scalar
from mlops.governance.audit.log import UNANCHORED, Note, append, read_entries
from mlops.governance.audit.verify import Finding
from mlops.ops.audit_branch.branch import AuditBranch, NotTaken
from mlops.ops.audit_branch.collected import Collected
from mlops.ops.audit_branch.snapshot import Snapshot
from mlops.platforms.auditing import Anchor, Overtaken
from mlops.settings.loading import LoadedSettings

ATTEMPTS = 30
WAITS = (0.5, 2.0, 8.0)
"""Seconds after which what was not taken is tried again: another push may be under way."""
ORIGIN = "origin_"
ORIGIN_SHA256 = f"{ORIGIN}sha256"
_OF_ITS_OWN_LOG = (UNANCHORED, FINDINGS)
"""Details by which a line speaks of the log that it stands in: of another log they say nothing."""
_RUN = re.compile(r"/actions/runs/(?P<run>[0-9]+)/attempts/(?P<attempt>[0-9]+)$")


@dataclass(frozen=True)
class Published:
    """What was added.

    Attributes:
        added: how many lines.
        known: how many lines of the logs were there before.
        broken: each log that was broken as it came, and the branch if it is, in words.
        newest: the end of the branch.
    """

    added: int
    known: int
    broken: tuple[str, ...]
    newest: Anchor | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON says it."""
        return {
            "added": self.added,
            "known": self.known,
            "broken": list(self.broken),
            "lines": self.newest.count if self.newest else 0,
            "head": self.newest.head if self.newest else None,
        }


@dataclass(frozen=True)
class _Arrival:
    """A line on its way: what is to be noted, as of when, and by what it is known again."""

    note: Note
    moment: datetime
    sha256: str


def publish(branch: AuditBranch, logs: Sequence[Collected], settings: LoadedSettings) -> Published:
    """Add the lines of logs that are not there yet.

    Args:
        branch: where.
        logs: as the jobs left them.
        settings: of an environment; the clock is theirs.

    Raises:
        ConfigError: there is no such repository or remote.
        PlatformError: nothing could be added.
    """
    bad = [each for each in logs if not each.found.whole]
    arrivals = _once([*_lines_of(logs), *(_word_on(each, settings) for each in bad)])

    def missing(snapshot: Snapshot) -> list[_Arrival]:
        known = {each.details.get(ORIGIN_SHA256) for each in read_entries(snapshot)}
        return [each for each in arrivals if each.sha256 not in known]

    snapshot, added = _write(branch, missing, settings)
    broken = [f"the log {each.name} is broken: {each.found.sentence}" for each in bad]
    found = snapshot.verified(settings)
    if not found.whole:
        broken.append(f"{snapshot.place()} is broken: {found.sentence}")
    return Published(added, len(arrivals) - added, tuple(broken), snapshot.anchor())


def accept_on(branch: AuditBranch, settings: LoadedSettings, reason: str) -> tuple[Finding, ...]:
    """Accept what verification finds on the branch; return it. See `accept_findings`.

    Raises:
        ConfigError: there is no such repository or remote.
        PlatformError: nothing could be added.
    """
    accepted: list[Finding] = []

    def acceptance(snapshot: Snapshot) -> list[_Arrival]:
        found = snapshot.verified(settings)
        accepted[:] = found.findings
        notes = acceptances_of(found, settings, reason)
        return [_Arrival(note, settings.clock(), "") for note in notes]

    _write(branch, acceptance, settings)
    return tuple(accepted)


def _write(
    branch: AuditBranch,
    wanted: Callable[[Snapshot], Sequence[_Arrival]],
    settings: LoadedSettings,
) -> tuple[Snapshot, int]:
    """Append what is wanted at the end that the branch has; return the log and how many lines."""
    waits = iter(WAITS)
    for _ in range(ATTEMPTS):
        snapshot = branch.fetch()
        arrivals = wanted(snapshot)
        if not arrivals:
            return snapshot, 0
        entries = [append(snapshot, each.note, each.moment, over=True) for each in arrivals]
        run = actor_of().run_url
        message = f"Lines {entries[0].number} to {entries[-1].number}"
        try:
            branch.push(snapshot, f"{message}\n\n{run}".strip(), settings.clock())
        except Overtaken:
            continue
        except NotTaken:
            wait = next(waits, None)
            if wait is None:
                raise
            sleep(wait)
            continue
        return snapshot, len(entries)
    raise PlatformError(f"others keep writing to {branch.place}", "try again")


def _lines_of(logs: Sequence[Collected]) -> list[_Arrival]:
    """Return the lines of all logs in order of time; those of one log keep their order."""
    dated = sorted(chain.from_iterable(map(_dated, logs)), key=lambda pair: pair[0])
    return [_Arrival(_copy_of(entry, log), entry.time, entry.sha256) for _, entry, log in dated]


def _once(arrivals: Sequence[_Arrival]) -> list[_Arrival]:
    """Return each line once, also where two logs hold it."""
    found: dict[str, _Arrival] = {}
    for each in arrivals:
        found.setdefault(each.sha256, each)
    return [*found.values()]


def _dated(log: Collected) -> Iterator[tuple[datetime, Entry, Collected]]:
    latest: datetime | None = None
    for entry in log.entries:
        if entry.act is not Act.MONTH:
            latest = max(latest, entry.time) if latest else entry.time
            yield latest, entry, log


def _copy_of(entry: Entry, log: Collected) -> Note:
    own = {
        f"{ORIGIN}{name}" if name in _OF_ITS_OWN_LOG else name: value
        for name, value in entry.details.items()
    }
    origin: dict[str, Scalar] = {
        **_run_of(entry.actor.run_url),
        f"{ORIGIN}job": entry.details.get(JOB, ""),
        f"{ORIGIN}number": entry.number,
        f"{ORIGIN}previous": entry.previous,
        ORIGIN_SHA256: entry.sha256,
    }
    if not log.found.whole:
        origin[f"{ORIGIN}broken"] = True
    return Note(
        act=entry.act,
        phase=entry.phase,
        actor=entry.actor,
        environment=entry.environment,
        subject=dict(entry.subject),
        outcome=entry.outcome,
        reason=entry.reason,
        details={**own, **origin},
        act_id=entry.act_id,
    )


def _word_on(log: Collected, settings: LoadedSettings) -> _Arrival:
    """Return the line that says of a log that it was broken as it came, and how."""
    actor = actor_of()
    note = Note(
        act=Act.COLLECTION,
        phase=Phase.OUTCOME,
        actor=actor,
        environment=settings.values.environment,
        outcome="broken",
        reason=", ".join(each.sentence for each in log.found.findings),
        details={
            **_run_of(actor.run_url),
            f"{ORIGIN}log": log.name,
            "lines": log.found.count,
            "count": len(log.found.findings),
            ORIGIN_SHA256: log.sha256,
        },
    )
    return _Arrival(note, settings.clock(), log.sha256)


def _run_of(url: str) -> dict[str, Scalar]:
    found = _RUN.search(url)
    return {f"{ORIGIN}{name}": value for name, value in found.groupdict().items()} if found else {}
