"""From a run that passed to a version that every environment can deploy."""

import click

from mlops.artifacts.version_folder import VersionFolder
from mlops.ci.job import set_output
from mlops.cli.options import (
    environment_option,
    json_option,
    run_option,
    settings_for,
    version_option,
)
from mlops.console import emit, progress, show
from mlops.platforms import open_platform
from mlops.release.data_rules import share_version


@click.command()
@run_option
@environment_option
def package(run_id: str, environment: str | None) -> None:
    """Make what a version needs of a run's data.

    After this, another machine can register the run.
    """
    from mlops.steps.register import package_run

    settings = settings_for(environment)
    with progress("packaging"):
        folder = package_run(open_platform(settings).run(run_id), settings)
    click.echo(str(folder))


@click.command()
@run_option
@environment_option
@json_option
def register(run_id: str, environment: str | None, as_json: bool) -> None:
    """Make a version of a run's model that passed."""
    from mlops.steps.register import register_run

    settings = settings_for(environment)
    platform = open_platform(settings)
    with progress("registering"):
        version = register_run(platform, platform.run(run_id), settings)
    before = [known.version for known in platform.versions() if known.version < version.version]
    set_output("model_version", version.version)
    set_output("previous_version", max(before, default=""))
    if as_json:
        emit({"name": version.name, "version": version.version, "folder": str(version.folder)})
        return
    show(f"{version.name} version {version.version}: {VersionFolder(version.folder).model_card}")
    click.echo(str(version.version))


@click.command()
@version_option
@environment_option
@json_option
def share(model_version: int, environment: str | None, as_json: bool) -> None:
    """Copy a version to the registry from which all environments deploy.

    Exit 1 if it is made of a share of the data.
    """
    settings = settings_for(environment)
    with progress("sharing") as report:
        model_id = share_version(open_platform(settings), model_version, report)
    if as_json:
        emit({"model_version": model_version, "id": model_id})
    elif model_id is None:
        show(f"nothing to share: on this machine all environments have version {model_version}")
    else:
        show(f"all environments can deploy version {model_version}")
        click.echo(model_id)
