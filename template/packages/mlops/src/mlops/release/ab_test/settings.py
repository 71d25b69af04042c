"""Whether a release compares two versions, and by which settings."""

from mlops.platforms.base import Endpoint
from mlops.release.traffic import AB_TEST_LEVEL
from mlops.settings.loading import LoadedSettings
from mlops.settings.sections import AbTestSettings


def has_ab_test(settings: LoadedSettings) -> bool:
    """Tell whether a release compares the candidate with what serves before it switches."""
    wanted = settings.values.ab_test.enabled
    if wanted is None:
        wanted = settings.values.environment == "prod"
    return wanted and settings.project.maturity_level >= AB_TEST_LEVEL


def ab_settings_of(settings: LoadedSettings, endpoint: Endpoint) -> AbTestSettings:
    """Return how versions are compared: the endpoint is asked no more often than it may be."""
    chosen = settings.values.ab_test
    seconds = max(chosen.batch_seconds, endpoint.poll_seconds)
    return chosen.model_copy(update={"batch_seconds": seconds})
