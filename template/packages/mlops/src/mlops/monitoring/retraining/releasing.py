"""Releasing the version of a candidate: to test, then to where it is to serve, as any other."""

from dataclasses import replace

from mlops.monitoring.retraining.training import Trained
from mlops.platforms import open_platform
from mlops.progress import Report
from mlops.release.candidate import release_version
from mlops.release.watchers import Ended, Watchers
from mlops.settings.loading import LoadedSettings, load_settings

TEST = "test"


def release_candidate(
    trained: Trained, settings: LoadedSettings, report: Report, *, rehearsal: bool = False
) -> str:
    """Release a candidate's version, with the scoring code of its commit; return why it is.

    Args:
        trained: the version.
        settings: of the environment in which it is to serve.
        report: is told what is being done.
        rehearsal: send requests, where nobody else does.

    Raises:
        Refused: the smoke test or the A/B test say no; what served before serves on.
        Hold: the A/B test came to no decision.
        MlopsError: as `release_version` does.
    """
    project = replace(settings.project, served_code=trained.serving)
    place = replace(settings, project=project)
    watchers = Watchers(report)
    if TEST in project.environments() and settings.values.environment != TEST:
        test = load_settings(project, TEST, clock=settings.clock)
        report("releasing to test")
        release_version(open_platform(test), test, trained.model_version, watchers)
    report(f"releasing to {place.values.environment}")
    return _released(trained.model_version, place, watchers, rehearsal=rehearsal).record.reason


def _released(version: int, place: LoadedSettings, watchers: Watchers, *, rehearsal: bool) -> Ended:
    platform = open_platform(place)
    if rehearsal:
        from mlops.release.rehearsal import rehearse  # its HTTP client takes a while

        return rehearse(platform, place, version, watchers)[0]
    return release_version(platform, place, version, watchers)
