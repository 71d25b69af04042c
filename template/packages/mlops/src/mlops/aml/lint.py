"""Checks of the files in aml/ that need neither Azure nor its SDK.

The SDK's own loaders accept a binding to nothing, a cycle, a misspelt setting of a step or a
deployment of zero instances; the service then refuses them minutes later, or does something else
than was meant. Here every name is resolved before anything is sent.
"""

from pathlib import Path

import click

from mlops.aml.components import check_component
from mlops.aml.endpoints import check_deployment, check_endpoint, check_environment
from mlops.aml.pipelines import check_pipeline
from mlops.aml.problems import Problem
from mlops.aml.reading import Definitions, read_definitions
from mlops.aml.schedules import check_schedule
from mlops.aml.shapes import Component, Deployment, Endpoint, Environment, Pipeline, Schedule

__all__ = ["Problem", "lint"]


def lint(root: Path, cli: click.Group) -> list[Problem]:
    """Return everything that is wrong in the YAML files below aml/, in order of file.

    Args:
        root: the project's root.
        cli: the command line that the components call.
    """
    definitions = read_definitions(root)
    problems = [*definitions.problems, *_missing(definitions)]
    for file in definitions.files:
        content = file.content
        if isinstance(content, Component):
            problems += check_component(file, content, definitions, cli)
        elif isinstance(content, Pipeline):
            problems += check_pipeline(file, content, definitions)
        elif isinstance(content, Environment):
            problems += check_environment(file, content)
        elif isinstance(content, Endpoint):
            problems += check_endpoint(file, content)
        elif isinstance(content, Deployment):
            problems += check_deployment(file, content, definitions)
        elif isinstance(content, Schedule):
            problems += check_schedule(file, content)
    return sorted(problems)


def _missing(definitions: Definitions) -> list[Problem]:
    if any(isinstance(file.content, Pipeline) for file in definitions.files):
        return []
    if any(problem.file.startswith("aml/pipelines/") for problem in definitions.problems):
        return []
    return [Problem("aml/pipelines", "", "there is no pipeline")]
