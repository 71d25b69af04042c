"""Schedules: when a job starts by itself, and which."""

import re

from mlops.aml.problems import Problem
from mlops.aml.reading import DefinitionFile
from mlops.aml.shapes import CronTrigger, Schedule
from mlops.aml.time_zones import TIME_ZONES

_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 6),
)
_EXAMPLE = "W. Europe Standard Time"
_PART = re.compile(r"(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?")


def check_schedule(file: DefinitionFile, schedule: Schedule) -> list[Problem]:
    """Return what is wrong with a schedule."""
    problems = []
    trigger = schedule.trigger
    if isinstance(trigger, CronTrigger):
        found = check_cron(trigger.expression)
        problems += [file.problem("trigger.expression", message) for message in found]
    if trigger.time_zone not in TIME_ZONES:
        message = f"{trigger.time_zone!r} is not one that Azure knows, such as UTC or {_EXAMPLE}"
        problems.append(file.problem("trigger.time_zone", message))
    job = schedule.create_job
    if isinstance(job, str) and not job.startswith("azureml:") and not file.resolve(job).is_file():
        problems.append(file.problem("create_job", f"there is no file {job!r}"))
    return problems


def check_cron(expression: str) -> list[str]:
    """Return what is wrong with the five fields of a cron expression."""
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        return [f"{expression!r} has {len(fields)} fields instead of {len(_FIELDS)}"]
    return [
        f"{text!r} is no {name} (from {lowest} to {highest})"
        for text, (name, lowest, highest) in zip(fields, _FIELDS, strict=True)
        if not all(_fits(part, lowest, highest) for part in text.split(","))
    ]


def _fits(part: str, lowest: int, highest: int) -> bool:
    found = _PART.fullmatch(part)
    if found is None:
        return False
    first, last, every = (None if group is None else int(group) for group in found.groups())
    if every is not None and every < 1:
        return False
    numbers = [number for number in (first, last) if number is not None]
    return numbers == sorted(numbers) and all(lowest <= n <= highest for n in numbers)
