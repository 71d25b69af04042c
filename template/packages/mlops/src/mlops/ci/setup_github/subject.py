"""By what GitHub's tokens name a job that signs in to Azure.

By default it is the repository and the environment, which is what the identities in Azure trust. An
organisation or a repository can choose other claims; then Azure knows none of its jobs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_CLAIMS = ("repo", "context")


@dataclass(frozen=True)
class Subject:
    """What is known of the template of the subject.

    Attributes:
        claims: those that it is made of; None where that could not be found out.
        reason: why it could not.
    """

    claims: tuple[str, ...] | None = DEFAULT_CLAIMS
    reason: str = ""

    @property
    def is_customised(self) -> bool:
        """Whether it is known that a job is named by something else."""
        return self.claims is not None and self.claims != DEFAULT_CLAIMS

    def notes(self, repository: str) -> list[str]:
        """Say what is unusual, or could not be looked at."""
        if self.is_customised:
            return [f"{self.found(repository)}: {self.remedy(repository)}"]
        if self.claims is None:
            return [
                f"not checked: by which claims GitHub's tokens name a job ({self.reason}). With "
                "others than the default, no job can sign in to Azure"
            ]
        return []

    def found(self, repository: str) -> str:
        """Say by what the tokens of a repository name a job."""
        named = ", ".join(self.claims or ())
        return (
            f"the tokens of {repository} name a job by {named}, not by repository and environment, "
            "so the identities that infra/ makes trust none of its jobs"
        )

    def remedy(self, repository: str) -> str:
        """Say how the default comes back, and what to do where it may not."""
        return (
            f"`gh api --method PUT repos/{repository}/actions/oidc/customization/sub "
            "-F use_default=true` brings the default back; where your organisation wants its own, "
            "give each identity a federated credential of that form (docs/going-live.md)"
        )


DEFAULT = Subject()


def subject_from(answer: Mapping[str, Any]) -> Subject:
    """Read GitHub's answer for `actions/oidc/customization/sub`."""
    if answer.get("use_default") is True:
        return DEFAULT
    claims = answer.get("include_claim_keys")
    if not claims:
        return Subject(None, "the organisation's template is used, and GitHub does not show it")
    return Subject(tuple(str(claim) for claim in claims))
