"""YAML as settings are written in it: what its readers do not agree on is refused.

YAML 1.1 reads `yes` and `off` as booleans, `1:30` as 90, `010` as 8 and `1_000` as 1000, YAML 1.2
as texts; days and moments are left to the setting that asks for one.
"""

import math
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Union

import yaml

from mlops.yaml_loader import Loader

_AMBIGUOUS = "!ambiguous"
_NULL, _BOOL, _INT, _FLOAT, _MERGE = (
    f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "merge")
)
_SCALARS = {
    _NULL: r"~|null|Null|NULL|",
    _BOOL: r"true|True|TRUE|false|False|FALSE",
    _INT: r"[-+]?(0|[1-9][0-9]*)",
    _AMBIGUOUS: r"(?i:yes|no|on|off)|[-+]?([0-9][0-9_]*(:[0-5]?[0-9])+|[0-9]+_[0-9_]*|0[0-9]+)",
    _FLOAT: r"[-+]?((\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|\.inf|\.Inf)|\.nan|\.NaN",
    _MERGE: r"<<",
}


class Ambiguous(str):
    """A scalar that readers of YAML do not agree on, as it stands in the file."""

    __slots__ = ()


class SettingsLoader(Loader):
    """The project's loader, which knows no other scalars than null, booleans and plain numbers."""

    def construct_ambiguous(self, node: yaml.ScalarNode) -> Ambiguous:
        """Return the text, marked."""
        return Ambiguous(node.value)


SettingsLoader.yaml_implicit_resolvers = {}
for _tag, _pattern in _SCALARS.items():
    SettingsLoader.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern})\Z"), None)
SettingsLoader.add_constructor(_AMBIGUOUS, SettingsLoader.construct_ambiguous)


def is_null(text: str) -> bool:
    """Tell whether a scalar is how YAML writes nothing."""
    return re.fullmatch(_SCALARS[_NULL], text) is not None


def load_yaml(text: str) -> Any:
    """Return what a text holds.

    Raises:
        yaml.YAMLError: it is no YAML, or a key stands twice in it.
    """
    try:
        # a safe loader of our own
        content = yaml.load(text, Loader=SettingsLoader)  # nosec B506
        list(_scalars(content))
    except ValueError as error:
        raise yaml.YAMLError(str(error)) from None
    except RecursionError:
        raise yaml.YAMLError("it is nested too deeply, or in itself") from None
    return content


def problem_of(value: Any, annotation: Any) -> str:
    """Return why a setting cannot have a value, as far as YAML is the reason; else nothing.

    Args:
        value: as it was read.
        annotation: the type of the setting.
    """
    kinds = set(_kinds(annotation))
    for each in _scalars(value):
        if isinstance(each, Ambiguous):
            return (
                f"{each} is not the same to all readers of YAML: write true or false, a plain "
                "number, or a text in quotes"
            )
        if isinstance(each, float) and not math.isfinite(each):
            return "a number is asked that is neither infinite nor NaN"
        if isinstance(each, bool) and kinds & {int, float} and bool not in kinds:
            return "a number is asked, not true or false"
        if bool in kinds and not kinds & {int, float, str, Any} and not isinstance(each, bool):
            return "true or false is asked"
    return ""


def _scalars(value: Any) -> Iterator[Any]:
    """Yield the values in a value, without null."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _scalars(key)
            yield from _scalars(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _scalars(each)
    elif value is not None:
        yield value


def _kinds(annotation: Any) -> Iterator[Any]:
    """Yield the types that an annotation is made of."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _kinds(typing.get_args(annotation)[0])
    elif origin in (Union, types.UnionType, list, tuple, set, frozenset, dict):
        for each in typing.get_args(annotation):
            yield from _kinds(each)
    else:
        yield annotation
