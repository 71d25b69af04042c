"""What is still to fill in the team's package, and a prompt for filling it."""

from pathlib import Path
from typing import Any

import click

from mlops.ci.job import set_output
from mlops.cli.options import environment_option, json_option, settings_for
from mlops.console import emit, show, show_table
from mlops.errors import ConfigError, Refused
from mlops.settings.project import find_project
from mlops.usecase.stubs import find_stubs
from mlops.usecase.use_case import UseCase


@click.command()
@click.option("--strict", is_flag=True, help="Exit 1 while there are stubs.")
@click.option("--prompt", is_flag=True, help="Print a prompt for the next one, for an assistant.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="For --prompt: folder of real data, of which it tells the columns' kinds.",
)
@environment_option
@json_option
def stubs(
    strict: bool, prompt: bool, data_dir: Path | None, environment: str | None, as_json: bool
) -> None:
    """List what is still to fill in the team's package."""
    if data_dir is not None and not prompt:
        raise ConfigError("--data-dir is for --prompt", "add --prompt, or leave it out")
    found = find_stubs(UseCase(find_project().package).folder)
    rows = [(f"{stub.file}:{stub.line}", stub.name, stub.what) for stub in found]
    listed = [dict(zip(("place", "name", "what"), row, strict=True)) for row in rows]
    set_output("stubs", len(rows))
    text = _prompt(data_dir, environment) if prompt and rows else None
    if as_json:
        emit({"stubs": listed} | ({"prompt": text} if prompt else {}))
    elif text is not None:
        click.echo(text)
    elif rows:
        columns = ("place", "function", "what to write")
        show_table("Stubs to fill", columns, rows, is_result=True)
    else:
        show("no stubs: every function of the use case is written", style="green")
    if strict and rows:
        raise Refused(f"{len(rows)} stubs are not filled")


def _prompt(data_dir: Path | None, environment: str | None) -> str | None:
    """Return the prompt for the next stub.

    Raises:
        ConfigError: the folder does not exist, or the contract is not valid.
    """
    from mlops.ops.stub_prompt import material, prompt_of

    settings = settings_for(environment)
    profile: dict[str, Any] | None = None
    if data_dir is not None:
        from mlops.ops.profiling import profile_of

        profile = profile_of(settings, data_dir).profile.to_dict()
    root = settings.project.root
    given = material(settings.use_case, root, settings.reference_date, profile)
    return None if given is None else prompt_of(given)
