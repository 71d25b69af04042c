"""What happened in a simulation, event by event, and what commands say of themselves."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlops.monitoring.decisions import Kind
from mlops.platforms.answers import described
from mlops.simulation.scenario import FAILED

Said = Mapping[str, Any]
"""What a command printed with `--json`."""


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        time: when, by the clock of the simulation.
        what: the command as it is typed after `mlops`, or who did something.
        outcome: what came of it, in words.
        exit_code: of the command; None: it is no command.
        otherwise: what was planned instead; empty: it went as planned.
    """

    time: datetime
    what: str
    outcome: str
    exit_code: int | None = None
    otherwise: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints of it."""
        return {
            "time": self.time.isoformat(),
            "what": self.what,
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "as_planned": not self.otherwise,
            "planned": self.otherwise or None,
        }


@dataclass(frozen=True)
class Deed:
    """What a command did besides, such as a retraining: its kind, a word and a sentence."""

    kind: Kind
    outcome: str
    reason: str


def in_words(command: str, said: Said) -> str:
    """Return a command's outcome in a few words; its name alone where it said nothing."""
    teller = _TELLERS.get(command)
    return teller(said) if teller and said else ""


def deeds_of(said: Said) -> list[Deed]:
    """Return what `mlops monitor --act` did, but for keeping in mind that there is an alarm."""
    found = [Deed(Kind(e["kind"]), e["outcome"], e["reason"]) for e in said.get("done", ())]
    return [each for each in found if each.kind is not Kind.ALERT]


def missing_deeds(found: Iterable[Deed], planned: Sequence[tuple[Kind, str]]) -> str:
    """Return which planned deeds were not done, in words."""
    done = {(each.kind, each.outcome) for each in found}
    return ", ".join(
        f"{kind.value} {outcome}" for kind, outcome in planned if (kind, outcome) not in done
    )


def answers_in_words(answers: Mapping[tuple[int, int | None], int]) -> str:
    """Return what callers got, such as `version 2 answered 150`."""
    told = []
    for (status, version), count in sorted(answers.items(), key=lambda each: -each[1]):
        if version is not None:
            told.append(f"version {version} answered {count}")
        else:
            told.append(f"{count} got {described(status)}")
    return ", ".join(told) or "nobody asked"


def wrongly_answered(
    answers: Mapping[tuple[int, int | None], int], version: int, status: int
) -> str:
    """Return what was planned where callers got something else."""
    wanted = (status, None if status == FAILED else version)
    if answers.keys() == {wanted}:
        return ""
    return f"version {version} fails" if status == FAILED else f"version {version} answers"


def _made(said: Said) -> str:
    return f"data until {said['reference_date']}"


def _trained(said: Said) -> str:
    metrics = said["evaluation"]["model"]
    shown = [f"{name} {value:.3g}" for name, value in metrics.items() if value is not None]
    return ", ".join(shown[:2])


def _judged(said: Said) -> str:
    failed = [f"{each['name']} is {each['found']}" for each in said["checks"] if not each["passed"]]
    return f"refused: {', '.join(failed)}" if failed else "passed"


def _drifted(said: Said) -> str:
    columns = [str(each["column"]) for each in said["columns"] if each["outcome"] == "drift"]
    return f"{said['outcome']}: {', '.join(columns)}" if columns else str(said["outcome"])


def _performed(said: Said) -> str:
    value = said["realised"]["value"]
    number = "" if value is None else f": {said['metric']} {value:.3g}"
    return f"{said['outcome']}{number}"


def _monitored(said: Said) -> str:
    alarms = [str(each["id"]) for each in said["alerts"] if each["outcome"] == "alarm"]
    return f"{said['outcome']}: {', '.join(alarms)}" if alarms else str(said["outcome"])


_TELLERS: Mapping[str, Callable[[Said], str]] = {
    "data": _made,
    "train": _trained,
    "evaluate": _judged,
    "register": lambda said: f"version {said['version']}",
    "release": lambda said: f"{said['outcome']}: {said['reason']}",
    "drift": _drifted,
    "feedback": _performed,
    "monitor": _monitored,
}
