"""`mlops ab-test`: compare two deployments, and leave everything as it was."""

from dataclasses import replace

from mlops.hints import typed
from mlops.platforms.base import Endpoint, Platform
from mlops.release.ab_test.run import check_arms, run_ab_test
from mlops.release.ab_test.settings import ab_settings_of
from mlops.release.compatibility import refusal, replacement
from mlops.release.data_rules import require_comparable
from mlops.release.evidence import record_of, write_evidence
from mlops.release.traffic import AB_TEST_LEVEL, require_level, restored
from mlops.release.watchers import NOBODY, Ended, Watchers
from mlops.settings.loading import LoadedSettings
from mlops.settings.sections import AbTestSettings

_OUTCOMES = {"promote": "promoted", "reject": "rejected", "hold": "hold"}
_WAY_OUT = f"{typed('release --breaking --reason …')} releases it without a comparison"


def compare_deployments(
    platform: Platform,
    settings: LoadedSettings,
    arms: tuple[str, str],
    watchers: Watchers = NOBODY,
    ab_settings: AbTestSettings | None = None,
    rehearsal: str = "",
) -> Ended:
    """Compare two deployments; traffic and mirror are as before when it ends, however it ends.

    Args:
        platform: has the endpoint of the settings' environment, and the versions.
        settings: the environment's settings.
        arms: the names of baseline and candidate.
        watchers: receive the progress.
        ab_settings: other settings of the test than the environment's.
        rehearsal: what is said of it if this is one.

    Raises:
        ConfigError: the project's level is below 3, or a deployment is not as it must be.
        Refused: one is of made-up data and the other one of real data, or the candidate may refuse
            what callers send to the baseline.
        PlatformError: the endpoint failed, or another command changes it.
    """
    require_level(settings.project, AB_TEST_LEVEL, "ab-test")
    endpoint = platform.endpoint(settings.endpoint_name)
    baseline, candidate = arms
    check_arms(endpoint, baseline, candidate)
    endpoint.repair(watchers.report)
    with endpoint.lease(f"the A/B test of {candidate}"):
        require_comparable(platform, endpoint, arms)
        _require_same_requests(platform, endpoint, baseline, candidate)
        traffic = endpoint.traffic()
        with restored(endpoint):
            chosen = ab_settings or ab_settings_of(settings, endpoint)
            result = run_ab_test(
                endpoint,
                baseline,
                candidate,
                chosen,
                watchers.report,
                watchers.watch,
                callers=platform.has_callers,
            )
        outcome = _OUTCOMES[result.decision]
        record = record_of(endpoint, candidate, traffic, outcome, result.reason)
        record = replace(record, ab_test=result, rehearsal=rehearsal, kind="A/B test")
        return Ended(record, write_evidence(settings.project.state_dir, record, settings.clock()))


def _require_same_requests(
    platform: Platform, endpoint: Endpoint, baseline: str, candidate: str
) -> None:
    served = {each.name: each.model_version for each in endpoint.deployments()}
    version = platform.version(served[candidate])
    if changes := replacement(platform, endpoint, baseline, version).changes:
        raise refusal(changes, version, endpoint, _WAY_OUT)
