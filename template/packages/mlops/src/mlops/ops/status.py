"""What there is: runs, registered versions, and what every environment's endpoint serves."""

from collections.abc import Mapping
from typing import Any

from mlops.artifacts.data_source import UNKNOWN, DataSource
from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.version_folder import VersionFolder, source_of_version
from mlops.clock import Clock
from mlops.console import show, show_result, show_table
from mlops.errors import MlopsError
from mlops.hints import typed
from mlops.metrics import decimal
from mlops.platforms import open_platform, platform_class
from mlops.platforms.base import Endpoint, ModelVersion, Platform, Run
from mlops.platforms.lease_terms import Pending
from mlops.platforms.stored_runs import short_ids
from mlops.release.kept import kept
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import Project

RUNS_SHOWN = 5


def collect_status(project: Project, clock: Clock) -> dict[str, Any]:
    """Ask the platform and every endpoint; nothing is read from a file in git."""
    settings = load_settings(project, clock=clock)
    platform = open_platform(settings)
    metric = settings.values.gate.metric
    versions = [_describe_version(version, metric) for version in platform.versions()]
    registered = {version["run_id"]: version["version"] for version in versions}
    stored = platform.runs()
    short = short_ids([run.run_id for run in stored])
    runs = [
        {
            **_describe_run(run, metric),
            "short_id": short[run.run_id],
            "version": registered.get(run.run_id),
        }
        for run in stored[:RUNS_SHOWN]
    ]
    marks = {version["version"]: version["mark"] for version in versions}
    endpoints = [_try_endpoint(project, name, marks, clock) for name in project.environments()]
    return {
        "model": settings.model_name,
        "platform": platform.name,
        "metric": metric,
        "runs": runs,
        "versions": versions,
        "endpoints": endpoints,
        "advice": _advice(platform, runs, endpoints),
    }


def what_serves(settings: LoadedSettings) -> list[str]:
    """Return a sentence for what callers reach: everywhere on this machine, else in one place.

    Args:
        settings: of that place.
    """
    project = settings.project
    everywhere = not platform_class(settings).has_callers
    names = project.environments() if everywhere else [settings.values.environment]
    return [_in_a_sentence(_try_endpoint(project, name, {}, settings.clock)) for name in names]


def show_status(found: dict[str, Any]) -> None:
    """Print the status as tables of at most 80 columns; what there is none of is left out."""
    _show_runs(found)
    _show_versions(found["versions"], found["metric"])
    rows = [
        (
            e["environment"],
            d["name"],
            _marked(str(d["version"]), d["mark"]),
            f"{d['traffic']} %",
            d["state"],
        )
        for e in found["endpoints"]
        for d in e["deployments"]
    ]
    if rows:
        columns = ("environment", "deployment", "version", "traffic", "state")
        show_table("Endpoints", columns, rows, is_result=True)
    for each in found["endpoints"]:
        if each["answers"]:
            show_result(f"{each['environment']} answers at {each['url']}")
    for each in found["endpoints"]:
        if way := each["kept"]:
            until = _minute(way["until"])
            kept_there = f"{way['deployment']}, version {way['version']}, is kept until {until} UTC"
            show(f"{each['environment']}: {kept_there}, so that a rollback only moves traffic")
        if each["pending"]:
            show(f"{each['environment']}: {each['pending']}", style="yellow")
        if each["problem"]:
            show(f"{each['environment']}: {each['problem']}", style="yellow")
    if found["advice"]:
        show(found["advice"])


def _show_runs(found: dict[str, Any]) -> None:
    if not found["runs"]:
        return
    title = f"Latest runs of {found['model']} ({found['platform']})"
    columns = ("run", "judged (UTC)", "data", _shown(found["metric"]), "outcome")
    rows = [
        (
            each["short_id"],
            _minute(each["judged_at"]),
            each["mark"] or each["data"],
            decimal(each["value"], absent=""),
            f"version {each['version']}" if each["version"] else each["gate"],
        )
        for each in found["runs"]
    ]
    show_table(title, columns, rows, is_result=True)


def _show_versions(versions: list[dict[str, Any]], metric: str) -> None:
    if not versions:
        return
    columns = ("version", "data", "created (UTC)", "commit", _shown(metric))
    rows = [
        (
            each["version"],
            _marked("real", each["mark"]) if each["source"]["made_up"] is False else each["mark"],
            _minute(each["created_at"]),
            each["commit"],
            decimal(each["value"], absent=""),
        )
        for each in versions
    ]
    show_table("Registered versions", columns, rows, is_result=True)
    for each in versions:
        if each["problem"]:
            show(f"version {each['version']}: {each['problem']}", style="yellow")


def _advice(platform: Platform, runs: list[dict[str, Any]], endpoints: list[dict[str, Any]]) -> str:
    """Return which command is the next one, or nothing."""
    if not runs:
        loop = f"{typed('run')} goes through the whole loop"
        return f"no run is here yet: {typed('train') if platform.has_callers else loop}"
    states = [each["state"] for endpoint in endpoints for each in endpoint["deployments"]]
    if platform.can_stop and any(state != "running" for state in states):
        return f"{typed('smoke-test')} starts a stopped endpoint again"
    return ""


def _shown(metric: str) -> str:
    """Return a metric's name as the head of a narrow column."""
    return metric.replace("_", " ")


def _describe_run(run: Run, metric: str) -> dict[str, Any]:
    source = _source_of(run)
    described: dict[str, Any] = {
        "run_id": run.run_id,
        "data": "",
        "mark": source.mark,
        "source": source.summary(),
        "value": None,
        "gate": "not judged",
        "judged_at": "",
    }
    try:
        validation = RunFolder(run.folder).validated.results()
        described["data"] = f"{validation['rows']:,} rows" if validation["passed"] else "refused"
        evaluation = RunFolder(run.folder).evaluation.results()
        described["value"] = evaluation["model"].get(metric)
        verdict = RunFolder(run.folder).verdict()
        described["gate"] = "passed" if verdict["passed"] else "refused"
        described["judged_at"] = verdict["judged_at"]
    except MlopsError:
        pass
    return described


def _source_of(run: Run) -> DataSource:
    try:
        return RunFolder(run.folder).prepared().source
    except MlopsError:
        return UNKNOWN


def _describe_version(version: ModelVersion, metric: str) -> dict[str, Any]:
    try:
        lineage = VersionFolder(version.folder).lineage()
        card = VersionFolder(version.folder).card()
    except MlopsError as error:
        if version.tags:
            return _describe_listed(version, metric)
        unknown = {"created_at": "", "commit": "unreadable", "value": None, "run_id": ""}
        folder = {"folder": str(version.folder), "problem": str(error)}
        return {**_data(version), **unknown, **folder}
    commit = lineage["git"]["commit"][:10] or "none"
    return {
        **_data(version),
        "created_at": lineage["created_at"],
        "commit": commit + (" + changes" if lineage["git"]["dirty"] else ""),
        "value": card["evaluation"]["model"].get(metric),
        "run_id": lineage["run_id"],
        "folder": str(version.folder),
        "problem": "",
    }


def _data(version: ModelVersion) -> dict[str, Any]:
    source = source_of_version(version.folder, version.tags)
    return {"version": version.version, "mark": source.mark, "source": source.summary()}


def _describe_listed(version: ModelVersion, metric: str) -> dict[str, Any]:
    """Describe a version whose folder is not on this machine, by its tags."""
    tags = version.tags
    commit = tags.get("git.commit", "")[:10]
    return {
        **_data(version),
        "created_at": tags.get("created_at", ""),
        "commit": commit + (" + changes" if tags.get("git.dirty") == "true" else ""),
        "value": float(tags[metric]) if tags.get(metric) else None,
        "run_id": tags.get("run_id", ""),
        "folder": "",
        "problem": "",
    }


def _try_endpoint(
    project: Project, environment: str, marks: Mapping[int, str], clock: Clock
) -> dict[str, Any]:
    """Describe an endpoint; one that cannot be read hides no other."""
    nothing = {
        "environment": environment,
        "url": "",
        "answers": False,
        "deployments": [],
        "kept": None,
        "pending": "",
    }
    try:
        settings = load_settings(project, environment, clock=clock)
        endpoint = open_platform(settings).endpoint(settings.endpoint_name)
        found = _describe_endpoint(endpoint, marks) if endpoint.exists() else {}
        found["pending"] = pending_sentence(endpoint.pending())
    except MlopsError as error:
        return {**nothing, "problem": str(error)}
    return {**nothing, **found, "problem": ""}


def _describe_endpoint(endpoint: Endpoint, marks: Mapping[int, str]) -> dict[str, Any]:
    traffic = endpoint.traffic()
    deployments = endpoint.deployments()
    way = kept(endpoint)
    return {
        "url": endpoint.url(),
        "answers": any(each.healthy and traffic.get(each.name, 0) for each in deployments),
        "deployments": [
            {
                "name": each.name,
                "version": each.model_version,
                "mark": marks.get(each.model_version, UNKNOWN.mark),
                "commit": each.commit,
                "traffic": traffic.get(each.name, 0),
                "state": "running" if each.healthy else each.detail or "stopped",
            }
            for each in deployments
        ],
        "kept": way
        and {
            "deployment": way.deployment,
            "version": way.model_version,
            "until": way.until.isoformat(),
            "alert_withdraws": way.withdraws,
        },
    }


def pending_sentence(change: Pending | None) -> str:
    """Return what is said of a change that holds an endpoint's lease; nothing if there is none."""
    if change is None:
        return ""
    if change.lives:
        unless = f", unless its command has died: it holds until {change.until} by itself"
        return f"{change.purpose} is under way{unless if change.until else ''}"
    if change.done:
        return (
            f"{change.purpose} was interrupted at its end: what it brought stays, and the next "
            "command that changes the endpoint records what was before"
        )
    return (
        f"{change.purpose} was interrupted: the next command that changes the endpoint puts "
        f"traffic and mirror back, as {typed('smoke-test')} does, too"
    )


def _marked(text: str, mark: str) -> str:
    return f"{text}, {mark}" if mark else text


def _in_a_sentence(endpoint: dict[str, Any]) -> str:
    states = [
        f"{each['name']} (version {each['version']}) {each['traffic']} %, {each['state']}"
        for each in endpoint["deployments"]
        if each["traffic"]
    ]
    said = endpoint["problem"] or " and ".join(states) or "nothing"
    also = f" ({endpoint['pending']})" if endpoint["pending"] else ""
    return f"{endpoint['environment']}: {said}{also}"


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")
