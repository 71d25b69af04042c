"""The repository as GitHub knows it: where it is, which protections its plan offers."""

from dataclasses import dataclass

from mlops.ci.setup_github.hosting import CLOUD
from mlops.ci.setup_github.subject import DEFAULT, Subject


@dataclass(frozen=True)
class Limit:
    """What a plan cannot do and, if there is such a thing, what to do instead."""

    what: str
    instead: str = ""

    def __str__(self) -> str:
        """Return both in one sentence."""
        return f"{self.what}: {self.instead}" if self.instead else self.what


@dataclass(frozen=True)
class Repository:
    """What decides which protections GitHub offers; None where it could not be found out.

    Attributes:
        name: `owner/name`.
        private: whether it is not public.
        plan: the owner's.
        host: which GitHub it is on.
        subject: by what the tokens of its jobs name them.
    """

    name: str
    private: bool | None = None
    plan: str | None = None
    host: str = CLOUD
    subject: Subject = DEFAULT

    @property
    def has_reviewers(self) -> bool:
        """Whether environments can require reviewers here; it is tried if the plan is unknown."""
        return not self.private or self.plan in (None, "enterprise")

    @property
    def has_branch_rules(self) -> bool:
        """Whether rulesets and the branches of environments can be limited here, likewise."""
        return not self.private or self.plan != "free"

    def limits(self) -> list[Limit]:
        """Say what the plan cannot do; that there can be no reviewers comes first."""
        private = "in a private repository on the"
        if self.private is None:
            return [
                _no_reviewers(f"{private} plans Free, Pro and Team"),
                _no_protection(f"{private} plan Free"),
            ]
        if not self.private or self.plan == "enterprise":
            return []
        if self.plan is None:
            return [_no_reviewers("unless the owner has GitHub Enterprise")]
        where = f"{private} plan {self.plan.capitalize()}"
        found = [_no_reviewers(where)]
        return found if self.has_branch_rules else [*found, _no_protection(where)]


def _no_reviewers(where: str) -> Limit:
    return Limit(
        f"{where}, environments cannot require reviewers, so no release to prod would ever have "
        "its approvals",
        "set approvals.required to 0 in conf/prod.yaml and ask for two reviews of each pull "
        "request in the rules of main",
    )


def _no_protection(where: str) -> Limit:
    return Limit(
        f"{where}, neither branches nor environments can be protected: whoever may push can release"
    )
