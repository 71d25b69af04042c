"""Collects what is known of versions: the record in their folder, and what came later elsewhere.

What cannot be read is named and hides nothing else: an auditor has to know of it.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mlops.artifacts.data_source import source_of_tags
from mlops.artifacts.documents import APPROVALS, EVIDENCE
from mlops.artifacts.evidence_folder import releases_folder
from mlops.artifacts.version_folder import VersionFolder, changed_since_registration
from mlops.errors import MlopsError, Refused
from mlops.governance.later import (
    DRIFT,
    PERFORMANCE,
    Happening,
    later,
    of_approvals,
    of_changes,
    of_checks,
    of_release,
)
from mlops.governance.origin import SeenData, origin_of, seen_data, who_saw
from mlops.governance.told_twice import joined
from mlops.ops.audit_source import Logged, logged_of
from mlops.platforms import open_platform
from mlops.platforms.base import Deployment, Endpoint, ModelVersion, Platform
from mlops.progress import Report
from mlops.release.change_log import BY_HAND, CHANGE
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.signing.folder import require_untampered
from mlops.signing.policy import trust_of
from mlops.window import LONGEST, Window

HERE = "this machine alone"
"""The place of evidence that nobody kept beside its version."""


@dataclass(frozen=True)
class Later:
    """What came after the registration, by all sources, and which could not be read."""

    happenings: tuple[Happening, ...]
    not_read: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """An environment and its endpoint, as far as they can be reached.

    `problems` says why they cannot; `deployments` and `traffic` are empty where nothing is
    deployed. `changes` are those of its traffic, `checks` what monitoring found there.
    """

    environment: str
    endpoint: str
    deployments: tuple[Deployment, ...] = ()
    traffic: Mapping[str, int] | None = None
    changes: tuple[Happening, ...] = ()
    checks: tuple[Happening, ...] = ()
    url: str = ""
    problems: tuple[str, ...] = ()

    def serving(self) -> list[dict[str, Any]]:
        """Return what is deployed, with its share of the traffic in percent."""
        return [
            {
                "environment": self.environment,
                "endpoint": self.endpoint,
                "deployment": each.name,
                "model_version": each.model_version,
                "share": (self.traffic or {}).get(each.name, 0),
                "state": "healthy" if each.healthy else each.detail or "not healthy",
                "model_sha256": each.model_sha256,
                "made_of": each.origin,
            }
            for each in self.deployments
        ]


def version_lineage(
    settings: LoadedSettings, platform: Platform, number: int, report: Report
) -> dict[str, Any]:
    """Return where a version comes from, what came later, and where it is deployed now.

    Args:
        settings: of any environment.
        platform: has the version.
        number: the version.
        report: receives lines about the progress.

    Raises:
        ConfigError: there is no such version, or its lineage cannot be read.
        Refused: its files are not those that were registered.
    """
    report(f"reading version {number}")
    folder = platform.version(number).folder
    origin, changed = _recorded(folder)
    places = _everywhere(settings, origin, report)
    came = collect_later(settings, platform, number, places, report)
    serving = [each for place in places for each in place.serving()]
    return {
        "model_version": number,
        "origin": origin,
        "changed_files": changed,
        "signature": signature_of(folder, settings),
        "later": [each.to_dict() for each in came.happenings],
        "serves": [each for each in serving if each["model_version"] == number],
        "not_read": list(came.not_read),
    }


def since_registration(
    settings: LoadedSettings, platform: Platform, number: int, report: Report
) -> Later:
    """Return what happened to a version since it was registered, in every environment.

    Args:
        settings: of any environment.
        platform: has the version.
        number: the version.
        report: receives lines about the progress.

    Raises:
        ConfigError: there is no such version, or its lineage cannot be read.
        Refused: its files are not those that were registered.
    """
    origin = origin_of(VersionFolder(platform.version(number).folder).lineage())
    places = _everywhere(settings, origin, report)
    return collect_later(settings, platform, number, places, report)


def _everywhere(settings: LoadedSettings, origin: Mapping[str, Any], report: Report) -> list[Place]:
    since = _since(origin, settings)
    return [_place(settings, name, since, report) for name in settings.project.environments()]


def endpoint_lineage(settings: LoadedSettings, report: Report) -> dict[str, Any]:
    """Return what answers at an environment's endpoint, and for each version where it comes from.

    Args:
        settings: of the environment.
        report: receives lines about the progress.

    Raises:
        MlopsError: the endpoint cannot be read.
    """
    environment = settings.values.environment
    platform = open_platform(settings)
    place = _place(settings, environment, settings.clock() - LONGEST, report, strict=True)
    answering = [_answering(settings, platform, place, each, report) for each in place.serving()]
    return {
        "environment": environment,
        "endpoint": place.endpoint,
        "url": place.url,
        "approvals_asked": settings.values.approvals.required,
        "deployments": answering,
    }


def _answering(
    settings: LoadedSettings,
    platform: Platform,
    place: Place,
    served: dict[str, Any],
    report: Report,
) -> dict[str, Any]:
    """Return one deployment with the lineage of its version; one unreadable hides no other."""
    number = int(served["model_version"])
    nothing: dict[str, Any] = {
        "origin": None,
        "model_file": "not known",
        "changed_files": None,
        "later": [],
        "not_read": [],
    }
    if not served["share"]:
        return {**served, **nothing}
    try:
        origin, changed = _recorded(platform.version(number).folder)
    except MlopsError as error:
        return {**served, **nothing, "not_read": [str(error)]}
    came = collect_later(settings, platform, number, [place], report)
    here = later(number, came.happenings, place.environment)
    return {
        **served,
        "origin": origin,
        "model_file": model_file_word(served["model_sha256"], origin["onnx_sha256"]),
        "changed_files": changed,
        "later": [each.to_dict() for each in here],
        "not_read": list(came.not_read),
    }


def _recorded(folder: Path) -> tuple[dict[str, Any], list[str] | None]:
    """Return a version's origin, and which of its files are others than at its registration."""
    changes = changed_since_registration(folder)
    origin = origin_of(VersionFolder(folder).lineage())
    return origin, None if changes is None else list(changes)


def signature_of(folder: Path, settings: LoadedSettings) -> dict[str, Any]:
    """Return whether a version's every file is as it was signed, and by whom, in words.

    `holds` is None where nothing is signed, or a key is not at hand.
    """
    try:
        said = require_untampered(folder, trust_of(settings))
    except Refused as error:
        return {"holds": False, "said": error.message}
    except MlopsError as error:
        return {"holds": None, "said": error.message}
    is_signed = VersionFolder(folder).seal.is_file()
    return {"holds": True if is_signed else None, "said": said}


def model_file_word(deployed: str, registered: str | None) -> str:
    """Return whether a deployment has the model that was registered: same, differs or not known."""
    if not deployed or not registered:
        return "not known"
    return "same" if deployed == registered else "differs"


def data_lineage(platform: Platform, wanted: str, report: Report) -> dict[str, Any]:
    """Return which versions saw data, or a file, with a hash.

    First what is at hand is asked, tags and folders; if nothing fits, every version is fetched,
    since only its folder knows the files.

    Raises:
        ConfigError: several hashes begin so, or it is none.
    """
    versions = platform.versions()
    found, saw = who_saw(wanted, [_seen_at_hand(each) for each in versions])
    not_read: list[str] = []
    if not saw:
        seen = []
        for each in versions:
            report(f"reading version {each.version}")
            try:
                fetched = platform.version(each.version)
                seen.append(seen_data(each.version, VersionFolder(fetched.folder).lineage()))
            except MlopsError as error:
                not_read.append(f"version {each.version}: {error}")
        found, saw = who_saw(wanted, seen)
    return {
        "data_hash": found,
        "asked": len(versions),
        "versions": [asdict(each) for each in saw],
        "not_read": not_read,
    }


def _seen_at_hand(version: ModelVersion) -> SeenData:
    try:
        return seen_data(version.version, VersionFolder(version.folder).lineage())
    except MlopsError:
        source = source_of_tags(version.tags)
        return SeenData(version.version, version.tags.get("data.hash") or None, source.words, {})


def collect_later(
    settings: LoadedSettings,
    platform: Platform,
    number: int,
    places: Sequence[Place],
    report: Report,
) -> Later:
    """Return what came after the registration of a version, as all sources tell it.

    What evidence and the audit log tell of the same is one happening with both places.

    Args:
        settings: of any environment.
        platform: has the evidence that is kept.
        number: the version.
        places: the environments, with the changes of their traffic and their checks.
        report: receives lines about the progress.
    """
    report(f"reading the evidence of version {number}")
    kept, problems = _kept(platform, number)
    here, unread = _of_this_machine(settings, number)
    observed = [each for place in places for each in (*place.changes, *place.checks)]
    not_reached = [f"{place.environment}: {each}" for place in places for each in place.problems]
    logged = _logged(settings, [place.environment for place in places], report)
    happenings = joined(number, [*kept, *here, *observed], logged.happenings)
    return Later(happenings, (*problems, *unread, *not_reached, *logged.problems))


def _logged(settings: LoadedSettings, environments: Sequence[str], report: Report) -> Logged:
    """Return what the audit logs of environments tell; on one machine they share one."""
    report("reading the audit log")

    def opened(environment: str) -> tuple[Platform, LoadedSettings]:
        own = load_settings(settings.project, environment, clock=settings.clock)
        return open_platform(own), own

    return logged_of(environments, opened)


def _kept(platform: Platform, number: int) -> tuple[list[Happening], list[str]]:
    """Return what the evidence tells that is kept beside a version, and what cannot be read."""
    found: list[Happening] = []
    problems: list[str] = []
    try:
        names = [each.name for each in platform.evidence(number)]
    except MlopsError as error:
        return [], [f"the evidence kept beside version {number}: {error}"]
    with tempfile.TemporaryDirectory() as parent:
        for name in names:
            try:
                folder = Path(parent) / name
                platform.fetch_evidence(number, name, folder)
                # what is kept is called by its environment and a time
                environment = name.rpartition("-")[0]
                found += _told(folder, number, {"": environment}, f"evidence {name}")
            except MlopsError as error:
                problems.append(f"evidence {name}: {error}")
    return found, problems


def _of_this_machine(settings: LoadedSettings, number: int) -> tuple[list[Happening], list[str]]:
    """Return what releases from this machine left, kept beside the version or not."""
    project = settings.project
    try:
        names = {
            load_settings(project, each, clock=settings.clock).endpoint_name: each
            for each in project.environments()
        }
        return _told(releases_folder(project.state_dir), number, names, HERE), []
    except MlopsError as error:
        return [], [f"the releases of this machine: {error}"]


def _told(
    folder: Path, number: int, environments: Mapping[str, str], place: str
) -> list[Happening]:
    """Return what the files of a folder of evidence tell.

    Args:
        folder: of releases, or what is kept of them.
        number: the version that is asked for.
        environments: the environment of each endpoint; that of "" is the one of all others.
        place: what the folder is called.
    """
    found: list[Happening] = []
    if (folder / APPROVALS.name).is_file():
        content = APPROVALS.read(folder)
        named = content.get("model_version")
        if named == number or (named is None and place != HERE):
            found += of_approvals(number, content, place)
    for path in sorted(folder.glob(f"*/*/{EVIDENCE.name}")):
        endpoint = path.parent.parent.name
        environment = environments.get(endpoint, environments.get("", endpoint))
        found += of_release(environment, EVIDENCE.read(path.parent), place)
    return found


def _place(
    settings: LoadedSettings,
    environment: str,
    since: datetime,
    report: Report,
    *,
    strict: bool = False,
) -> Place:
    """Return what is deployed in an environment; with `strict` an error is one."""
    report(f"reading {environment}")
    name = ""
    try:
        own = load_settings(settings.project, environment, clock=settings.clock)
        name = own.endpoint_name
        endpoint = open_platform(own).endpoint(name)
        if not endpoint.exists():
            return Place(environment, name)
        changes, checks, problems = _observed(endpoint, environment, Window(since, own.clock()))
        return Place(
            environment,
            name,
            tuple(endpoint.deployments()),
            endpoint.traffic(),
            tuple(changes),
            tuple(checks),
            endpoint.url(),
            tuple(problems),
        )
    except MlopsError as error:
        if strict:
            raise
        return Place(environment, name, problems=(str(error),))


def _observed(
    endpoint: Endpoint, environment: str, window: Window
) -> tuple[list[Happening], list[Happening], list[str]]:
    """Return changes of traffic by hand, what checks found, and what of it cannot be read."""
    changes: list[Happening] = []
    checks: list[Happening] = []
    problems = []
    place = f"the log of {environment}"
    for name, words in _KEPT.items():
        try:
            rows = endpoint.checks(name, window)
        except MlopsError as error:
            problems.append(f"{words}: {error}")
            continue
        if name == CHANGE:
            changes = of_changes(rows, BY_HAND, place)
        else:
            checks += of_checks(name, rows, place)
    return changes, checks, problems


_KEPT = {
    CHANGE: "the changes of traffic by hand",
    DRIFT: "the checks of drift",
    PERFORMANCE: "the checks of performance",
}
"""What is kept of an endpoint and told here, by the name of its check."""


def _since(origin: Mapping[str, Any], settings: LoadedSettings) -> datetime:
    """Return the moment from which on a version can have been changed, a minute early."""
    now = settings.clock()
    try:
        made = datetime.fromisoformat(str(origin["registered_at"])) - timedelta(minutes=1)
        return made if made.tzinfo else now - LONGEST
    except ValueError:
        return now - LONGEST
