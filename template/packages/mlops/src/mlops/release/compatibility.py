"""Does a version answer the requests that callers send to the one that serves?"""

from collections.abc import Sequence

from mlops.artifacts.signature import differences
from mlops.artifacts.version_folder import VersionFolder
from mlops.errors import Refused
from mlops.platforms.base import Endpoint, ModelVersion, Platform


def changed_requests(
    platform: Platform, endpoint: Endpoint, baseline: str | None, version: ModelVersion
) -> tuple[str, ...]:
    """Return why requests that the baseline answers would be refused by a version.

    Args:
        platform: has the version that serves.
        endpoint: where it serves.
        baseline: the deployment that callers reach; without one there is nothing to break.
        version: the one that is to answer them.

    Raises:
        Refused: the version that serves is not known to the platform, so nobody can tell.
        ConfigError: its signature cannot be read.
    """
    served = {each.name: each.model_version for each in endpoint.deployments()}
    if baseline is None or served[baseline] == version.version:
        return ()
    before = VersionFolder(platform.version(served[baseline]).folder).signature()
    return differences(before, VersionFolder(version.folder).signature())


def refusal(changes: Sequence[str], version: ModelVersion, endpoint: Endpoint) -> Refused:
    """Return what is said of a version that would refuse the callers of an endpoint."""
    return Refused(
        f"version {version.version} refuses requests that {endpoint.name} answers now: "
        f"{', '.join(changes)}",
        "docs/release.md says how to change what callers send without breaking them, and "
        '`--breaking --reason "…"` releases it all the same',
    )
