"""What there is: runs, registered versions, and what every environment's endpoint serves."""

from collections.abc import Mapping
from typing import Any

from mlops.artifacts.data_source import UNKNOWN, DataSource
from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.version_folder import VersionFolder, source_of_version
from mlops.console import show, show_result, show_table
from mlops.errors import MlopsError
from mlops.metrics import decimal
from mlops.platforms import open_platform
from mlops.platforms.base import ModelVersion, Platform, Run
from mlops.settings.loading import load_settings
from mlops.settings.project import Project

RUNS_SHOWN = 5


def collect_status(project: Project) -> dict[str, Any]:
    """Ask the platform and every endpoint; nothing is read from a file in git."""
    settings = load_settings(project)
    platform = open_platform(settings)
    versions = [_describe_version(version) for version in platform.versions()]
    registered = {version["run_id"]: version["version"] for version in versions}
    runs = [
        {**_describe_run(run), "version": registered.get(run.run_id)}
        for run in platform.runs()[:RUNS_SHOWN]
    ]
    marks = {version["version"]: version["mark"] for version in versions}
    endpoints = [_try_endpoint(project, name, marks) for name in project.environments()]
    return {
        "model": settings.model_name,
        "platform": platform.name,
        "runs": runs,
        "versions": versions,
        "endpoints": endpoints,
        "advice": _advice(platform, runs, endpoints),
    }


def show_status(found: dict[str, Any]) -> None:
    """Print the status as tables; what there is none of is left out."""
    if found["runs"]:
        show_table(
            f"Latest runs of {found['model']} ({found['platform']})",
            ("run id", "data", "f1", "gate", "judged", "version"),
            [
                (
                    r["run_id"],
                    _marked(r["data"], r["mark"]),
                    decimal(r["f1"], absent=""),
                    r["gate"],
                    _minute(r["judged_at"]),
                    r["version"] or "",
                )
                for r in found["runs"]
            ],
            is_result=True,
        )
    if found["versions"]:
        show_table(
            "Registered versions",
            ("version", "data", "created", "commit", "f1"),
            [
                (
                    v["version"],
                    _marked("real", v["mark"]) if v["source"]["made_up"] is False else v["mark"],
                    _minute(v["created_at"]),
                    v["commit"],
                    decimal(v["f1"], absent=""),
                )
                for v in found["versions"]
            ],
            is_result=True,
        )
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
        if each["url"]:
            show_result(f"{each['environment']} answers at {each['url']}")
    for each in found["endpoints"]:
        if each["problem"]:
            show(f"{each['environment']}: {each['problem']}", style="yellow")
    if found["advice"]:
        show(found["advice"])


def _advice(platform: Platform, runs: list[dict[str, Any]], endpoints: list[dict[str, Any]]) -> str:
    """Return which command is the next one, or nothing."""
    if not runs:
        first = (
            "`mlops train`" if platform.has_callers else "`mlops run` goes through the whole loop"
        )
        return f"no run is here yet: {first}"
    states = [each["state"] for endpoint in endpoints for each in endpoint["deployments"]]
    if platform.can_stop and any(state != "running" for state in states):
        return "`mlops smoke-test` starts a stopped endpoint again"
    return ""


def _describe_run(run: Run) -> dict[str, Any]:
    source = _source_of(run)
    described: dict[str, Any] = {
        "run_id": run.run_id,
        "data": "",
        "mark": source.mark,
        "source": source.summary(),
        "f1": None,
        "gate": "not judged",
        "judged_at": "",
    }
    try:
        validation = RunFolder(run.folder).validated.results()
        described["data"] = f"{validation['rows']:,} rows" if validation["passed"] else "refused"
        evaluation = RunFolder(run.folder).evaluation.results()
        described["f1"] = evaluation["model"]["f1"]
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


def _describe_version(version: ModelVersion) -> dict[str, Any]:
    try:
        lineage = VersionFolder(version.folder).lineage()
        card = VersionFolder(version.folder).card()
    except MlopsError as error:
        if version.tags:
            return _describe_listed(version)
        unknown = {"created_at": "", "commit": f"unreadable: {error}", "f1": None, "run_id": ""}
        return {**_data(version), **unknown, "folder": str(version.folder)}
    commit = lineage["git"]["commit"][:10] or "none"
    return {
        **_data(version),
        "created_at": lineage["created_at"],
        "commit": commit + (" + changes" if lineage["git"]["dirty"] else ""),
        "f1": card["evaluation"]["model"]["f1"],
        "run_id": lineage["run_id"],
        "folder": str(version.folder),
    }


def _data(version: ModelVersion) -> dict[str, Any]:
    source = source_of_version(version.folder, version.tags)
    return {"version": version.version, "mark": source.mark, "source": source.summary()}


def _describe_listed(version: ModelVersion) -> dict[str, Any]:
    """Describe a version whose folder is not on this machine, by its tags."""
    tags = version.tags
    commit = tags.get("git.commit", "")[:10]
    return {
        **_data(version),
        "created_at": tags.get("created_at", ""),
        "commit": commit + (" + changes" if tags.get("git.dirty") == "true" else ""),
        "f1": float(tags["f1"]) if tags.get("f1") else None,
        "run_id": tags.get("run_id", ""),
        "folder": "",
    }


def _try_endpoint(project: Project, environment: str, marks: Mapping[int, str]) -> dict[str, Any]:
    """Describe an endpoint; one that cannot be read hides no other."""
    try:
        return {**_describe_endpoint(project, environment, marks), "problem": ""}
    except MlopsError as error:
        return {"environment": environment, "url": "", "deployments": [], "problem": str(error)}


def _describe_endpoint(
    project: Project, environment: str, marks: Mapping[int, str]
) -> dict[str, Any]:
    settings = load_settings(project, environment)
    endpoint = open_platform(settings).endpoint(settings.endpoint_name)
    if not endpoint.exists():
        return {"environment": environment, "url": "", "deployments": []}
    traffic = endpoint.traffic()
    return {
        "environment": environment,
        "url": endpoint.url(),
        "deployments": [
            {
                "name": deployment.name,
                "version": deployment.model_version,
                "mark": marks.get(deployment.model_version, UNKNOWN.mark),
                "commit": deployment.commit,
                "traffic": traffic.get(deployment.name, 0),
                "state": "running" if deployment.healthy else deployment.detail or "stopped",
            }
            for deployment in endpoint.deployments()
        ],
    }


def _marked(text: str, mark: str) -> str:
    return f"{text}, {mark}" if mark else text


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")
