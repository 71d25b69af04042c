"""A candidate, and a repository with commits that it can be of."""

import os
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from mlops.artifacts.candidate import Candidate, FreshData, candidate_id

DECIDED = datetime(2026, 6, 30, 12, tzinfo=UTC)
COMMIT = "c0ffee" + "0" * 34


def candidate(**changed: Any) -> Candidate:
    given = {
        "id": candidate_id(7, DECIDED),
        "model_name": "tiny",
        "environment": "prod",
        "endpoint": "tiny-prod",
        "reference": 7,
        "commit": COMMIT,
        "cause": "drift",
        "reason": "drift in 2 of the last 5 windows, and in the newest",
        "window_start": datetime(2026, 4, 1, tzinfo=UTC),
        "window_end": DECIDED,
        "data": FreshData(kind="sample", reference_date=date(2026, 6, 30)),
        "created_at": DECIDED,
    }
    return Candidate.model_validate({**given, **changed})


def git(root: Path, *arguments: str) -> str:
    """Return what git says; the same content makes the same commits."""
    day = "2026-06-01T00:00:00Z"
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    done = subprocess.run(
        ["git", *identity, *arguments],
        cwd=root,
        env={**os.environ, "GIT_AUTHOR_DATE": day, "GIT_COMMITTER_DATE": day},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def committed(root: Path, *files: str) -> str:
    """Commit all that a folder holds, and these empty files; return the commit."""
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    if not (root / ".git").exists():
        git(root, "init", "-q", "-b", "main")
    git(root, "add", "--all")
    git(root, "commit", "-q", "--allow-empty", "-m", "a commit")
    return git(root, "rev-parse", "HEAD")
