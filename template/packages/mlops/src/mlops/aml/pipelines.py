"""A pipeline: every binding leads to something of the right type, and nothing is left over."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from mlops.aml.problems import Problem, known
from mlops.aml.reading import DefinitionFile, Definitions
from mlops.aml.shapes import Component, JobInput, JobOutput, Pipeline, Port, Step

_WHOLE = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_PARENT_INPUT = re.compile(r"parent\.inputs\.(\w+)")
_PARENT_OUTPUT = re.compile(r"parent\.outputs\.(\w+)")
_STEP_OUTPUT = re.compile(r"parent\.jobs\.(\w+)\.outputs\.(\w+)")
_NUMBERS = {("integer", "number")}

Value = str | int | float | bool | JobInput


class _BrokenError(Exception):
    """A binding that leads nowhere."""


@dataclass(frozen=True)
class _Context:
    """A pipeline with the components of its steps, as far as these could be read."""

    file: DefinitionFile
    pipeline: Pipeline
    components: Mapping[str, Component]

    def problem(self, place: str, message: str) -> Problem:
        return self.file.problem(place, message)


def check_pipeline(
    file: DefinitionFile, pipeline: Pipeline, definitions: Definitions
) -> list[Problem]:
    """Return what is wrong with a pipeline."""
    problems: list[Problem] = []
    components: dict[str, Component] = {}
    for name, step in pipeline.jobs.items():
        path = file.resolve(step.component)
        found = definitions.find(path)
        if found is not None and isinstance(found.content, Component):
            components[name] = found.content
        elif found is not None or not path.is_file():
            message = f"{step.component!r} is not the file of a component"
            problems.append(file.problem(f"jobs.{name}.component", message))
    context = _Context(file, pipeline, components)
    for name, step in pipeline.jobs.items():
        if name in components:
            problems += _check_inputs(context, name, step, components[name])
            problems += _check_outputs(context, name, step, components[name])
    return [*problems, *_check_unused(context), *_check_cycle(context)]


def _check_inputs(
    context: _Context, name: str, step: Step, component: Component
) -> Iterator[Problem]:
    place = f"jobs.{name}.inputs"
    for missing, port in component.inputs.items():
        if port.required and missing not in step.inputs:
            yield context.problem(place, f"{missing} is missing: {step.component} requires it")
    for given, value in step.inputs.items():
        wanted = component.inputs.get(given)
        if wanted is None:
            message = f"{step.component} has no input {given!r} ({known(component.inputs)})"
            yield context.problem(place, message)
            continue
        try:
            found = _type_of(context, value)
        except _BrokenError as error:
            yield context.problem(f"{place}.{given}", str(error))
            continue
        if found is not None and found != wanted.type and (found, wanted.type) not in _NUMBERS:
            message = f"{step.component} takes {wanted.type}, this is {found}"
            yield context.problem(f"{place}.{given}", message)
        elif limit := _beyond(_literal(context, value), wanted):
            yield context.problem(f"{place}.{given}", limit)


def _type_of(context: _Context, value: Value) -> str | None:
    """Return the type of what is bound; None if its component could not be read.

    Raises:
        _BrokenError: the binding leads nowhere.
    """
    if isinstance(value, JobInput):
        return value.type
    if not isinstance(value, str) or "${{" not in value:
        return _type_of_literal(value)
    binding = _binding(value)
    inputs, jobs = context.pipeline.inputs, context.pipeline.jobs
    if found := _PARENT_INPUT.fullmatch(binding):
        if found[1] not in inputs:
            raise _BrokenError(f"the pipeline has no input {found[1]!r} ({known(inputs)})")
        given = inputs[found[1]]
        return given.type if isinstance(given, JobInput) else _type_of_literal(given)
    if found := _STEP_OUTPUT.fullmatch(binding):
        if found[1] not in jobs:
            raise _BrokenError(f"there is no step {found[1]!r} ({known(jobs)})")
        component = context.components.get(found[1])
        if component is None:
            return None
        if found[2] not in component.outputs:
            outputs = known(component.outputs)
            raise _BrokenError(f"the step {found[1]!r} has no output {found[2]!r} ({outputs})")
        return component.outputs[found[2]].type
    raise _BrokenError(
        f"{value!r} is neither ${{{{parent.inputs.…}}}} nor ${{{{parent.jobs.….outputs.…}}}}"
    )


def _binding(value: str) -> str:
    whole = _WHOLE.fullmatch(value.strip())
    if whole is None:
        raise _BrokenError(f"{value!r} must be one binding and nothing else")
    return whole[1]


def _literal(context: _Context, value: Value) -> Value:
    """Return the value that a binding to an input of the pipeline stands for."""
    found = _WHOLE.fullmatch(value) if isinstance(value, str) else None
    name = _PARENT_INPUT.fullmatch(found[1]) if found else None
    return context.pipeline.inputs[name[1]] if name else value


def _type_of_literal(value: Value) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "number" if isinstance(value, float) else "string"


def _beyond(value: Value, port: Port) -> str:
    if port.enum is not None and str(value) not in port.enum and "${{" not in str(value):
        return f"{value!r} is not one of {', '.join(port.enum)}"
    if isinstance(value, int | float):
        if port.min is not None and value < port.min:
            return f"{value} is less than {port.min}"
        if port.max is not None and value > port.max:
            return f"{value} is more than {port.max}"
    return ""


def _check_outputs(
    context: _Context, name: str, step: Step, component: Component
) -> Iterator[Problem]:
    outputs = context.pipeline.outputs
    for given, value in step.outputs.items():
        place = f"jobs.{name}.outputs.{given}"
        if given not in component.outputs:
            message = f"{step.component} has no output {given!r} ({known(component.outputs)})"
            yield context.problem(place, message)
            continue
        written = component.outputs[given].type
        if isinstance(value, JobOutput):
            target = value.type
        else:
            try:
                found = _PARENT_OUTPUT.fullmatch(_binding(value))
            except _BrokenError as error:
                yield context.problem(place, str(error))
                continue
            if found is None or found[1] not in outputs:
                message = f"the pipeline has no output of {value!r} ({known(outputs)})"
                yield context.problem(place, message)
                continue
            target = outputs[found[1]].type
        if written != target:
            yield context.problem(place, f"{step.component} writes {written}, this is {target}")


def _check_unused(context: _Context) -> Iterator[Problem]:
    """Inputs that no step takes, and outputs that not exactly one step writes."""
    taken, written = [], []
    for step in context.pipeline.jobs.values():
        taken += _matches(_PARENT_INPUT, step.inputs)
        written += _matches(_PARENT_OUTPUT, step.outputs)
    for name in context.pipeline.inputs:
        if name not in taken:
            yield context.problem(f"inputs.{name}", "no step takes it")
    for name in context.pipeline.outputs:
        if written.count(name) != 1:
            number = written.count(name) or "no"
            message = f"{number} {'steps write' if written.count(name) > 1 else 'step writes'} it"
            yield context.problem(f"outputs.{name}", message)


def _check_cycle(context: _Context) -> Iterator[Problem]:
    jobs = context.pipeline.jobs
    needs = {
        name: {needed for needed in _matches(_STEP_OUTPUT, step.inputs) if needed in jobs}
        for name, step in jobs.items()
    }
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        circle = " → ".join(error.args[1])
        yield context.problem("jobs", f"each waits for the one before: {circle}")


def _matches(pattern: re.Pattern[str], bindings: Mapping[str, object]) -> list[str]:
    """Return the first group of every binding of one kind."""
    wholes = (_WHOLE.fullmatch(value.strip()) for value in bindings.values() if type(value) is str)
    found = (pattern.fullmatch(whole[1]) for whole in wholes if whole)
    return [match[1] for match in found if match]
