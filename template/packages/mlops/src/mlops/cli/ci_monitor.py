"""What the workflows ask that watch a model and have it trained again."""

import os

import click

from mlops.artifacts.candidate import parse_candidate
from mlops.ci.job import set_output
from mlops.cli.options import json_option
from mlops.console import emit, show, show_table
from mlops.settings.project import find_project


@click.command()
@click.option("--manifest", required=True, metavar="JSON", help="What `retrain` decided.")
@json_option
def candidate(manifest: str, as_json: bool) -> None:
    """Check that a candidate is of reviewed code; tell the workflow its commit."""
    from mlops.ci.candidate import require_reviewed

    found = parse_candidate(manifest, "--manifest")
    require_reviewed(find_project(), found, os.environ.get("GITHUB_REF", ""))
    set_output("commit", found.commit)
    if as_json:
        emit(found.to_dict())
    show(f"candidate {found.id} of commit {found.commit}: {found.cause}, {found.reason}")


@click.command()
@click.argument("codes", metavar="NAME=CODE", nargs=-1, required=True)
@json_option
def worst(codes: tuple[str, ...], as_json: bool) -> None:
    """Tell the workflow the worst of several commands' exit codes: 1, then 3, 4 and 0."""
    from mlops.ci.worst import read_codes
    from mlops.ci.worst import worst as worst_of

    found = read_codes(codes)
    code = worst_of(found.values())
    set_output("code", code)
    show_table("What was found", ("command", "exit code"), [*found.items(), ("worst", code)])
    if as_json:
        emit({"codes": dict(found), "worst": code})
