"""The hold of a process on an Azure endpoint: its states, and what leads from one to another."""

import os
import socket
import threading
import uuid
from collections.abc import Mapping
from enum import Enum, auto

from mlops.progress import Report, silent


class State(Enum):
    """How the process stands to the endpoint."""

    FREE = auto()
    """It does not hold the endpoint."""
    IMPATIENT = auto()
    """Nor does it wait again for Azure to end what a dead command began: it did so in vain.

    That it takes the endpoint shows that Azure ended it; what another command leaves is waited for.
    """
    HELD = auto()
    """It holds the endpoint for a change, which is undone if it fails."""
    COMPLETING = auto()
    """The last write of the change was sent; whether Azure took it is not known."""
    DONE = auto()
    """The last write was taken: the change is not undone any more."""


class Event(Enum):
    """What changes the state."""

    WAITED_IN_VAIN = auto()
    TAKEN = auto()
    LAST_WRITE_SENT = auto()
    LAST_WRITE_TAKEN = auto()
    LET_GO = auto()


TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (State.FREE, Event.WAITED_IN_VAIN): State.IMPATIENT,
    (State.IMPATIENT, Event.WAITED_IN_VAIN): State.IMPATIENT,
    (State.FREE, Event.TAKEN): State.HELD,
    (State.IMPATIENT, Event.TAKEN): State.HELD,
    (State.HELD, Event.LAST_WRITE_SENT): State.COMPLETING,
    (State.COMPLETING, Event.LAST_WRITE_SENT): State.COMPLETING,
    (State.COMPLETING, Event.LAST_WRITE_TAKEN): State.DONE,
    (State.DONE, Event.LAST_WRITE_SENT): State.DONE,
    (State.DONE, Event.LAST_WRITE_TAKEN): State.DONE,
    (State.HELD, Event.LET_GO): State.FREE,
    (State.COMPLETING, Event.LET_GO): State.FREE,
    (State.DONE, Event.LET_GO): State.FREE,
}
"""Every step that there is: any other is a fault of this program."""


class EndpointHold:
    """The hold of one process on one endpoint, shared by all that changes it in that process.

    `holder` is who it is to the people who read the endpoint's tags, and to itself; `lock` is held
    for each step; `report` receives what a change has no other way to say at its end.
    """

    def __init__(self) -> None:
        self.holder = f"{socket.gethostname()[:60]} process {os.getpid()} {uuid.uuid4().hex[:8]}"
        self.lock = threading.RLock()
        self.report: Report = silent
        self._state = State.FREE

    @property
    def state(self) -> State:
        """The present state."""
        return self._state

    @property
    def is_held(self) -> bool:
        """Whether the process holds the endpoint."""
        return self._state in (State.HELD, State.COMPLETING, State.DONE)

    def happened(self, event: Event) -> None:
        """Take notice of an event.

        Raises:
            KeyError: there is no such step from the present state.
        """
        self._state = TRANSITIONS[self._state, event]
