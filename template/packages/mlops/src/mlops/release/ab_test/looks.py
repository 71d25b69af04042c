"""What an A/B test has counted at one moment: plain numbers, and what is derived from them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mlops.release.ab_test.sequential import Evidence

RATES = ("errors", "slow")
LARGEST = 1e300
"""JSON knows no infinity: an e-value beyond this is written as this."""

Phase = Literal["mirror", "share"]


@dataclass(frozen=True)
class Arm:
    """What one deployment answered so far."""

    requests: int = 0
    errors: int = 0
    slow: int = 0

    def rate(self, metric: str) -> float | None:
        """Return the share of requests that were `errors` or `slow`, or None without requests."""
        return getattr(self, metric) / self.requests if self.requests else None

    def plus(self, ends: Sequence[tuple[bool, bool]]) -> "Arm":
        """Return this with further requests, of which each was an error or not, slow or not."""
        return Arm(
            self.requests + len(ends),
            self.errors + sum(error for error, _ in ends),
            self.slow + sum(slow for _, slow in ends),
        )


@dataclass(frozen=True)
class Look:
    """The numbers after one batch.

    `baseline` and `candidate` are answers to callers in this phase, `copies` the candidate's
    answers to copies of requests.
    """

    seconds: float
    phase: Phase
    baseline: Arm
    candidate: Arm
    copies: Arm
    evidence: Mapping[str, Evidence]

    @property
    def compared(self) -> Arm:
        """What the candidate is judged by in this phase."""
        return self.copies if self.phase == "mirror" else self.candidate

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON content."""
        return {
            "seconds": round(self.seconds, 3),
            "phase": self.phase,
            "baseline": vars(self.baseline),
            "candidate": vars(self.candidate),
            "copies": vars(self.copies),
            "evidence": {
                metric: {
                    "blocks": each.blocks,
                    "for_promotion": min(each.worse, LARGEST),
                    "for_rejection": min(each.not_worse, LARGEST),
                }
                for metric, each in self.evidence.items()
            },
        }


Watch = Callable[[Look, dict[str, int], dict[str, int]], None]
"""Receives the numbers after each batch, the traffic and the mirror."""


def unwatched(_look: Look, _traffic: dict[str, int], _mirror: dict[str, int]) -> None:
    """Watch nothing."""


def number(value: float) -> str:
    """Return an e-value or a limit for people."""
    if value > 1e6:
        return "over a million"
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def percent(rate: float | None) -> str:
    """Return a rate for people; None is that of no requests."""
    return "no requests" if rate is None else f"{100 * rate:.2f} %"
