"""The place that a candidate is to take: it is released while the version serves that it was for.

What was found, decided and compared is about that version. If a person released another one since,
or it was rolled back, nobody knows whether the candidate is better than what serves now.
"""

from collections import Counter

from mlops.artifacts.candidate import Meant, meant_for
from mlops.artifacts.version_folder import VersionFolder
from mlops.errors import Refused
from mlops.hints import typed
from mlops.platforms.base import Endpoint, ModelVersion


class Outdated(Refused):
    """What a candidate is to replace serves no more; nothing is released in another one's place."""


def meant_here(version: ModelVersion, environment: str) -> Meant | None:
    """Return what a version is meant for, if it was made of a candidate for an environment.

    Raises:
        ConfigError: its lineage is missing or unreadable.
    """
    meant = meant_for(VersionFolder(version.folder).lineage())
    return meant if meant and meant.environment == environment else None


def require_reference(
    endpoint: Endpoint, candidate: str, reference: int, own: int | None = None
) -> None:
    """Check that callers reach the version that a candidate is to replace.

    Args:
        endpoint: where it is to be replaced.
        candidate: the id.
        reference: that version.
        own: the version of the candidate: it is never in its own way.

    Raises:
        Outdated: they reach another one, or none.
    """
    served = _served(endpoint, own)
    if served in (reference, own) and served is not None:
        return
    there = "nothing" if served is None else f"version {served}"
    stays = "" if own is None else f", so version {own} stays registered and is not released"
    raise Outdated(
        f"candidate {candidate} is outdated: it was to take the place of version {reference}, and "
        f"callers of {endpoint.name} reach {there} now{stays}",
        f"if what serves now is to be trained again: {typed('retrain --cause TEXT')}",
    )


def _served(endpoint: Endpoint, own: int | None) -> int | None:
    """Return the version that answers most callers, own or not if there is no other."""
    if not endpoint.exists():
        return None
    traffic, shares = endpoint.traffic(), Counter[int]()
    for each in endpoint.deployments():
        shares[each.model_version] += traffic.get(each.name, 0)
    reached = {version: share for version, share in shares.items() if share}
    others = {version: share for version, share in reached.items() if version != own}
    return max(others or reached, key=reached.__getitem__, default=None)
