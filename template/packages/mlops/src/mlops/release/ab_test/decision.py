"""From the numbers of an A/B test to its decision, and the sentence that says why."""

from dataclasses import dataclass
from typing import Any, Literal

from mlops.platforms.base import ALL_TRAFFIC
from mlops.release.ab_test.looks import RATES, Look, number, percent
from mlops.settings.sections import AbTestSettings

EXPECTED_COPIES = 10
"""If so many are to be expected and none is seen, that is no chance."""

Decision = Literal["promote", "hold", "reject"]


@dataclass(frozen=True)
class Limits:
    """The e-values that decide."""

    promote: float
    reject: float


@dataclass(frozen=True)
class AbResult:
    """A decision, why it was taken, and every look on the way to it."""

    baseline: str
    candidate: str
    decision: Decision
    reason: str
    limits: Limits
    settings: AbTestSettings
    looks: tuple[Look, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON content."""
        return {
            "decision": self.decision,
            "reason": self.reason,
            "baseline": self.baseline,
            "candidate": self.candidate,
            "limits": {"promote": self.limits.promote, "reject": self.limits.reject},
            "settings": self.settings.model_dump(mode="json"),
            "looks": [look.to_dict() for look in self.looks],
        }


def limits_of(settings: AbTestSettings) -> Limits:
    """Return the e-values that decide.

    Every metric must speak for promotion, so each is tested at `alpha`; a single one suffices for a
    rejection, so that `alpha` is shared among them.
    """
    return Limits(1 / settings.alpha, len(RATES) / settings.alpha)


def decide(look: Look, settings: AbTestSettings) -> Decision | None:
    """Return `promote` or `reject` if the evidence suffices.

    Copies alone can reject a candidate, but not promote it.
    """
    limits, found = limits_of(settings), look.evidence.values()
    if any(each.not_worse >= limits.reject for each in found):
        return "reject"
    enough = look.phase == "share" and look.candidate.requests >= settings.min_requests
    if enough and all(each.worse >= limits.promote for each in found):
        return "promote"
    return None


def lacks_copies(look: Look, settings: AbTestSettings) -> bool:
    """Tell whether none of the requests of this phase was copied, as far as one sees."""
    expected = look.baseline.requests * settings.mirror_percent / ALL_TRAFFIC
    return look.phase == "mirror" and not look.copies.requests and expected >= EXPECTED_COPIES


def explain(
    decision: Decision | None, look: Look, settings: AbTestSettings, baseline: str, candidate: str
) -> str:
    """Return a sentence that says why.

    Args:
        decision: what is explained; None for a test that ends without one.
        look: the numbers that it follows from.
        settings: of the test.
        baseline: the name of the present deployment.
        candidate: the name of the one that is judged.
    """
    limits, found = limits_of(settings), look.evidence
    if decision == "reject":
        metric = max(found, key=lambda name: found[name].not_worse)
        return (
            f"{candidate} is worse than {baseline} in {metric} by more than the "
            f"margin: {_rates(look, metric)}, e-value {number(found[metric].not_worse)}, "
            f"limit {number(limits.reject)}"
        )
    if look.phase == "mirror":
        return _explain_mirror(look, settings, baseline, candidate)
    if not look.candidate.requests:
        return "no decision yet: no request came to the candidate"
    values = ", ".join(f"{name} {number(each.worse)}" for name, each in found.items())
    numbers = (
        f"{look.candidate.requests:,} requests gave the e-values {values}, and each needs "
        f"{number(limits.promote)}"
    )
    if decision == "promote":
        return f"{candidate} is not worse than {baseline} by the margins: {numbers}"
    return f"no decision yet: {numbers}"


def _explain_mirror(look: Look, settings: AbTestSettings, baseline: str, candidate: str) -> str:
    if lacks_copies(look, settings):
        return (
            f"no decision yet: {baseline} answered {look.baseline.requests:,} requests, "
            f"but no copy of one was seen at {candidate}; if copies are not logged here, "
            "set ab_test.mirror_percent to 0 in conf"
        )
    return (
        f"no decision yet: {candidate} was given {look.copies.requests:,} of "
        f"{settings.mirror_requests:,} copies, so it answered no callers"
    )


def _rates(look: Look, metric: str) -> str:
    against = f"against {percent(look.baseline.rate(metric))}"
    copies = f"{percent(look.copies.rate(metric))} of the copies"
    if look.phase == "mirror":
        return f"{copies} {against}"
    also = f", {copies} before" if look.copies.requests else ""
    return f"{percent(look.candidate.rate(metric))} {against}{also}"
