"""Charts and rules over the events of predictions and checks."""

import click

from mlops.console import show
from mlops.errors import Refused
from mlops.hints import typed
from mlops.monitoring.rules import generated
from mlops.settings.project import find_project


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file is not as it should.")
def write(check: bool) -> None:
    """Make KQL, and the workbook of infra/, of observability/queries.yaml."""
    root = find_project().root
    files = generated.generated(root)
    found = generated.differences(root, files)
    if check and found:
        names = ", ".join([*found.changed, *found.left_over])
        raise Refused(
            f"what is made of observability/queries.yaml is not what it should be: {names}",
            f"run {typed('observability write')} and commit what it writes",
        )
    generated.write(root, files, found)
    for name in found.changed:
        show(f"wrote {name}")
    for name in found.left_over:
        show(f"removed {name}")
    show(f"{len(files)} files are as observability/queries.yaml says", style="green")
