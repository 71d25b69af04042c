"""The definitions for Azure ML."""

from dataclasses import asdict

import click

from mlops.aml.lint import lint
from mlops.cli.main import mlops
from mlops.cli.options import json_option
from mlops.console import emit, show
from mlops.errors import Refused
from mlops.settings.project import find_project


@click.command()
@json_option
def check(as_json: bool) -> None:
    """Check every file of aml/ offline; exit 1 if one is wrong."""
    problems = lint(find_project().root, mlops)
    if as_json:
        emit({"problems": [asdict(problem) for problem in problems]})
    for problem in problems:
        show(str(problem), style="red")
    if problems:
        raise Refused(f"{len(problems)} problems in aml/")
    show("every definition in aml/ is right", style="green")
