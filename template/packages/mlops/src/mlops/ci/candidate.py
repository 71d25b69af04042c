"""Whether the pipeline may train a candidate: reviewed code of this project, and in time."""

from datetime import timedelta
from pathlib import Path

from mlops.artifacts.candidate import Candidate
from mlops.errors import Refused
from mlops.hints import typed
from mlops.monitoring.retraining.commit import require_trainable
from mlops.monitoring.retraining.knowledge import Serving
from mlops.settings.loading import LoadedSettings
from mlops.settings.project import Project
from mlops.steps.provenance import ask_git

MAIN = "refs/heads/main"


def require_reviewed(project: Project, candidate: Candidate, ref: str) -> None:
    """Refuse a candidate whose commit main does not hold: it runs with main's rights.

    Args:
        project: at the commit of the run.
        candidate: what is to be trained.
        ref: the branch of the run, as GITHUB_REF says it.

    Raises:
        Refused: it is of another model, another branch runs, or main does not hold the commit.
        ConfigError: the commit cannot be trained again.
    """
    if ref != MAIN:
        raise Refused(
            f"candidates are trained from main alone, and this is {ref or 'no branch'}",
            "start the run with --ref main",
        )
    if candidate.model_name != project.name:
        raise Refused(f"the candidate is of the model {candidate.model_name}, not {project.name}")
    serving = Serving(
        candidate.reference, "", candidate.commit, dirty=False, made=None, candidate=None
    )
    require_trainable(project.root, serving)
    if not _is_held(project.root, candidate.commit):
        raise Refused(
            f"main does not hold commit {candidate.commit}, so nobody reviewed it",
            "train a candidate of a version that main made",
        )


def require_waited_for(settings: LoadedSettings, candidate: Candidate) -> None:
    """Refuse a candidate for which nobody waits any more: another one may have begun since.

    Args:
        settings: of the environment in which it is to serve.
        candidate: what is to be trained.

    Raises:
        Refused: it was decided `retraining.patience_hours` ago, or longer.
    """
    hours = settings.values.retraining.patience_hours
    if settings.clock() - candidate.created_at >= timedelta(hours=hours):
        raise Refused(
            f"candidate {candidate.id} was decided {candidate.created_at:%Y-%m-%d %H:%M} UTC, more "
            f"than retraining.patience_hours ({hours:g}) ago, so another one may have begun",
            "have it decided again: `gh workflow run monitor.yml`, or "
            f"{typed('retrain --cause TEXT')}",
        )


def _is_held(root: Path, commit: str) -> bool:
    return ask_git(root, "merge-base", "--is-ancestor", commit, "HEAD").well
