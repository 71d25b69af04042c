"""What a platform does about watching by itself, and the secrets and the key that it keeps."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from mlops.platforms.remote_rows import RemoteRows
from mlops.signing.keys import RemoteKey


class RuleState(StrEnum):
    """Whether a rule of the platform watches; as people are told it."""

    ON = "on"
    OFF = "switched off"
    MISSING = "not deployed"
    UNSEEN = "not deployed, or who runs this may not read it"
    """Who may read one rule alone is told no more of a rule that is not there."""


class Watching(Protocol):
    """What a platform has besides endpoints, for those who watch them."""

    def alert_rules(self, alerts: Sequence[str]) -> Mapping[str, RuleState] | None:
        """Return how its own rules stand of alerts, and of what else it watches, by their names.

        None: it does not watch by itself.

        Args:
            alerts: the ids of the alerts.

        Raises:
            ConfigError: they may not be read.
            PlatformError: it does not tell them for now.
        """

    def secret(self, name: str) -> str | None:
        """Return a secret that it keeps for the environment; None: it keeps none.

        Raises:
            ConfigError: it is not there, or may not be read.
            PlatformError: it cannot be read for now.
        """

    def remote_rows(self) -> RemoteRows | None:
        """Return the rows of data that it keeps away from this machine; None: it keeps none.

        Raises:
            ConfigError: settings do not say where.
        """

    def out_of_reach(self) -> tuple[str, ...]:
        """Return where it keeps rows of data that no command removes, each with what to do by hand.

        A request of deletion is not done before a person says that it was.
        """

    def signing_key(self) -> RemoteKey | None:
        """Return the key that it keeps for the signatures of versions; None: it keeps none.

        Raises:
            ConfigError: conf names none.
        """
