"""What a version's data let it do: made-up ones take no callers from real ones, a share stays."""

from collections.abc import Callable, Iterable

from mlops.artifacts.data_source import UNKNOWN, DataSource, source_of_tags
from mlops.artifacts.version_folder import source_of_version
from mlops.errors import ConfigError, MlopsError, Refused
from mlops.governance.standing import Standing, standing
from mlops.platforms.base import Endpoint, ModelVersion, NoAccess, Platform
from mlops.progress import Report


def require_no_lesser_data(platform: Platform, endpoint: Endpoint, version: ModelVersion) -> None:
    """Check that a release takes no callers from a version of better data.

    Made-up and unknown data take them from no real ones. Made-up ones take them from no unknown
    ones either, where the platform has callers.

    Args:
        platform: has the versions.
        endpoint: what its deployments with traffic serve is what callers have now.
        version: the one that is to answer them, with its folder in place.

    Raises:
        Refused: its data are lesser ones.
    """

    def refused(ours: DataSource, theirs: DataSource) -> bool:
        if standing(ours, theirs) is Standing.REFUSED:
            return True
        return platform.has_callers and ours.made_up is True and theirs.made_up is None

    ours = source_of_version(version.folder, version.tags)
    if ours.made_up is not False:  # else what serves need not be read, which may be what is broken
        _require_none(platform, endpoint, version.version, ours, refused)


def require_no_made_up_data(platform: Platform, endpoint: Endpoint, numbers: Iterable[int]) -> None:
    """Check that no version that is made up takes callers from a real one, as far as is known.

    Args:
        platform: has the versions; what it cannot tell stops nothing.
        endpoint: what its deployments with traffic serve is what callers have now.
        numbers: the versions that are to answer them.

    Raises:
        Refused: one of them is made up where another one is real.
    """
    for number in sorted(set(numbers)):
        ours = source_of(platform, number)
        if ours.made_up is True:
            _require_none(
                platform, endpoint, number, ours, lambda _, theirs: theirs.made_up is False
            )


def _require_none(
    platform: Platform,
    endpoint: Endpoint,
    number: int,
    ours: DataSource,
    refused: Callable[[DataSource, DataSource], bool],
) -> None:
    traffic = endpoint.traffic()
    served = {each.model_version for each in endpoint.deployments() if traffic.get(each.name)}
    for present in sorted(served) if number not in served else ():
        theirs = source_of(platform, present)
        if refused(ours, theirs):
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
    """Return what data a version is made of; unknown where the platform cannot tell.

    Its tags are asked first, so that nothing is downloaded where they say it.
    """
    try:
        for each in platform.versions():
            source = source_of_tags(each.tags)
            if each.version == number and source.made_up is not None:
                return source
        version = platform.version(number)
    except MlopsError:
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
        ConfigError: who runs this may not write to what all environments share.
        Refused: there is no such version, it is made of a share of the data, or they have another
            one by this number.
    """
    try:
        require_whole(platform.version(number), "shared")
        return platform.share(number, report)
    except NoAccess as error:  # to read would not suffice
        raise ConfigError(error.message, error.remedy_to_write) from error
