"""How a version stands to another one by the data they are made of: compared, replaced, refused.

Made-up data never take the place of real ones, and are never compared with them. The other way is
every team's first step: a version of real data replaces one of made-up data without a comparison.
Unknown data, as of a version from before they were recorded, do not take the place of real ones
either. To judge a model, all but real ones are compared with them; where there are callers a
release lets no made-up ones take theirs (release/data_rules.py).
"""

from collections.abc import Mapping
from enum import Enum, auto

from mlops.artifacts.data_source import DataSource
from mlops.progress import Report, silent


class Standing(Enum):
    """What a candidate may do about a version that is there."""

    COMPARED = auto()
    """Both are of one kind, as far as anybody knows: the better one wins."""
    REPLACES = auto()
    """The candidate is of real data and the other one is made up: there is nothing to match."""
    REFUSED = auto()
    """The candidate is not known to be of real data, and the other one is."""


def standing(candidate: DataSource, present: DataSource) -> Standing:
    """Return how a candidate stands to the version that serves, or that is the champion."""
    if candidate.made_up is False:
        return Standing.REPLACES if present.made_up is True else Standing.COMPARED
    return Standing.REFUSED if present.made_up is False else Standing.COMPARED


def champion_number(
    serving: int | None, data: Mapping[int, DataSource], report: Report = silent
) -> int | None:
    """Return which version a new one has to match: the one that serves, else the newest.

    One of made-up data is none as long as there is another.

    Args:
        serving: the version that callers of prod reach, if there is just one.
        data: what each version that may be the champion is made of.
        report: is told if the one that serves cannot be it, since it is not registered any more.
    """
    others = [number for number, source in data.items() if source.made_up is not True]
    newest = max(others or data, default=None)
    if serving is not None and serving not in data:
        said = f"version {serving} serves in prod and is not registered any more"
        report(said if newest is None else f"{said}, so version {newest} is the champion")
    if serving in data and (serving in others or not others):
        return serving
    return newest
