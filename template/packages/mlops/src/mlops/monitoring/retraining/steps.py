"""What follows from a decision to train again, on each platform."""

from functools import partial

from mlops.console import show
from mlops.monitoring.decisions import Decision
from mlops.monitoring.retraining.command import Steps
from mlops.monitoring.retraining.releasing import release_candidate
from mlops.monitoring.retraining.training import train_here
from mlops.platforms.base import Platform


def steps_of(platform: Platform, *, rehearsal: bool | None = None) -> Steps:
    """Return the steps: here they are taken in the process, in the cloud by the pipeline.

    Args:
        platform: where the model serves.
        rehearsal: send requests while it is released; None: where nobody else does.
    """
    generates = not platform.has_callers if rehearsal is None else rehearsal
    return Steps(
        train=None if platform.has_callers else train_here,
        release=partial(release_candidate, rehearsal=generates),
        tell=_tell,
    )


def _tell(decision: Decision) -> None:
    show(f"retraining has stopped: {decision.reason}", style="red")
