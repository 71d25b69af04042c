"""What the audit logs tell of versions, as a source of what came after their registration.

Each environment's platform has a log, and several may share one. A log that cannot be read, is
broken, or for which there is no place, is named, and hides nothing that another one tells.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mlops.errors import MlopsError
from mlops.governance.audit.entry import Entry
from mlops.governance.audit.log import read_entries
from mlops.governance.audit.record import verified
from mlops.governance.later import Happening, of_audit
from mlops.hints import typed
from mlops.platforms.base import Platform
from mlops.settings.loading import LoadedSettings


@dataclass(frozen=True)
class Logged:
    """What audit logs tell of all versions, and in words what of them cannot be relied upon."""

    happenings: tuple[Happening, ...]
    problems: tuple[str, ...]


def logged_of(
    environments: Iterable[str], opened: Callable[[str], tuple[Platform, LoadedSettings]]
) -> Logged:
    """Return what the audit logs of environments tell, each log once.

    Args:
        environments: their names.
        opened: returns an environment's platform and its settings.
    """
    happenings: list[Happening] = []
    problems: list[str] = []
    known: set[str] = set()
    for environment in environments:
        try:
            platform, settings = opened(environment)
            place = platform.audit().place()
            if place in known:
                continue
            known.add(place)
            entries, problem = _read(platform, settings)
        except (MlopsError, OSError) as error:
            problems.append(f"the audit log of {environment}: {error}")
            continue
        happenings += of_audit(each.to_dict() for each in entries)
        problems += [f"the audit log in {place} {problem}"] if problem else []
    return Logged(tuple(happenings), tuple(problems))


def _read(platform: Platform, settings: LoadedSettings) -> tuple[tuple[Entry, ...], str]:
    """Return the lines of a log that can be read, and what is wrong with it."""
    found = verified(platform, settings)
    problem = "" if found.whole else f"is broken: {found.sentence} ({typed('audit verify')})"
    return read_entries(platform.audit()), problem
