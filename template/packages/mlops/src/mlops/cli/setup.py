"""Prepare the services that the pipeline uses."""

from pathlib import Path

import click

from mlops.ci.setup_github import set_up
from mlops.ci.setup_github.azure_ids import read_azure_ids
from mlops.ci.setup_github.hosting import asked_by_gh, where_it_is_hosted
from mlops.ci.setup_github.plan import GhCall
from mlops.ci.setup_github.project_files import INFRA, where_it_is, who_reviews
from mlops.ci.setup_github.request import Request
from mlops.ci.setup_github.variables import CLIENT_ID, VARIABLES
from mlops.console import show
from mlops.errors import ConfigError, Refused
from mlops.hints import typed
from mlops.settings.project import find_project


@click.command()
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
    "--alone",
    is_flag=True,
    help="One person works on it: main needs no review, a release no approval.",
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
def github(
    apply: bool,
    reviewers: tuple[str, ...],
    no_reviewers: bool,
    alone: bool,
    variables: tuple[str, ...],
    azure_file: Path | None,
) -> None:
    """Environments, variables and the rules of main that the workflows need.

    Exit code 0: all is as asked, and GitHub says so; 1: the plan, or GitHub silently, left some of
    it out, which is named; 2: nothing was begun; 3: GitHub refused a call, those before it stay.
    """
    project = find_project()
    pairs = [text.partition("=") for text in variables]
    if any(not equals for _, equals, _ in pairs):
        raise ConfigError("--variable: each must be NAME=VALUE")
    request = Request(
        level=project.maturity_level,
        reviewers=reviewers,
        no_reviewers=no_reviewers,
        alone=alone,
        variables={name: value for name, _, value in pairs},
        azure=read_azure_ids(azure_file, project.root) if azure_file else None,
    )
    if apply:
        outcome = set_up.apply(project.root, request, report=_say_done)
    else:
        outcome = set_up.preview(project.root, request)
        for call in outcome.calls:
            show(f"to do: {call.title}", style="bold")
            click.echo(call.shown())
    _say_not_asked(project.root, request)
    subject = outcome.repository.subject.notes(outcome.repository.name)
    for note in [*_of_the_folder(project.root), *subject, *outcome.notes]:
        show(f"note: {note}", style="yellow")
    if not apply:
        how = typed("setup github --apply --reviewer NAME")
        show(f"nothing was done: {how} does it through gh, and says what your plan cannot protect")
        return
    for each in outcome.not_set:
        show(f"not set: {each}", style="red")
    if outcome.not_set:
        raise Refused(f"not all of it is as asked: {outcome.protection}")
    show(f"read back: all of it is as asked. {_sentence(outcome.protection)}", style="green")


def _say_done(call: GhCall) -> None:
    if not call.is_part:
        show(f"done: {call.title}", style="bold")


def _say_not_asked(root: Path, request: Request) -> None:
    if request.azure is None:
        there = (root / INFRA).is_file()
        how = "--azure FILE" if there else f"`gh variable set {CLIENT_ID} --env NAME --body ID`"
        show(f"left as it is: the variable {CLIENT_ID} of each environment ({how})")
    for name, meaning in VARIABLES.items():
        if name not in request.all_variables:
            show(f"left as it is: the variable {name} ({meaning})")


def _of_the_folder(root: Path) -> list[str]:
    return [*where_it_is(root), *where_it_is_hosted(root), *asked_by_gh(root), *who_reviews(root)]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
