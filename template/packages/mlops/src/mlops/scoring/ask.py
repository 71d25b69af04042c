"""Rows that a person sends to an endpoint, and its answer as a table."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops.errors import ConfigError, PlatformError, Refused
from mlops.hints import typed
from mlops.platforms.answers import REFUSED, described, is_answer
from mlops.platforms.base import Answer, Endpoint

STDIN = "-"
_TABLES = (".csv", ".parquet", ".xlsx")
_EXAMPLE = """write one row, '{"feature": 1}', a list of rows, a file's name, or - for stdin"""


def text_of(said: str, stdin: str) -> str:
    """Return the JSON that an argument is or names.

    Args:
        said: JSON, the name of a file, or `-`.
        stdin: what stands on the standard input, where `-` is said.

    Raises:
        ConfigError: it is a file that cannot be read, or a table.
    """
    if said == STDIN:
        return stdin
    if said.lstrip()[:1] in ("{", "["):
        return said
    if Path(said).suffix.lower() in _TABLES:
        raise ConfigError(
            f"{said} is a table, and an endpoint is asked with rows of features as JSON",
            f"{typed('score')} predicts for files of raw data",
        )
    try:
        return Path(said).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError):
        raise ConfigError(
            f"{said!r} is neither JSON nor a file that can be read", _EXAMPLE
        ) from None


def payload_of(text: str) -> bytes:
    """Return the body of a request with these rows, each as it is written.

    The endpoint judges the rows, so nothing in them is changed.

    Args:
        text: JSON: a row, a list of rows, or a whole body `{"data": [row, …]}`.

    Raises:
        ConfigError: it is no JSON.
    """
    text = text.strip()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"this is not valid JSON: {error}", _EXAMPLE) from None
    if isinstance(found, dict) and found.keys() == {"data"} and isinstance(found["data"], list):
        return text.encode()
    rows = text if isinstance(found, list) else f"[{text}]"
    return f'{{"data": {rows}}}'.encode()


def ask(endpoint: Endpoint, payload: bytes) -> Answer:
    """Send a request; return its answer.

    Raises:
        Refused: the endpoint refuses the rows, in its own sentence.
        PlatformError: it gives no answer to them.
    """
    answer = endpoint.invoke(payload)
    if is_answer(answer.status) and isinstance(answer.body, dict):
        return answer
    sentence = _sentence(answer.body)
    if answer.status == REFUSED:
        raise Refused(sentence)
    raise PlatformError(f"{endpoint.name} answered {described(answer.status)}: {sentence}")


def table_of(body: Mapping[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return an answer's columns and rows, as people read them."""
    predictions, probabilities = body["predictions"], body.get("probabilities")
    columns: tuple[str, ...] = ("row", "prediction")
    rows = [(str(n), _short(value)) for n, value in enumerate(predictions)]
    if probabilities is None:
        return columns, list(rows)
    told = [_probability(value) for value in probabilities]
    return (*columns, "probability"), [(*row, each) for row, each in zip(rows, told, strict=True)]


def _probability(value: Any) -> str:
    if isinstance(value, Mapping):
        ordered = sorted(value.items(), key=lambda pair: -pair[1])
        return ", ".join(f"{name} {share:.4f}" for name, share in ordered)
    return f"{value:.4f}"


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _sentence(body: Any) -> str:
    if isinstance(body, Mapping) and "error" in body:
        return str(body["error"])
    return str(body)
