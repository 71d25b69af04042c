"""Who is told of a release or an A/B test: of its progress, and of its end."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlops.progress import Report, silent
from mlops.release.ab_test.looks import Watch, unwatched
from mlops.release.evidence import Record


@dataclass(frozen=True)
class Ended:
    """How a release or an A/B test ended, and the folder of its evidence (None: there is none)."""

    record: Record
    folder: Path | None


def unheard(_ended: Ended) -> None:
    """Hear nothing of the end."""


@dataclass(frozen=True)
class Watchers:
    """Who is told: of the progress in lines and numbers, and of the end, whatever it is."""

    report: Report = silent
    watch: Watch = unwatched
    ended: Callable[[Ended], None] = unheard


NOBODY = Watchers()
