"""Short notes at an endpoint: what every command must know at once, such as the last candidate.

What checks found and what was decided is kept beside the endpoint's events, and can take minutes to
be seen. A note is part of the endpoint itself: who reads it after it was written, sees it.
"""

from typing import Protocol

LONGEST = 256
"""Characters of a text; a tag of Azure has room for no more."""


class Noted(Protocol):
    """What an endpoint does with notes; it must exist."""

    def notes(self) -> dict[str, str]:
        """Return what is noted, by name."""

    def note(self, name: str, text: str) -> None:
        """Write a note, in the place of one by this name.

        Raises:
            ConfigError: the endpoint does not exist.
            PlatformError: another command changes the endpoint.
        """
