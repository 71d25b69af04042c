"""What of GitHub decides whether the workflows run, and whether their jobs can sign in to Azure."""

from pathlib import Path

from mlops.ci.setup_github.gh import Gh, Run
from mlops.ci.setup_github.github import GitHub
from mlops.ci.setup_github.hosting import INSTEAD, where_it_is_hosted
from mlops.diagnosis import Diagnosis
from mlops.errors import MlopsError

HOSTING = "GitHub"
SIGN_IN = "GitHub's tokens"


def hosting(root: Path) -> list[Diagnosis]:
    """Say so where `origin` is on no GitHub that the workflows run on; nothing is asked of it."""
    said = where_it_is_hosted(root)
    return [Diagnosis(HOSTING, False, each, INSTEAD, needed=False) for each in said]


def sign_in(root: Path, run: Run | None = None) -> Diagnosis:
    """Ask GitHub by what its tokens name a job that signs in to Azure.

    Args:
        root: the project's folder.
        run: in the place of gh.
    """
    try:
        repository = GitHub(Gh(root, run)).repository()
    except MlopsError as error:
        found = f"not checked: {error.message}"
        return Diagnosis(SIGN_IN, False, found, error.remedy or "`gh auth status`", needed=False)
    subject, name = repository.subject, repository.name
    if subject.is_customised:
        return Diagnosis(SIGN_IN, False, subject.found(name), subject.remedy(name), needed=False)
    if subject.claims is None:
        (note,) = subject.notes(name)
        return Diagnosis(SIGN_IN, False, note, "ask an administrator of it", needed=False)
    return Diagnosis(SIGN_IN, True, f"those of {name} name repository and environment")
