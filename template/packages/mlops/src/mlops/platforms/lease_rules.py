"""What completing and undoing a change of several steps comes to: the same on every platform."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlops.errors import PlatformError
from mlops.platforms.base import DeploymentShare
from mlops.platforms.lease_terms import Leaves, WayBack

Shares = dict[str, DeploymentShare]
"""What each deployment serves and its percentage of the traffic, in order of name."""


class EndpointBusy(PlatformError):
    """Another command is changing the endpoint."""


@dataclass(frozen=True)
class Memory:
    """What is recorded of before: what each deployment was, and the way back to it."""

    previous: Shares | None = None
    way_back: WayBack | None = None


@dataclass(frozen=True)
class Undone:
    """Traffic and mirror after a change was undone, and what is recorded of before."""

    traffic: dict[str, int]
    mirror: dict[str, int]
    memory: Memory


def memory_after(
    before: Shares, now: Shares, memory: Memory, leaves: Leaves = Leaves.BEFORE, *, done: bool
) -> Memory:
    """Return what is recorded after a change that went well.

    Args:
        before: what each deployment was when it began.
        now: what each deployment is.
        memory: what is recorded so far; what is done has set its own way back.
        leaves: what the change is to leave.
        done: whether it set the traffic that completes it.
    """
    if leaves is Leaves.AS_IT_WAS or not before or before == now:
        return memory
    previous = before if leaves is Leaves.BEFORE else None
    return Memory(previous, memory.way_back if done else None)


def undone(before: Shares, mirror: Mapping[str, int], now: Shares, memory: Memory) -> Undone:
    """Return what undoing a change comes to.

    Where it has already removed a deployment that had traffic, the traffic stays as it is: it goes
    to what replaced that one.

    Args:
        before: what each deployment was when the change began.
        mirror: the mirror of then.
        now: what each deployment is now.
        memory: what is recorded so far.
    """
    if any(share.traffic and name not in now for name, share in before.items()):
        traffic = {name: share.traffic for name, share in now.items()}
        return Undone(traffic, {}, memory_after(before, now, memory, done=False))
    traffic = {name: before[name].traffic if name in before else 0 for name in now}
    return Undone(traffic, {name: share for name, share in mirror.items() if name in now}, memory)


def interrupted(purpose: str, traffic: Mapping[str, int], *, done: bool) -> str:
    """Return the sentence on the change of a command that died, and on the traffic after it.

    Args:
        purpose: of the change.
        traffic: the percentage of each deployment now.
        done: whether the change had reached its end.
    """
    shares = ", ".join(f"{name} {share} %" for name, share in traffic.items())
    when = " at its end" if done else ""
    return f"{purpose} was interrupted{when}: the traffic is {shares or 'as before'}"
