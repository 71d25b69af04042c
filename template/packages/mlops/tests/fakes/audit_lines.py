"""Lines of an audit log, made by the code that writes them."""

from datetime import UTC, datetime, timedelta

from fakes.audit import FakeAudit
from mlops.governance.audit.entry import Act, Actor, Entry, Phase
from mlops.governance.audit.log import Note, append
from mlops.platforms.auditing import AuditStore

WHEN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ANNA = Actor("anna", "person")


def note(act: Act = Act.RELEASE, version: int = 1, **more: object) -> Note:
    """Return a note about a version."""
    fields = {"phase": Phase.OUTCOME, "outcome": "done", "actor": ANNA, "environment": "prod"}
    return Note(act=act, subject={"model": "tiny", "version": version}, **{**fields, **more})  # type: ignore[arg-type]


def written(store: AuditStore, count: int, begin: datetime = WHEN) -> list[Entry]:
    """Write so many lines, an hour apart."""
    return [
        append(store, note(version=number), begin + timedelta(hours=number))
        for number in range(1, count + 1)
    ]


def a_log(count: int = 5) -> FakeAudit:
    """Return a log of so many lines."""
    store = FakeAudit()
    written(store, count)
    return store
