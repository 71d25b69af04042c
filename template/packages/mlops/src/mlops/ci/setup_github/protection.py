"""What an environment asks for before a job may use it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlops.ci.setup_github.environments import GitHubEnvironment


@dataclass(frozen=True)
class Reviewer:
    """Who may approve: a person or a team, with GitHub's id."""

    type: str
    id: int | str


@dataclass(frozen=True)
class Protection:
    """Reviewers and waiting time.

    Attributes:
        reviewers: who may approve; None takes away those that there are.
        prevent_self_review: whether who started the job may not approve it.
        admins_bypass: whether administrators need no approval.
        wait_minutes: how long a job waits, if it does.
    """

    reviewers: tuple[Reviewer, ...] | None = ()
    prevent_self_review: bool = False
    admins_bypass: bool = True
    wait_minutes: int | None = None

    def body(self) -> dict[str, Any]:
        """Return it in the form in which GitHub takes it."""
        body: dict[str, Any] = {}
        if self.wait_minutes is not None:
            body["wait_timer"] = self.wait_minutes
        if self.reviewers is None:
            body["reviewers"] = None
        elif self.reviewers:
            body["reviewers"] = [{"type": who.type, "id": who.id} for who in self.reviewers]
            body["prevent_self_review"] = self.prevent_self_review
        if not self.admins_bypass:
            body["can_admins_bypass"] = False
        return body


@dataclass(frozen=True)
class BranchPolicy:
    """A pattern of names whose jobs may use an environment: of branches, or of tags."""

    name: str
    type: str = "branch"
    id: int = 0

    def __str__(self) -> str:
        """Return it as a person would name it."""
        return f"the {self.type} {self.name}"


@dataclass(frozen=True)
class Known:
    """An environment that exists: a change replaces all that it asks for.

    Attributes:
        policies: the patterns that may use it, where it has such a list.
        restricted: whether there is that list; else any branch may use it, or any protected one.
        protection: what it asks for.
    """

    policies: tuple[BranchPolicy, ...] = ()
    restricted: bool = False
    protection: Protection = Protection()

    @property
    def patterns(self) -> frozenset[tuple[str, str]]:
        """The type and the name of each pattern."""
        return frozenset((each.type, each.name) for each in self.policies)


def kind_of(who: str) -> str:
    """Return GitHub's word for a person, or for a team named `organisation/team`."""
    return "Team" if "/" in who else "User"


def protection_of(
    environment: GitHubEnvironment,
    known: Known,
    reviewers: Sequence[Reviewer],
    *,
    no_reviewers: bool,
) -> Protection:
    """Return who has to approve: what was asked for, else what the environment has already.

    Args:
        environment: what the workflows need.
        known: what is there.
        reviewers: who may approve; without any, those that are there stay.
        no_reviewers: take away those that are there.
    """
    before = known.protection
    if not environment.reviewed:
        return before
    if no_reviewers:
        return Protection(
            reviewers=None if before.reviewers else (), wait_minutes=before.wait_minutes
        )
    asked = tuple(reviewers) or before.reviewers
    if not asked:
        return before
    return replace(before, reviewers=asked, prevent_self_review=True, admins_bypass=False)


def protection_from(environment: Mapping[str, Any]) -> Protection:
    """Read what an environment asks for from GitHub's answer."""
    rules = {rule["type"]: rule for rule in environment.get("protection_rules", ())}
    required = rules.get("required_reviewers", {})
    timer = rules.get("wait_timer")
    return Protection(
        reviewers=tuple(
            Reviewer(each["type"], each["reviewer"]["id"])
            for each in required.get("reviewers") or ()
        ),
        prevent_self_review=bool(required.get("prevent_self_review", False)),
        admins_bypass=environment.get("can_admins_bypass") is not False,
        wait_minutes=None if timer is None else int(timer["wait_timer"]),
    )
