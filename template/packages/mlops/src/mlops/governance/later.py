"""What became of a version after it was registered: approvals, releases, traffic.

None of it stands in the version's folder, which never changes. Each source of it (kept evidence,
the log of changes of traffic, …) has a function here that returns happenings, and `later` shows
those of all sources as one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from mlops.artifacts.documents import said

APPROVAL, RELEASE, TRIAL, TRAFFIC = "approval", "release", "A/B test", "traffic"
_NOBODY = "nobody whose approval counts"


@dataclass(frozen=True)
class Happening:
    """One thing that happened to a version.

    Attributes:
        version: its number.
        time: when, in ISO 8601 with its offset; empty if that was not recorded.
        what: `approval`, `release`, `A/B test`, `traffic`, or a word of another source.
        outcome: how it ended, such as `approved`, `promoted` or `rolled back`.
        environment: where; empty if it concerns all.
        detail: more about it in a line.
        page: the run of the pipeline in which it happened; empty outside of one.
        place: where it is recorded.
    """

    version: int
    time: str
    what: str
    outcome: str
    environment: str
    detail: str = ""
    page: str = ""
    place: str = ""

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
            key = (each.time, each.what, each.outcome, each.environment)
            once.setdefault(key, each)
    return tuple(sorted(once.values(), key=_moment))


def _moment(happening: Happening) -> datetime:
    """Return when something happened; what nobody dated comes first."""
    try:
        found = datetime.fromisoformat(happening.time)
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
    names = ", ".join(map(str, content.get("approved_by") or [])) or _NOBODY
    asked = f"by {names}, {content.get('required', 'an unknown number')} asked"
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
        rehearsed = "a rehearsal: " if content.get("rehearsal") else ""
        found.append(
            Happening(
                version=int(released),
                time=time,
                what=RELEASE if content.get("smoke_test") or not content.get("ab_test") else TRIAL,
                outcome=str(content.get("outcome") or "unknown"),
                environment=environment,
                detail=f"{rehearsed}{content.get('reason') or ''}",
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
            outcome="no callers any more",
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

    An intent is told only where no outcome followed: somebody began, and nobody knows the end.

    Args:
        entries: lines as JSON content: `number`, `act_id`, `time`, `act`, `phase`, `who`,
            `environment`, `subject` (with `version`), `outcome`, `reason`.
    """
    lines = list(entries)
    ended = {each["act_id"] for each in lines if each["phase"] != "intent"}
    found = []
    for each in lines:
        version = said(each, "subject", "version")
        begun = each["phase"] == "intent"
        if not isinstance(version, int) or (begun and each["act_id"] in ended):
            continue
        reason = f": {each['reason']}" if each["reason"] else ""
        found.append(
            Happening(
                version=version,
                time=str(each["time"]),
                what=str(each["act"]),
                outcome="begun, and no end is recorded" if begun else str(each["outcome"]),
                environment=str(each["environment"]),
                detail=f"by {each['who']['name']}{reason}",
                page=str(each["who"]["run_url"]),
                place=f"line {each['number']} of the audit log",
            )
        )
    return found


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
    for row in rows:
        version = row.get("model_version")
        told = {
            "time": str(row.get("time") or ""),
            "environment": str(row.get("environment") or ""),
        }
        if row.get("kind") in by_hand:
            shares = f"{row['kind']}, then: {row.get('traffic') or 'nothing'}"
            if version is not None:
                outcome = str(row.get("outcome") or "unknown")
                found.append(
                    Happening(
                        int(version),
                        **told,
                        what=TRAFFIC,
                        outcome=outcome,
                        detail=shares,
                        place=place,
                    )
                )
            if before is not None and before != version:
                outcome = "most callers reach another version"
                found.append(
                    Happening(
                        before, **told, what=TRAFFIC, outcome=outcome, detail=shares, place=place
                    )
                )
        before = None if version is None else int(version)
    return found
