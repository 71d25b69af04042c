"""Training a candidate: what its manifest asks of settings and code, and where it is kept."""

from typing import Any

from mlops.artifacts.candidate import CANDIDATE, Candidate
from mlops.artifacts.data_source import ASSET, FOLDER, SAMPLE
from mlops.errors import Refused
from mlops.platforms.base import Run
from mlops.settings.loading import LoadedSettings
from mlops.steps.provenance import git_state


def settings_of_candidate(candidate: Candidate) -> dict[str, Any]:
    """Return the settings that a manifest asks for, by their dotted names."""
    data = candidate.data
    asked = {"data.fraction": data.fraction, "data.reference_date": data.reference_date}
    named = {
        SAMPLE: {"data.source": SAMPLE},
        FOLDER: {"data.source": FOLDER, "data.folder": data.name},
        ASSET: {"azure.data_asset": data.name},
    }
    return {**asked, **named[data.kind]}


def require_its_code(candidate: Candidate, settings: LoadedSettings) -> None:
    """Refuse to train a candidate by other code than its manifest names.

    Raises:
        Refused: it is of another model or commit, or there are uncommitted changes.
        ConfigError: git does not say which commit this is.
    """
    if candidate.model_name != settings.model_name:
        raise Refused(
            f"candidate {candidate.id} is of the model {candidate.model_name}, and this is "
            f"{settings.model_name}"
        )
    git = git_state(settings.project.root)
    if git.commit != candidate.commit:
        raise Refused(
            f"candidate {candidate.id} is of commit {candidate.commit}, and this is "
            f"{git.commit or 'none'}",
            "check out its commit",
        )
    if git.dirty:
        raise Refused(
            f"candidate {candidate.id} is of commit {candidate.commit}, and there are uncommitted "
            "changes",
            "take a fresh clone of its commit",
        )


def keep_with(run: Run, candidate: Candidate) -> None:
    """Keep the manifest with the run that was made of it, so that its version can say so."""
    CANDIDATE.write(run.folder, candidate.to_dict())
