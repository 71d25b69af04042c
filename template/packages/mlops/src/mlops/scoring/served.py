"""Which registered version scores, or answers requests: the one that an endpoint serves."""

from dataclasses import dataclass

from mlops.artifacts.version_folder import verify_version
from mlops.errors import ConfigError, Refused
from mlops.hints import typed
from mlops.platforms.base import Deployment, Endpoint, ModelVersion, Platform


@dataclass(frozen=True)
class Served:
    """A registered version, and the deployment by which it serves, if one was asked."""

    version: ModelVersion
    deployment: str | None = None


def named_version(platform: Platform, number: int) -> Served:
    """Return a version that somebody names.

    Raises:
        ConfigError: there is no such version.
        Refused: its files are not those that were registered.
    """
    version = platform.version(number)
    verify_version(version.folder)
    return Served(version)


def served_version(platform: Platform, endpoint: Endpoint, environment: str) -> Served:
    """Return the version that answers an endpoint's callers.

    Raises:
        ConfigError: nothing takes its traffic, or several versions share it.
        Refused: the registered version is not what serves, or its files were altered.
    """
    deployment = _sole_deployment(endpoint, environment)
    version = platform.version(deployment.model_version)
    facts = verify_version(version.folder)
    if deployment.model_sha256 != facts.model_sha256:
        raise Refused(
            f"{endpoint.name} serves another model as version {facts.version} than the one that is "
            "registered",
            f"{typed('deploy --model-version …')} serves a registered one",
        )
    return Served(version, deployment.name)


def require_deployed(endpoint: Endpoint, environment: str) -> None:
    """Check that anything is deployed.

    Raises:
        ConfigError: nothing is.
    """
    if not endpoint.exists():
        raise ConfigError(
            f"nothing is deployed at {endpoint.name}, the endpoint of the environment "
            f"{environment}",
            f"{typed(f'deploy --environment {environment} --model-version …')} serves a version, "
            f"and {typed('status')} shows what serves where (--environment names another one)",
        )


def _sole_deployment(endpoint: Endpoint, environment: str) -> Deployment:
    require_deployed(endpoint, environment)
    traffic = endpoint.traffic()
    found = [each for each in endpoint.deployments() if traffic.get(each.name, 0) > 0]
    if not found:
        raise ConfigError(
            f"no deployment of {endpoint.name} takes traffic", "name a version: --model-version"
        )
    if len({(each.model_version, each.model_sha256) for each in found}) > 1:
        shares = ", ".join(f"version {each.model_version} {traffic[each.name]} %" for each in found)
        raise ConfigError(
            f"several versions share the traffic of {endpoint.name} ({shares})",
            "name the one that is meant: --model-version",
        )
    return max(found, key=lambda each: traffic[each.name])
