"""One A/B test from look to look: what was seen so far, and whether it ends. It asks nobody."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlops.platforms.base import Observation
from mlops.release.ab_test.comparison import Comparison
from mlops.release.ab_test.decision import AbResult, Decision, lacks_copies, limits_of
from mlops.release.ab_test.looks import Look, Phase


@dataclass(frozen=True)
class Conclusion:
    """A decision, and why it was taken."""

    decision: Decision
    reason: str


class Trial:
    """Takes what was observed and says what follows from it.

    Args:
        comparison: counts the answers; nothing has been added to it yet.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.looks: list[Look] = []
        self.seen = 0
        """The sequence of the newest request that was observed."""
        self.heard = False
        """Whether any request was observed in a phase."""
        self._lacking_since: float | None = None

    def begin(self, phase: Phase, before: Sequence[Observation]) -> None:
        """Enter a phase; what began before it belongs to none, also if it is still open."""
        self._see(before)
        self.comparison.begin(phase)

    def add(self, observations: Sequence[Observation], seconds: float) -> Look:
        """Take the requests of a batch that ends so many seconds after the beginning."""
        self._see(observations)
        self.heard = self.heard or bool(observations)
        self.comparison.add(observations)
        look = self.comparison.look(seconds)
        self.looks.append(look)
        if self._lacking_since is None and lacks_copies(look, self.comparison.settings):
            self._lacking_since = seconds
        return look

    def decided(self) -> Conclusion | None:
        """Return the decision, if the evidence suffices for one."""
        decision = self.comparison.decide()
        return Conclusion(decision, self.comparison.explain(decision)) if decision else None

    def given_up(self) -> Conclusion | None:
        """Return that there is no decision, if requests come but no copy of one for too long."""
        look, settings = self.looks[-1], self.comparison.settings
        if self._lacking_since is None or not lacks_copies(look, settings):
            return None
        lacking = look.seconds - self._lacking_since
        return self.held() if lacking >= settings.mirror_seconds else None

    def held(self) -> Conclusion:
        """Return that the test ends without a decision."""
        return Conclusion("hold", self.comparison.explain(None))

    def result(self, conclusion: Conclusion) -> AbResult:
        """Return all that is to be kept of the test."""
        settings = self.comparison.settings
        return AbResult(
            baseline=self.comparison.baseline,
            candidate=self.comparison.candidate,
            decision=conclusion.decision,
            reason=conclusion.reason,
            limits=limits_of(settings),
            settings=settings,
            looks=tuple(self.looks),
        )

    def _see(self, observations: Sequence[Observation]) -> None:
        if observations:
            self.seen = observations[-1].sequence
