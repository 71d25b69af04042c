"""Changes of traffic by hand, kept beside the endpoint's predictions."""

from mlops.errors import MlopsError
from mlops.platforms.base import Endpoint
from mlops.progress import Report
from mlops.settings.loading import LoadedSettings

CHANGE = "change"
ROLLBACK, SWITCH = "rollback", "switch-traffic"
_OUTCOMES = {ROLLBACK: "rolled back", SWITCH: "switched"}


def keep_change(endpoint: Endpoint, settings: LoadedSettings, kind: str, report: Report) -> None:
    """Keep that traffic was changed; if that is not possible, the change holds all the same.

    Args:
        endpoint: as it is after the change.
        settings: those of its environment.
        kind: `rollback` or `switch-traffic`.
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
