"""What evidence and the audit log both tell of a version, told once, with both places.

They are two accounts of the same: evidence says on what grounds, the log says who and cannot be
bent unnoticed. They are one happening only where they agree; where they do not, a reader sees both.
"""

from collections.abc import Iterable
from dataclasses import replace

from mlops.governance.audit.entry import Act, Ending
from mlops.governance.later import (
    APPROVAL,
    NO_CALLERS,
    REHEARSAL,
    RELEASE,
    TRAFFIC,
    Happening,
    later,
    moment_of,
)

_ENDS = {
    "promoted": (Ending.DONE,),
    "rejected": (Ending.REFUSED,),
    "hold": (Ending.HOLD,),
    "failed": (Ending.FAILED, Ending.INTERRUPTED),
}
"""How the log says the end of a release that evidence.json says."""


def joined(
    version: int, told: Iterable[Happening], logged: Iterable[Happening]
) -> tuple[Happening, ...]:
    """Return what happened to a version by all accounts, oldest first.

    Args:
        version: its number.
        told: happenings of any source but the audit log.
        logged: what the audit log tells, as `of_audit` returns it.
    """
    found = list(later(version, list(told)))
    alone = []
    for line in later(version, list(logged)):
        place = next((n for n, each in enumerate(found) if _is_same(each, line)), None)
        if place is None:
            alone.append(line)
        else:
            found[place] = _both(found[place], line)
    return later(version, [*found, *alone])


def _is_same(told: Happening, line: Happening) -> bool:
    if told.environment != line.environment:
        return False
    if line.what == APPROVAL:
        return told.what == APPROVAL and _is_of_the_same_review(told, line)
    if not line.begun or not moment_of(line.begun) <= told.moment <= line.moment:
        return False
    if line.what in (RELEASE, REHEARSAL):
        return told.what == line.what and line.outcome in _ENDS.get(told.outcome, ())
    if told.what != TRAFFIC:
        return False
    if line.what == TRAFFIC:
        return told.outcome != NO_CALLERS or line.outcome == NO_CALLERS
    return line.what in (Act.SWITCH, Act.ROLLBACK) and line.outcome == Ending.DONE


def _is_of_the_same_review(told: Happening, line: Happening) -> bool:
    """Return whether a line says that somebody approved whom the evidence of that run names."""
    same_run = bool(line.page) and told.page == line.page
    return same_run and line.outcome == "approved" and {*line.who} <= {*told.who}


def _both(told: Happening, line: Happening) -> Happening:
    by = "" if told.who else f"by {', '.join(line.who)}"
    return replace(
        told,
        detail=", ".join(filter(None, (told.detail, by))),
        page=told.page or line.page,
        place=f"{told.place} and {line.place}",
        who=told.who or line.who,
        begun=told.begun or line.begun,
    )
