"""Does a version answer the requests that callers send to the one that serves?"""

from collections.abc import Sequence

from mlops.artifacts.signature import differences
from mlops.artifacts.version_folder import VersionFolder
from mlops.errors import ConfigError, Refused
from mlops.platforms.base import Endpoint, ModelVersion, Platform


def changed_requests(
    platform: Platform, endpoint: Endpoint, baseline: str | None, version: ModelVersion
) -> tuple[str, ...]:
    """Return why requests that the baseline answers may be refused by a version.

    That the version which serves is gone from the registry is such a reason: nobody can tell what
    its callers send.

    Args:
        platform: has the version that serves.
        endpoint: where it serves.
        baseline: the deployment that callers reach; without one there is nothing to break.
        version: the one that is to answer them.

    Raises:
        ConfigError: a signature cannot be read.
    """
    served = {each.name: each.model_version for each in endpoint.deployments()}
    if baseline is None or served[baseline] == version.version:
        return ()
    try:
        known = platform.version(served[baseline])
    except (ConfigError, Refused) as error:
        return (f"what version {served[baseline]} takes is unknown ({error.message})",)
    before = VersionFolder(known.folder).signature()
    return differences(before, VersionFolder(version.folder).signature())


def refusal(
    changes: Sequence[str], version: ModelVersion, endpoint: Endpoint, way_out: str
) -> Refused:
    """Return what is said of a version that may refuse the callers of an endpoint.

    Args:
        changes: what they would have to send otherwise.
        version: the version.
        endpoint: the endpoint.
        way_out: what can be done besides keeping what callers send.
    """
    return Refused(
        f"version {version.version} may refuse requests that {endpoint.name} answers now: "
        f"{', '.join(changes)}",
        "docs/release.md says how to change what callers send without breaking them, and "
        f"{way_out}",
    )
