"""May a version take the place of the one that serves, and can the two be compared?"""

from collections.abc import Sequence
from dataclasses import dataclass

from mlops.artifacts.signature import differences
from mlops.artifacts.version_folder import VersionFolder, source_of_version
from mlops.errors import MlopsError, Refused
from mlops.governance.standing import Standing, standing
from mlops.platforms.base import Endpoint, ModelVersion, Platform
from mlops.release.data_rules import require_no_lesser_data, source_of


@dataclass(frozen=True)
class Replacement:
    """What it means that a version takes the place of the one that serves.

    Attributes:
        changes: why requests that are answered now would be refused.
        made_up: what is said where the version that serves is made of made-up data, and the new one
            of real data: then nobody's answers are at stake, and there is nothing to match.
    """

    changes: tuple[str, ...] = ()
    made_up: str = ""

    @property
    def uncompared(self) -> str:
        """Why the two are not compared; nothing if they are."""
        return self.made_up or ("what callers send changes" if self.changes else "")


def replacement(
    platform: Platform, endpoint: Endpoint, baseline: str | None, version: ModelVersion
) -> Replacement:
    """Return what it means that a version takes the place of the baseline.

    Where the version that serves is gone from the registry, was altered or cannot be read, nobody
    can tell what its callers send: that counts as a change.

    Args:
        platform: has the version that serves.
        endpoint: where it serves.
        baseline: the deployment that callers reach; without one there is nothing to break.
        version: the one that is to answer them.

    Raises:
        Refused: the version that serves is of real data and the new one is not, or it may be, and
            the new one is made up where there are callers.
        ConfigError: the signature of the new version cannot be read.
    """
    served = {each.name: each.model_version for each in endpoint.deployments()}
    if baseline is None or served[baseline] == version.version:
        return Replacement()
    require_no_lesser_data(platform, endpoint, version)
    present = served[baseline]
    after = VersionFolder(version.folder).signature()
    try:
        before = VersionFolder(platform.version(present).folder).signature()
        changes = differences(before, after)
    except MlopsError as error:
        changes = (f"what version {present} takes is unknown ({error.message})",)
    ours = source_of_version(version.folder, version.tags)
    if standing(ours, source_of(platform, present)) is Standing.COMPARED:
        return Replacement(changes)
    return Replacement(
        changes, f"{baseline} serves version {present} of made-up data, this one is real"
    )


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
