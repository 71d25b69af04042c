"""The notes at an Azure endpoint: tags of it."""

from typing import Protocol

from mlops.platforms.azure.changes import Changes
from mlops.platforms.azure.resource import Change, EndpointResource, View

NOTE = "mlops-note-"


class _Changing(Protocol):
    """What of an Azure endpoint its notes need."""

    _changes: Changes
    _resource: EndpointResource


class AzureNotes:
    """Notes of an endpoint that has tags; see `Noted`."""

    def notes(self: _Changing) -> dict[str, str]:
        """Return what is noted, by name."""
        view = self._resource.read()
        tags = view.tags if view else {}
        return {
            name.removeprefix(NOTE): text for name, text in tags.items() if name.startswith(NOTE)
        }

    def note(self: _Changing, name: str, text: str) -> None:
        """Write a note, in the place of one by this name."""

        def wanted(view: View) -> Change:
            return Change(tags={**view.tags, f"{NOTE}{name}": text})

        self._changes.write(wanted)
