"""Whether a deployment serves: a busy machine may be late with one answer, but not with all."""

import time
from collections.abc import Callable

from mlops.platforms.base import Endpoint

LOOKS = 3
PAUSE_SECONDS = 1.0


def lasting_problem(
    endpoint: Endpoint, deployment: str, sleep: Callable[[float], object] = time.sleep
) -> str:
    """Return why a deployment is not healthy, if it is not at each of several looks; else nothing.

    Args:
        endpoint: the endpoint.
        deployment: its name; one that is gone is not healthy.
        sleep: waits so many seconds between two looks.
    """
    problem = _problem(endpoint, deployment)
    for _ in range(LOOKS - 1):
        if not problem:
            return ""
        sleep(PAUSE_SECONDS)
        problem = _problem(endpoint, deployment)
    return problem


def _problem(endpoint: Endpoint, deployment: str) -> str:
    found = {each.name: each for each in endpoint.deployments()}.get(deployment)
    if found is None:
        return "it is gone"
    return "" if found.healthy else found.detail or "it does not answer"
