"""What a version's data let it do: made-up ones take no callers from real ones, a share stays."""

from collections.abc import Iterable

from mlops.artifacts.data_source import UNKNOWN, DataSource
from mlops.artifacts.version_folder import source_of_version
from mlops.errors import ConfigError, Refused
from mlops.governance.standing import Standing, standing
from mlops.platforms.base import Endpoint, ModelVersion, Platform
from mlops.progress import Report


def require_no_lesser_data(platform: Platform, endpoint: Endpoint, numbers: Iterable[int]) -> None:
    """Check that no version of made-up data takes callers from one of real data.

    Args:
        platform: has the versions.
        endpoint: what its deployments with traffic serve is what callers have now.
        numbers: the versions that are to answer them.

    Raises:
        Refused: one of them is made up, or nobody knows, where another one is real.
    """
    traffic = endpoint.traffic()
    served = {each.model_version for each in endpoint.deployments() if traffic.get(each.name)}
    for number in sorted({*numbers} - served):
        ours = source_of(platform, number)
        if ours.made_up is False:
            continue  # then what serves need not be read, which may be what is broken
        for present in sorted(served):
            theirs = source_of(platform, present)
            if standing(ours, theirs) is Standing.REFUSED:
                raise Refused(
                    f"version {number} is made of {ours.words} and must not replace version "
                    f"{present} at {endpoint.name}, which is made of {theirs.words}",
                    "train on real data (--data-dir, or data.source in conf), or serve it at an "
                    "endpoint of its own (endpoint.name)",
                )


def require_comparable(platform: Platform, endpoint: Endpoint, arms: Iterable[str]) -> None:
    """Check that deployments may be compared: made-up data and real ones never are.

    Raises:
        Refused: one serves a version of made-up data and another one of real data.
    """
    served = {each.name: each.model_version for each in endpoint.deployments()}
    found = {name: source_of(platform, served[name]) for name in arms if name in served}
    if len({source.made_up for source in found.values()} - {None}) > 1:
        words = ", ".join(f"{name} is made of {source.words}" for name, source in found.items())
        raise Refused(f"made-up data and real ones are not compared: {words}")


def source_of(platform: Platform, number: int) -> DataSource:
    """Return what data a version is made of; unknown where the platform does not know it."""
    try:
        version = platform.version(number)
    except ConfigError:
        return UNKNOWN
    return source_of_version(version.folder, version.tags)


def require_whole(version: ModelVersion, what: str) -> None:
    """Check that a version is made of all the data: only then may it leave where it was made.

    Args:
        version: with its folder in place.
        what: what is to be done with it, such as `shared`.

    Raises:
        Refused: it is made of a share of the data, or nobody knows.
    """
    source = source_of_version(version.folder, version.tags)
    if source.is_whole:
        return
    used = "an unknown share" if source.fraction is None else f"{100 * source.fraction:g} %"
    raise Refused(
        f"version {version.version} is made of {used} of the data and is not {what}",
        "train and register it with MLOPS_DATA__FRACTION=1.0, as the pipeline does on main",
    )


def share_version(platform: Platform, number: int, report: Report) -> str | None:
    """Give a version of all the data to all environments; return its id, or None if they have it.

    Raises:
        Refused: there is no such version, it is made of a share of the data, or they have another
            one by this number.
    """
    require_whole(platform.version(number), "shared")
    return platform.share(number, report)
