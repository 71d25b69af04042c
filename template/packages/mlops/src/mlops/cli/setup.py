"""Prepare the services that the pipeline uses."""

from pathlib import Path

import click

from mlops.ci.setup_github import set_up
from mlops.ci.setup_github.azure_ids import read_azure_ids
from mlops.ci.setup_github.hosting import where_it_is_hosted
from mlops.ci.setup_github.project_files import INFRA, where_it_is, who_reviews
from mlops.ci.setup_github.variables import CLIENT_ID, VARIABLES
from mlops.console import show
from mlops.errors import ConfigError
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
    variables: tuple[str, ...],
    azure_file: Path | None,
) -> None:
    """Environments, variables and the rules of main that the workflows need."""
    project = find_project()
    pairs = [text.partition("=") for text in variables]
    if any(not equals for _, equals, _ in pairs):
        raise ConfigError("--variable: each must be NAME=VALUE")
    values = {name: value for name, _, value in pairs}
    azure = read_azure_ids(azure_file, project.root) if azure_file else None
    request = set_up.Request(
        level=project.maturity_level,
        reviewers=reviewers,
        no_reviewers=no_reviewers,
        variables=values,
        azure=azure,
    )
    repository, calls = (set_up.apply if apply else set_up.preview)(project.root, request)
    for call in calls:
        show(f"{'done' if apply else 'to do'}: {call.title}", style="bold")
        if not apply:
            click.echo(call.shown())
    if azure is None:
        there = (project.root / INFRA).is_file()
        how = "--azure FILE" if there else f"`gh variable set {CLIENT_ID} --env NAME --body ID`"
        show(f"not set here: the variable {CLIENT_ID} of each environment ({how})")
    for name, meaning in VARIABLES.items():
        if name not in {**values, **(azure.variables if azure else {})}:
            show(f"not set here: the variable {name} ({meaning})")
    notes = [*where_it_is(project.root), *where_it_is_hosted(project.root), *repository.limits()]
    notes += [*repository.subject.notes(repository.name), *who_reviews(project.root)]
    for note in notes:
        show(f"note: {note}", style="yellow")
    if not apply:
        how = typed("setup github --apply --reviewer NAME")
        show(f"nothing was done: {how} does it through gh")
