"""Tell what raw data look like, without telling the data, and draft a contract from them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.cli.options import data_dir_option, environment_option, json_option, settings_for
from mlops.console import emit, progress, show
from mlops.errors import ConfigError, Hold, Refused
from mlops.files import write_text

if TYPE_CHECKING:
    from mlops.data.profile.report import Profile
    from mlops.ops.profiling import Profiled


@click.command()
@data_dir_option
@click.option(
    "--draft",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a draft of contract.py, for a person to read and correct.",
)
@click.option("--force", is_flag=True, help="Replace the file of --draft.")
@environment_option
@json_option
def profile(
    data_dir: Path | None, draft: Path | None, force: bool, environment: str | None, as_json: bool
) -> None:
    """Tell the kinds of the columns of raw data, and no value that may be personal.

    Ranges and categories are told of columns that the contract names and does not declare personal;
    without a contract no value of any column is. Exit 1 where the data are refused as they are, 4
    where only a person can tell what is meant.
    """
    from mlops.ops.profiling import profile_of

    if draft is None and force:
        raise ConfigError("--force is for --draft", "name the file by --draft")
    if draft is not None and draft.exists() and not force:
        raise ConfigError(
            f"--draft: {draft} exists already",
            "name another file, or add --force, which replaces it",
        )
    settings = settings_for(environment)
    with progress("looking at the data"):
        found = profile_of(settings, data_dir)
    if as_json:
        emit(found.profile.to_dict())
    else:
        from mlops.ops.profile_text import lines_of

        click.echo("\n".join(lines_of(found.profile.to_dict())))
    if draft is not None:
        _write(found, draft)
    _judge(found.profile, found.folder)


def _write(found: "Profiled", path: Path) -> None:
    from mlops.data.profile.draft import UNKNOWN_KEY

    draft = found.draft()
    write_text(path, draft.text)
    show(
        f"wrote {path}: read every line of it, above all each GUESS, and see that no name of a "
        "category names somebody"
    )
    if draft.key.name is None:
        raise Hold(
            f"{path}: no column looks like KEY",
            f"write the name of the column that says whom or what a row is about in the place of "
            f"{UNKNOWN_KEY}",
        )


def _judge(found: "Profile", folder: Path) -> None:
    """End as the outcome says.

    Raises:
        Refused: the data cannot be read as they are.
        Hold: only a person can tell what is meant, or there is too little to tell anything.
    """
    from mlops.data.profile.columns import LIMIT
    from mlops.data.profile.report import Outcome

    outcome = found.outcome
    if outcome is Outcome.UNREADABLE:
        raise Refused(
            f"{folder}: there are files that cannot be read",
            "docs/data-contract.md says what is read, and data.ignore in conf/ leaves files out",
        )
    if outcome is Outcome.TO_CLEAN:
        raise Refused(
            f"the data in {folder} would be refused as they are",
            "mend where the files are made what is marked as to clean: docs/your-own-data.md",
        )
    if outcome is Outcome.AMBIGUOUS:
        raise Hold(
            f"the data in {folder} leave open what is meant",
            "settle what is marked as AMBIGUOUS where the files are made",
        )
    if outcome is Outcome.NO_FILES:
        raise Hold(
            f"{folder} holds no file of data",
            "docs/data-contract.md says what is read, and data.ignore in conf/ leaves files out",
        )
    if outcome is Outcome.TOO_FEW:
        raise Hold(f"{folder} has fewer than {LIMIT} rows", "a profile needs more")
