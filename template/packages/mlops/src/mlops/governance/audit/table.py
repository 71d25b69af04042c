"""The audit log as rows: for a table on a terminal, and as CSV for a spreadsheet."""

import csv
import io
import json
from collections.abc import Sequence

from mlops.governance.audit.entry import TRAFFIC, Act, Entry, Phase, read_traffic

CSV_HEAD = (
    "number", "time", "environment", "act", "phase", "outcome", "who", "kind", "run_url",
    "subject", "reason", "details", "act_id", "previous", "sha256",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def chosen(
    entries: Sequence[Entry], *, version: int | None = None, act: Act | None = None
) -> list[Entry]:
    """Return the entries that concern a version, or of an act; those that end a month never.

    A version is also concerned where its share of the traffic changes, where its run was judged,
    and where a key is deleted that it was trained on.
    """
    concerned = None if version is None else _acts_on(version, entries)
    return [
        each
        for each in entries
        if each.act is not Act.MONTH
        and (concerned is None or each.act_id in concerned)
        and (act is None or each.act is act)
    ]


def _acts_on(version: int, entries: Sequence[Entry]) -> set[str]:
    runs = {each.subject.get("run_id") for each in entries if each.version == version} - {None}
    found: set[str] = set()
    shares: dict[tuple[str, object], int] = {}
    for each in entries:
        named = str(each.details.get("versions", "")).split()
        if each.version == version or str(version) in named or each.subject.get("run_id") in runs:
            found.add(each.act_id)
        traffic = each.details.get(TRAFFIC)
        if isinstance(traffic, str) and each.phase is Phase.OUTCOME:
            place, share = _place(each), read_traffic(traffic).get(version, 0)
            if share != shares.get(place, 0):
                found.add(each.act_id)
            shares[place] = share
    return found


def _place(entry: Entry) -> tuple[str, object]:
    return entry.environment, entry.subject.get("endpoint")


def about(entry: Entry) -> str:
    """Return what an entry is about, in a few words."""
    subject = entry.subject
    for name in ("version", "request_id", "alert", "candidate", "run_id"):
        if found := subject.get(name):
            return f"{name.removesuffix('_id')} {str(found)[:12]}"
    traffic = read_traffic(str(entry.details.get(TRAFFIC, "")))
    return ", ".join(f"{number} now {share} %" for number, share in sorted(traffic.items()))


def to_csv(entries: Sequence[Entry]) -> str:
    """Return the entries as CSV; what a spreadsheet would take for a formula is quoted."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(CSV_HEAD)
    for each in entries:
        row = (
            each.number, each.time.isoformat(), each.environment, each.act.value, each.phase.value,
            each.outcome, each.actor.name, each.actor.kind, each.actor.run_url,
            json.dumps(dict(each.subject), sort_keys=True, ensure_ascii=False),
            each.reason, json.dumps(dict(each.details), sort_keys=True, ensure_ascii=False),
            each.act_id, each.previous, each.sha256,
        )  # fmt: skip
        writer.writerow([_harmless(value) for value in row])
    return stream.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
