"""The audit log as rows: for a table on a terminal, and as CSV for a spreadsheet."""

import csv
import io
import json
from collections.abc import Sequence

from mlops.governance.audit.entry import Act, Entry

CSV_HEAD = (
    "number", "time", "environment", "act", "phase", "outcome", "who", "kind", "run_url",
    "subject", "reason", "details", "act_id", "previous", "sha256",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def chosen(
    entries: Sequence[Entry], *, version: int | None = None, act: Act | None = None
) -> list[Entry]:
    """Return the entries about a version, or of an act; those that say where a month ends never."""
    return [
        each
        for each in entries
        if each.act is not Act.MONTH
        and (version is None or each.version == version)
        and (act is None or each.act is act)
    ]


def about(entry: Entry) -> str:
    """Return what an entry is about, in a few words."""
    subject = entry.subject
    for name in ("version", "request_id", "alert", "candidate", "run_id"):
        if found := subject.get(name):
            return f"{name.removesuffix('_id')} {str(found)[:12]}"
    return ""


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
