"""What the workflow template-update asks for."""

from dataclasses import asdict
from pathlib import Path

import click

from mlops.ci.job import set_output
from mlops.ci.template_proposal import body
from mlops.ci.template_update import Tools, find_news, make_update
from mlops.cli.options import json_option
from mlops.console import emit, show
from mlops.files import write_text
from mlops.settings.project import find_project

NONE = "none"


@click.command()
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("proposal"),
    show_default=True,
    help="The folder for the update's commit (update.bundle) and its text (body.md).",
)
@json_option
def template_update(output: Path, as_json: bool) -> None:
    """Update a copy of the project to the newest template, and keep it to be proposed.

    Nothing of the project is changed. Exit 3 if the template's repository cannot be read.
    """
    root, tools = find_project().root, Tools()
    news = find_news(root, tools)
    if news is None:
        set_output("kind", NONE)
        if as_json:
            emit({"kind": NONE})
        else:
            show("the project has the newest version of the template", style="green")
        return
    update = make_update(root, output, news, tools)
    write_text(output / "body.md", body(update))
    set_output("kind", update.kind)
    set_output("title", update.title)
    if as_json:
        emit({"kind": update.kind, "title": update.title, **asdict(update)})
    else:
        show(f"{update.title}: {len(update.changed)} files, {len(update.conflicts)} conflicts")
