"""The limits of rules, which are settings: conf/ sets them."""

import types
import typing
from typing import Any

from pydantic import BaseModel

from mlops.errors import ConfigError
from mlops.monitoring.rules.shapes import Threshold
from mlops.settings.sections import Settings


def is_limit(path: str) -> bool:
    """Tell whether a dotted path is a setting that holds a number."""
    model: Any = Settings
    for part in path.split("."):
        fields = model.model_fields if _is_section(model) else {}
        if part not in fields:
            return False
        model = fields[part].annotation
    union = typing.get_origin(model) in (typing.Union, types.UnionType)
    return bool({*(typing.get_args(model) if union else (model,))} & {int, float})


def limit_of(rule: Threshold, settings: Settings) -> float:
    """Return the limit that is in force.

    Raises:
        ConfigError: the setting is null.
    """
    value: Any = settings
    for part in rule.threshold.split("."):
        value = getattr(value, part)
    if value is None:
        raise ConfigError(
            f"{rule.threshold} is null, and a rule compares with it", "set it in conf/"
        )
    return float(value)


def _is_section(model: Any) -> bool:
    return isinstance(model, type) and issubclass(model, BaseModel)
