"""Reading a file of charts and rules; what is wrong is named by file, id and field."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from mlops.errors import ConfigError
from mlops.monitoring.rules.alerts import Alert, AlertContent
from mlops.monitoring.rules.limits import is_limit
from mlops.monitoring.rules.shapes import Content, Query
from mlops.yaml_loader import Loader

QUERIES = Path("observability/queries.yaml")
ALERTS = Path("observability/alerts.yaml")
"""Where a project has its charts and its alerts, from its root."""


def read_queries(root: Path) -> tuple[Query, ...]:
    """Return the charts and rules of a project, in the order of the file.

    Args:
        root: the project's root.

    Raises:
        ConfigError: the file is missing, or something in it is wrong.
    """
    return parse_queries(_text(root, QUERIES), QUERIES.as_posix())


def read_alerts(root: Path) -> tuple[Alert, ...]:
    """Return the alerts of a project, in the order of the file.

    Args:
        root: the project's root.

    Raises:
        ConfigError: the file is missing, or something in it is wrong.
    """
    return parse_alerts(_text(root, ALERTS), ALERTS.as_posix())


def find_query(queries: tuple[Query, ...], name: str) -> Query:
    """Return one of them by its id.

    Raises:
        ConfigError: there is none of this id.
    """
    for query in queries:
        if query.id == name:
            return query
    known = ", ".join(query.id for query in queries)
    raise ConfigError(f"{QUERIES} has no {name!r}", f"it has {known}")


def parse_queries(text: str, name: str) -> tuple[Query, ...]:
    """Return the charts and rules of a text, in its order.

    Args:
        text: YAML.
        name: how messages call the file.

    Raises:
        ConfigError: something in it is wrong.
    """
    return _parsed(text, name, Content).queries


def parse_alerts(text: str, name: str) -> tuple[Alert, ...]:
    """Return the alerts of a text, in its order.

    Args:
        text: YAML.
        name: how messages call the file.

    Raises:
        ConfigError: something in it is wrong.
    """
    return _parsed(text, name, AlertContent).alerts


_Whole = TypeVar("_Whole", Content, AlertContent)


def _parsed(text: str, name: str, form: type[_Whole]) -> _Whole:
    try:
        # a safe loader of our own
        content = yaml.load(text, Loader=Loader)  # nosec B506
    except yaml.YAMLError as error:
        raise ConfigError(f"{name} is not valid YAML: {error}", f"mend {name} there") from None
    try:
        whole = form.model_validate(content)
    except ValidationError as error:
        found = [_finding(content, dict(each), form.KEY) for each in error.errors()]
        raise _wrong(name, found, form) from None
    if found := list(_problems(whole.all)):
        raise _wrong(name, found, form)
    return whole


def _text(root: Path, name: Path) -> str:
    try:
        return (root / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{name} cannot be read: {error}", "bring it back from git, as UTF-8 text"
        ) from None


def _problems(queries: Sequence[Query]) -> Iterator[str]:
    seen = set()
    for query in queries:
        if query.id in seen:
            yield f"{query.id}, id: stands twice"
        seen.add(query.id)
        for place, message in query.problems():
            yield f"{query.id}, {place}: {message}"
        if query.rule and not is_limit(query.rule.threshold):
            message = f"{query.rule.threshold} is no setting that holds a number"
            yield f"{query.id}, rule.threshold: {message}"


def _finding(content: Any, error: Mapping[str, Any], key: str) -> str:
    """Return one finding of pydantic, with the id in the place of a number below the key."""
    place = [str(part) for part in error["loc"] if part != "[key]"]
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "unknown key: is it misspelt, or in the wrong block?"
    if place[:1] != [key] or len(place) == 1:
        return f"{'.'.join(place) or 'the file'}: {message}"
    return f"{_id_of(content[key], int(place[1]))}, {'.'.join(place[2:]) or 'all of it'}: {message}"


def _id_of(items: Any, number: int) -> str:
    item = items[number]
    name = item.get("id") if isinstance(item, Mapping) else None
    return name if isinstance(name, str) else f"number {number + 1}"


def _wrong(name: str, found: list[str], form: type[Content] | type[AlertContent]) -> ConfigError:
    return ConfigError(f"{name}: {' | '.join(found)}", f"{form.PAGE} says what it may say")
