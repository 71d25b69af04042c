"""The lease of an endpoint: what taking, completing and undoing a change makes of its state.

A change of several steps, such as a release, holds the lease from its first step to its last. Who
holds it stands in the state, so that the next command can undo what a killed one left half done.
"""

import os
from dataclasses import replace

from mlops.platforms import process_identity
from mlops.platforms.base import DeploymentShare
from mlops.platforms.lease_rules import EndpointBusy, Shares, previous_after, undone
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


def taken(state: EndpointState, purpose: str) -> EndpointState:
    """Return the state with a lease of this process."""
    pid, create_time = process_identity.this_process()
    lease = Lease(purpose, pid, create_time, before=shares(state), mirror=state.mirror)
    return replace(state, lease=lease)


def completed(state: EndpointState) -> EndpointState:
    """Return the state after a change that went well; what was before is kept if it differs."""
    if state.lease is None:
        return state
    before = previous_after(state.lease.before, shares(state))
    return replace(state, lease=None, previous=before or state.previous)


def done(state: EndpointState) -> EndpointState:
    """Return the state whose change has reached its end, though its lease still holds."""
    return replace(state, lease=replace(state.lease, done=True)) if state.lease else state


def ended(state: EndpointState) -> EndpointState:
    """Return the state after a change that broke off: undone, unless it was done before."""
    if state.lease is None:
        return state
    if state.lease.done:
        return completed(state)
    after = undone(state.lease.before, state.lease.mirror, shares(state))
    return replace(
        state,
        lease=None,
        traffic=after.traffic,
        mirror=after.mirror,
        previous=after.previous or state.previous,
    )


def busy(endpoint: str, held: Lease) -> EndpointBusy:
    """Return the refusal of a change while another command makes one."""
    return EndpointBusy(
        f"another command is changing the endpoint {endpoint}: {held.purpose} (process {held.pid})",
        "wait for it to end, then try again",
    )
