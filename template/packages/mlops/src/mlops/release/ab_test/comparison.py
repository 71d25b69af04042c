"""From answers to numbers: what both deployments answered, and what that is evidence for.

Requests are counted in the order in which they began, and one that hangs as an error once the
patience is over: else only those that are answered would be counted.
"""

from collections.abc import Sequence

import numpy as np

from mlops.platforms.answers import is_answer
from mlops.platforms.base import ALL_TRAFFIC, Observation
from mlops.release.ab_test.decision import Decision, decide, explain
from mlops.release.ab_test.looks import RATES, Arm, Look, Phase
from mlops.release.ab_test.sequential import Evidence, RateTest, blocks
from mlops.settings.sections import AbTestSettings


class Comparison:
    """Accumulates answers of both deployments and says what they are evidence for.

    Args:
        baseline: the present deployment.
        candidate: the one to be judged.
        settings: margins, error probability, minimum sample and latency objective.
    """

    def __init__(self, baseline: str, candidate: str, settings: AbTestSettings) -> None:
        self.baseline = baseline
        self.candidate = candidate
        self.settings = settings
        self._copies = Arm()
        self._tests = {metric: RateTest(getattr(settings.margins, metric)) for metric in RATES}
        self.begin("mirror")

    @property
    def copies_are_enough(self) -> bool:
        """Whether the mirror phase has shown what it is to show."""
        return self._phase == "mirror" and self._copies.requests >= self.settings.mirror_requests

    def begin(self, phase: Phase) -> None:
        """Enter a phase; answers that found no partner in the last one count no further.

        Nor does what copies of requests showed count for promotion.
        """
        self._phase: Phase = phase
        self._block = block_size(phase, self.settings)
        if phase == "share":
            # copies are answered beside the queue that callers wait in: they prove nothing good
            for test in self._tests.values():
                test.restart_worse()
        self._baseline, self._candidate = Arm(), Arm()
        self._waiting: dict[str, list[tuple[bool, bool]]] = {self.baseline: [], self.candidate: []}

    def add(self, observations: Sequence[Observation]) -> None:
        """Add requests of this phase in the order in which they began.

        In the mirror phase the candidate is judged by copies, afterwards by callers' requests only.
        """
        copied = {self.baseline: False, self.candidate: self._phase == "mirror"}
        ends: dict[str, list[tuple[bool, bool]]] = {self.baseline: [], self.candidate: []}
        for each in observations:
            if copied.get(each.deployment) == each.mirrored:
                ends[each.deployment].append(classified(each, self.settings))
        for name, found in ends.items():
            self._waiting[name] += found
        self._baseline = self._baseline.plus(ends[self.baseline])
        if self._phase == "mirror":
            self._copies = self._copies.plus(ends[self.candidate])
        else:
            self._candidate = self._candidate.plus(ends[self.candidate])
        self._test_complete_blocks()

    def evidence(self) -> dict[str, Evidence]:
        """Return the e-values of each metric."""
        return {metric: test.evidence() for metric, test in self._tests.items()}

    def look(self, seconds: float) -> Look:
        """Return the numbers of this moment, so many seconds after the beginning."""
        return Look(
            seconds,
            self._phase,
            self._baseline,
            self._candidate,
            self._copies,
            self.evidence(),
        )

    def decide(self) -> Decision | None:
        """Return `promote` or `reject` if the evidence suffices."""
        return decide(self.look(0), self.settings)

    def explain(self, decision: Decision | None) -> str:
        """Return a sentence that says why; None for a test that ends without a decision."""
        return explain(decision, self.look(0), self.settings, self.baseline, self.candidate)

    def _test_complete_blocks(self) -> None:
        ours, theirs = self._waiting[self.candidate], self._waiting[self.baseline]
        count = min(len(ours), len(theirs) // self._block)
        if not count:
            return
        candidate = np.array(ours[:count], dtype=np.float64)
        baseline = np.array(theirs[: count * self._block], dtype=np.float64)
        for column, metric in enumerate(RATES):
            differences = blocks(candidate[:, column], baseline[:, column], self._block)
            self._tests[metric].add(differences)
        del ours[:count], theirs[: count * self._block]


def phases(settings: AbTestSettings) -> tuple[Phase, ...]:
    """Return the phases that the settings ask for, in order."""
    mirrors = settings.mirror_percent > 0 and settings.mirror_requests > 0
    return ("mirror", "share") if mirrors else ("share",)


def block_size(phase: Phase, settings: AbTestSettings) -> int:
    """Return how many answers of the baseline come to one of the candidate."""
    if phase == "mirror":
        ratio = ALL_TRAFFIC / max(settings.mirror_percent, 1)
    else:
        ratio = (ALL_TRAFFIC - settings.share_percent) / settings.share_percent
    return max(1, round(ratio))


def classified(observation: Observation, settings: AbTestSettings) -> tuple[bool, bool]:
    """Tell whether a request counts as an error, and whether as slow.

    All but 200 is an error: what a version refuses that the other one answers is what callers feel,
    and their own mistakes are as frequent with both.
    """
    milliseconds = 1000 * observation.seconds
    error = not is_answer(observation.status) or milliseconds > settings.patience_ms
    return error, milliseconds > settings.objective_ms
