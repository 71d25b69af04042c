"""What is kept of who approved a release: GitHub forgets it with the run."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.artifacts.documents import APPROVALS
from mlops.ci.github import Approvals, Asked, Review, starters_of
from mlops.errors import MlopsError


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
