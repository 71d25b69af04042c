"""Changes of traffic, by a release or by hand, kept beside the endpoint's predictions."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from mlops.errors import MlopsError
from mlops.platforms.base import Endpoint
from mlops.progress import Report
from mlops.settings.loading import LoadedSettings

CHANGE = "change"
ROLLBACK, SWITCH, RELEASE = "rollback", "switch-traffic", "release"
BY_HAND = (ROLLBACK, SWITCH)
"""The kinds of which there is no other evidence."""
_OUTCOMES = {ROLLBACK: "rolled back", SWITCH: "switched", RELEASE: "released"}


def given_to_callers(changes: Iterable[Mapping[str, Any]]) -> dict[int, datetime]:
    """Return when each version was last given the callers that another one had.

    Of the first change nobody knows who had them before: a mere change of shares gives none.

    Args:
        changes: what `keep_change` kept, oldest first.
    """
    found: dict[int, datetime] = {}
    before: int | None = None
    for n, each in enumerate(changes):
        version, kind = each.get("model_version"), each.get("kind")
        known = n > 0 or kind == ROLLBACK
        if version is not None and (kind == RELEASE or (known and version != before)):
            found[version] = datetime.fromisoformat(each["time"])
        before = version
    return found


def keep_change(endpoint: Endpoint, settings: LoadedSettings, kind: str, report: Report) -> None:
    """Keep that traffic was changed; if that is not possible, the change holds all the same.

    Args:
        endpoint: as it is after the change.
        settings: those of its environment.
        kind: `rollback`, `switch-traffic` or `release`.
        report: is told what could not be kept.
    """
    try:
        traffic = {name: share for name, share in endpoint.traffic().items() if share}
        versions = {each.name: each.model_version for each in endpoint.deployments()}
        most = max(traffic, key=traffic.__getitem__, default=None)
        endpoint.keep_checks(
            [
                {
                    "check": CHANGE,
                    "kind": kind,
                    "time": settings.clock().isoformat(),
                    "environment": settings.values.environment,
                    "endpoint": endpoint.name,
                    "deployment": most,
                    "model_name": settings.model_name,
                    "model_version": versions.get(most) if most else None,
                    "outcome": _OUTCOMES[kind],
                    "traffic": ", ".join(f"{name} {share} %" for name, share in traffic.items()),
                }
            ]
        )
    except MlopsError as error:
        report(f"that traffic was changed could not be kept: {error}")
