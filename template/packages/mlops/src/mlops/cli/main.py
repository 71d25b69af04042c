"""The command `mlops`. Each command imports what it needs when it runs, so that help is instant."""

import re
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from mlops.checks import failures
from mlops.ci.job import set_output, summarise
from mlops.errors import ConfigError, Hold, MlopsError, Refused, StubNotFilled

if TYPE_CHECKING:
    from types import FrameType

    from mlops.platforms.base import Endpoint
    from mlops.release.watchers import Ended
    from mlops.settings.loading import LoadedSettings

INTERRUPTED = 130
UNEXPECTED = 3
PATIENCE = 5

_interruptions = 0

Command = Callable[..., None]

environment_option = click.option(
    "--environment",
    metavar="NAME",
    help="Which conf/<NAME>.yaml; default: MLOPS_ENVIRONMENT or dev.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Folder of Parquet or CSV files; default: the source that conf names.",
)
run_option = click.option("--run-id", required=True, help="The training run, as `train` prints it.")
deployment_option = click.option(
    "--deployment", default="blue", show_default=True, help="Name of the deployment."
)
rehearsal_option = click.option(
    "--rehearsal",
    is_flag=True,
    help="Generate requests; bring up the previous version first if nothing serves.",
)
folder = click.Path(path_type=Path, file_okay=False)


def seconds_of(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> float | None:
    """Return the seconds of a time such as 90s, 30m or 1h."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", value.strip())
    seconds = float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]] if found else 0.0
    if seconds <= 0:
        raise click.BadParameter(f"{value!r} is no time such as 90s, 30m or 1h")
    return seconds


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def mlops() -> None:
    """Validate data, train, judge, register and serve a model."""


def main() -> NoReturn:
    """Run the command line; every expected failure ends in one sentence and its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        mlops.main(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(ConfigError.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except StubNotFilled as error:
        _fail(f"a stub of the use case is not filled yet: {error} (`mlops stubs` lists them)")
        sys.exit(ConfigError.exit_code)
    except MlopsError as error:
        _fail(str(error))
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted; `mlops status` tells what serves now")
        sys.exit(INTERRUPTED)
    except OSError as error:
        _fail(f"{error.strerror or error}: {error.filename or 'the operating system refused'}")
        sys.exit(UNEXPECTED)
    except Exception:
        import traceback

        traceback.print_exc()
        sys.exit(UNEXPECTED)
    sys.exit(0)


@mlops.group()
def data() -> None:
    """Make and check raw data."""


@data.command("make")
@click.option("--customers", "size", type=click.IntRange(min=1), help="How many to generate.")
@click.option("--seed", type=int, help="The same seed gives the same data.")
@click.option("--drift", type=click.FloatRange(0, 1), help="0 none, 1 a strong change.")
@click.option("--output", type=folder, default="data", show_default=True, help="Folder to write.")
@environment_option
@json_option
def data_make(
    size: int | None,
    seed: int | None,
    drift: float | None,
    output: Path,
    environment: str | None,
    as_json: bool,
) -> None:
    """Write a sample data set."""
    from mlops.console import emit, progress, show
    from mlops.data.source import write_sample

    settings = _settings(environment, {})
    sample = settings.values.data.sample
    if output.exists() and any(path.name != "sample.parquet" for path in output.iterdir()):
        raise ConfigError(f"--output: {output} holds other files; name an empty folder")
    with progress("generating data"):
        path = write_sample(
            settings,
            output,
            sample.size if size is None else size,
            sample.seed if seed is None else seed,
            sample.drift if drift is None else drift,
        )
    if as_json:
        emit({"path": str(path), "reference_date": settings.reference_date})
    else:
        show(f"wrote {path}; next: `mlops run --data-dir {output}`")


@data.command("validate")
@data_dir_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default="validation-results.json",
    show_default=True,
    help="File for the results.",
)
@environment_option
@json_option
def data_validate(
    data_dir: Path | None, output: Path, environment: str | None, as_json: bool
) -> None:
    """Check raw data against the contract; exit 1 if it is refused."""
    from mlops.console import emit, progress, show
    from mlops.data.source import locate
    from mlops.files import write_json
    from mlops.steps.validate import rules_of, validate_folder

    settings = _settings(environment, {})
    values = settings.values.data.show_values
    with progress("validating"):
        source = locate(settings, data_dir)
        report, _ = validate_folder(source, settings.use_case.contract(), rules_of(settings))
    results = report.to_dict(values=values)
    write_json(output, results)
    if as_json:
        emit(results)
    summarise(
        f"Data: {report.rows:,} rows, {'passed' if report.passed else 'refused'}",
        ("", "what was found"),
        [
            *(("failure", finding.sentence(values=values)) for finding in report.failures),
            *(("warning", finding.sentence(values=values)) for finding in report.warnings),
        ],
    )
    for finding in report.warnings:
        show(f"warning: {finding.sentence(values=values)}", style="yellow")
    for finding in report.failures:
        show(finding.sentence(values=values), style="red")
    if not report.passed:
        raise Refused(f"the data in {source} is refused; {output} holds every failure")
    generated = data_dir is None and settings.values.data.source == "sample"
    what = "generated sample data (--data-dir checks a folder)" if generated else str(source)
    show(f"{report.rows:,} rows of {what} passed; see {output}", style="green")


@data.command("register")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of Parquet or CSV files to upload.",
)
@click.option(
    "--path",
    metavar="URI",
    help="Folder that is there already, such as azureml://datastores/lake/paths/transactions.",
)
@click.option("--name", required=True, help="What the data are called, such as transactions.")
@environment_option
@json_option
def data_register(
    data_dir: Path | None, path: str | None, name: str, environment: str | None, as_json: bool
) -> None:
    """Give a folder of raw data a version in the cloud, on which jobs there can train."""
    from mlops.console import emit, progress, show
    from mlops.platforms import open_platform

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", name):
        raise ConfigError(f"--name: {name!r} may hold only letters, digits, dots, _ and -")
    if (data_dir is None) == (path is None):
        raise ConfigError("give either --data-dir or --path")
    platform = open_platform(_settings(environment, {}))
    asset: str | None = None
    with progress("registering data") as report:
        if data_dir is not None:
            asset = platform.register_data(data_dir, name, report)
        elif path is not None:
            asset = platform.register_stored_data(path, name, report)
    set_output("data_asset", asset or "")
    if as_json:
        emit({"data_asset": asset})
    elif asset is None:
        show(f"nothing to register: on this machine `mlops train --data-dir {data_dir}` reads it")
    else:
        show(f"conf names it with azure.data_asset: {asset}")
        click.echo(asset)


@mlops.command()
@data_dir_option
@environment_option
@json_option
def train(data_dir: Path | None, environment: str | None, as_json: bool) -> None:
    """Train and evaluate a model; print the run id."""
    from mlops.console import emit, progress
    from mlops.files import read_json
    from mlops.platforms import open_platform

    settings = _settings(environment, {})
    with progress("training") as report:
        run = open_platform(settings).train(data_dir, report)
    evaluation = read_json(run.folder / "evaluation" / "evaluation.json", schema=1)
    set_output("run_id", run.run_id)
    if as_json:
        emit({"run_id": run.run_id, "folder": str(run.folder), "evaluation": evaluation})
        return
    _show_metrics(evaluation)
    click.echo(run.run_id)


@mlops.group()
def step() -> None:
    """One step of the pipeline, from folder to folder."""


@step.command("validate")
@data_dir_option
@click.option("--output", type=folder, required=True, help="Folder to write: the validated data.")
@environment_option
def step_validate(data_dir: Path | None, output: Path, environment: str | None) -> None:
    """Raw data in, validated data out."""
    from mlops.console import show
    from mlops.data.source import locate
    from mlops.steps import validate

    settings = _settings(environment, {})
    report = validate.run(locate(settings, data_dir), output, settings)
    if not report.passed:
        for finding in report.failures:
            show(finding.sentence(values=settings.values.data.show_values), style="red")
        raise Refused(f"the data is refused; {output / validate.RESULTS_FILE} holds every failure")


@step.command("prepare")
@click.option("--validated", type=folder, required=True, help="Folder that `validate` wrote.")
@click.option("--output", type=folder, required=True, help="Folder to write: the prepared data.")
@environment_option
def step_prepare(validated: Path, output: Path, environment: str | None) -> None:
    """Validated data in; features, labels, training part and holdout out."""
    from mlops.steps import prepare

    prepare.run(validated, output, _settings(environment, {}))


@step.command("fit")
@click.option("--prepared", type=folder, required=True, help="Folder that `prepare` wrote.")
@click.option("--output", type=folder, required=True, help="Folder to write: the model.")
@click.option(
    "--git-commit", metavar="COMMIT", help="The code's commit, or none; default: asked of git."
)
@click.option(
    "--git-dirty", type=bool, help="Were there uncommitted changes? Default: asked of git."
)
@environment_option
def step_fit(
    prepared: Path,
    output: Path,
    git_commit: str | None,
    git_dirty: bool | None,
    environment: str | None,
) -> None:
    """Prepared data in, model and baseline out."""
    from mlops.governance.lineage import as_dict, git_state, told_git_state
    from mlops.steps import fit

    settings = _settings(environment, {})
    if (git_commit is None) != (git_dirty is None):
        raise ConfigError("--git-commit and --git-dirty belong together: give both or neither")
    if git_commit is None or git_dirty is None:
        git = git_state(settings.project.root)
    else:
        git = told_git_state(git_commit, git_dirty)
    fit.run(prepared, output, settings, as_dict(git))


@step.command("evaluate")
@click.option("--prepared", type=folder, required=True, help="Folder that `prepare` wrote.")
@click.option("--model", type=folder, required=True, help="Folder that `fit` wrote.")
@click.option("--output", type=folder, required=True, help="Folder to write: the evaluation.")
@environment_option
def step_evaluate(prepared: Path, model: Path, output: Path, environment: str | None) -> None:
    """Prepared data and model in, metrics and plots out."""
    from mlops.steps import evaluate as evaluate_step

    evaluate_step.run(prepared, model, output, _settings(environment, {}))


@mlops.command()
@run_option
@click.option("--threshold-f1", type=click.FloatRange(0, 1), help="Overrides gate.thresholds.f1.")
@environment_option
@json_option
def evaluate(
    run_id: str, threshold_f1: float | None, environment: str | None, as_json: bool
) -> None:
    """The gate: judge a run's model; exit 1 if it is refused."""
    from mlops.console import emit, progress
    from mlops.governance.gate import judge_run
    from mlops.platforms import open_platform

    overrides = {} if threshold_f1 is None else {"gate.thresholds.f1": threshold_f1}
    settings = _settings(environment, overrides)
    platform = open_platform(settings)
    with progress("judging"):
        verdict = judge_run(platform, platform.run(run_id), settings)
    if as_json:
        emit(verdict.to_dict())
    _show_checks("The gate's verdict", verdict.checks)
    set_output("passed", str(verdict.passed).lower())
    if not verdict.passed:
        raise Refused(verdict.refusal)


@mlops.command()
@run_option
@environment_option
def package(run_id: str, environment: str | None) -> None:
    """Make what a version needs of a run's data.

    After this, another machine can register the run.
    """
    from mlops.console import progress
    from mlops.platforms import open_platform
    from mlops.steps.register import package_run

    settings = _settings(environment, {})
    with progress("packaging"):
        folder = package_run(open_platform(settings).run(run_id), settings)
    click.echo(str(folder))


@mlops.command()
@run_option
@environment_option
@json_option
def register(run_id: str, environment: str | None, as_json: bool) -> None:
    """Make a version of a run's model that passed."""
    from mlops.console import emit, progress, show
    from mlops.platforms import open_platform
    from mlops.steps.register import register_run

    settings = _settings(environment, {})
    platform = open_platform(settings)
    with progress("registering"):
        version = register_run(platform, platform.run(run_id), settings)
    before = [known.version for known in platform.versions() if known.version < version.version]
    set_output("model_version", version.version)
    set_output("previous_version", max(before, default=""))
    if as_json:
        emit({"name": version.name, "version": version.version, "folder": str(version.folder)})
        return
    show(f"{version.name} version {version.version}: {version.folder / 'MODEL_CARD.md'}")
    click.echo(str(version.version))


@mlops.command()
@click.option("--model-version", type=int, required=True, help="The registered version.")
@environment_option
@json_option
def share(model_version: int, environment: str | None, as_json: bool) -> None:
    """Copy a version to the registry from which all environments deploy."""
    from mlops.console import emit, progress, show
    from mlops.platforms import open_platform

    settings = _settings(environment, {})
    with progress("sharing") as report:
        model_id = open_platform(settings).share(model_version, report)
    if as_json:
        emit({"model_version": model_version, "id": model_id})
    elif model_id is None:
        show(f"nothing to share: on this machine all environments have version {model_version}")
    else:
        show(f"all environments can deploy version {model_version}")
        click.echo(model_id)


@mlops.command()
@click.option("--model-version", type=int, required=True, help="The registered version.")
@deployment_option
@click.option("--traffic", type=click.IntRange(0, 100), help="Share of traffic in percent.")
@click.option("--force", is_flag=True, help="Also where it would reach callers without a release.")
@environment_option
@json_option
def deploy(
    model_version: int,
    deployment: str,
    traffic: int | None,
    force: bool,
    environment: str | None,
    as_json: bool,
) -> None:
    """Serve a registered version at an endpoint."""
    from mlops.console import emit, progress, show
    from mlops.platforms import open_platform
    from mlops.release.deploy import deploy as deploy_version

    settings = _settings(environment, {})
    with progress("deploying") as report:
        endpoint = deploy_version(
            open_platform(settings),
            settings.endpoint_name,
            model_version,
            deployment=deployment,
            traffic=traffic,
            report=report,
            force=force or not settings.values.approvals.required,
        )
    result = {"endpoint": endpoint.name, "url": endpoint.url(), "traffic": endpoint.traffic()}
    if as_json:
        emit(result)
        return
    share = endpoint.traffic().get(deployment, 0)
    how = "" if share else "; requests with the header azureml-model-deployment reach it"
    show(
        f"{endpoint.name} serves version {model_version} as {deployment}, with {share} % of the "
        f"traffic of {endpoint.url()}{how}"
    )


@mlops.command("smoke-test")
@click.option("--deployment", help="Only this deployment; default: every one.")
@environment_option
@json_option
def smoke_test(deployment: str | None, environment: str | None, as_json: bool) -> None:
    """Check contract, errors and latency of an endpoint.

    Exit 1 if something is wrong.
    """
    from mlops.console import emit, progress
    from mlops.platforms import open_platform
    from mlops.release.smoke import smoke_test_endpoint

    settings = _settings(environment, {})
    with progress("smoke test") as report:
        result = smoke_test_endpoint(open_platform(settings), settings, deployment, report)
    if as_json:
        emit(result.to_dict())
    _show_checks(f"Smoke test of {settings.endpoint_name}", result.checks)
    if not result.passed:
        raise Refused(f"{settings.endpoint_name} failed the smoke test: {failures(result.checks)}")


@mlops.command()
@click.option("--model-version", type=int, required=True, help="The registered version.")
@rehearsal_option
@environment_option
@json_option
def release(model_version: int, rehearsal: bool, environment: str | None, as_json: bool) -> None:
    """Bring a version to callers, step by step.

    0 %, smoke test, A/B test (in prod, from level 3 on), then all traffic. Exit 1 if it is
    rejected, 4 without a decision: the old deployment has all traffic then.
    """
    from mlops.platforms import open_platform
    from mlops.release.candidate import release_version
    from mlops.release.display import release_shown
    from mlops.release.rehearsal import rehearsal_settings, rehearse

    settings = _settings(environment, {})
    platform = open_platform(settings)
    chosen = settings.values.ab_test
    ends: list[Ended] = []
    try:
        if rehearsal:
            with release_shown("release", rehearsal_settings(chosen), ends.append) as watchers:
                rehearse(platform, settings, model_version, watchers)
        else:
            with release_shown("release", chosen, ends.append) as watchers:
                release_version(platform, settings, model_version, watchers)
    except (ConfigError, Refused):
        if not ends:
            set_output("outcome", "unchanged")
        raise
    finally:
        for end in ends:
            _show_release(end, as_json)


@mlops.command("ab-test")
@click.option("--baseline", help="The present deployment; default: the one with all traffic.")
@click.option("--candidate", help="The one to be judged; default: the other colour.")
@click.option("--duration", callback=seconds_of, help="Hold without a decision by then: 90s, 1h.")
@rehearsal_option
@environment_option
@json_option
def ab_test(
    baseline: str | None,
    candidate: str | None,
    duration: float | None,
    rehearsal: bool,
    environment: str | None,
    as_json: bool,
) -> None:
    """Compare two deployments under traffic.

    Exit 0: promote, 1: reject, 4: hold. Traffic is as before when it ends; `switch-traffic` acts on
    the decision.
    """
    from mlops.platforms import open_platform
    from mlops.release.ab_test.command import compare_deployments
    from mlops.release.display import release_shown
    from mlops.release.rehearsal import rehearsal_settings, rehearse_ab_test
    from mlops.release.traffic import other_colour, sole_deployment

    overrides = {} if duration is None else {"ab_test.duration_seconds": duration}
    settings = _settings(environment, overrides)
    endpoint = open_platform(settings).endpoint(settings.endpoint_name)
    chosen = settings.values.ab_test
    baseline = baseline or sole_deployment(endpoint.traffic()) or "blue"
    arms = (baseline, candidate or other_colour(baseline))
    if rehearsal:
        chosen = rehearsal_settings(chosen)
        with release_shown("ab-test", chosen) as watchers:
            ended = rehearse_ab_test(open_platform(settings), settings, arms, watchers)
    else:
        with release_shown("ab-test", chosen) as watchers:
            ended = compare_deployments(settings, endpoint, arms, watchers)
    _show_release(ended, as_json)
    if ended.record.outcome == "hold":
        raise Hold(ended.record.reason)
    if ended.record.outcome == "rejected":
        raise Refused(ended.record.reason)


@mlops.command("switch-traffic")
@click.option(
    "--green-percent", type=click.IntRange(0, 100), required=True, help="Blue gets the rest."
)
@environment_option
@json_option
def switch_traffic(green_percent: int, environment: str | None, as_json: bool) -> None:
    """Shift traffic between blue and green.

    What was before is recorded for `rollback`.
    """
    from mlops.console import progress
    from mlops.platforms import open_platform
    from mlops.release.traffic import RELEASE_LEVEL, require_level
    from mlops.release.traffic import switch_traffic as switch

    settings = _settings(environment, {})
    require_level(settings.project, RELEASE_LEVEL, "switch-traffic")
    endpoint = open_platform(settings).endpoint(settings.endpoint_name)
    with progress("switching") as report:
        switch(endpoint, green_percent, report)
    _show_traffic(endpoint, as_json)


@mlops.command()
@click.option(
    "--model-version",
    type=int,
    help="Only if callers reach this version; otherwise there is nothing to undo.",
)
@environment_option
@json_option
def rollback(model_version: int | None, environment: str | None, as_json: bool) -> None:
    """Restore what served before the last change."""
    from mlops.console import progress, show
    from mlops.platforms import open_platform
    from mlops.release.traffic import RELEASE_LEVEL, has_traffic, require_level
    from mlops.release.traffic import rollback as roll_back

    settings = _settings(environment, {})
    require_level(settings.project, RELEASE_LEVEL, "rollback")
    platform = open_platform(settings)
    endpoint = platform.endpoint(settings.endpoint_name)
    with progress("rollback") as report:
        if model_version is not None and not has_traffic(endpoint, model_version, report):
            said = f"{endpoint.name}: version {model_version} has no traffic, so nothing is undone"
            summarise(said, (), [])
            show(said)
            return
        roll_back(platform, endpoint, settings.values.smoke_test, report)
    _show_traffic(endpoint, as_json)


@mlops.command()
@click.option("--all", "everything", is_flag=True, help="The endpoints of all environments.")
@click.option(
    "--remove", is_flag=True, help="Remove the deployments: in the cloud only that ends the costs."
)
@environment_option
def stop(everything: bool, remove: bool, environment: str | None) -> None:
    """Stop the servers of an endpoint.

    `deploy` or `smoke-test` start them again.
    """
    from mlops.console import progress, show
    from mlops.ops.status import environments
    from mlops.platforms import open_platform
    from mlops.release.deploy import remove_all

    settings = _settings(environment, {})
    names = environments(settings.project) if everything else [settings.values.environment]
    for name in names:
        there = _settings(name, {})
        where = f"{name}, platform {there.values.platform}"
        endpoint = open_platform(there).endpoint(there.endpoint_name)
        if endpoint.exists() and remove:
            with progress(f"{where}: removing") as report:
                remove_all(endpoint, report)
            show(f"{where}: {endpoint.name} has no deployments any more")
        elif endpoint.exists():
            endpoint.stop()
            show(f"{where}: {endpoint.name} is stopped")
        else:
            show(f"{where}: {endpoint.name}: nothing is deployed")


@mlops.command()
@data_dir_option
@environment_option
@json_option
def run(data_dir: Path | None, environment: str | None, as_json: bool) -> None:
    """Run the whole loop on this machine.

    From raw data to an answering endpoint.
    """
    from mlops.console import emit
    from mlops.ops.run import run_loop

    summary = run_loop(_settings(environment, {}), data_dir)
    if as_json:
        emit(summary)


@mlops.command()
@json_option
def status(as_json: bool) -> None:
    """Show runs, registered versions and what is deployed where."""
    from mlops.console import emit
    from mlops.ops.status import collect_status, show_status

    found = collect_status(_project())
    if as_json:
        emit(found)
    else:
        show_status(found)


@mlops.command()
@click.option(
    "--platform",
    type=click.Choice(["local", "azure"]),
    help="What to check beside this machine; default: the setting `platform`.",
)
@environment_option
@json_option
def doctor(platform: str | None, environment: str | None, as_json: bool) -> None:
    """Check what machine, project and platform need.

    Exit 1 if something is missing.
    """
    from mlops.console import emit
    from mlops.ops.doctor import examine, examine_platform, show_findings

    findings = examine(Path.cwd())
    findings += examine_platform(Path.cwd(), environment, platform)
    if as_json:
        emit({"checks": [finding.to_dict() for finding in findings]})
    else:
        show_findings(findings)
    missing = [finding.name for finding in findings if finding.needed and not finding.passed]
    if missing:
        raise Refused(f"something needed is missing: {', '.join(missing)}")


@mlops.command()
@environment_option
@json_option
def config(environment: str | None, as_json: bool) -> None:
    """Show every setting and where its value comes from."""
    from mlops.console import emit, show_table
    from mlops.settings.loading import flatten

    settings = _settings(environment, {})
    rows = [
        (key, value, settings.source_of(key)) for key, value in flatten(settings.values).items()
    ]
    if as_json:
        emit({key: {"value": value, "source": source} for key, value, source in rows})
    else:
        title = f"Settings of the environment {settings.values.environment}"
        show_table(title, ("setting", "value", "source"), rows, is_result=True)


@mlops.command()
@click.option("--port", type=int, default=5000, show_default=True, help="Port on 127.0.0.1.")
def ui(port: int) -> None:
    """Serve MLflow's pages; Ctrl-C ends it."""
    from mlops.ops.ui import serve_mlflow

    sys.exit(serve_mlflow(_settings(None, {}), port))


@mlops.command()
@click.option("--run-id", required=True, help="The run of the workflow: its number on GitHub.")
@click.option(
    "--required", type=click.IntRange(min=1), default=2, show_default=True, help="How many people."
)
@click.option(
    "--environment", default="prod", show_default=True, metavar="NAME", help="What was approved."
)
@json_option
def approvals(run_id: str, required: int, environment: str, as_json: bool) -> None:
    """Check who approved a release on GitHub.

    Exit 1 unless enough different people did.
    """
    from mlops.ci.github import GitHub, require_approvals
    from mlops.console import emit, show

    found = require_approvals(GitHub(), run_id, required, environment)
    summarise(f"Approved by {', '.join(found.counted)}", (), [])
    if as_json:
        emit({"approved": list(found.counted)})
    else:
        show(f"approved by {', '.join(found.counted)}", style="green")


@mlops.group()
def ci() -> None:
    """What the pipeline's workflows ask for."""


@ci.command("changed")
@click.option("--before", default="", metavar="COMMIT", help="The commit before this push.")
@json_option
def ci_changed(before: str, as_json: bool) -> None:
    """Tell whether what changed since a commit concerns the machinery and its tests."""
    from mlops.ci.changes import changed_files, concerns_machinery
    from mlops.console import emit, show
    from mlops.settings.project import find_project

    files = changed_files(find_project().root, before)
    concerned = concerns_machinery(files)
    set_output("machinery", str(concerned).lower())
    if as_json:
        emit({"machinery": concerned, "files": files})
    elif files is None:
        show("what changed is not known: the machinery's tests are to run")
    else:
        what = "the machinery's tests are to run" if concerned else "none concerns the machinery"
        show(f"{len(files)} files changed; {what}")


@ci.command("facts")
@environment_option
@json_option
def ci_facts(environment: str | None, as_json: bool) -> None:
    """Tell the workflow the level, the platform, the approvals needed, the names in Azure."""
    from mlops.console import emit, show
    from mlops.platforms.azure.names import azure_names

    settings = _settings(environment, {})
    values = settings.values
    names = azure_names(settings.model_name, values.environment, values.azure)
    found = {
        "level": settings.project.maturity_level,
        "platform": values.platform,
        "approvals": 0 if values.platform == "local" else values.approvals.required,
        "resource_group": names.resource_group,
        "endpoint": settings.endpoint_name,
    }
    for name, value in found.items():
        set_output(name, value)
    if as_json:
        emit(found)
    else:
        show(", ".join(f"{name}: {value}" for name, value in found.items()))


@ci.command("previous-run")
@click.option("--workflow", default="ml-cicd.yml", show_default=True, help="File of the workflow.")
@click.option("--branch", default="main", show_default=True, help="Whose runs count.")
@click.option("--artifact", default="model-version", show_default=True, help="What it must keep.")
def ci_previous_run(workflow: str, branch: str, artifact: str) -> None:
    """Find the newest run that still keeps an artifact; print its number, if any."""
    from mlops.ci.github import GitHub, previous_run
    from mlops.console import show

    found = previous_run(GitHub(), workflow, branch, artifact)
    set_output("run_id", "" if found is None else found)
    if found is None:
        show(f"no earlier run on {branch} keeps {artifact}")
    else:
        click.echo(str(found))


@ci.command("comment")
@run_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default="metrics.md",
    show_default=True,
    help="File to write.",
)
@environment_option
def ci_comment(run_id: str, output: Path, environment: str | None) -> None:
    """Write a run's metrics and verdict as Markdown: the comment on a pull request."""
    from mlops.ci.job import run_comment
    from mlops.files import write_text
    from mlops.platforms import open_platform

    settings = _settings(environment, {})
    run = open_platform(settings).run(run_id)
    write_text(output, run_comment(run.folder, settings.values.data.fraction))


@mlops.group()
def setup() -> None:
    """Prepare the services that the pipeline uses."""


@setup.command("github")
@click.option("--apply", is_flag=True, help="Do it through gh; without, it is only printed.")
@click.option(
    "--reviewer",
    "reviewers",
    multiple=True,
    metavar="NAME",
    help="Who may approve a release: a person, or organisation/team. May be repeated.",
)
@click.option(
    "--no-reviewers",
    is_flag=True,
    help="Nobody has to approve a release; those named before are removed.",
)
@click.option(
    "--variable",
    "variables",
    multiple=True,
    metavar="NAME=VALUE",
    help="A variable of the repository to set. May be repeated.",
)
@click.option(
    "--azure",
    "azure_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The outputs of infra/shared.bicep as JSON: sets who the jobs are in Azure.",
)
def setup_github(
    apply: bool,
    reviewers: tuple[str, ...],
    no_reviewers: bool,
    variables: tuple[str, ...],
    azure_file: Path | None,
) -> None:
    """Environments, variables and the rules of main that the workflows need."""
    from mlops.ci.setup_github import (
        CLIENT_ID,
        INFRA,
        VARIABLES,
        read_azure_ids,
        set_up,
        who_reviews,
    )
    from mlops.console import show

    project = _project()
    pairs = [text.partition("=") for text in variables]
    if any(not equals for _, equals, _ in pairs):
        raise ConfigError("--variable: write NAME=VALUE")
    values = {name: value for name, _, value in pairs}
    level = project.maturity_level
    azure = read_azure_ids(azure_file, project.root) if azure_file else None
    repository, steps = set_up(
        project.root,
        level,
        reviewers,
        values,
        apply=apply,
        no_reviewers=no_reviewers,
        azure=azure,
    )
    for step in steps:
        show(f"{'done' if apply else 'to do'}: {step.title}", style="bold")
        if not apply:
            click.echo(step.shown())
    if azure is None:
        there = (project.root / INFRA).is_file()
        how = "--azure FILE" if there else f"`gh variable set {CLIENT_ID} --env NAME --body ID`"
        show(f"not set here: the variable {CLIENT_ID} of each environment ({how})")
    for name, meaning in VARIABLES.items():
        if name not in {**values, **(azure.variables if azure else {})}:
            show(f"not set here: the variable {name} ({meaning})")
    for note in (*repository.limits(), *who_reviews(project.root)):
        show(f"note: {note}", style="yellow")
    if not apply:
        show("nothing was done: `mlops setup github --apply --reviewer NAME` does it through gh")


@mlops.group("aml")
def aml_group() -> None:
    """The definitions for Azure ML."""


@aml_group.command("check")
@json_option
def aml_check(as_json: bool) -> None:
    """Check every file of aml/ offline; exit 1 if one is wrong."""
    from mlops.aml.lint import lint
    from mlops.console import emit, show
    from mlops.settings.project import find_project

    problems = lint(find_project().root, mlops)
    if as_json:
        emit({"problems": [asdict(problem) for problem in problems]})
    for problem in problems:
        show(str(problem), style="red")
    if problems:
        raise Refused(f"{len(problems)} problems in aml/")
    show("every definition in aml/ is right", style="green")


@mlops.command()
@click.option("--strict", is_flag=True, help="Exit 1 while there are stubs.")
@json_option
def stubs(strict: bool, as_json: bool) -> None:
    """List what is still to fill in the team's package."""
    from mlops.console import emit, show, show_table
    from mlops.settings.project import find_project
    from mlops.usecase.stubs import find_stubs
    from mlops.usecase.use_case import UseCase

    package = UseCase(find_project().package)
    found = find_stubs(package.folder)
    rows = [(f"{stub.file}:{stub.line}", stub.name, stub.what) for stub in found]
    set_output("stubs", len(rows))
    if as_json:
        emit({"stubs": [dict(zip(("place", "name", "what"), row, strict=True)) for row in rows]})
    elif rows:
        columns = ("place", "function", "what to write")
        show_table("Stubs to fill in use_case/", columns, rows, is_result=True)
    else:
        show("no stubs: every function of the use case is written", style="green")
    if strict and rows:
        raise Refused(f"{len(rows)} stubs are not filled")


def _project() -> Any:
    from mlops.settings.project import find_project

    return find_project()


def _settings(environment: str | None, overrides: dict[str, Any]) -> "LoadedSettings":
    from mlops.settings.loading import load_settings

    return load_settings(_project(), environment, overrides)


def _show_metrics(evaluation: dict[str, Any]) -> None:
    from mlops.console import show_table

    rows = [
        (name, *("not computed" if v is None else f"{v:.4f}" for v in (value, baseline)))
        for name, value in evaluation["model"].items()
        for baseline in [evaluation["baseline"][name]]
    ]
    title = f"Metrics on the holdout ({evaluation['rows']:,} rows)"
    show_table(title, ("metric", "model", "baseline"), rows)


def _show_checks(title: str, checks: Any) -> None:
    from mlops.console import mark, show_table

    rows = [(check.name, check.found, check.asked, mark(check.passed)) for check in checks]
    show_table(title, ("check", "found", "asked", ""), rows)


def _show_release(end: "Ended", as_json: bool) -> None:
    from mlops.console import emit, show
    from mlops.release.display import show_record

    show_record(end.record)
    set_output("outcome", end.record.outcome)
    if end.folder:
        set_output("evidence", end.folder)
        show(f"the evidence: {end.folder / 'evidence.md'}")
    if as_json:
        emit({**end.record.to_dict(), "evidence": end.folder and str(end.folder)})


def _show_traffic(endpoint: "Endpoint", as_json: bool) -> None:
    from mlops.console import emit, show_table

    traffic = endpoint.traffic()
    if as_json:
        emit({"endpoint": endpoint.name, "traffic": traffic})
    rows = [
        (each.name, each.model_version, f"{traffic[each.name]} %")
        for each in endpoint.deployments()
    ]
    show_table(f"Traffic of {endpoint.name}", ("deployment", "version", "traffic"), rows)


def _fail(message: str) -> None:
    click.secho(f"error: {message}", fg="red", err=True)


def _interrupt(_signal: int, _frame: "FrameType | None") -> None:
    """End the command; while it puts things back, be patient with those who press Ctrl-C again."""
    global _interruptions
    _interruptions += 1
    if _interruptions in (1, PATIENCE):
        raise KeyboardInterrupt
    click.echo(
        f"putting back what was before; {PATIENCE - _interruptions} more to leave it half done",
        err=True,
    )
