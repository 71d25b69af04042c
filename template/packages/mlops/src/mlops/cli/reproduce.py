"""Does a version come out again if it is trained from its record?"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.cli.options import (
    data_dir_option,
    environment_option,
    folder,
    json_option,
    settings_for,
)
from mlops.console import emit, progress, show, show_result, show_table
from mlops.errors import ConfigError, Hold, Refused
from mlops.platforms import open_platform

if TYPE_CHECKING:
    from mlops.reproduction.command import Reproduction


@click.command()
@click.option("--model-version", type=int, help="The registered version.")
@click.option(
    "--version-folder", type=folder, help="In its place: a folder of a version, such as a download."
)
@click.option(
    "--here",
    is_flag=True,
    help="Train by the code and packages that are here, not by those of its commit.",
)
@data_dir_option
@environment_option
@json_option
def reproduce(
    model_version: int | None,
    version_folder: Path | None,
    here: bool,
    data_dir: Path | None,
    environment: str | None,
    as_json: bool,
) -> None:
    """Train a version again from its record: does the same come out?

    In a folder that is thrown away: nothing of the project changes. Exit 0 if data, metrics and
    predictions are the same, 1 if one differs, 4 if one cannot be compared.
    """
    from mlops.artifacts.version_folder import find_version
    from mlops.reproduction.command import reproduce as repeat

    settings = settings_for(environment)
    with progress("reproduce") as report:
        if (model_version is None) == (version_folder is None):
            raise ConfigError(
                "no version is named, or two are", "give --model-version or --version-folder"
            )
        if version_folder is not None:
            place = find_version(version_folder)
        elif model_version is not None:
            place = open_platform(settings).version(model_version).folder
        found = repeat(place, settings, report, data_dir, here=here)
    if as_json:
        emit(found.to_dict())
    else:
        _show(found)
    _end(found)


def _show(found: "Reproduction") -> None:
    rows = [
        (each.what, each.word.value, each.recorded, each.found)
        for each in (*found.agreements, *found.circumstances)
    ]
    title = f"Version {found.version}, trained again by {found.by}"
    show_table(title, ("", "outcome", "recorded", "now"), rows, is_result=True)
    for each in found.agreements:
        if each.remark:
            show_result(f"{each.what}: {each.word.value}, {each.remark}")
    for cause in found.causes:
        show(f"possible cause: {cause}", style="yellow")


def _end(found: "Reproduction") -> None:
    """End with the exit code of the outcome."""
    from mlops.reproduction.agreement import Word

    told = {
        word: ", ".join(each.what for each in found.agreements if each.word is word)
        for word in Word
    }
    if found.word is Word.DIFFERS:
        raise Refused(
            f"version {found.version} does not come out again: {told[Word.DIFFERS]} differs",
            "docs/lineage.md says what that can mean",
        )
    if found.word is Word.NOT_COMPARABLE:
        raise Hold(
            f"whether version {found.version} comes out again is not known, as not everything can "
            f"be compared: {told[Word.NOT_COMPARABLE]}",
            "docs/lineage.md says what that can mean",
        )
