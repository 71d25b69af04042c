"""What a receiver is told of an alarm, whatever its form."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mlops.monitoring.rules.alerts import Severity

_LONGEST = 300
_MOST_DONE = 8


class News(StrEnum):
    """What is new."""

    ALARM = "alarm"
    GOES_ON = "goes on"
    RESOLVED = "resolved"
    ENDED = "ended"
    """What was begun has ended: nothing is asked of anybody."""
    PASSED = "passed"
    """It was, and was over before anybody looked."""
    LATE = "late"
    """It was noticed, and was over before it could be told."""
    GIVEN_UP = "given up"
    """Its way back failed too often and is not tried again."""


_BEFORE = {
    News.ALARM: "",
    News.ENDED: "",
    News.GOES_ON: "Still: ",
    News.RESOLVED: "Resolved: ",
    News.PASSED: "Between two looks: ",
    News.LATE: "Over already: ",
    News.GIVEN_UP: "No way back: ",
}


@dataclass(frozen=True)
class Message:
    """What is told.

    Attributes:
        news: what is new.
        key: names the alarm; the same as long as it goes on.
        title, tells, severity: of the alert.
        environment, endpoint: where.
        subject: of what, such as `version 3 (green)`.
        reason: a sentence with the numbers.
        done: what was done about it, a sentence each.
        time: when this was found.
        url: where there is more; empty: nowhere.
    """

    news: News
    key: str
    title: str
    tells: str
    severity: Severity
    environment: str
    endpoint: str
    subject: str
    reason: str
    done: tuple[str, ...]
    time: datetime
    url: str = ""

    @property
    def heading(self) -> str:
        """Its first line."""
        return shortened(f"{_BEFORE[self.news]}{self.title} at {self.endpoint}")

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What it says, by name."""
        facts = (
            ("Environment", self.environment),
            ("Of", self.subject),
            ("Severity", self.severity),
            ("Found", shortened(self.reason)),
            ("When", f"{self.time:%Y-%m-%d %H:%M} UTC"),
        )
        return tuple((name, value) for name, value in facts if value)

    @property
    def lines(self) -> tuple[str, ...]:
        """What was done, as much of it as a message holds."""
        shown = [shortened(each) for each in self.done[:_MOST_DONE]]
        more = len(self.done) - len(shown)
        return (*shown, *([f"and {more} more"] if more > 0 else []))


def shortened(text: str, longest: int = _LONGEST) -> str:
    """Return a text of one line, cut off where it is too long."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
