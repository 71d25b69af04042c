"""What follows from a decision to train again, on each platform."""

from functools import partial

from mlops.monitoring.retraining.command import Steps
from mlops.monitoring.retraining.releasing import release_candidate
from mlops.monitoring.retraining.telling import NOBODY, Hearers
from mlops.monitoring.retraining.training import train_here
from mlops.platforms.base import Platform


def steps_of(
    platform: Platform, hearers: Hearers = NOBODY, *, rehearsal: bool | None = None
) -> Steps:
    """Return the steps: here they are taken in the process, in the cloud by the pipeline.

    Args:
        platform: where the model serves.
        hearers: who is told what became of it.
        rehearsal: send requests while it is released; None: where nobody else does.
    """
    generates = not platform.has_callers if rehearsal is None else rehearsal
    return Steps(
        train=None if platform.has_callers else train_here,
        release=partial(release_candidate, rehearsal=generates),
        hearers=hearers,
    )
