"""How a candidate ended that was released, or was not: kept beside the endpoint's events.

So `mlops retrain` knows also of the candidates that the pipeline trained.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from mlops.artifacts.candidate import Meant
from mlops.errors import ConfigError, Hold, MlopsError, Refused
from mlops.monitoring.decisions import Decision, Kind, keep
from mlops.platforms.base import Endpoint, Platform
from mlops.progress import Report
from mlops.release.reference import Outdated, meant_here
from mlops.release.turn import NotItsTurn
from mlops.release.watchers import Ended
from mlops.settings.loading import LoadedSettings

RELEASED, REFUSED, REJECTED, HELD, FAILED = "released", "refused", "rejected", "hold", "failed"
OUTDATED = "outdated"
"""What a candidate was to replace serves no more."""
INTERRUPTED = "it was interrupted"


def end_by(error: BaseException, *, registered: bool) -> tuple[str, str]:
    """Return how a candidate ended by an error, and why.

    Args:
        error: what stopped it.
        registered: whether it had passed the gate.
    """
    if not isinstance(error, Exception):
        return FAILED, INTERRUPTED
    if not isinstance(error, MlopsError):
        return FAILED, f"{type(error).__name__}: {error}"
    if isinstance(error, Outdated):
        return OUTDATED, error.message
    if isinstance(error, Refused):
        return REJECTED if registered else REFUSED, error.message
    return HELD if isinstance(error, Hold) else FAILED, error.message


@contextmanager
def end_kept(
    platform: Platform,
    settings: LoadedSettings,
    model_version: int,
    ends: Sequence[Ended],
    report: Report,
) -> Iterator[None]:
    """Keep how the release of a version ends, if it is one of a candidate for this environment.

    What did not begin, since it was not its turn or something is configured wrong, has not ended.

    Args:
        platform: has the version and the endpoint.
        settings: of the environment.
        model_version: what is released.
        ends: what was told of the end, if anything was.
        report: is told what could not be kept.
    """
    meant = _meant(platform, settings, model_version)
    if meant is None:
        yield
        return
    kept = partial(keep_end, platform.endpoint(settings.endpoint_name), settings, meant)
    try:
        yield
    except (ConfigError, NotItsTurn):
        raise
    except BaseException as error:
        kept(*end_by(error, registered=True), report)
        raise
    if ends and ends[-1].record.outcome == "promoted":
        kept(RELEASED, ends[-1].record.reason, report)


def _meant(platform: Platform, settings: LoadedSettings, model_version: int) -> Meant | None:
    try:
        return meant_here(platform.version(model_version), settings.values.environment)
    except MlopsError:
        return None  # the release says what is wrong with it


def keep_end(
    endpoint: Endpoint,
    settings: LoadedSettings,
    meant: Meant,
    outcome: str,
    reason: str,
    report: Report,
) -> None:
    """Keep how a candidate ended; it holds also where that fails.

    Args:
        endpoint: where it was to serve.
        settings: of its environment.
        meant: which candidate it is.
        outcome: a word of this module.
        reason: a sentence.
        report: is told what could not be kept.
    """
    decision = Decision(
        time=settings.clock(),
        kind=Kind.RETRAINING,
        cause=meant.cause,
        outcome=outcome,
        reason=reason,
        environment=settings.values.environment,
        endpoint=endpoint.name,
        model_name=settings.model_name,
        model_version=meant.reference,
        subject=meant.candidate,
    )
    try:
        keep(endpoint, [decision])
    except MlopsError as error:
        report(f"how candidate {meant.candidate} ended could not be kept: {error.message}")
