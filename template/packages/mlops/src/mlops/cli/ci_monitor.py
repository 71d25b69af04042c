"""What the workflows ask that watch a model and have it trained again."""

import os

import click

from mlops.artifacts.candidate import parse_candidate
from mlops.ci.job import set_output
from mlops.cli.options import environment_option, json_option, settings_for, version_option
from mlops.console import emit, show, show_table
from mlops.platforms import open_platform
from mlops.settings.project import find_project


@click.command()
@click.option("--manifest", required=True, metavar="JSON", help="What `retrain` decided.")
@json_option
def candidate(manifest: str, as_json: bool) -> None:
    """Check that a candidate is reviewed code and waited for; tell the workflow its commit."""
    from mlops.ci.candidate import require_reviewed, require_waited_for

    found = parse_candidate(manifest, "--manifest")
    require_reviewed(find_project(), found, os.environ.get("GITHUB_REF", ""))
    require_waited_for(settings_for(found.environment), found)
    set_output("commit", found.commit)
    if as_json:
        emit(found.to_dict())
    show(f"candidate {found.id} of commit {found.commit}: {found.cause}, {found.reason}")


@click.command()
@version_option
@environment_option
@json_option
def wanted(model_version: int, environment: str | None, as_json: bool) -> None:
    """Check that the version still serves which a candidate's version is to replace.

    Before people are asked to approve it. Exit 1 if not, which is kept beside the endpoint.
    """
    from mlops.release.candidate_end import OUTDATED, keep_end
    from mlops.release.reference import Outdated, meant_here, require_reference

    settings = settings_for(environment)
    platform = open_platform(settings)
    there = settings.values.environment
    meant = meant_here(platform.version(model_version), there)
    if meant:
        endpoint = platform.endpoint(settings.endpoint_name)
        try:
            require_reference(endpoint, meant.candidate, meant.reference, model_version)
        except Outdated as error:
            keep_end(endpoint, settings, meant, OUTDATED, error.message, show)
            raise
    if as_json:
        emit({"candidate": meant and meant.candidate, "reference": meant and meant.reference})
    if meant:
        show(f"version {meant.reference} serves in {there}, which {model_version} is to replace")
    else:
        show(f"version {model_version} is of no candidate for {there}")


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
