"""What of GitHub decides whether the workflows run, and whether their jobs can sign in to Azure."""

from pathlib import Path

from mlops.ci.setup_github.environments import INFRA, UNAPPROVED
from mlops.ci.setup_github.gh import Gh, Run
from mlops.ci.setup_github.github import GitHub
from mlops.ci.setup_github.hosting import INSTEAD, where_it_is_hosted
from mlops.ci.setup_github.project_files import INFRA_WORKFLOW
from mlops.ci.setup_github.protection import Known
from mlops.ci.setup_github.variables import CLIENT_ID
from mlops.diagnosis import Diagnosis
from mlops.errors import MlopsError
from mlops.hints import typed

HOSTING = "GitHub"
SIGN_IN = "GitHub's tokens"
APPROVAL = "approval of infra/"


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


def infra_approval(root: Path, run: Run | None = None) -> list[Diagnosis]:
    """Ask GitHub whether anybody is asked before the workflow infra deploys.

    Reviewers vanish where a public repository is made private, and then nothing else would say so.

    Args:
        root: the project's folder.
        run: in the place of gh.
    """
    if not (root / INFRA_WORKFLOW).is_file():
        return []
    try:
        passed, found = _who_is_asked(GitHub(Gh(root, run)))
    except MlopsError as error:
        passed, found = False, f"not checked: {error.message}"
    again = typed("setup github --apply --reviewer NAME")
    remedy = "" if passed else f"{again}: it sets the reviewers, or takes infra its {CLIENT_ID}"
    return [Diagnosis(APPROVAL, passed, found, remedy, needed=False)]


def _who_is_asked(github: GitHub) -> tuple[bool, str]:
    repository = github.repository()
    name = repository.name
    shared = github.shared_variable(name, CLIENT_ID)
    if shared is None and github.variable(name, CLIENT_ID, INFRA) is None:
        return True, f"infra has no {CLIENT_ID}, so it deploys nothing"
    if not repository.has_reviewers:
        return False, f"GitHub ignores reviewers in {repository.kind}: {UNAPPROVED}"
    if not github.environments(repository).get(INFRA, Known()).protection.reviewers:
        return False, f"the environment infra has no reviewers: {UNAPPROVED}"
    if repository.private and repository.plan is None:
        return False, "not known: whether GitHub asks the reviewers of infra, as it shows no plan"
    return True, "somebody is asked before infra/ is deployed"
