"""What the workflows ask about packages/."""

from dataclasses import asdict

import click

from mlops.cli.options import json_option
from mlops.console import emit, show, show_table
from mlops.settings.project import find_project


@click.command()
@json_option
def machinery(as_json: bool) -> None:
    """Compare packages/ with what the template brought; exit 1 if it was edited.

    What [tool.mlops.patched] in pyproject.toml declares may differ. Exit 4 if the list that came
    with packages/ is missing.
    """
    from mlops.ops.template_files import compare_project, require_as_brought

    compared = compare_project(find_project())
    if compared is None:
        show("there is no packages/, so there is nothing to compare")
        if as_json:
            emit({"files": 0})
        return
    if as_json:
        emit({**asdict(compared), "undeclared": list(compared.undeclared)})
    elif rows := compared.rows():
        columns = ("file", "how it differs", "declared reason")
        show_table("packages/ beside what the template brought", columns, rows, is_result=True)
    require_as_brought(compared)
    patched = f", {len(compared.declared)} of them patched and declared" * bool(compared.declared)
    show(f"{compared.files} files as the template brought them{patched}", style="green")
