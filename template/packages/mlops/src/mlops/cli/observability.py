"""Charts and rules over the events of predictions and checks."""

from datetime import datetime, timedelta

import click

from mlops.cli.options import environment_option, json_option, now, settings_for, since_option_for
from mlops.console import emit, show, show_table
from mlops.errors import Hold, Refused
from mlops.hints import typed
from mlops.monitoring.rules import generated
from mlops.monitoring.rules.evaluate import evaluate, last_window
from mlops.monitoring.rules.reading import find_query, read_queries
from mlops.monitoring.rules.sources import events_for
from mlops.platforms import open_platform
from mlops.settings.project import find_project
from mlops.window import Window


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file is not as it should.")
def write(check: bool) -> None:
    """Make KQL, and what infra/ deploys of it, of what observability/ says."""
    root = find_project().root
    files = generated.generated(root)
    found = generated.differences(root, files)
    if check and found:
        names = ", ".join([*found.changed, *found.left_over])
        raise Refused(
            f"what is made of observability/ is not what it should be: {names}",
            f"run {typed('observability write')} and commit what it writes",
        )
    generated.write(root, files, found)
    for name in found.changed:
        show(f"wrote {name}")
    for name in found.left_over:
        show(f"removed {name}")
    show(f"{len(files)} files are as observability/ says", style="green")


@click.command("show")
@click.argument("name", metavar="ID")
@since_option_for("as the query says")
@environment_option
@json_option
def show_answer(name: str, since: timedelta | None, environment: str | None, as_json: bool) -> None:
    """Answer one query of observability/queries.yaml from the events of an endpoint.

    Exit 4 if no group has enough of them.
    """
    settings = settings_for(environment)
    query = find_query(read_queries(settings.project.root), name)
    endpoint = open_platform(settings).endpoint(settings.endpoint_name)
    window = Window.last(since or last_window(query), now())
    known = events_for(endpoint, query, window)
    answer = evaluate(query, known.frames, window)
    for note in known.missing():
        show(f"note: {note}", style="yellow")
    if as_json:
        missing = {"dropped": known.dropped, "unread": dict(known.unread)}
        emit({"id": query.id, "rows": answer.to_dicts(), **missing})
    elif not answer.is_empty():
        rows = [["" if each is None else _cell(each) for each in row] for row in answer.rows()]
        show_table(query.title, answer.columns, rows, is_result=True)
        show(query.tells)
    if answer.is_empty():
        raise Hold(
            f"no group of {endpoint.name} has {query.least} events or more since "
            f"{window.start:%Y-%m-%d %H:%M} UTC",
            "look further back with --since, or wait for more requests",
        )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)
