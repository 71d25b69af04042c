"""On what terms a change holds an endpoint, and what it leaves to those who come after it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Leaves(StrEnum):
    """What a change that went well leaves recorded of what was before."""

    BEFORE = "before"
    """What each deployment was before it: a rollback goes back to that."""
    AS_IT_WAS = "as it was"
    """What was recorded already: callers notice nothing of the change."""
    NOTHING = "nothing"
    """Nothing: what it took away from callers comes back by a release alone."""


@dataclass(frozen=True)
class Terms:
    """On what terms a change holds an endpoint's lease.

    Attributes:
        leaves: what it leaves recorded.
        yields: whether the withdrawal of a version may take the lease from it, until it is done.
        takes_over: whether it takes the lease of a change that yields; traffic and mirror are then
            as they were before that one, which loses its hold.
    """

    leaves: Leaves = Leaves.BEFORE
    yields: bool = False
    takes_over: bool = False


USUAL = Terms()
RELEASE = Terms(yields=True)
WITHDRAWAL = Terms(Leaves.NOTHING, takes_over=True)
WITHDRAWAL_IN_TURN = Terms(Leaves.NOTHING)
"""Of one that has to deploy something first: that may fail, and nobody loses the endpoint to it."""
TIDYING = Terms(Leaves.AS_IT_WAS)


@dataclass(frozen=True)
class WayBack:
    """What had all traffic before the last change, and stays at 0 % for a while.

    Attributes:
        deployment: its name.
        model_version: what it serves.
        until: until when it is kept; it is removed some time after that.
        withdraws: the version that an alert may withdraw in its favour, as it takes the same
            requests; None: only a person goes back to it.
    """

    deployment: str
    model_version: int
    until: datetime
    withdraws: int | None = None


@dataclass(frozen=True)
class Pending:
    """A change of an endpoint that holds its lease.

    Attributes:
        purpose: what it is for.
        lives: whether its command may still be at work; otherwise it is known to have ended.
        done: whether it had reached its end, so that nobody undoes it.
        until: for how long it holds by itself, where that is known; else empty.
        yields: whether the withdrawal of a version may take the lease from it.
    """

    purpose: str
    lives: bool
    done: bool = False
    until: str = ""
    yields: bool = False
