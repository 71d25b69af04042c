"""The notes at a local endpoint: a part of its state."""

import contextlib
from dataclasses import replace
from typing import Protocol

from mlops.platforms.local.servers import LocalServers
from mlops.platforms.local.state import EndpointState, StateFile


class _Changing(Protocol):
    """What of a local endpoint its notes need."""

    name: str
    _state: StateFile
    _servers: LocalServers

    def _changing(self) -> contextlib.AbstractContextManager[None]:
        """Hold the right to change the endpoint for one step."""


class LocalNotes:
    """Notes of an endpoint that has its state in a file; see `Noted`."""

    def notes(self: _Changing) -> dict[str, str]:
        """Return what is noted, by name."""
        return dict((self._state.endpoint(self.name) or EndpointState()).notes)

    def note(self: _Changing, name: str, text: str) -> None:
        """Write a note, in the place of one by this name."""
        with self._changing():
            self._servers.existing()
            self._state.change(self.name, lambda s: replace(s, notes={**s.notes, name: text}))
