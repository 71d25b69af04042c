"""What happens in the simulated year, and how each event should end: data alone.

A broken year is a short one: it goes until the broken link has been met, and shows that the version
that served before serves on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from mlops.monitoring.decisions import Kind

FIRST_DAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""A Monday; every simulation begins on it, so that two of them can be compared."""
_WEEK = 7
_QUIET = 12 * _WEEK
"""So long nothing is new."""
_EVENING = 0.25
_LONGEST_BACK = 91
"""So many days `mlops feedback` looks back at most."""
ANSWERED, FAILED = 200, 500
_DONE, _REFUSED, _NOT_ENOUGH = 0, 1, 4


class Break(StrEnum):
    """A link of the loop that can be broken."""

    EVENTS = "events"
    """No prediction leaves an event."""
    LABELS = "labels"
    """Labels are late: none has come when they are due."""
    GATE = "gate"
    """The data of the candidate are incomplete, so that it is worse than what serves."""
    CANDIDATE = "candidate"
    """The code of the candidate crashes."""
    WEBHOOK = "webhook"
    """The address of who is to be told answers nothing."""
    REGISTRY = "registry"
    """MLflow's database, in which runs and versions are registered, cannot be read."""


class Fault(StrEnum):
    """What goes wrong at a moment and is no command."""

    SERVING = "serving"
    """The next release's scoring code fails on what callers send, and no test sends."""
    REGISTRY = "registry"
    """MLflow's database is damaged."""


@dataclass(frozen=True)
class Plan:
    """What a year depends on.

    Attributes:
        size: entities in the raw data of the first version.
        grown: those later on.
        incomplete: those in a part of the raw data that is too small to learn from.
        drift: how strong the change is, from 0 to 1.
        label_days: days after a prediction until its label is known.
        delay_days: what conf says of that.
        cooldown_days: how long no other candidate begins by itself.
    """

    size: int = 1500
    grown: int = 4500
    incomplete: int = 80
    drift: float = 0.3
    label_days: int = 0
    delay_days: float = 0.0
    cooldown_days: float = 7.0

    @property
    def wait_days(self) -> float:
        """Days after a prediction until its label arrives: a week at least."""
        return max(float(self.label_days), self.delay_days, float(_WEEK))

    @property
    def back_days(self) -> int:
        """How far `feedback` looks back from where labels are due, to see what was predicted."""
        return min(int(self.wait_days - self.delay_days) + 2 * _WEEK, _LONGEST_BACK)


@dataclass(frozen=True)
class Data:
    """Raw data arrive: `mlops data make`."""

    size: int
    drift: float = 0.0


@dataclass(frozen=True)
class Train:
    """A version is trained, judged and registered."""


@dataclass(frozen=True)
class Release:
    """The newest version is released; with `rehearsal` under generated requests."""

    rehearsal: bool = False


@dataclass(frozen=True)
class Callers:
    """Callers ask, and this version answers them with this status."""

    version: int
    drift: float = 0.0
    status: int = ANSWERED


@dataclass(frozen=True)
class Feedback:
    """Labels of what was predicted arrive, or none has: `mlops feedback`."""

    back_days: int
    arrived: bool = True
    exit_code: int = _DONE


@dataclass(frozen=True)
class Drift:
    """`mlops drift`."""

    exit_code: int = _DONE


@dataclass(frozen=True)
class Monitor:
    """`mlops monitor --act`, and what it should do: kinds of deeds and their outcomes."""

    exit_code: int = _DONE
    deeds: tuple[tuple[Kind, str], ...] = ()


@dataclass(frozen=True)
class Page:
    """`mlops report`."""


Act = Data | Train | Release | Callers | Feedback | Drift | Monitor | Page | Fault


@dataclass(frozen=True)
class Moment:
    """A day of the year: what is new, and what is done, one after the other.

    `day` is counted from the first one, with a fraction.
    """

    day: float
    story: str
    acts: tuple[Act, ...]


def scenario(plan: Plan, broken: Break | None = None) -> Sequence[Moment]:
    """Return a whole year, or one with a broken link."""
    return _whole(plan) if broken is None else _broken(plan, broken)


def _whole(plan: Plan) -> list[Moment]:
    labelled = 2 * _WEEK + plan.wait_days
    drifts = labelled + _QUIET
    again = drifts + _WEEK + max(_WEEK, plan.cooldown_days) + 1
    settled = again + _WEEK
    late = settled + _WEEK + plan.wait_days
    faulty = late + _WEEK + plan.wait_days
    waits, refused, released = ((Kind.RETRAINING, each) for each in ("wait", "refused", "released"))
    way_back = ((Kind.ROLLBACK, "rolled back"), (Kind.INCIDENT, "opened"))
    return [
        _first(plan),
        _a_week(plan),
        Moment(
            labelled,
            "the labels of that week arrive",
            (Feedback(plan.back_days), Callers(1), Drift(), Monitor()),
        ),
        _drifted(plan, drifts, "callers change", waits),
        _drifted(
            plan,
            drifts + _WEEK,
            "they stay changed; the newest data are incomplete",
            refused,
            Data(plan.incomplete, plan.drift),
        ),
        _drifted(plan, again, "all the data are there", released, Data(plan.grown, plan.drift)),
        Moment(
            settled,
            "what was unusual is usual now",
            (Callers(2, plan.drift), Drift(), Monitor(_NOT_ENOUGH)),
        ),
        Moment(
            late,
            "the labels of that week arrive",
            (Feedback(plan.back_days), Callers(2, plan.drift), Drift(), Monitor()),
        ),
        Moment(
            faulty,
            "a release with a fault that no test meets",
            (Data(plan.grown, plan.drift), Train(), Fault.SERVING, Release(rehearsal=True)),
        ),
        Moment(
            faulty + _EVENING,
            "callers meet it",
            (Callers(3, plan.drift, FAILED), Monitor(_REFUSED, way_back)),
        ),
        Moment(
            faulty + _EVENING,
            "what served before serves again",
            (Callers(2, plan.drift), Drift(), Feedback(plan.back_days), Monitor(), Page()),
        ),
    ]


def _broken(plan: Plan, broken: Break) -> list[Moment]:
    first, drifts = _first(plan), float(_WEEK)
    failed = (Kind.RETRAINING, "failed")
    waits = _drifted(plan, drifts, "callers change", (Kind.RETRAINING, "wait"))
    then = drifts + _WEEK
    serves_on = (Callers(1, plan.drift), Page())
    match broken:
        case Break.EVENTS:
            unseen = (Callers(1), Drift(_NOT_ENOUGH), Monitor(_NOT_ENOUGH), Callers(1), Page())
            return [first, Moment(drifts, "callers ask, and nothing is kept of it", unseen)]
        case Break.LABELS:
            none = Feedback(plan.back_days, arrived=False, exit_code=_NOT_ENOUGH)
            due = (none, Callers(1), Drift(), Monitor(_NOT_ENOUGH), Callers(1), Page())
            late = 2 * _WEEK + plan.wait_days
            return [first, _a_week(plan), Moment(late, "labels are due, and none has come", due)]
        case Break.WEBHOOK:
            untold = (Callers(1, plan.drift), Drift(_REFUSED))
            told = Monitor(_REFUSED, ((Kind.RETRAINING, "wait"), (Kind.NOTIFICATION, "failed")))
            return [first, Moment(drifts, "callers change", (*untold, told, *serves_on))]
        case Break.GATE:
            data, story = (Data(plan.incomplete, plan.drift),), "the newest data are incomplete"
            outcome = (Kind.RETRAINING, "refused")
        case Break.CANDIDATE:
            data, story = (Data(plan.grown, plan.drift),), "the candidate's code crashes"
            outcome = failed
        case Break.REGISTRY:
            data, story = (Data(plan.grown, plan.drift),), "the registry is down"
            outcome = failed
    faults = (Fault.REGISTRY,) if broken is Break.REGISTRY else ()
    last = _drifted(plan, then, story, outcome, *data, *faults)
    return [first, waits, Moment(last.day, last.story, (*last.acts, *serves_on))]


def _first(plan: Plan) -> Moment:
    return Moment(0, "the first version", (Data(plan.size), Train(), Release()))


def _a_week(plan: Plan) -> Moment:
    none = Feedback(plan.back_days, arrived=False, exit_code=_NOT_ENOUGH)
    acts = (Callers(1), none, Drift(), Monitor(_NOT_ENOUGH))
    return Moment(_WEEK, "a usual week, whose labels are not known yet", acts)


def _drifted(
    plan: Plan, day: float, story: str, retraining: tuple[Kind, str], *before: Act
) -> Moment:
    """Return a day on which callers differ from the training data, and what is decided then."""
    acts = (*before, Callers(1, plan.drift), Drift(_REFUSED), Monitor(_REFUSED, (retraining,)))
    return Moment(day, story, acts)
