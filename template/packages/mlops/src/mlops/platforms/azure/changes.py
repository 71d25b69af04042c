"""Changes of an Azure endpoint: one write at a time, or several under a lease.

A write is made from what was read just before, after a look at the lease. The lease is written,
left to settle and read back, so that of two commands that write at once one sees the other's. Azure
answers 409 while it works on an endpoint, which keeps the rest apart. As it then refuses to move a
lease's time on, too, a lease is given time for a whole deployment before that begins. What is left
of a race is described in docs/azure.md.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from mlops.clock import Clock
from mlops.errors import MlopsError, PlatformError
from mlops.hints import typed
from mlops.platforms.azure import lease as leases
from mlops.platforms.azure.endpoint_hold import EndpointHold, Event, State
from mlops.platforms.azure.errors import Conflict
from mlops.platforms.azure.lease import AzureLease
from mlops.platforms.azure.resource import Change, EndpointResource, View
from mlops.platforms.base import AtWork
from mlops.platforms.lease_rules import (
    EndpointBusy,
    Memory,
    Shares,
    interrupted,
    memory_after,
    undone,
)
from mlops.platforms.lease_terms import USUAL, Terms, WayBack
from mlops.progress import Report, silent

SETTLE_SECONDS = 2.0
_BEATS = 3
_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 2.0


class Changes:
    """The right to change one endpoint.

    Args:
        resource: the endpoint.
        hold: this process's own.
        lease_seconds: how long a lease holds that is not moved on.
        clock: what tells the time.
    """

    def __init__(
        self, resource: EndpointResource, hold: EndpointHold, lease_seconds: float, clock: Clock
    ) -> None:
        self._resource = resource
        self._hold = hold
        self._seconds = lease_seconds
        self._clock = clock

    def write(
        self,
        change: Callable[[View], Change | None],
        *,
        completes: bool = False,
        way_back: WayBack | None = None,
    ) -> None:
        """Write once, unless another command holds the endpoint.

        Args:
            change: returns what to write, given what was read; None for nothing.
            completes: whether the change that the lease is for is done with this.
            way_back: from what is done with this.

        Raises:
            ConfigError: the endpoint does not exist.
            EndpointBusy: another command holds it.
            Conflict: Azure is at work on it.
        """
        sent = False

        def wanted(view: View) -> Change | None:
            nonlocal sent
            found = change(view)
            lease = view.lease
            if found is None or lease is None or not (completes and self._hold.is_held):
                return found
            sent = True
            self._hold.happened(Event.LAST_WRITE_SENT)
            memory = replace(leases.read_memory(view.tags), way_back=way_back)
            tags = leases.with_memory(view.tags if found.tags is None else found.tags, memory)
            return replace(found, tags=leases.with_lease(tags, replace(lease, done=True)))

        self._write(lambda: self._free(self._resource.existing(), silent), wanted)
        if sent:
            self._hold.happened(Event.LAST_WRITE_TAKEN)

    def operate(
        self,
        operation: Callable[[], None],
        longest_seconds: float,
        check: Callable[[View], None] = lambda _view: None,
    ) -> None:
        """Create, change or remove a deployment; nothing else is written meanwhile.

        While Azure is at work on something else the operation is tried again.

        Args:
            operation: starts it and waits for its end.
            longest_seconds: how long it may take; for so long the lease holds by itself.
            check: refuses what may not be done, given what was read.

        Raises:
            ConfigError: the endpoint does not exist.
            EndpointBusy: another command holds it.
            Conflict: Azure does not stop being at work on it.
        """

        def attempt() -> None:
            check(self._free(self._resource.existing(), silent))
            operation()

        with self._hold.lock:
            if self._hold.is_held:
                self._write(self._own, lambda view: self._moved_on(view, longest_seconds))
            try:
                _patiently(attempt)
            finally:
                if self._hold.is_held:
                    # if Azure does not take it now, a beat moves it back
                    with contextlib.suppress(MlopsError):
                        view = self._own()
                        self._resource.write(view, self._moved_on(view))

    def undo_abandoned(self, report: Report) -> None:
        """Undo the change of a command that died, if there is one."""
        self._hold.report = report
        with self._hold.lock, contextlib.suppress(EndpointBusy, AtWork, Conflict):
            view = self._resource.read()
            if view and not self._hold.is_held:
                self._free(view, report)

    @contextlib.contextmanager
    def held(self, purpose: str, report: Report = silent, terms: Terms = USUAL) -> Iterator[None]:
        """Hold the endpoint, which is created if there is none, for the time of the block.

        If the block fails, traffic and mirror are as before, unless the change was done by then.

        Args:
            purpose: what others are told.
            report: receives a line if the change of a dead command is undone first.
            terms: on what terms.

        Raises:
            EndpointBusy: another change is in progress, or Azure is at work on the endpoint.
            AtWork: Azure works off what a dead command began.
        """
        if report is not silent:
            self._hold.report = report
        try:
            self._take(purpose, report, terms)
        except Conflict as error:
            raise EndpointBusy(error.message, error.remedy) from None
        ended = threading.Event()
        threading.Thread(target=self._beat, args=(ended,), daemon=True).start()
        try:
            try:
                yield
            except BaseException as error:
                ended.set()
                if self._hold.state is State.DONE:
                    with contextlib.suppress(EndpointBusy):
                        self._complete(purpose)
                else:
                    self._undo(error)
                raise
            ended.set()
            self._complete(purpose)
        finally:
            ended.set()
            self._hold.happened(Event.LET_GO)

    def _take(self, purpose: str, report: Report, terms: Terms) -> None:
        """Take the lease; the endpoint is created for it if there is none, and stays."""

        def lease(before: Shares, mirror: Mapping[str, int]) -> AzureLease:
            expires = self._clock() + timedelta(seconds=self._seconds)
            return leases.taken(self._hold.holder, purpose, before, mirror, expires, terms)

        with self._hold.lock:
            view = self._resource.read()
            if self._hold.is_held:
                raise self._busy(view.lease if view else None)
            if view is None:
                self._resource.create(leases.with_lease({}, lease({}, {})))
            else:
                view = self._free(view, report, terms)
                tags = leases.with_lease(view.tags, lease(view.shares, view.mirror))
                self._resource.write(view, Change(tags=tags))
            time.sleep(SETTLE_SECONDS)
            found = self._resource.existing().lease
            if not self._is_own(found):
                raise self._busy(found)
            self._hold.happened(Event.TAKEN)

    def _free(self, view: View, report: Report, terms: Terms = USUAL) -> View:
        """Return the endpoint, which nobody else holds; undo what a dead command left.

        What gives way to a change on such terms counts as dead: it notices at its next step.
        """
        held = view.lease
        if self._hold.is_held:
            if not self._is_own(held):
                raise self._lost(held)
            return view
        if held is None:
            return view
        ended, gives_way = self._is_own(held) or held.is_abandoned, held.gives_way(terms)
        if not (ended or gives_way) and held.is_held(self._clock(), in_progress=view.in_progress):
            raise self._busy(held)
        # who is known to have ended may have left Azure at work
        tired = self._hold.state is State.IMPATIENT
        try:
            _patiently(lambda: self._end(held), patient=(ended or gives_way) and not tired)
        except Conflict as error:
            if not ended:
                raise
            self._hold.happened(Event.WAITED_IN_VAIN)
            raise AtWork(
                f"{held.purpose} was interrupted, and Azure is still at work on it: "
                f"{error.message}",
                error.remedy,
            ) from None
        after = self._resource.existing()
        report(interrupted(held.purpose, after.traffic, done=held.done))
        return after

    def _end(self, held: AzureLease) -> None:
        """Undo what a dead command left, or let go what it had done."""
        view = self._resource.existing()
        if view.lease and view.lease.holder != held.holder:
            raise self._busy(view.lease)
        if view.lease:
            lease = view.lease
            self._resource.write(
                view, _completed(view, lease) if lease.done else _undoing(view, lease)
            )

    def _write(self, read: Callable[[], View], change: Callable[[View], Change | None]) -> None:
        """Read, decide and write, again and again while Azure is at work, if the lease is ours."""

        def attempt() -> None:
            view = read()
            wanted = change(view)
            if wanted is not None:
                self._resource.write(view, wanted)

        with self._hold.lock:
            _patiently(attempt, patient=self._hold.is_held)

    def _moved_on(self, view: View, longest_seconds: float = 0.0) -> Change:
        """Return what moves the time of a lease on, past an operation of so many seconds."""
        tags = view.tags
        if view.lease:
            lease = leases.renewed(view.lease, self._clock(), longest_seconds + self._seconds)
            tags = leases.with_lease(tags, lease)
        return Change(tags=tags)

    def _beat(self, ended: threading.Event) -> None:
        """Move the lease's time on until the change has ended."""
        while not ended.wait(self._seconds / _BEATS):
            # Azure may be at work, or out of reach: the next beat tries again
            with contextlib.suppress(MlopsError), self._hold.lock:
                view = self._own()
                if not ended.is_set():
                    self._resource.write(view, self._moved_on(view))

    def _complete(self, purpose: str) -> None:
        def completed(view: View) -> Change | None:
            return _completed(view, view.lease) if view.lease else None

        try:
            self._write(self._own, completed)
        except EndpointBusy:
            raise
        except MlopsError as error:
            said = f"{purpose} is done, but the endpoint {self._resource.name} could not be let go"
            if self._hold.state is State.DONE:
                self._hold.report(f"{said} ({error}): the next command does so")
                return
            raise PlatformError(
                f"{said}, so the next command would undo it: {error.message}", error.remedy
            ) from None

    def _undo(self, error: BaseException) -> None:
        try:
            self._write(self._own, lambda view: _undoing(view, view.lease) if view.lease else None)
        except MlopsError as second:
            if isinstance(second, EndpointBusy) and isinstance(error, EndpointBusy):
                return
            said = f"traffic and mirror could not be restored ({second.message})"
            look = ""
            if self._hold.state is State.COMPLETING:
                said, look = f"{said}, if they were changed", f"look at {typed('status')}"
            elif not isinstance(second, EndpointBusy):
                said = f"{said}, which the next command does"
            own = error.remedy if isinstance(error, MlopsError) else ""
            remedy = ", and ".join(filter(None, (own or second.remedy, look)))
            if isinstance(error, MlopsError):
                raise type(error)(f"{error.message}, and {said}", remedy) from None
            self._hold.report(str(PlatformError(said, remedy)))

    def _own(self) -> View:
        """Return the endpoint, whose lease is this process's.

        Raises:
            EndpointBusy: it is not any more.
        """
        view = self._resource.existing()
        if not self._is_own(view.lease):
            raise self._lost(view.lease)
        return view

    def _is_own(self, lease: AzureLease | None) -> bool:
        return lease is not None and lease.holder == self._hold.holder

    def _busy(self, held: AzureLease | None) -> EndpointBusy:
        who = "another command was faster"
        if held is not None:
            who = f"{held.purpose} ({held.holder}, until {held.expires:%H:%M:%S} UTC or longer)"
        return EndpointBusy(
            f"another command is changing the endpoint {self._resource.name}: {who}",
            "wait for it to end, then try again",
        )

    def _lost(self, held: AzureLease | None) -> EndpointBusy:
        to = f" to {held.purpose} ({held.holder})" if held else ""
        return EndpointBusy(
            f"this command lost its hold on the endpoint {self._resource.name}{to} and changes "
            "nothing more",
            f"look at {typed('status')}, then try again",
        )


def _patiently(attempt: Callable[[], None], *, patient: bool = True) -> None:
    """Do something, again and again while Azure is at work on the endpoint."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            attempt()
            return
        except Conflict:
            if not patient or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_SECONDS)


def _completed(view: View, held: AzureLease) -> Change:
    """Return what ends a change that went well."""
    known = leases.read_memory(view.tags)
    memory = memory_after(held.before, view.shares, known, held.leaves, done=held.done)
    return Change(tags=_without_lease(view, memory))


def _undoing(view: View, held: AzureLease) -> Change:
    """Return what undoes a change."""
    after = undone(held.before, held.mirror, view.shares, leases.read_memory(view.tags))
    return Change(after.traffic, after.mirror, _without_lease(view, after.memory))


def _without_lease(view: View, memory: Memory) -> dict[str, str]:
    return leases.with_lease(leases.with_memory(view.tags, memory), None)
