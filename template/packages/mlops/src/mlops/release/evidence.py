"""What remains of a release: its evidence as JSON, as a page for people, and as a picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.artifacts.data_source import read_source
from mlops.artifacts.documents import EVIDENCE
from mlops.artifacts.evidence_folder import releases_folder, time_name
from mlops.ci.job import run_url
from mlops.files import write_text
from mlops.markdown import checks_table, escaped, table
from mlops.platforms.base import Endpoint
from mlops.release.ab_test.decision import AbResult, Limits
from mlops.release.ab_test.looks import RATES, Arm, Look, number
from mlops.release.readiness import UNKNOWN, Readiness
from mlops.release.smoke import SmokeResult


@dataclass(frozen=True)
class Record:
    """One release, or one A/B test by itself, and how it ended.

    `kind` says which of the two; `versions` holds the model version of each deployment; `outcome`
    is `promoted`, `unchanged` (it served already), `hold`, `rejected` or `failed`; `data` holds
    what each of those versions is made of, and `replaced` which made-up data gave way; `changes`
    says which requests of before the candidate refuses, and `breaking` why it may; `left` names the
    replaced deployments that could not be removed. `model_version` is what was to be released, also
    where it was never deployed; None if it is the one that `versions` has of the candidate.
    `readiness` holds what the environment would have refused, and the hash of the human part then.
    """

    endpoint: str
    candidate: str
    versions: Mapping[str, int]
    outcome: str
    reason: str
    traffic_before: Mapping[str, int]
    traffic_after: Mapping[str, int]
    rehearsal: str = ""
    changes: tuple[str, ...] = ()
    breaking: str = ""
    replaced: str = ""
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    kind: str = "Release"
    smoke: SmokeResult | None = None
    ab_test: AbResult | None = None
    candidate_log: str = ""
    left: tuple[str, ...] = ()
    model_version: int | None = None
    readiness: Readiness = UNKNOWN

    @property
    def released(self) -> int | None:
        """The version that was to be released, if it is known."""
        return self.model_version or self.versions.get(self.candidate)

    @property
    def warning(self) -> str:
        """What to do about replaced deployments that are still there, or nothing."""
        if not self.left:
            return ""
        return (
            f"{' and '.join(self.left)} could not be removed: without traffic, but still running "
            "and, on Azure, billed; remove by hand what the next release does not replace"
        )

    def ended(self, outcome: str, reason: str, traffic: Mapping[str, int]) -> "Record":
        """Return the record with its end."""
        return replace(self, outcome=outcome, reason=reason, traffic_after=dict(traffic))

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON content."""
        content = {
            "endpoint": self.endpoint,
            "outcome": self.outcome,
            "reason": self.reason,
            "candidate": self.candidate,
            "model_version": self.released,
            "versions": dict(self.versions),
            "data": {name: dict(source) for name, source in self.data.items()},
            "replaced": self.replaced,
            "rehearsal": self.rehearsal,
            "changes_of_requests": list(self.changes),
            "breaking": self.breaking,
            "traffic_before": dict(self.traffic_before),
            "traffic_after": dict(self.traffic_after),
            "not_removed": list(self.left),
            "human_part_sha256": self.readiness.human_sha256,
            "would_be_refused": [each.to_dict() for each in self.readiness.lacking],
            "smoke_test": self.smoke.to_dict() if self.smoke else None,
            "ab_test": self.ab_test.to_dict() if self.ab_test else None,
        }
        return EVIDENCE.with_schema(content)


def record_of(
    endpoint: Endpoint,
    candidate: str,
    traffic_before: Mapping[str, int],
    outcome: str,
    reason: str,
) -> Record:
    """Return a record with the endpoint's versions and its traffic as they are now."""
    return Record(
        endpoint=endpoint.name,
        candidate=candidate,
        versions={each.name: each.model_version for each in endpoint.deployments()},
        outcome=outcome,
        reason=reason,
        traffic_before=traffic_before,
        traffic_after=endpoint.traffic(),
    )


def write_evidence(state_dir: Path, record: Record, moment: datetime) -> Path:
    """Write evidence.json, evidence.md and, after an A/B test, evidence.png; return their folder.

    Args:
        state_dir: the project's state folder.
        record: what happened.
        moment: when.
    """
    folder = releases_folder(state_dir) / record.endpoint / time_name(moment)
    folder.mkdir(parents=True)
    ended = {"ended_at": moment.isoformat(), "run": run_url()}
    EVIDENCE.write(folder, {**record.to_dict(), **ended})
    if record.ab_test and record.ab_test.looks:
        _draw(record.ab_test, folder / "evidence.png")
    if record.candidate_log:
        write_text(folder / "candidate.log", record.candidate_log)
    write_text(folder / "evidence.md", to_markdown(record, moment))
    return folder


def _draw(result: AbResult, path: Path) -> None:
    from mlops.release.evidence_picture import write_png  # matplotlib takes half a second

    write_png(result, path)


def to_markdown(record: Record, moment: datetime) -> str:
    """Return the record as a page for people."""
    before, after = _shares(record.traffic_before), _shares(record.traffic_after)
    versions = record.versions.items()
    lines = [
        f"# {record.endpoint}: {record.outcome}",
        "",
        f"{moment:%Y-%m-%d %H:%M} UTC. {record.reason}.",
        "",
        *(f"- {name}: version {version}{_data(record, name)}" for name, version in versions),
        f"- traffic before: {before}",
        f"- traffic after: {after}",
        "",
    ]
    if record.warning:
        lines += [f"**Warning:** {record.warning}.", ""]
    if record.changes:
        lines += ["What callers must send has changed, so nothing was compared:", ""]
        lines += [*(f"- {change}" for change in record.changes), ""]
    if record.replaced:
        lines += [f"{record.replaced}: made-up data give way without a comparison.", ""]
    if record.breaking:
        lines += [f"Released all the same: {record.breaking}.", ""]
    if record.readiness.lacking:
        lines += ["Where callers are, it would have been refused:", ""]
        lines += [*(f"- {escaped(each.said)}" for each in record.readiness.lacking), ""]
    if record.rehearsal:
        lines += [f"A rehearsal: {record.rehearsal}.", ""]
    if record.ab_test and record.ab_test.looks:
        lines += _ab_lines(record.ab_test)
    if record.smoke:
        lines += ["## Smoke test", ""]
        lines += checks_table((c.name, c.found, c.asked, c.passed) for c in record.smoke.checks)
    if record.candidate_log:
        lines += ["", "What the candidate printed last is in candidate.log.", ""]
    return "\n".join(lines)


def ab_rows(look: Look) -> list[tuple[str, ...]]:
    """Return the requests, then the numbers of each metric, as rows of a table."""
    total = (f"{look.baseline.requests:,}", f"{look.compared.requests:,}")
    rows: list[tuple[str, ...]] = [("requests", *total, "", "")]
    for metric in RATES:
        evidence = look.evidence[metric]
        shown = (_rate(look.baseline, metric), _rate(look.compared, metric))
        rows.append((metric, *shown, number(evidence.worse), number(evidence.not_worse)))
    return rows


def ab_columns(baseline: str, candidate: str, limits: Limits, look: Look) -> tuple[str, ...]:
    """Return the headings that go with `ab_rows`; the last two columns hold e-values."""
    return (
        "",
        baseline,
        f"copies to {candidate}" if look.phase == "mirror" else candidate,
        f"promote ≥ {number(limits.promote)}",
        f"reject ≥ {number(limits.reject)}",
    )


def copies_sentence(candidate: str, look: Look) -> str:
    """Return how copies went before callers were answered, or nothing."""
    if look.phase == "mirror" or not look.copies.requests:
        return ""
    rates = ", ".join(f"{metric} {_rate(look.copies, metric)}" for metric in RATES)
    return f"{candidate} first got {look.copies.requests:,} copies of requests: {rates}"


def _rate(arm: Arm, metric: str) -> str:
    rate = arm.rate(metric)
    return "none" if rate is None else f"{100 * rate:.2f} %"


def _ab_lines(result: AbResult) -> list[str]:
    settings = result.settings
    last = result.looks[-1]
    columns = ab_columns(result.baseline, result.candidate, result.limits, last)
    copies = copies_sentence(result.candidate, last)
    margins = settings.margins
    return [
        "## A/B test",
        "",
        *table(columns, ab_rows(last)),
        "",
        *([f"{copies}.", ""] if copies else []),
        f"Margins: errors (no answer within {settings.patience_ms:g} ms, or another than 200) "
        f"{margins.errors:g}, slower than {settings.objective_ms:g} ms {margins.slow:g}. "
        f"Probability of a wrong decision: at most {settings.alpha:g} each way, "
        "however often one looks.",
        "",
        "![E-values and rates over time](evidence.png)",
        "",
    ]


def _data(record: Record, deployment: str) -> str:
    """Return what a deployment's version is made of, as the end of its line."""
    source = record.data.get(deployment)
    return "" if source is None else f", of {escaped(read_source(source).words)}"


def _shares(traffic: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {share} %" for name, share in traffic.items()) or "none"
