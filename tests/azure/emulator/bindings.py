"""What the expressions of a pipeline refer to, and a command with its values filled in."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from .errors import bad_request
from .state import Body

_PARENT = re.compile(r"\$\{\{\s*parent\.(inputs|outputs)\.(\w+)\s*\}\}")
_STEP = re.compile(r"\$\{\{\s*parent\.jobs\.(\w+)\.outputs\.(\w+)\s*\}\}")
_VALUE = re.compile(r"\$\{\{\s*(inputs|outputs)\.([\w.]+)\s*\}\}")
_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)


@dataclass(frozen=True)
class StepOutput:
    """An output of a step of the same pipeline."""

    step: str
    output: str


@dataclass(frozen=True)
class ParentInput:
    """An input of the pipeline."""

    name: str


@dataclass(frozen=True)
class Given:
    """A value that the step itself is given: a literal, or a path of data."""

    value: Any
    is_path: bool


Source = StepOutput | ParentInput | Given


def source(given: Mapping[str, Any]) -> Source:
    """Return where the value of an input comes from."""
    value = given.get("value", given.get("uri"))
    if isinstance(value, str):
        if found := _PARENT.fullmatch(value.strip()):
            return ParentInput(found[2])
        if found := _STEP.fullmatch(value.strip()):
            return StepOutput(found[1], found[2])
    kind = given.get("job_input_type", given.get("jobInputType"))
    return Given(value, is_path="uri" in given or kind in ("uri_folder", "uri_file", "mltable"))


def parent_output(given: Mapping[str, Any] | None) -> str | None:
    """Return the pipeline's output that a step's output becomes, None if it becomes none."""
    found = _PARENT.fullmatch(str((given or {}).get("value", "")).strip())
    return found[2] if found else None


def output_modes(step: str, pipeline: Body, spec: Body) -> dict[str, str]:
    """Return how each output of a step gets to the datastore: `upload` or `mount`."""
    modes = {}
    for name, declared in (spec.get("outputs") or {}).items():
        given = (pipeline["jobs"][step].get("outputs") or {}).get(name) or {}
        parent = (pipeline.get("outputs") or {}).get(parent_output(given)) or {}
        said = parent.get("mode") or given.get("mode") or declared.get("mode") or ""
        modes[name] = "upload" if str(said).lower() == "upload" else "mount"
    return modes


def order(pipeline: Body, specs: Mapping[str, Body]) -> list[str]:
    """Return the steps in an order in which they can run.

    Args:
        pipeline: the properties of the job.
        specs: the component of each step.

    Raises:
        AzureError: a binding leads nowhere, a needed input has no value, or there is a cycle (400).
    """
    steps: Body = pipeline["jobs"]
    before: dict[str, set[str]] = {}
    for name, step in steps.items():
        found = list(_check_step(name, step, pipeline, specs))
        before[name] = {each.step for each in found if isinstance(each, StepOutput)}
    produced = {parent_output(o) for s in steps.values() for o in (s.get("outputs") or {}).values()}
    for name in pipeline.get("outputs") or {}:
        if name not in produced:
            raise bad_request(f"No step produces the pipeline's output {name!r}.")
    try:
        return list(TopologicalSorter(before).static_order())
    except CycleError as error:
        raise bad_request(f"The steps of the pipeline form a cycle: {error.args[1]}.") from error


def _check_step(
    name: str, step: Body, pipeline: Body, specs: Mapping[str, Body]
) -> Iterator[Source]:
    declared = specs[name].get("inputs") or {}
    given = step.get("inputs") or {}
    for each, details in declared.items():
        if each not in given and not details.get("optional") and "default" not in details:
            raise bad_request(f"The step {name!r} lacks its input {each!r}.")
    for each, details in given.items():
        if each not in declared:
            raise bad_request(f"The component of the step {name!r} has no input {each!r}.")
        found = source(details)
        if isinstance(found, ParentInput) and found.name not in (pipeline.get("inputs") or {}):
            raise bad_request(f"{name}.{each}: the pipeline has no input {found.name!r}.")
        if isinstance(found, StepOutput):
            outputs = (specs.get(found.step) or {}).get("outputs") or {}
            if found.output not in outputs:
                raise bad_request(f"{name}.{each}: no step {found.step!r} has {found.output!r}.")
        if isinstance(found, Given) and "${{" in str(found.value):
            raise bad_request(f"{name}.{each}: {found.value!r} cannot be resolved.")
        yield found
    for each, details in (step.get("outputs") or {}).items():
        if each not in (specs[name].get("outputs") or {}):
            raise bad_request(f"The component of the step {name!r} has no output {each!r}.")
        wanted = parent_output(details)
        if wanted is not None and wanted not in (pipeline.get("outputs") or {}):
            raise bad_request(f"{name}.{each}: the pipeline has no output {wanted!r}.")


def fill(command: str, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> str:
    """Return a command with its values; what is in `$[[…]]` stays only if it has them all.

    Raises:
        AzureError: it refers to an input or an output that has no value (400).
    """
    values = {"inputs": inputs, "outputs": outputs}

    def keep(found: re.Match[str]) -> str:
        wanted = _VALUE.findall(found[1])
        return found[1] if all(name in values[kind] for kind, name in wanted) else ""

    def value(found: re.Match[str]) -> str:
        if found[2] not in values[found[1]]:
            raise bad_request(f"The command refers to {found[0]}, which has no value.")
        return values[found[1]][found[2]]

    return _VALUE.sub(value, _OPTIONAL.sub(keep, command))
