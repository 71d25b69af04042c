"""What the page says, before it is a page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mlops.window import Window

Cells = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows of texts below their headings."""

    columns: Cells
    rows: tuple[Cells, ...]


@dataclass(frozen=True)
class Chart:
    """A picture, what it shows in a sentence for who cannot see it, and the numbers behind it."""

    title: str
    summary: str
    svg: str
    numbers: Table | None = None


@dataclass(frozen=True)
class Mark:
    """A word with its tone: `good`, `bad`, `open` or `plain`; the word alone says it all."""

    word: str
    tone: str


@dataclass(frozen=True)
class Release:
    """One release, rollback or A/B test by itself, and how it ended."""

    time: str
    kind: str
    outcome: Mark
    version: str
    reason: str
    traffic: str


@dataclass(frozen=True)
class Section:
    """One subject of an endpoint.

    Attributes:
        title: its heading.
        outcome: how it stands, if it is judged.
        empty: what is said where there is nothing, and what would bring it; else empty.
        notes: what is to be known beside the numbers.
        charts: shown at once.
        more: shown on request, under `more_title`.
        table: shown at once.
        releases: of the section on releases alone.
    """

    title: str
    outcome: Mark | None = None
    empty: str = ""
    notes: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    table: Table | None = None
    more_title: str = ""
    more: tuple[Chart, ...] = ()
    releases: tuple[Release, ...] = ()


@dataclass(frozen=True)
class Serving:
    """What one endpoint serves, and how that goes."""

    environment: str
    endpoint: str
    url: str = ""
    problem: str = ""
    deployments: Table | None = None
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True)
class Page:
    """All of it."""

    title: str
    description: str
    team: str
    contact: str
    made_at: datetime
    window: Window
    serving: Sequence[Serving] = field(default_factory=tuple)
