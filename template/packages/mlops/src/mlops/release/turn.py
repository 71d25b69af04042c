"""Releases stand in line: one waits, for a limited time, until no other command holds the endpoint.

It waits, too, while the platform works off what a command began that was cut off.

The order is that in which they ask again, not that in which they came. That an older version never
takes the place of a newer one is looked at once it is one's turn.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from mlops.hints import typed
from mlops.platforms.base import AtWork, Endpoint
from mlops.platforms.lease_rules import EndpointBusy
from mlops.platforms.lease_terms import USUAL, Terms
from mlops.progress import Report, silent

SHORTEST_PAUSE_SECONDS = 1.0


class Overtaken(EndpointBusy):
    """A withdrawal took the endpoint from this change, and put back what it had changed."""


class NotItsTurn(EndpointBusy):
    """The endpoint was not free for as long as was to be waited; nothing was changed."""


@contextmanager
def in_turn(
    endpoint: Endpoint,
    purpose: str,
    wait_seconds: float = 0.0,
    report: Report = silent,
    terms: Terms = USUAL,
) -> Iterator[None]:
    """Hold the endpoint's lease for a change, once no other command does.

    Args:
        endpoint: the endpoint.
        purpose: of the change.
        wait_seconds: for how long to wait at most; 0: not at all.
        report: is told once what is waited for.
        terms: on which it is held.

    Raises:
        NotItsTurn: another command holds the endpoint still, or the platform is still at work for
            one that ended; nothing was changed.
    """
    with ExitStack() as stack:
        until = time.monotonic() + wait_seconds
        told = ""
        while True:
            try:
                stack.enter_context(endpoint.lease(purpose, terms))
                break
            except (EndpointBusy, AtWork) as busy:
                left = until - time.monotonic()
                if left <= 0:
                    raise _not_its_turn(busy, wait_seconds) from None
                if busy.message != told:
                    told = busy.message
                    report(f"{told}: waiting for it, {_minutes(left)} at most")
                time.sleep(min(left, max(endpoint.poll_seconds, SHORTEST_PAUSE_SECONDS)))
        yield


def require_hold(endpoint: Endpoint, purpose: str) -> None:
    """Check that the endpoint is still held for a change of this process.

    Raises:
        Overtaken: it is not.
    """
    held = endpoint.pending()
    if held is None or held.purpose != purpose:
        by = f" to {held.purpose}" if held else ""
        raise Overtaken(
            f"{purpose} lost the endpoint {endpoint.name}{by} and changes nothing more",
            f"look at {typed('status')}, then try again",
        )


def _not_its_turn(busy: EndpointBusy | AtWork, waited_seconds: float) -> NotItsTurn:
    waited = f", also after {_minutes(waited_seconds)}" if waited_seconds else ""
    return NotItsTurn(f"{busy.message}{waited}, so nothing was changed here", busy.remedy)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
