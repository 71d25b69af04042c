"""Who is told: each receiver of conf/ with its address, which is a secret.

It is in the environment, else where the platform keeps secrets; nowhere else, and nobody says it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from mlops.errors import MlopsError
from mlops.monitoring.alerting.deliver import Courier, Letter, Sent
from mlops.monitoring.alerting.forms import pager, slack, teams
from mlops.monitoring.alerting.message import Message
from mlops.settings.monitoring_sections import AlertSettings, Receiver

VARIABLES: Mapping[Receiver, str] = {
    "teams": "ALERTS_TEAMS_WEBHOOK",
    "slack": "ALERTS_SLACK_WEBHOOK",
    "pager": "ALERTS_PAGER_KEY",
}
"""The environment variable that holds the address, or the key, of each."""
_ADDRESS = re.compile(r"https://[^\s/]+/\S*|http://(127\.0\.0\.1|localhost)(:\d+)?/\S*")
_KEY = re.compile(r"\S+")


@dataclass(frozen=True)
class Told:
    """One receiver.

    Attributes:
        name: as conf/ calls it.
        given: its address or key, as the environment has it; empty: none is set.
        kept: returns a secret that the platform keeps, by its name; asked when it is needed first.
        pager_url: where events of a pager go.
        courier: brings what it is told.
    """

    name: Receiver
    given: str = field(repr=False)
    kept: Callable[[str], str | None] = lambda _name: None
    pager_url: str = ""
    courier: Courier = field(default_factory=Courier)

    @cached_property
    def _found(self) -> tuple[str, str]:
        """The address or key, and why the platform has none either."""
        return (self.given, "") if self.given else _kept(self.kept, secret_name(self.name))

    @property
    def secret(self) -> str:
        """Its address or key; empty: there is none."""
        return self._found[0]

    @property
    def problem(self) -> str:
        """Why it cannot be told anything, or nothing."""
        variable, (secret, lacks) = VARIABLES[self.name], self._found
        if not secret:
            return f"{variable} is not set" + (f", and {lacks}" if lacks else "")
        form = _KEY if self.name == "pager" else _ADDRESS
        if not form.fullmatch(secret):
            return (
                f"{variable} holds no {'key' if form is _KEY else 'address that begins https://'}"
            )
        return ""

    def tell(self, message: Message) -> Sent:
        """Tell it something; a failure is returned, not raised."""
        if self.problem:
            return Sent(False, self.problem, 0)
        return self.courier.bring(self._letter(message))

    def _letter(self, message: Message) -> Letter:
        if self.name == "teams":
            return Letter(self.secret, teams(message), (200, 202))
        if self.name == "slack":
            return Letter(self.secret, slack(message), (200,), says_ok=True)
        return Letter(self.pager_url, pager(message, self.secret), (202,))


def secret_name(receiver: Receiver) -> str:
    """Return what the secret of a receiver is called where the platform keeps secrets."""
    return VARIABLES[receiver].lower().replace("_", "-")


def receivers_of(
    settings: AlertSettings,
    variables: Mapping[str, str],
    kept: Callable[[str], str | None],
    courier: Courier | None = None,
) -> Sequence[Told]:
    """Return the receivers of an environment.

    Args:
        settings: who they are.
        variables: the environment, which may hold their addresses.
        kept: returns a secret that the platform keeps, of those that are not there.
        courier: brings what they are told.
    """
    return [
        Told(
            name,
            variables.get(VARIABLES[name], "").strip(),
            kept,
            settings.pager_url,
            courier or Courier(),
        )
        for name in dict.fromkeys(settings.receivers)
    ]


def _kept(kept: Callable[[str], str | None], name: str) -> tuple[str, str]:
    """Return a secret that the platform keeps, or why there is none."""
    try:
        found = (kept(name) or "").strip()
    except MlopsError as error:
        return "", f"{error.message} ({error.remedy})" if error.remedy else error.message
    return found, ""
