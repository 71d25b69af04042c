"""What is kept of who approved a release: GitHub forgets it with the run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.artifacts.documents import APPROVALS
from mlops.ci.github import Approvals, Asked, Review, starters_of
from mlops.errors import MlopsError
from mlops.progress import Report
from mlops.settings.loading import LoadedSettings

if TYPE_CHECKING:
    from mlops.platforms.base import Platform


@dataclass(frozen=True)
class Question:
    """Who was to approve what; `model_version` is None where nobody said which is released."""

    run_id: str
    environment: str
    required: int
    model_version: int | None = None


def write_approvals(
    folder: Path, question: Question, asked: Asked | MlopsError, moment: datetime
) -> Path:
    """Write who approved into a folder, also if that was not enough; return the path of the file.

    Where GitHub did not say, the outcome is `unknown`.

    Args:
        folder: where the evidence of releases is.
        question: what GitHub was asked.
        asked: what it said, or why it said nothing.
        moment: when it was asked.
    """
    return APPROVALS.write(folder, {**_content(question, asked), "asked_at": moment.isoformat()})


def note_approvals(
    question: Question, asked: Asked, load: Callable[[], LoadedSettings], report: Report
) -> None:
    """Write down in the audit log who approved, and whose approval did not count, once each.

    What cannot be written down is reported: the release that follows needs the log itself.

    Args:
        question: what GitHub was asked.
        asked: what it said.
        load: returns the settings of the environment that was approved.
        report: is told what could not be written down.
    """
    from mlops.governance.audit.entry import Act, Actor
    from mlops.governance.audit.record import noted
    from mlops.platforms import open_platform

    try:
        settings = load()
        platform = open_platform(settings)
    except MlopsError as error:
        report(f"the approvals are not in the audit log: {error.message}")
        return
    subject: dict[str, str | int] = {"workflow_run": question.run_id}
    if question.model_version is not None:
        subject["version"] = question.model_version
    url = str(asked.run.get("html_url") or "")
    known = _noted_before(platform, settings.values.environment)
    for review in asked.approvals.reviews:
        outcome = "not counted" if review.why_not else "approved"
        details: dict[str, str | int | bool | None] = {
            "state": review.state,
            "attempt": asked.run.get("run_attempt"),
            "required": question.required,
            "enough": asked.refusal is None,
        }
        about = {"model": settings.model_name, **subject, **details}
        if (review.who, outcome, *sorted(about.items())) in known:
            continue
        noted(
            platform,
            settings,
            Act.APPROVAL,
            subject,
            outcome,
            f"{review.who} {review.why_not}" if review.why_not else "",
            report=report,
            details=details,
            actor=Actor(review.who, "person", url),
        )


def _noted_before(platform: "Platform", environment: str) -> set[tuple[object, ...]]:
    from mlops.governance.audit.entry import Act
    from mlops.governance.audit.log import read_entries

    try:
        before = read_entries(platform.audit())
    except Exception:  # which is said of each line that cannot be written
        return set()
    return {
        (each.actor.name, each.outcome, *sorted({**each.subject, **each.details}.items()))
        for each in before
        if each.act == Act.APPROVAL and each.environment == environment
    }


def _content(question: Question, asked: Asked | MlopsError) -> dict[str, Any]:
    known = isinstance(asked, Asked)
    said = asked if isinstance(asked, Asked) else Asked({}, Approvals((), ()))
    reason = said.refusal if known else asked
    return {
        "environment": question.environment,
        "model_version": question.model_version,
        "required": question.required,
        "outcome": ("refused" if reason else "approved") if known else "unknown",
        "reason": str(reason or ""),
        "run": {
            "id": question.run_id,
            "attempt": said.run.get("run_attempt"),
            "url": said.run.get("html_url"),
            "commit": said.run.get("head_sha"),
            "started_by": sorted(starters_of(said.run)),
        },
        "approved_by": list(said.approvals.counted),
        "reviews": [_row(each) for each in said.approvals.reviews] if known else None,
    }


def _row(review: Review) -> dict[str, Any]:
    return {
        "who": review.who,
        "state": review.state,
        "environments": list(review.environments),
        "comment": review.comment,
        "counts": not review.why_not,
        "why_not": review.why_not,
    }
