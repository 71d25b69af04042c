"""`mlops run`: the whole loop on this machine, from raw data to an answering endpoint.

At maturity level 1 the model is served in the settings' environment. From level 2 on it goes to
the environment test, and from there, as a rehearsal with generated requests, to prod.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.version_folder import VersionFolder, typical_row
from mlops.checks import failures
from mlops.console import console, show
from mlops.errors import ConfigError, Refused
from mlops.governance.gate import Verdict, judge_run
from mlops.hints import typed
from mlops.ops.board import Board
from mlops.platforms import open_platform, platform_class
from mlops.platforms.answers import is_answer
from mlops.platforms.base import Answer, DeploymentShare, Endpoint, ModelVersion, Platform, Run
from mlops.progress import Stage, silent
from mlops.release.deploy import deploy
from mlops.release.display import ReleaseView
from mlops.release.recorded import recorded_deployment, recorded_return
from mlops.release.rehearsal import rehearsal_settings, rehearse, require_none_lost
from mlops.release.smoke import smoke_test_endpoint
from mlops.release.traffic import RELEASE_LEVEL, put_back
from mlops.release.watchers import Watchers
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.steps.register import register_run

_TRAINING_STAGES = (Stage.DATA, Stage.VALIDATE, Stage.TRAIN, Stage.EVALUATE)
_MODEL_STAGES = (*_TRAINING_STAGES, Stage.GATE, Stage.REGISTER)
STAGES: tuple[Stage, ...] = (*_MODEL_STAGES, Stage.DEPLOY, Stage.SMOKE_TEST, Stage.PREDICT)
RELEASE_STAGES = (
    *_MODEL_STAGES,
    Stage.DEPLOY_TO_TEST,
    Stage.SMOKE_TEST,
    Stage.RELEASE,
    Stage.PREDICT,
)
TEST, PROD = "test", "prod"


def run_loop(settings: LoadedSettings, data_dir: Path | None) -> dict[str, Any]:
    """Train, judge, register, bring to an endpoint, test and predict once.

    After an interruption or failure each endpoint serves what it served before, or nothing.

    Raises:
        Refused: the data, the gate, the smoke test or the A/B test said no.
        Hold: the A/B test came to no decision.
        ConfigError: endpoints of the settings' platform have callers of their own.
    """
    if platform_class(settings).has_callers:
        raise ConfigError(
            f"{typed('run')} goes through the whole loop on this machine (MLOPS_PLATFORM=local)",
            f"on {settings.values.platform} each step is a command of its own, which the pipeline "
            "calls: train, evaluate, register, share, release",
        )
    platform = open_platform(settings)
    if settings.project.maturity_level < RELEASE_LEVEL:
        places, stages = [settings], STAGES
    else:
        places = [
            load_settings(settings.project, name, clock=settings.clock) for name in (TEST, PROD)
        ]
        stages = RELEASE_STAGES
    endpoints = [open_platform(place).endpoint(place.endpoint_name) for place in places]
    served = [_served(endpoint) for endpoint in endpoints]
    board = Board(stages)
    try:
        with board.shown():
            run = _train(platform, data_dir, board)
            version = _register(platform, run, settings, board)
            released = _serve(places, endpoints, version, board)
            answer, request = _predict(endpoints[-1], version, board)
    except BaseException:
        for place, endpoint, before in zip(places, endpoints, served, strict=True):
            _put_back(place, endpoint, before)
        raise
    summary = {
        "run_id": run.run_id,
        "model_version": version.version,
        "metrics": RunFolder(run.folder).evaluation.results()["model"],
        "model_card": str(VersionFolder(version.folder).model_card),
        "endpoint": endpoints[-1].name,
        "url": endpoints[-1].url(),
        "request": request,
        "answer": answer.body,
        "release": released,
        "seconds": board.seconds,
    }
    _show_summary(settings, summary)
    return summary


def _served(endpoint: Endpoint) -> dict[str, DeploymentShare]:
    """Return what each healthy deployment serves, and its share of the traffic."""
    traffic = endpoint.traffic()
    return {
        each.name: DeploymentShare(each.model_version, traffic[each.name])
        for each in endpoint.deployments()
        if each.healthy
    }


def _put_back(
    place: LoadedSettings, endpoint: Endpoint, served: Mapping[str, DeploymentShare]
) -> None:
    """Serve again what was served before; stop the endpoint if nothing was."""
    if not served and endpoint.exists():
        endpoint.stop()
    elif served != _served(endpoint):
        platform = open_platform(place)
        with recorded_return(platform, place, endpoint, silent):
            put_back(platform, endpoint, served, "putting back what served before")


def _train(platform: Platform, data_dir: Path | None, board: Board) -> Run:
    with board.stages(_TRAINING_STAGES) as report:
        run = platform.train(data_dir, report)
    folder = RunFolder(run.folder)
    board.result(Stage.VALIDATE, f"{folder.validated.results()['rows']:,} rows passed")
    training = folder.model.training()
    warnings = [f"warning: {warning}" for warning in training.get("warnings", [])]
    board.result(Stage.TRAIN, "\n".join([training["model_type"], *warnings]))
    board.result(Stage.EVALUATE, f"run {run.run_id}")
    return run


def _register(platform: Platform, run: Run, settings: LoadedSettings, board: Board) -> ModelVersion:
    with board.stage(Stage.GATE) as report:
        verdict = judge_run(platform, run, settings)
        if not verdict.passed:
            report(_in_short(verdict))
            raise Refused(verdict.refusal)
    notes = [verdict.champion_note] if verdict.champion_note else []
    notes += [f"warning: {warning}" for warning in verdict.warnings]
    board.result(Stage.GATE, "\n".join([_in_short(verdict), *notes]))
    with board.stage(Stage.REGISTER):
        version = register_run(platform, run, settings)
    board.result(Stage.REGISTER, f"{version.name} version {version.version}")
    return version


def _in_short(verdict: Verdict) -> str:
    passed = sum(check.passed for check in verdict.checks)
    first = verdict.checks[0]
    return f"{passed} of {len(verdict.checks)} checks passed; {first.name} {first.found}"


def _serve(
    places: list[LoadedSettings],
    endpoints: list[Endpoint],
    version: ModelVersion,
    board: Board,
) -> dict[str, Any] | None:
    """Deploy and smoke-test in the first place; release in the second, if there is one."""
    place, endpoint = places[0], endpoints[0]
    platform = open_platform(place)
    stage = Stage.DEPLOY if len(places) == 1 else Stage.DEPLOY_TO_TEST
    with (
        board.stage(stage) as report,
        recorded_deployment(platform, place, version.version, "blue", report),
    ):
        deploy(
            platform,
            endpoint.name,
            version.version,
            deployment="blue",
            traffic=100,
            report=report,
            force=True,
        )
    board.result(stage, endpoint.url())
    with board.stage(Stage.SMOKE_TEST) as report:
        result = smoke_test_endpoint(platform, place, None, report)
        if not result.passed:
            raise Refused(f"{endpoint.name} failed the smoke test: {failures(result.checks)}")
    board.result(Stage.SMOKE_TEST, f"{len(result.checks)} checks passed")
    return _release(places[1], version, board) if len(places) > 1 else None


def _release(settings: LoadedSettings, version: ModelVersion, board: Board) -> dict[str, Any]:
    with board.stage(Stage.RELEASE) as report:
        drawn = board.is_drawn
        view = ReleaseView(rehearsal_settings(settings.values.ab_test), None if drawn else report)
        board.below = view.numbers
        watchers = Watchers(report, view.watch)
        released, load = rehearse(open_platform(settings), settings, version.version, watchers)
        board.below = ""
        require_none_lost(load, version.version)
    record = released.record
    sent = f"{load.sent:,} generated requests, {load.failed:,} failed"
    board.result(Stage.RELEASE, f"{record.outcome}; {sent}")
    return {
        "outcome": record.outcome,
        "reason": record.reason,
        "rehearsal": record.rehearsal,
        "traffic": dict(record.traffic_after),
        "requests": load.sent,
        "failed": load.failed,
        "evidence": str(released.folder),
    }


def _predict(
    endpoint: Endpoint, version: ModelVersion, board: Board
) -> tuple[Answer, dict[str, Any]]:
    with board.stage(Stage.PREDICT):
        request = {"data": [typical_row(VersionFolder(version.folder).signature())]}
        answer = endpoint.invoke(request)
        if not is_answer(answer.status):
            raise Refused(f"{endpoint.name} answered {answer.status}: {answer.body}")
    board.result(Stage.PREDICT, f"answered in {1000 * answer.seconds:.1f} ms")
    return answer, request


def answer_in_words(answer: Mapping[str, Any]) -> str:
    """Return the first row's prediction and, of a classifier, how probable it is to be 1 or this.

    Args:
        answer: the body of an endpoint's answer, of any task.
    """
    prediction, probabilities = answer["predictions"][0], answer.get("probabilities")
    if probabilities is None:
        return f"{prediction:.6g}"
    first = probabilities[0]
    probability = first[prediction] if isinstance(first, Mapping) else first
    return f"{prediction} (probability {probability:.3f})"


def _show_summary(settings: LoadedSettings, summary: dict[str, Any]) -> None:
    metrics = ", ".join(
        f"{name} {value:.3f}" for name, value in summary["metrics"].items() if value is not None
    )
    lines: list[tuple[str, str]] = [
        ("model", f"{settings.model_name} version {summary['model_version']}"),
        ("holdout", metrics),
        ("one prediction", f"{summary['request']['data'][0]}"),
        ("", f"→ {answer_in_words(summary['answer'])}"),
    ]
    places = {"endpoint": summary["url"], "model card": summary["model_card"]}
    nexts = ["status", "ui", "stop"]
    if released := summary["release"]:
        nexts = ["status", "ui", "rollback --environment prod", "stop --all"]
        traffic = ", ".join(f"{name} {share} %" for name, share in released["traffic"].items())
        lines += [
            ("release", f"{released['outcome']}: {released['reason']}; traffic: {traffic}"),
            ("", f"a rehearsal: {released['rehearsal']}"),
        ]
        places["evidence"] = released["evidence"]
    lines += [("next" if not number else "", typed(each)) for number, each in enumerate(nexts)]
    table = Table.grid(padding=(0, 2))
    for name, text in lines:
        table.add_row(Text(name, style="bold"), Text(text, overflow="fold"))
    seconds = f"{sum(summary['seconds'].values()):.0f} s"
    console().print(Panel(Group(table), title=f"The whole loop ran in {seconds}", expand=False))
    for name, place in places.items():
        show(f"{name}: {_from_the_root(settings, place)}")


def _from_the_root(settings: LoadedSettings, place: str) -> str:
    """Return a path as seen from the project's folder; a URL stays."""
    return os.path.relpath(place, settings.project.root) if Path(place).is_absolute() else place
