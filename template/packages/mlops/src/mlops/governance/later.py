"""What became of a version after it was registered: approvals, releases, traffic, checks.

None of it stands in the version's folder, which never changes. Each source of it (kept evidence,
the log of changes of traffic, what checks found, the audit log) has a function here that returns
happenings, and `later` shows those of all sources as one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from mlops.artifacts import drift_result, performance_result
from mlops.artifacts.documents import said
from mlops.governance.audit.entry import TRAFFIC as SERVED
from mlops.governance.audit.entry import Act, Phase, read_traffic

APPROVAL, RELEASE, REHEARSAL, TRIAL, TRAFFIC = (
    *("approval", "release", "rehearsal"),
    *("A/B test", "traffic"),
)
DRIFT, PERFORMANCE = drift_result.CHECK, performance_result.CHECK
ESTIMATED = f"{performance_result.ESTIMATED} {PERFORMANCE}"
CHECKS = (DRIFT, PERFORMANCE, ESTIMATED)
"""What a check found, as `of_checks` calls it."""
NO_CALLERS = "no callers any more"
_NOBODY = "nobody whose approval counts"


@dataclass(frozen=True)
class Happening:
    """One thing that happened to a version.

    Attributes:
        version: its number.
        time: when, in ISO 8601 with its offset; empty if that was not recorded.
        what: `approval`, `release`, `rehearsal`, `A/B test`, `traffic`, one of `CHECKS`, or an
            act of the audit log.
        outcome: how it ended, such as `approved`, `promoted` or `rolled back`.
        environment: where; empty if it concerns all.
        detail: more about it in a line.
        page: the run of the pipeline in which it happened; empty outside of one.
        place: where it is recorded.
        who: the names of those who did it, where they are recorded.
        begun: when it began, where that is recorded.
    """

    version: int
    time: str
    what: str
    outcome: str
    environment: str
    detail: str = ""
    page: str = ""
    place: str = ""
    who: tuple[str, ...] = ()
    begun: str = ""

    @property
    def moment(self) -> datetime:
        """When it happened; what nobody dated was before all else."""
        return moment_of(self.time)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON content."""
        return asdict(self)


def later(
    version: int, happenings: Sequence[Happening], environment: str | None = None
) -> tuple[Happening, ...]:
    """Return what happened to one version, oldest first, each happening once.

    Args:
        version: its number.
        happenings: those of all sources, of all versions. If two sources tell of the same one, the
            first is kept.
        environment: only what happened there; None: everywhere.
    """
    once: dict[tuple[str, ...], Happening] = {}
    for each in happenings:
        here = environment is None or each.environment in ("", environment)
        if each.version == version and here:
            key = (each.time, each.what, each.outcome, each.environment, *each.who)
            once.setdefault(key, each)
    return tuple(sorted(once.values(), key=lambda each: each.moment))


def moment_of(time: str) -> datetime:
    """Return the moment of a time in ISO 8601; the first one of all where it is none."""
    try:
        found = datetime.fromisoformat(time)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def of_approvals(version: int, content: Mapping[str, Any], place: str) -> list[Happening]:
    """Return what approvals.json tells.

    Args:
        version: the version that it lies beside; the file may not name it.
        content: of the file.
        place: where it is kept.
    """
    people = tuple(map(str, content.get("approved_by") or []))
    required = content.get("required", "an unknown number")
    asked = f"by {', '.join(people) or _NOBODY}, {required} asked"
    reason = content.get("reason") or ""
    return [
        Happening(
            version=version,
            time=str(content.get("asked_at") or ""),
            what=APPROVAL,
            outcome=str(content.get("outcome") or "unknown"),
            environment=str(content.get("environment") or ""),
            detail=f"{asked}: {reason}" if reason else asked,
            page=str((content.get("run") or {}).get("url") or ""),
            place=place,
            who=people,
        )
    ]


def of_release(environment: str, content: Mapping[str, Any], place: str) -> list[Happening]:
    """Return what evidence.json tells of the version that was released, and of those that gave way.

    Args:
        environment: where it was released.
        content: of the file.
        place: where it is kept.
    """
    versions = content.get("versions") or {}
    released = content.get("model_version") or versions.get(content.get("candidate"))
    time, page = str(content.get("ended_at") or ""), str(content.get("run") or "")
    found = []
    if released is not None:
        rehearsed = bool(content.get("rehearsal"))
        released_at_all = content.get("smoke_test") or not content.get("ab_test")
        word = REHEARSAL if rehearsed else RELEASE
        found.append(
            Happening(
                version=int(released),
                time=time,
                what=word if released_at_all else TRIAL,
                outcome=str(content.get("outcome") or "unknown"),
                environment=environment,
                detail=str(content.get("reason") or ""),
                page=page,
                place=place,
            )
        )
    before, after = (content.get(f"traffic_{when}") or {} for when in ("before", "after"))
    found += [
        Happening(
            version=int(version),
            time=time,
            what=TRAFFIC,
            outcome=NO_CALLERS,
            environment=environment,
            detail=f"version {released} took its place",
            page=page,
            place=place,
        )
        for name, version in versions.items()
        if version != released and before.get(name) and not after.get(name)
    ]
    return found


def of_audit(entries: Iterable[Mapping[str, Any]]) -> list[Happening]:
    """Return what lines of the audit log tell of versions.

    An act is told of the version that it is about, and a change of traffic also of each other
    version whose share it changed. An intent is told only where no outcome followed: somebody
    began, and nobody knows the end.

    Args:
        entries: all lines of a log in their order, as `Entry.to_dict` gives them.
    """
    lines = list(entries)
    ended = {each["act_id"] for each in lines if each["phase"] != Phase.INTENT}
    begun = {each["act_id"]: str(each["time"]) for each in lines if each["phase"] == Phase.INTENT}
    served: dict[tuple[object, object], dict[int, int]] = {}
    found = []
    for each in lines:
        if each["phase"] == Phase.INTENT and each["act_id"] in ended:
            continue
        about = said(each, "subject", "version")
        started = begun.get(each["act_id"], "")
        if isinstance(about, int):
            found.append(_act(each, about, started))
        found += [_held_the_key(each, n, started) for n in _trained_on_a_deleted_key(each)]
        text = said(each, "details", SERVED)
        if each["act"] in _CHANGES and each["phase"] != Phase.INTENT and isinstance(text, str):
            place = (each["environment"], said(each, "subject", "endpoint"))
            before, served[place] = served.get(place, {}), read_traffic(text)
            shares = _changed_shares(before, served[place])
            found += [_shift(each, n, shares[n], started) for n in shares if n != about]
    return found


_CHANGES = (Act.RELEASE, Act.SWITCH, Act.ROLLBACK)


def _changed_shares(before: Mapping[int, int], after: Mapping[int, int]) -> dict[int, int]:
    """Return the new percentage of each version that has another one than before."""
    names = sorted({*before, *after})
    return {n: after.get(n, 0) for n in names if before.get(n, 0) != after.get(n, 0)}


def _act(entry: Mapping[str, Any], version: int, started: str) -> Happening:
    reason = f": {entry['reason']}" if entry["reason"] else ""
    is_rehearsal = entry["act"] == Act.RELEASE and said(entry, "details", "rehearsal")
    return _line(
        entry,
        version,
        started,
        what=REHEARSAL if is_rehearsal else str(entry["act"]),
        outcome=str(entry["outcome"])
        if entry["phase"] != Phase.INTENT
        else "begun, and no end is recorded",
        detail=f"by {entry['who']['name']}{reason}",
    )


def _trained_on_a_deleted_key(entry: Mapping[str, Any]) -> list[int]:
    if entry["act"] != Act.DELETION or entry["phase"] == Phase.INTENT:
        return []
    return [int(number) for number in str(said(entry, "details", "versions") or "").split()]


def _held_the_key(entry: Mapping[str, Any], version: int, started: str) -> Happening:
    return _line(
        entry,
        version,
        started,
        what=str(entry["act"]),
        outcome="trained on a key that was deleted",
        detail=f"request {said(entry, 'subject', 'request_id')}: train again, and replace it",
    )


def _shift(entry: Mapping[str, Any], version: int, share: int, started: str) -> Happening:
    about = said(entry, "subject", "version")
    of_version = "" if about is None else f" of version {about}"
    return _line(
        entry,
        version,
        started,
        what=TRAFFIC,
        outcome=f"{share} % of the callers" if share else NO_CALLERS,
        detail=f"{entry['act']}{of_version} by {entry['who']['name']}",
    )


def _line(
    entry: Mapping[str, Any], version: int, started: str, *, what: str, outcome: str, detail: str
) -> Happening:
    return Happening(
        version=version,
        time=str(entry["time"]),
        what=what,
        outcome=outcome,
        environment=str(entry["environment"]),
        detail=detail,
        page=str(entry["who"]["run_url"]),
        place=f"line {entry['number']} of the audit log",
        who=(str(entry["who"]["name"]),),
        begun=started,
    )


def of_checks(name: str, rows: Iterable[Mapping[str, Any]], place: str) -> list[Happening]:
    """Return what checks of drift or performance found on the whole, not in a column or a group.

    Args:
        name: of the check, `drift` or `performance`.
        rows: what it kept at one endpoint.
        place: where that is kept.
    """
    return [
        Happening(
            version=int(row["model_version"]),
            time=str(row.get("time") or ""),
            what=ESTIMATED if row.get("kind") == performance_result.ESTIMATED else name,
            outcome=str(row.get("outcome") or "unknown"),
            environment=str(row.get("environment") or ""),
            detail=_checked(name, row),
            place=place,
        )
        for row in rows
        if row.get("model_version") is not None and not row.get("column") and not row.get("slice")
    ]


def _checked(name: str, row: Mapping[str, Any]) -> str:
    if name == DRIFT:
        columns = f"{row.get('drifted_columns')} of {row.get('columns')} columns drifted"
        return f"{columns}, {row.get('rows')} predictions"
    value = row.get("value")
    number = f"{value:.4g}" if isinstance(value, int | float) else "not computed"
    return f"{row.get('metric')} {number}, {row.get('rows')} rows"


def of_changes(
    rows: Iterable[Mapping[str, Any]], by_hand: Collection[str], place: str
) -> list[Happening]:
    """Return what the log of changes of traffic tells, but for releases, which leave evidence.

    Args:
        rows: what was kept of one endpoint's changes, oldest first.
        by_hand: the kinds of which there is no other evidence.
        place: where the log is.
    """
    found = []
    before: int | None = None

    def told(row: Mapping[str, Any], version: int, outcome: str) -> Happening:
        return Happening(
            version=version,
            time=str(row.get("time") or ""),
            what=TRAFFIC,
            outcome=outcome,
            environment=str(row.get("environment") or ""),
            detail=f"{row['kind']}, then: {row.get('traffic') or 'nothing'}",
            place=place,
        )

    for row in rows:
        version = row.get("model_version")
        if row.get("kind") in by_hand:
            if version is not None:
                found.append(told(row, int(version), str(row.get("outcome") or "unknown")))
            if before is not None and before != version:
                found.append(told(row, before, "most callers reach another version"))
        before = None if version is None else int(version)
    return found
