"""What the pipeline's workflows ask for."""

import os
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

import click

from mlops.artifacts.evidence_folder import releases_folder
from mlops.ci.approvals import Question, note_approvals, write_approvals
from mlops.ci.bicep.compiler import (
    HOW_TO_HAVE_ONE,
    NONE_HERE,
    VERSION,
    find_compiler,
    folder_for_az,
)
from mlops.ci.bicep.diagnostics import compile_files, compiler_version, parameter_files
from mlops.ci.bicep.fetch import fetch_compiler
from mlops.ci.changes import (
    INFRASTRUCTURE,
    changed_files,
    concerns,
    concerns_machinery,
    concerns_model,
)
from mlops.ci.comment import run_comment
from mlops.ci.dependencies import let_pass, move_day
from mlops.ci.deployment import Deployment, run_az, run_name
from mlops.ci.github import GitHub, ask_approvals, require_unasked
from mlops.ci.github import previous_run as find_previous_run
from mlops.ci.job import add_to_path, set_output, summarise
from mlops.cli.options import environment_option, json_option, now, run_option, settings_for
from mlops.console import emit, show
from mlops.errors import ConfigError, Hold, PlatformError, Refused
from mlops.files import write_text
from mlops.hints import typed
from mlops.platforms import open_platform, platform_class
from mlops.settings.project import find_project

SAFE_AGE_DAYS = 7
"""A release that turns out to be bad is often withdrawn within days."""
_NOTHING_TRAINED = "documentation alone, so nothing is to be trained"


@click.command()
@click.option("--before", default="", metavar="COMMIT", help="The commit before this push.")
@json_option
def changed(before: str, as_json: bool) -> None:
    """Tell whether what changed since a commit concerns the machinery, infra/ or the model."""
    root = find_project().root
    files = changed_files(root, before)
    concerned = concerns_machinery(files)
    has_infra = bool(parameter_files(root))
    infrastructure = has_infra and concerns(INFRASTRUCTURE, files)
    set_output("machinery", str(concerned).lower())
    model = concerns_model(files)
    set_output("infrastructure", str(infrastructure).lower())
    set_output("model", str(model).lower())
    if as_json:
        found = {"machinery": concerned, "infrastructure": infrastructure, "model": model}
        emit({**found, "files": files})
        return
    known = _known(files, before)
    tests = "the machinery's tests are to run" if concerned else "none concerns the machinery"
    compiled = "infra/ is to be compiled" if infrastructure else "none concerns infra/"
    trained = "a model is to be trained" if model else _NOTHING_TRAINED
    infra = compiled if has_infra else "and infra/ has nothing to compile"
    show(f"{known} {tests}, {infra}; {trained}")


def _known(files: list[str] | None, before: str) -> str:
    if files is not None:
        return f"{len(files)} files changed;"
    commit = f"commit {before} is not at hand, so " if before.strip("0") else ""
    return f"{commit}what changed is not known:"


@click.command()
@environment_option
@json_option
def facts(environment: str | None, as_json: bool) -> None:
    """Tell the workflow the level, the platform, the approvals needed, the names in Azure."""
    settings = settings_for(environment)
    values = settings.values
    found = {
        "level": settings.project.maturity_level,
        "platform": values.platform,
        "approvals": values.approvals.required if platform_class(settings).has_callers else 0,
        "resource_group": settings.azure_names.resource_group,
        "endpoint": settings.endpoint_name,
        "labels": str(values.feedback.source is not None).lower(),
    }
    for name, value in found.items():
        set_output(name, value)
    if as_json:
        emit(found)
    else:
        show(", ".join(f"{name}: {value}" for name, value in found.items()))


@click.command()
@click.option(
    "--fetch",
    is_flag=True,
    help=f"Bring version {VERSION} from NuGet, unless BICEP names one; put it on PATH.",
)
@click.option(
    "--if-possible", is_flag=True, help="Pass where there is no infra/ or no compiler, and say so."
)
@json_option
def bicep(fetch: bool, if_possible: bool, as_json: bool) -> None:
    """Compile infra/ with Microsoft's Bicep compiler.

    Exit 1 if it says anything, a warning too; 4 if there is no compiler here.
    """
    project = find_project()
    files = parameter_files(project.root)
    compiler = find_compiler(os.environ, Path.home())
    if fetch and files:
        if not os.environ.get("BICEP"):
            compiler = fetch_compiler(project.state_dir / "tools")
        add_to_path(folder_for_az(Path(str(compiler))))
    if not files or compiler is None:
        missing = NONE_HERE if files else "infra/ holds no parameter file (*.bicepparam)"
        if not if_possible:
            raise Hold(NONE_HERE, HOW_TO_HAVE_ONE) if files else ConfigError(missing)
        show(f"nothing was compiled: {missing}", style="yellow")
        if as_json:
            emit({"compiler": None, "findings": None})
        return
    findings = compile_files(compiler, files, project.root)
    version = compiler_version(compiler)
    if as_json:
        emit({"compiler": version, "findings": [asdict(each) for each in findings]})
    for each in findings:
        show(str(each), style="red")
    if findings:
        raise Refused(f"the compiler finds fault with infra/: {len(findings)} in all ({version})")
    show(f"{len(files)} parameter files compile without a word ({version})", style="green")


@click.command()
@run_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default="metrics.md",
    show_default=True,
    help="File to write.",
)
@environment_option
def comment(run_id: str, output: Path, environment: str | None) -> None:
    """Write a run's metrics and verdict as Markdown: the comment on a pull request."""
    settings = settings_for(environment)
    run = open_platform(settings).run(run_id)
    write_text(output, run_comment(run.folder))


@click.command("previous-run")
@click.option("--workflow", default="ml-cicd.yml", show_default=True, help="File of the workflow.")
@click.option("--branch", default="main", show_default=True, help="Whose runs count.")
@click.option("--artifact", default="model-version", show_default=True, help="What it must keep.")
def previous_run(workflow: str, branch: str, artifact: str) -> None:
    """Find the newest run that still keeps an artifact; print its number, if any."""
    found = find_previous_run(GitHub(), workflow, branch, artifact)
    set_output("run_id", "" if found is None else found)
    if found is None:
        show(f"no earlier run on {branch} keeps {artifact}")
    else:
        click.echo(str(found))


@click.command()
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="The last day whose releases count; default: 7 days ago, for one package today.",
)
@click.option("--package", default="", metavar="NAME", help="Let this one pass, move no day.")
def dependencies(until: datetime | None, package: str) -> None:
    """Move the day up to which uv looks for packages, in pyproject.toml.

    Never back. Run `uv lock --upgrade` after it, for one package `uv lock --upgrade-package NAME`.
    """
    path = find_project().root / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    age = timedelta() if package else timedelta(days=SAFE_AGE_DAYS)
    day = (until or now() - age).date()
    moved = let_pass(text, package, day) if package else move_day(text, day)
    if moved.text == text:
        show(moved.said)
        return
    write_text(path, moved.text)
    upgrade = f"--upgrade-package {package}" if package else "--upgrade"
    show(f"{moved.said}; next: `uv lock {upgrade}`")


@click.command()
@environment_option
@click.option(
    "--minutes",
    type=click.FloatRange(min=0),
    default=45,
    show_default=True,
    help="How long to wait: less than a sign-in lives.",
)
@click.option("--last", is_flag=True, help="Exit 4 if it still goes on then.")
def infra(environment: str | None, minutes: float, last: bool) -> None:
    """Deploy infra/ of an environment with az, or go on waiting for that deployment.

    Tells later steps by `ended` whether they are to sign in and wait again.
    """
    settings = settings_for(environment)
    name = settings.values.environment
    deployment = Deployment(
        group=settings.azure_names.resource_group,
        run=run_name(name, os.environ.get("GITHUB_RUN_ID"), now()),
        attempt=os.environ.get("GITHUB_RUN_ATTEMPT", "1"),
        parameters=f"infra/{name}.bicepparam",
        az=run_az,
        say=show,
    )
    ended = deployment.advance(60 * minutes)
    set_output("ended", str(ended).lower())
    if not ended and last:
        raise Hold(
            f"{deployment.name} still goes on in Azure",
            "re-run this job: it goes on waiting, and starts nothing while that one runs",
        )
    if not ended:
        show(f"{deployment.name} goes on: sign in again and wait on")


@click.command()
@click.option("--run-id", required=True, help="The run of the workflow: its number on GitHub.")
@click.option(
    "--environment", default="prod", show_default=True, metavar="NAME", help="What is to be asked."
)
def attempt(run_id: str, environment: str) -> None:
    """Check that a run's attempt may still ask for approvals.

    Exit 1 if an earlier attempt was reviewed: this one would ask people in vain.
    """
    found = require_unasked(GitHub(), run_id, environment)
    set_output("attempt", found)
    show(f"attempt {found} may ask for approvals", style="green")


@click.command()
@click.option("--run-id", required=True, help="The run of the workflow: its number on GitHub.")
@click.option(
    "--required", type=click.IntRange(min=1), default=2, show_default=True, help="How many people."
)
@click.option(
    "--environment", default="prod", show_default=True, metavar="NAME", help="What was approved."
)
@click.option(
    "--attempt",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help=f"Before which nobody had reviewed: {typed('ci attempt')}.",
)
@click.option("--model-version", type=int, help="What is released; kept with who approved.")
@json_option
def approvals(
    run_id: str,
    required: int,
    environment: str,
    attempt: int,
    model_version: int | None,
    as_json: bool,
) -> None:
    """Check who approved a release on GitHub, and keep it.

    It is written beside the evidence of the release. Exit 1 unless enough different people did.
    """
    folder = releases_folder(find_project().state_dir)
    question = Question(run_id, environment, required, model_version)
    try:
        asked = ask_approvals(GitHub(), run_id, required, environment, attempt)
    except PlatformError as error:
        write_approvals(folder, question, error, now())
        raise
    write_approvals(folder, question, asked, now())
    note_approvals(question, asked, lambda: settings_for(environment), show)
    if asked.refusal:
        raise asked.refusal
    counted = asked.approvals.counted
    summarise(f"Approved by {', '.join(counted)}", (), [])
    if as_json:
        emit({"approved": list(counted)})
    else:
        show(f"approved by {', '.join(counted)}", style="green")
