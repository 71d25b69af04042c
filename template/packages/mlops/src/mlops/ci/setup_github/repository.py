"""The repository as GitHub knows it: which protections its plan offers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Repository:
    """What decides which protections GitHub offers; None where it could not be found out."""

    name: str
    private: bool | None = None
    plan: str | None = None

    @property
    def has_reviewers(self) -> bool:
        """Whether environments can require reviewers here; it is tried if the plan is unknown."""
        return not self.private or self.plan in (None, "enterprise")

    @property
    def has_branch_rules(self) -> bool:
        """Whether rulesets and the branches of environments can be limited here, likewise."""
        return not self.private or self.plan != "free"

    def limits(self) -> list[str]:
        """Say what the plan cannot do, and what to do instead."""
        reviewers = (
            "environments cannot require reviewers, so no release to prod would ever have its "
            "approvals: set approvals.required to 0 in conf/prod.yaml and ask for two reviews of "
            "each pull request in the rules of main"
        )
        branches = (
            "neither branches nor environments can be protected: whoever may push can release"
        )
        if self.private is None:
            return [
                f"in a private repository on the plans Free, Pro and Team, {reviewers}",
                f"in a private repository on the plan Free, {branches}",
            ]
        if not self.private or self.plan == "enterprise":
            return []
        if self.plan is None:
            return [f"unless the owner has GitHub Enterprise, {reviewers}"]
        shown = f"in a private repository on the plan {self.plan.capitalize()}, "
        found = [shown + reviewers]
        return found if self.has_branch_rules else [*found, shown + branches]
