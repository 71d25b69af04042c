"""What each environment refuses of a version: the table of docs/gate.md, and what is missing of it.

Every environment asks for what people wrote, for groups that were judged, for lineage and for the
version's own card; prod also for a clean working tree and for approvals.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from mlops.artifacts.documents import CARD, LINEAGE
from mlops.artifacts.version_folder import VersionFolder, changed_since_registration
from mlops.checks import Check
from mlops.errors import MlopsError
from mlops.governance.group_checks import required_slice, slices_hold
from mlops.governance.human_part import REVIEW, FieldProblem
from mlops.settings.sections import GateSettings

PROD = "prod"
"""The environment whose endpoint callers reach."""


class Requirement(StrEnum):
    """What may be missing; the words are those of docs/gate.md."""

    HUMAN = "a human field that is empty or says TODO"
    REVIEW = "an overdue review"
    SLICE_GAP = "a slice gap over its limit"
    SLICES = "a required slice that was not assessed"
    LINEAGE = "missing lineage"
    CARD = "a card that is not this version's"
    DIRTY = "a dirty working tree"
    APPROVAL = "a missing approval"


PROD_ALONE = frozenset({Requirement.DIRTY, Requirement.APPROVAL})
"""What other environments do not ask for."""

LINEAGE_FIELDS = (
    ("model", "name"),
    ("model", "version"),
    ("created_at",),
    ("run_id",),
    ("git", "commit"),
    ("environment", "packages_sha256"),
    ("data", "hash"),
    ("data", "source"),
    ("data", "reference_date"),
    ("training", "params"),
    ("verdict", "checks"),
    ("files",),
)
"""What lineage.json must say of every version."""


@dataclass(frozen=True)
class Lack:
    """One thing that is missing, and the sentence that says so."""

    requirement: Requirement
    said: str

    def to_dict(self) -> dict[str, str]:
        """Return it as JSON content."""
        return {"requirement": self.requirement.name.lower(), "said": self.said}


@dataclass(frozen=True)
class Evidence:
    """What is known of a version, or of a run that is not registered.

    Attributes:
        human: what is wrong with the human part today.
        evaluation: the content of evaluation.json, None where it is not at hand.
        lineage: what is missing of the lineage.
        card: what is wrong with the card.
        dirty: whether the code had uncommitted changes; None where nobody knows.
        approvals: the content of approvals.json, None where there is none.
        model_version: the version; None of a run.
    """

    human: Sequence[FieldProblem]
    evaluation: Mapping[str, Any] | None
    lineage: Sequence[str]
    card: Sequence[str]
    dirty: bool | None
    approvals: Mapping[str, Any] | None = None
    model_version: int | None = None


@dataclass(frozen=True)
class Demands:
    """What an environment asks for: its name, the gate's settings, and how many approve."""

    environment: str
    gate: GateSettings = field(default_factory=GateSettings)
    approvals: int = 0


def asked_of(environment: str) -> tuple[Requirement, ...]:
    """Return what an environment asks for, in the order of the table."""
    return tuple(each for each in Requirement if environment == PROD or each not in PROD_ALONE)


def lacks(evidence: Evidence, demands: Demands) -> tuple[Lack, ...]:
    """Return all that an environment would refuse a version for; nothing if it would not."""
    asked = asked_of(demands.environment)
    return tuple(each for each in _lacks(evidence, demands) if each.requirement in asked)


def _lacks(evidence: Evidence, demands: Demands) -> Iterator[Lack]:
    for problem in evidence.human:
        is_review = problem.field == REVIEW
        yield Lack(Requirement.REVIEW if is_review else Requirement.HUMAN, problem.sentence)
    yield from _of_slices(evidence.evaluation, demands.gate)
    for said in evidence.lineage:
        yield Lack(Requirement.LINEAGE, said)
    for said in evidence.card:
        yield Lack(Requirement.CARD, said)
    if evidence.dirty is None:
        yield Lack(Requirement.DIRTY, "nobody knows whether the code had uncommitted changes")
    elif evidence.dirty:
        yield Lack(Requirement.DIRTY, "the code had uncommitted changes when it was trained")
    if demands.approvals and (said := _approval(evidence, demands)):
        yield Lack(Requirement.APPROVAL, said)


def _of_slices(evaluation: Mapping[str, Any] | None, gate: GateSettings) -> Iterator[Lack]:
    asked = gate.required_slices
    if evaluation is None:
        if gate.max_slice_gap is not None or asked:
            yield Lack(Requirement.SLICES, "its evaluation is not at hand")
        return
    if gate.max_slice_gap is not None:
        check = slices_hold(gate, gate.max_slice_gap, evaluation)
        if not check.passed:
            yield Lack(Requirement.SLICE_GAP, _told(check))
    for name in asked:
        check = required_slice(name, gate, evaluation)
        if not check.passed:
            yield Lack(Requirement.SLICES, _told(check))


def _told(check: Check) -> str:
    return f"{check.name}: {check.found}, asked {check.asked}"


def _approval(evidence: Evidence, demands: Demands) -> str:
    found, needed = evidence.approvals, demands.approvals
    if found is None:
        return f"no approval is recorded, and {needed} are asked"
    if found.get("environment") != demands.environment:
        return f"the recorded approval is of {found.get('environment')}"
    version = found.get("model_version")
    if version is None or version != evidence.model_version:
        return f"the recorded approval is of version {version}"
    if found.get("outcome") != "approved":
        return f"the recorded outcome is {found.get('outcome')}"
    people = set(found.get("approved_by", ()))
    return "" if len(people) >= needed else f"{len(people)} approved, and {needed} are asked"


def lineage_problems(folder: Path) -> tuple[str, ...]:
    """Return what lineage.json of a version does not say."""
    try:
        lineage = VersionFolder(folder).lineage()
    except MlopsError as error:
        return (error.message,)
    return tuple(
        f"{LINEAGE.name} has no {'.'.join(path)}"
        for path in LINEAGE_FIELDS
        if _at(lineage, path) in (None, "")
    )


def card_problems(folder: Path, name: str, version: int) -> tuple[str, ...]:
    """Return why a version's card is not its own: of another one, changed or missing.

    Args:
        folder: the version's.
        name: the model's.
        version: the version's number.
    """
    files = VersionFolder(folder)
    try:
        card, lineage = files.card(), files.lineage()
    except MlopsError as error:
        return (error.message,)
    found = []
    if _at(card, ("model", "name")) != name or _at(card, ("model", "version")) != version:
        said = f"{_at(card, ('model', 'name'))} version {_at(card, ('model', 'version'))}"
        found.append(f"{CARD.name} is that of {said}")
    if _at(card, ("lineage", "run_id")) != lineage.get("run_id"):
        found.append(f"{CARD.name} is of another run than {LINEAGE.name}")
    changes = changed_since_registration(folder)
    for path in (folder / CARD.name, files.model_card, files.card_page):
        if not path.is_file():
            found.append(f"{path.name} is missing")
        elif changes is None or path.name in changes:
            found.append(f"{path.name} is not the file that was registered")
    return tuple(found)


def _at(content: Mapping[str, Any], path: Sequence[str]) -> Any:
    found: Any = content
    for each in path:
        found = found.get(each) if isinstance(found, Mapping) else None
    return found
