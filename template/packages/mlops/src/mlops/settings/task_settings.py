"""What settings are where the use case's task is another one than binary, and what it forbids."""

from collections.abc import Mapping
from typing import Any

from mlops.errors import ConfigError
from mlops.metrics import DEFAULT_METRIC, names_of
from mlops.tasks import Task

METRIC = "gate.metric"
LIMITS = ("gate.thresholds", "gate.sample_thresholds")
_BINARY_ALONE = "training.decision_threshold"
_PARITY = "gate.parity_tolerance"


def defaults_of(task: Task) -> dict[str, Any]:
    """Return the defaults that are not those of a binary model, by their dotted keys."""
    if task is Task.BINARY:
        return {}
    nothing_asked = {f"{section}.{name}": None for section in LIMITS for name in ("f1", "roc_auc")}
    parity = {_PARITY: 1e-5} if task is Task.REGRESSION else {}
    return {METRIC: DEFAULT_METRIC[task], **nothing_asked, **parity}


def check_task(task: Task, values: Mapping[str, Any], sources: Mapping[str, str]) -> None:
    """Refuse what is asked of a model of another task.

    Args:
        task: the use case's.
        values: what was set, by dotted key.
        sources: where each value stands.

    Raises:
        ConfigError: it names the key, and the metrics that there are.
    """
    known = names_of(task)
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        if key == METRIC:
            name = str(value)
        elif section not in LIMITS or value is None:
            continue
        if name not in known:
            raise ConfigError(
                f"{sources[key]}: {key}: {name} is no metric of a {task} model, which TASK in "
                "model.py says this is",
                f"there are {', '.join(known)}",
            )
    if task is not Task.BINARY and values.get(_BINARY_ALONE) is not None:
        raise ConfigError(
            f"{sources[_BINARY_ALONE]}: {_BINARY_ALONE} is of a binary model alone, and TASK in "
            f"model.py says this is a {task} one",
            "take the line out",
        )
