"""The events of predictions that are kept on this machine, read as `artifacts/predictions.py` says.

A line that a killed server left unfinished counts for nothing. What else cannot be read is named.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from mlops.artifacts.event_folders import EventFolders
from mlops.artifacts.predictions import DIRECT, FEATURE, SCORE, Predictions, event_schema
from mlops.artifacts.scores import PREDICTION, PROBABILITY
from mlops.features import Feature, Features, Kind, normalised
from mlops.monitoring.events import schema_of
from mlops.monitoring.plain_lines import read_plain
from mlops.window import Window

LINE_SCHEMA = 1
LONG = timedelta(hours=3)
"""For less of a day it takes less time to look at the time of each line."""
_CHUNK = 50_000
"""So many lines at a time become a table, which needs far less memory."""
_NO_FEATURES = Features()
_NO_EVENT = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)
"""What a line of something else brings about."""
_WHOLE = range(-(2**63), 2**63)
_HEAD, _UTC = b'{"schema":1,"time":"', b'+00:00"'
_STAMP = slice(len(_HEAD), len(_HEAD) + len("2026-06-30T12:00:00.000000"))
_ZONE = slice(_STAMP.stop, _STAMP.stop + len(_UTC))
"""How a server begins a line; one that begins in another way is parsed to see its time."""


def read_events(
    folders: EventFolders, window: Window, features: Features | None = None
) -> Predictions:
    """Return the events of an endpoint in a window, of requests and of `mlops score` alike.

    Files of days outside the window are not opened.

    Args:
        folders: where they are.
        window: when the predictions were made.
        features: the features to read with them; None: none. One that an event does not have, or
            has as something else, is null.
    """
    reader = _Reader(folders.endpoint, window, features or _NO_FEATURES)
    first = f"{window.start.astimezone(UTC):%Y-%m-%d}"
    last = f"{window.end.astimezone(UTC) - timedelta(microseconds=1):%Y-%m-%d}"
    as_a_whole = features is None and window.end - window.start >= LONG
    for day, path in folders.request_files():
        if first <= day <= last and not (as_a_whole and reader.add_plain(path)):
            reader.add_lines(path)
    of_requests = {*reader.unread}
    for path in folders.score_files():
        reader.add_table(path)
    schema = event_schema(features)
    rows = pl.concat([pl.DataFrame(schema=schema), *reader.tables]).lazy()
    of_scores = frozenset(reader.unread.keys() - of_requests)
    return Predictions(rows, reader.dropped, dict(reader.unread), of_scores)


def read_score_files(
    paths: Iterable[Path], endpoint: str, window: Window, features: Features | None = None
) -> Predictions:
    """Return the events of files of `mlops score` in a window, as `read_events` does.

    Args:
        paths: the files.
        endpoint: the name of the endpoint that they are of.
        window: when the predictions were made.
        features: the features to read with them; None: none.
    """
    reader = _Reader(endpoint, window, features or _NO_FEATURES)
    for path in paths:
        reader.add_table(path)
    rows = pl.concat([pl.DataFrame(schema=event_schema(features)), *reader.tables]).lazy()
    return Predictions(rows, 0, dict(reader.unread), frozenset(reader.unread))


def feature_value(value: Any, feature: Feature) -> float | str | None:
    """Return what an event has of a feature as a table holds it; of another kind: null."""
    if feature.kind is Kind.CATEGORY:
        return _text(normalised(value)) if isinstance(value, str) else None
    return float(value) if isinstance(value, int | float) else None


@dataclass
class _Reader:
    """What was read so far."""

    endpoint: str
    window: Window
    features: Features
    tables: list[pl.DataFrame] = field(default_factory=list)
    dropped: int = 0
    unread: dict[str, str] = field(default_factory=dict)

    def add_plain(self, path: Path) -> bool:
        """Read a file of a server as a whole if all its lines are plain; tell whether they are."""
        try:
            found = read_plain(path, self.window, LINE_SCHEMA)
        except OSError:
            return False
        if found is None:
            return False
        rows, dropped = found
        self.tables.append(rows)
        self.dropped += dropped
        return True

    def add_lines(self, path: Path) -> None:
        """Read a file of a server, a chunk at a time.

        The time stands at the beginning of a line: what is not of the window is not parsed, so that
        a few minutes of a busy day are read in a second or two.
        """
        start, end = _stamp(self.window.start), _stamp(self.window.end)
        schema = event_schema(self.features)
        bad = 0
        chunk: list[tuple[Any, ...]] = []
        try:
            with path.open("rb") as file:
                for line in file:
                    known = line.startswith(_HEAD) and line[_ZONE] == _UTC
                    if known and not start <= line[_STAMP] < end:
                        continue
                    if not line.endswith(b"\n"):
                        continue
                    try:
                        found = self._event(json.loads(line))
                    except _NO_EVENT:
                        bad += 1
                        continue
                    if found is not None:
                        chunk.append(found)
                    if len(chunk) == _CHUNK:
                        self.tables.append(pl.DataFrame(chunk, schema, orient="row"))
                        chunk = []
        except OSError as error:
            self._cannot_read(path, error.strerror or type(error).__name__)
        if chunk:
            self.tables.append(pl.DataFrame(chunk, schema, orient="row"))
        if bad:
            self._cannot_read(path, f"{bad:,} of its lines are no events")

    def add_table(self, path: Path) -> None:
        """Read a file of `mlops score`."""
        try:
            problem = schema_of(path)
            if not problem:
                self.tables.append(self._rows(pl.scan_parquet(path, glob=False)).collect())
        except (OSError, pl.exceptions.PolarsError) as error:
            problem = f"it cannot be read ({type(error).__name__})"
        if problem:
            self._cannot_read(path, problem)

    def _cannot_read(self, path: Path, why: str) -> None:
        self.unread[f"{path.parent.name}/{path.name}"] = why

    def _event(self, line: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Return the columns of an event; None of one that is not read, or of a count of losses.

        Raises:
            KeyError, TypeError, ValueError: it is no event.
        """
        if line["schema"] != LINE_SCHEMA:
            raise ValueError("another schema")
        time = datetime.fromisoformat(line["time"])
        if not self.window.start <= time < self.window.end:
            return None
        if "dropped" in line:
            self.dropped += _whole(line["dropped"])
            return None
        if line["source"] == DIRECT:
            return None
        prediction, probability = line["prediction"], line["probability"]
        value, probabilities = probability, None
        if isinstance(probability, Mapping):
            value, probabilities = probability[prediction], [*map(float, probability.values())]
        elif probability is None and prediction is not None:
            value = prediction
        features = line["features"]
        return (
            _text(line["inference_id"]),
            _text(line["key"]),
            time.astimezone(UTC),
            _text(line["source"]),
            _text(line["endpoint"]),
            _text(line["deployment"]),
            _text(line["model_name"]),
            _whole(line["model_version"]),
            float(line["latency_ms"]),
            _whole(line["status"]),
            _text(line["error_type"]),
            _text(prediction),
            None if value is None else float(value),
            probabilities,
            _whole(line["row"]),
            features is not None,
            *(feature_value((features or {}).get(each.name), each) for each in self.features),
        )

    def _rows(self, table: pl.LazyFrame) -> pl.LazyFrame:
        """Return the canonical columns of a table of `mlops score` in the window."""
        has = table.collect_schema()
        window = pl.col("time").is_between(self.window.start, self.window.end, closed="left")
        columns = {
            "source": pl.lit(SCORE),
            "endpoint": pl.lit(self.endpoint),
            "latency_ms": pl.lit(None),
            "error_type": pl.lit(None),
            "prediction": pl.col(PREDICTION),
            **_probabilities(has[PREDICTION], has[PROBABILITY]),
            "row": pl.lit(None),
            "has_features": pl.lit(any(name.startswith(FEATURE) for name in has)),
            **{
                f"{FEATURE}{each.name}": _column(f"{FEATURE}{each.name}", each, has)
                for each in self.features
            },
        }
        return table.filter(window).select(
            columns.get(name, pl.col(name)).cast(kind).alias(name)
            for name, kind in event_schema(self.features).items()
        )


def _stamp(time: datetime) -> bytes:
    """Return a time as a server writes it, so that texts are in the order of their times."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds").encode()


def _text(value: Any) -> str | None:
    """Return a text that a table can hold; half a character of two (a surrogate) becomes `?`."""
    if value is None:
        return None
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _whole(value: Any) -> int:
    """Return a whole number that a table can hold.

    Raises:
        OverflowError: it is too large.
    """
    number = int(value)
    if number not in _WHOLE:
        raise OverflowError(number)
    return number


def _column(name: str, feature: Feature, has: pl.Schema) -> pl.Expr:
    if name not in has or (has[name] == pl.String) is not (feature.kind is Kind.CATEGORY):
        return pl.lit(None)
    return pl.col(name)


def _probabilities(prediction: pl.DataType, probability: pl.DataType) -> dict[str, pl.Expr]:
    """Return `value` and `probabilities`, by what the table of a task has."""
    if isinstance(probability, pl.Struct):
        classes = [each.name for each in probability.fields]
        of = {name: pl.col(PROBABILITY).struct.field(name) for name in classes}
        value = pl.coalesce(
            pl.when(pl.col(PREDICTION) == name).then(each) for name, each in of.items()
        )
        return {"value": value, "probabilities": pl.concat_list(*of.values())}
    value = pl.col(PREDICTION if prediction == pl.Float64 else PROBABILITY)
    return {"value": value, "probabilities": pl.lit(None)}
