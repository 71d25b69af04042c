"""The lease of an endpoint: what taking, completing and undoing a change makes of its state.

A change of several steps, such as a release, holds the lease from its first step to its last. Who
holds it stands in the state, so that the next command can undo what a killed one left half done.
"""

import os
from dataclasses import replace

from mlops.hints import typed
from mlops.platforms import process_identity
from mlops.platforms.base import DeploymentShare
from mlops.platforms.lease_rules import EndpointBusy, Memory, Shares, memory_after, undone
from mlops.platforms.lease_terms import USUAL, Pending, Terms, WayBack
from mlops.platforms.local.state import EndpointState, Lease


def shares(state: EndpointState) -> Shares:
    """Return what each deployment serves, its traffic and its origin, in order of name."""
    return {
        name: DeploymentShare(each.model_version, state.traffic.get(name, 0), each.origin)
        for name, each in sorted(state.deployments.items())
    }


def is_held(lease: Lease | None) -> bool:
    """Tell whether the process that took a lease still runs."""
    return lease is not None and process_identity.is_running(lease.pid, lease.create_time)


def is_own(lease: Lease | None) -> bool:
    """Tell whether this process took a lease."""
    return lease is not None and lease.pid == os.getpid() and is_held(lease)


def is_for(lease: Lease | None, purpose: str) -> bool:
    """Tell whether this process took a lease for a purpose."""
    return lease is not None and lease.purpose == purpose and is_own(lease)


def check(endpoint: str, lease: Lease | None, terms: Terms, purpose: str) -> None:
    """Check that a step may be made.

    Args:
        endpoint: its name.
        lease: what is held.
        terms: of the change that is to begin.
        purpose: what who asks holds the lease for, or nothing.

    Raises:
        EndpointBusy: another process holds it and does not give way, or who asks lost it.
    """
    if purpose and not is_for(lease, purpose):
        to = f" to {lease.purpose} (process {lease.pid})" if lease else ""
        raise EndpointBusy(
            f"{purpose} lost its hold on the endpoint {endpoint}{to} and changes nothing more",
            f"look at {typed('status')}, then try again",
        )
    if lease and is_held(lease) and not (is_own(lease) or gives_way(lease, terms)):
        raise busy(endpoint, lease)


def pending(lease: Lease) -> Pending:
    """Return the change that a lease is for."""
    return Pending(lease.purpose, is_held(lease), lease.done, yields=lease.yields)


def gives_way(lease: Lease | None, terms: Terms) -> bool:
    """Tell whether the process that took a lease loses it to a change on these terms."""
    return lease is not None and terms.takes_over and lease.yields and not lease.done


def taken(state: EndpointState, purpose: str, terms: Terms = USUAL) -> EndpointState:
    """Return the state with a lease of this process; a change that gave way is undone first."""
    state = ended(state)
    pid, create_time = process_identity.this_process()
    lease = Lease(
        purpose,
        pid,
        create_time,
        before=shares(state),
        mirror=state.mirror,
        leaves=terms.leaves,
        yields=terms.yields,
    )
    return replace(state, lease=lease)


def completed(state: EndpointState) -> EndpointState:
    """Return the state after a change that went well, with what is recorded of before."""
    held = state.lease
    if held is None:
        return state
    now = shares(state)
    memory = memory_after(held.before, now, _memory(state), held.leaves, done=held.done)
    return replace(state, lease=None, previous=memory.previous, way_back=memory.way_back)


def done(state: EndpointState, way_back: WayBack | None = None) -> EndpointState:
    """Return the state whose change has reached its end, though its lease still holds."""
    if state.lease is None:
        return state
    return replace(state, lease=replace(state.lease, done=True), way_back=way_back)


def ended(state: EndpointState) -> EndpointState:
    """Return the state after a change that broke off: undone, unless it was done before."""
    if state.lease is None:
        return state
    if state.lease.done:
        return completed(state)
    after = undone(state.lease.before, state.lease.mirror, shares(state), _memory(state))
    return replace(
        state,
        lease=None,
        traffic=after.traffic,
        mirror=after.mirror,
        previous=after.memory.previous,
        way_back=after.memory.way_back,
    )


def _memory(state: EndpointState) -> Memory:
    return Memory(state.previous, state.way_back)


def busy(endpoint: str, held: Lease) -> EndpointBusy:
    """Return the refusal of a change while another command makes one."""
    return EndpointBusy(
        f"another command is changing the endpoint {endpoint}: {held.purpose} (process {held.pid})",
        "wait for it to end, then try again",
    )
