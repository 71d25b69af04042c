"""The files that are made of the charts and rules in observability/."""

import click

from mlops.console import show
from mlops.errors import Refused
from mlops.monitoring.rules.generated import differences, generated, write
from mlops.settings.project import find_project


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file is not as it should.")
def queries(check: bool) -> None:
    """Make KQL, and the workbook of infra/, of observability/queries.yaml."""
    root = find_project().root
    files = generated(root)
    found = differences(root, files)
    if check and found:
        names = ", ".join([*found.changed, *found.left_over])
        raise Refused(
            f"what is made of observability/queries.yaml is not what it should be: {names}",
            "run `uv run mlops ci queries` and commit what it writes",
        )
    if not check:
        write(root, files, found)
    for name in found.changed:
        show(f"wrote {name}")
    for name in found.left_over:
        show(f"removed {name}")
    show(f"{len(files)} files are as observability/queries.yaml says", style="green")
