"""The repository as GitHub knows it: where it is, which protections its plan offers."""

from dataclasses import dataclass

from mlops.ci.setup_github.environments import MAIN
from mlops.ci.setup_github.hosting import CLOUD
from mlops.ci.setup_github.subject import DEFAULT, Subject

PLANS = ("free", "pro", "team", "enterprise")
"""Those whose limits GitHub's documents name; another one counts as unknown."""


@dataclass(frozen=True)
class Repository:
    """What decides which protections GitHub offers; None where it could not be found out.

    Attributes:
        name: `owner/name`.
        private: whether it is not public.
        plan: the owner's.
        host: which GitHub it is on.
        subject: by what the tokens of its jobs name them.
        default_branch: the one that it opens with.
        administered: whether who is signed in may change its settings.
        refuses_rules: GitHub refused rulesets because of a plan that is not known.
        refuses_reviewers: GitHub refused required reviewers because of such a plan.
    """

    name: str
    private: bool | None = None
    plan: str | None = None
    host: str = CLOUD
    subject: Subject = DEFAULT
    default_branch: str = MAIN
    administered: bool = True
    refuses_rules: bool = False
    refuses_reviewers: bool = False

    @property
    def has_reviewers(self) -> bool:
        """Whether environments can require reviewers here; it is tried if the plan is unknown."""
        refused = self.refuses_reviewers or self.refuses_rules
        return not self.private or (self.plan in (None, "enterprise") and not refused)

    @property
    def has_branch_rules(self) -> bool:
        """Whether rulesets and the branches of environments can be limited here, likewise."""
        return not self.private or (self.plan != "free" and not self.refuses_rules)

    @property
    def kind(self) -> str:
        """Say which kind of repository it is, as far as protection goes."""
        if self.private is None:
            return "a repository"
        if not self.private:
            return "a public repository"
        plan = self.plan
        if plan is None:
            if self.refuses_rules:
                return "a private repository on a plan like Free"
            if self.refuses_reviewers:
                return "a private repository on a plan like Team"
            return "a private repository"
        return f"a private repository on the plan {plan.capitalize()}"
