"""Who asks the endpoint: requests by plain HTTP, with rows and labels that sample.py makes."""

import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import polars as pl
import polars.selectors as cs

from mlops.artifacts.predictions import REQUEST
from mlops.artifacts.version_folder import VersionFolder
from mlops.clock import Clock
from mlops.errors import PlatformError
from mlops.monitoring.raw_labels import reference_of
from mlops.platforms import open_platform
from mlops.platforms.base import Endpoint, Platform
from mlops.platforms.http import OwnSession, Unreachable, post
from mlops.platforms.traffic_rules import leading_deployment
from mlops.settings.loading import LoadedSettings
from mlops.steps import split
from mlops.steps.prepare import build_table
from mlops.usecase.use_case import LABEL, UseCase
from mlops.window import Window

AGENT = "mlops-simulate"
REQUESTS, ROWS = 150, 8
"""So many requests of so many rows: more than alerts and checks need."""
NO_ANSWER = 0
_PATIENCE_SECONDS, _PAUSE_SECONDS = 20.0, 0.25
"""Servers write events once a second; on a busy machine later."""


@dataclass(frozen=True)
class Person:
    """What a caller asks about, whom it is about, and what will come true."""

    features: Mapping[str, Any]
    key: str
    label: Any


@dataclass(frozen=True)
class Asked:
    """What came of some requests.

    Attributes:
        answers: the number of requests by status and model version; no version: none was named.
        labels: what will come true, by the id of the prediction.
    """

    answers: Mapping[tuple[int, int | None], int]
    labels: pl.DataFrame


def label_days(use_case: UseCase, params: Any, day: date) -> int:
    """Return how many days after a prediction its label is complete."""
    reference = reference_of(day, use_case, params)
    return 0 if reference is None else (reference - day).days


def people(
    settings: LoadedSettings, names: Mapping[str, bool], seed: int, drift: float
) -> list[Person]:
    """Return what is asked today, as sample.py and features.py have it.

    Args:
        settings: of the project.
        names: the features that callers send; whether each may be null.
        seed: other ones each time.
        drift: how strong the change is.
    """
    use_case, today = settings.use_case, settings.clock().date()
    reference = reference_of(today, use_case, settings.values.params) or today
    sample = use_case.sample(2 * REQUESTS * ROWS, seed, drift, reference)
    with tempfile.TemporaryDirectory() as scratch:
        sample.write_parquet(Path(scratch) / "sample.parquet")
        data = ibis.duckdb.connect().read_parquet(Path(scratch) / "sample.parquet")
        table = _alike(build_table(data, use_case, today, reference), settings)
    required = [name for name, nullable in names.items() if not nullable]
    rows = table.with_columns(cs.decimal().cast(pl.Float64)).with_columns(cs.float().fill_nan(None))
    rows = rows.drop_nulls([*required, LABEL])
    rows = rows.sample(min(REQUESTS * ROWS, rows.height), shuffle=True, seed=seed)
    return [
        Person({name: row[name] for name in names}, str(row[use_case.key]), row[LABEL])
        for row in rows.iter_rows(named=True)
    ]


def _alike(table: pl.DataFrame, settings: LoadedSettings) -> pl.DataFrame:
    """Return the rows that are like those of the training part: of a split in time not the newest.

    Drift would be found in those from the first day on.
    """
    key, by = settings.use_case.key, settings.values.split
    if by.by != "time":
        return table
    return table.filter(split.assign(split.basis(table, key, by), key, by).train)


def features_asked(platform: Platform, endpoint: Endpoint) -> dict[str, bool]:
    """Return the features that callers send to what serves, and whether each may be null.

    Raises:
        PlatformError: nothing serves.
    """
    leading = leading_deployment(endpoint)
    if leading is None:
        raise PlatformError(f"{endpoint.name} serves nothing")
    version = leading.model_version
    signature = VersionFolder(platform.version(version).folder).signature()
    return {str(each["name"]): bool(each["nullable"]) for each in signature["features"]}


def ask(endpoint: Endpoint, everybody: Sequence[Person]) -> Asked:
    """Send requests one after the other, as callers do: to the endpoint, with keys.

    Raises:
        PlatformError: the endpoint does not exist.
    """
    session, url = OwnSession(), endpoint.url()
    headers = {"Authorization": f"Bearer {endpoint.key()}", "User-Agent": AGENT}
    answers: Counter[tuple[int, int | None]] = Counter()
    ids: list[str] = []
    labels: list[Any] = []
    for start in range(0, len(everybody), ROWS):
        part = everybody[start : start + ROWS]
        body = {"data": [each.features for each in part], "keys": [each.key for each in part]}
        try:
            answer = post(session, url, body, headers, timeout=30)
        except Unreachable:
            answers[NO_ANSWER, None] += 1
            continue
        told = answer.body if isinstance(answer.body, dict) else {}
        answers[answer.status, told.get("model_version")] += 1
        if "inference_id" in told:
            ids += told["inference_id"]
            labels += [each.label for each in part]
    return Asked(dict(answers), pl.DataFrame({"inference_id": ids, LABEL: labels}, strict=False))


def await_events(endpoint: Endpoint, since: datetime, requests: int, clock: Clock) -> bool:
    """Wait until servers have written what they were asked; tell whether they have.

    Args:
        endpoint: whose events.
        since: when the first request was sent.
        requests: so many were answered.
        clock: tells the time of the events.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        window = Window(since, clock() + timedelta(seconds=1))
        asked = (pl.col("source") == REQUEST) & (pl.col("row") == 0)
        if endpoint.predictions(window).rows.filter(asked).collect().height >= requests:
            return True
        time.sleep(_PAUSE_SECONDS)
    return False


def start_again(settings: LoadedSettings) -> Endpoint:
    """Return the endpoint, its servers started anew: a server keeps the time of its start.

    Raises:
        PlatformError: it does not serve.
    """
    endpoint = open_platform(settings).endpoint(settings.endpoint_name)
    if not endpoint.exists():
        raise PlatformError(f"{endpoint.name} serves nothing")
    endpoint.stop()
    endpoint.repair(lambda _line: None)
    return endpoint
