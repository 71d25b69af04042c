"""A component: its command names what is declared, and options that the command line has."""

import re
import shlex

import click

from mlops.aml.problems import Problem, known
from mlops.aml.reading import DefinitionFile, Definitions
from mlops.aml.shapes import Component

_BINDING = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)


def check_component(
    file: DefinitionFile, component: Component, definitions: Definitions, cli: click.Group
) -> list[Problem]:
    """Return what is wrong with a component."""
    problems = [
        *definitions.check_environment(file, component.environment),
        *_check_code(file, component, definitions),
    ]
    names = _check_names(file, component)
    # Without the right names nothing can be said about options.
    return problems + (names or _check_options(file, component, cli))


def _check_code(
    file: DefinitionFile, component: Component, definitions: Definitions
) -> list[Problem]:
    if component.code is not None and file.resolve(component.code) == definitions.root:
        return []
    message = f"{component.code!r} is not the project's root, which the command mlops runs in"
    return [file.problem("code", message)]


def _check_names(file: DefinitionFile, component: Component) -> list[Problem]:
    command = component.command
    declared = {
        **{f"inputs.{name}": port.optional for name, port in component.inputs.items()},
        **{f"outputs.{name}": False for name in component.outputs},
    }
    used = set(_BINDING.findall(command))
    problems = [
        *(
            file.problem("command", f"{name!r} is not declared ({known(declared)})")
            for name in used - declared.keys()
        ),
        *(file.problem(name, "the command does not use it") for name in declared.keys() - used),
    ]
    bare = _BINDING.findall(_OPTIONAL.sub("", command))
    for name, optional in declared.items():
        if name not in used or (name not in bare) == optional:
            continue
        where = "must" if optional else "must not"
        kind = "optional" if optional else "required"
        message = f"{name} is {kind}: in the command it {where} stand in $[[…]]"
        problems.append(file.problem("command", message))
    return problems


def _check_options(file: DefinitionFile, component: Component, cli: click.Group) -> list[Problem]:
    """Let click read the command, the name of each binding standing for its value."""
    text = _OPTIONAL.sub(r"\1", component.command)
    words = shlex.split(_BINDING.sub(lambda found: found[1], text))
    if words[:1] != ["mlops"]:
        return [file.problem("command", "must be a command of mlops")]
    try:
        command, arguments = _find(cli, words[1:])
        given = _parse(command, arguments)
    except click.UsageError as error:
        return [file.problem("command", f"mlops refuses it: {error.format_message()}")]
    types: dict[str, str] = {
        **{f"inputs.{name}": port.type for name, port in component.inputs.items()},
        **{f"outputs.{name}": port.type for name, port in component.outputs.items()},
    }
    problems = []
    for parameter in command.params:
        value = given.get(str(parameter.name))
        flag = parameter.opts[0]
        if value is None and parameter.required:
            problems.append(file.problem("command", f"lacks the option {flag}"))
        wanted = _types_for(parameter.type)
        if value in types and types[value] not in wanted:
            message = f"{flag} takes {' or '.join(wanted)}, not {types[value]}"
            problems.append(file.problem(value, message))
    return problems


def _find(cli: click.Group, words: list[str]) -> tuple[click.Command, list[str]]:
    """Follow the words to a command; return it and the words that are left."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        context = click.Context(command)
        name = words[0] if words else ""
        found = command.get_command(context, name)
        if found is None:
            names = known(command.list_commands(context))
            raise click.UsageError(f"there is no command {name!r} ({names})")
        command, words = found, words[1:]
    return command, words


def _parse(command: click.Command, arguments: list[str]) -> dict[str, str]:
    """Return what is given for each of the command's parameters."""
    parser = command.make_parser(click.Context(command))
    given, left, _ = parser.parse_args(args=list(arguments))
    if left:
        raise click.UsageError(f"{' '.join(left)!r} belongs to no option")
    return {name: str(value) for name, value in given.items()}


def _types_for(parameter: object) -> tuple[str, ...]:
    """Return which types of inputs and outputs fit a parameter of the command line."""
    if isinstance(parameter, click.Path):
        folders = ("uri_folder", "custom_model")
        return folders if not parameter.file_okay else (*folders, "uri_file")
    if isinstance(parameter, type(click.BOOL)):
        return ("boolean",)
    if isinstance(parameter, type(click.INT)):
        return ("integer",)
    if isinstance(parameter, type(click.FLOAT)):
        return ("number", "integer")
    return ("string",)
