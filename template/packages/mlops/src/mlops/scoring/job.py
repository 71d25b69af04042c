"""Score raw data with a registered version: check, compute features, predict part by part.

What a killed process leaves is gone on with by the same call: the parts that are complete stay as
they are, and the result is that of an undisturbed run but for the times.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from filelock import FileLock, Timeout

from mlops.artifacts.documents import Document
from mlops.artifacts.event_folders import EventFolders, event_folders
from mlops.artifacts.scores import (
    MODEL_VERSION,
    REFERENCE_DATE,
    SCORED,
    SCORED_AT,
    SCORING,
    Part,
    parts_of,
    remember_scored,
)
from mlops.artifacts.version_folder import VersionFolder, verify_version
from mlops.data.personal import personal_of
from mlops.data.source import Located
from mlops.errors import ConfigError, PlatformError
from mlops.files import file_sha256, new_folder
from mlops.monitoring.event_retention import remove_old_events
from mlops.monitoring.events import Source, events_of
from mlops.progress import Report
from mlops.scoring.feature_table import require_key, write_features
from mlops.scoring.identity import Identity, identity_of
from mlops.scoring.parts import PartStore
from mlops.scoring.raw_data import AsOf, check_data
from mlops.scoring.scorer import Scorer, open_scorer
from mlops.settings.loading import LoadedSettings

_FEATURES = "features.parquet"
_PREPARED = Document("prepared-to-score.json", schema=1)


@dataclass(frozen=True)
class Request:
    """What is to be scored, and where to.

    Attributes:
        data: the folder of raw data.
        model: the folder of the version.
        output: the folder of predictions to write, or to go on with.
        as_of: the day that counts as today.
        deployment: what of an endpoint serves the version, or None.
        events: the folder of events; None: one of the run's own under `.mlops/events`.
    """

    data: Located
    model: Path
    output: Path
    as_of: AsOf
    deployment: str | None = None
    events: Path | None = None


@dataclass(frozen=True)
class Scored:
    """What was scored.

    Attributes:
        run: the run's id.
        rows: how many keys.
        parts: how many files.
        kept: how many of them an earlier call had made.
        model_version: the number of the version.
        reference_date: as of which day.
        left_out: files that were not read, with what is wrong.
        output: the folder of predictions.
        events: the folder of their events.
    """

    run: str
    rows: int
    parts: int
    kept: int
    model_version: int
    reference_date: str
    left_out: Mapping[str, str]
    output: str
    events: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON content."""
        return asdict(self)


@dataclass(frozen=True)
class _Prepared:
    """The ordered features of a run."""

    features: Path
    rows: int
    sha256: str
    left_out: Mapping[str, str]


def score(request: Request, settings: LoadedSettings, report: Report) -> Scored:
    """Write one row of predictions for each key, or go on where an earlier call was ended.

    Raises:
        ConfigError: the output holds something else, or predictions of another run; a file or a
            setting is wrong.
        Refused: the version was altered, the data break the contract, or they lack what the
            version asks for. Nothing is written then.
        PlatformError: another command writes the same predictions, or the model failed.
    """
    require_key(settings.use_case)
    facts = verify_version(request.model)
    served = {"name": facts.name, "version": facts.version, "files": dict(facts.served)}
    report("reading what is to be scored")
    identity = identity_of(request.data, request.as_of, served, request.deployment, settings)
    begun = _begun(request.output, identity)
    work = settings.project.state_dir / "scoring" / identity.run
    events = request.events or _events_folder(settings, identity)
    store = PartStore(request.output, events)
    with _alone(work):
        remember_scored(settings.project.state_dir, request.output)
        if begun and (request.output / SCORED.name).is_file():
            parts = parts_of(int(begun["rows"]), settings.values.score.part_rows)
            if len(store.complete(parts)) == len(parts):
                return _scored(request, identity, begun, store, kept=len(parts))
        scorer = open_scorer(VersionFolder(request.model))
        prepared = _prepare(request, work, settings, scorer, report)
        header = _header(request, identity, prepared, begun)
        kept = _score_parts(request, identity, prepared, scorer, settings, store, report)
        SCORED.write(request.output, {**header, "finished": settings.clock().isoformat()})
        shutil.rmtree(work)
    if request.events is None:
        keep = settings.values.telemetry
        remove_old_events(_own_events(settings), keep.keep_days, keep.keep_gb, settings.clock())
    return _scored(request, identity, header, store, kept=kept)


def _begun(output: Path, identity: Identity) -> dict[str, Any] | None:
    """Return what the output says that it is made of, or None if nothing is there.

    Raises:
        ConfigError: it holds something else, or predictions of another run.
    """
    if output.is_file():
        raise ConfigError(f"--output: {output} is a file", "name a folder")
    if not (output / SCORING.name).is_file():
        if output.is_dir() and any(output.iterdir()):
            raise ConfigError(
                f"--output: {output} holds other files, no predictions", "name an empty folder"
            )
        return None
    begun = SCORING.read(output)
    if changes := identity.differences(begun):
        raise ConfigError(
            f"--output: {output} holds predictions of another run: {', '.join(changes)}",
            "name another folder; or, to go on with that run, give it what it began with",
        )
    return begun


def _events_folder(settings: LoadedSettings, identity: Identity) -> Path:
    return _own_events(settings).score(identity.run)


def _own_events(settings: LoadedSettings) -> EventFolders:
    return event_folders(settings.project.state_dir, settings.endpoint_name)


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    """Let one command at a time write a run, and remove what a killed one left half done."""
    work.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(work.with_name(f"{work.name}.lock"), timeout=0):
            for left in work.parent.glob(f".{work.name}.*"):
                shutil.rmtree(left, ignore_errors=True)
            yield
    except Timeout:
        raise PlatformError(
            "another command is scoring just this", "wait for it to end, then try again"
        ) from None


def _prepare(
    request: Request, work: Path, settings: LoadedSettings, scorer: Scorer, report: Report
) -> _Prepared:
    """Return the features, those of an earlier call where they are whole."""
    features = work / _FEATURES
    if (work / _PREPARED.name).is_file():
        known = _PREPARED.read(work)
        if features.is_file() and file_sha256(features) == known["sha256"]:
            return _Prepared(features, known["rows"], known["sha256"], known["left_out"])
    report("checking the contract")
    checked = check_data(request.data, settings, request.as_of)
    with new_folder(work, replaces=".") as new:
        raw = new / "rows.parquet"
        checked.rows.write_parquet(raw)
        left_out = checked.left_out
        del checked  # the features need the memory
        report("computing the features")
        day = request.as_of.day
        rows = write_features(raw, new / _FEATURES, day, settings, scorer.signature)
        raw.unlink()
        sha256 = file_sha256(new / _FEATURES)
        _PREPARED.write(new, {"rows": rows, "sha256": sha256, "left_out": dict(left_out)})
    return _Prepared(features, rows, sha256, left_out)


def _header(
    request: Request, identity: Identity, prepared: _Prepared, begun: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    """Return what the output says that it is made of, written now if it is a new one.

    Raises:
        ConfigError: the features are others than those by which the run began.
    """
    if begun is None:
        header = {
            **identity.content,
            "run": identity.run,
            "rows": prepared.rows,
            "features_sha256": prepared.sha256,
            "left_out": dict(prepared.left_out),
        }
        _begun(request.output, identity)  # another command may have begun meanwhile
        SCORING.write(request.output, header)
        return header
    if begun["features_sha256"] != prepared.sha256:
        raise ConfigError(
            f"--output: {request.output} began with other features, though data and code are the "
            "same: features.py does not return the same each time",
            "let it depend on its arguments alone, and name another folder",
        )
    return begun


def _score_parts(
    request: Request,
    identity: Identity,
    prepared: _Prepared,
    scorer: Scorer,
    settings: LoadedSettings,
    store: PartStore,
    report: Report,
) -> int:
    """Write the parts that are not complete; return how many were."""
    key, day = settings.use_case.key, request.as_of.day
    source = Source(
        run=identity.run,
        environment=settings.values.environment,
        deployment=request.deployment,
        model_name=str(scorer.signature["model_name"]),
        model_version=scorer.version,
        keys=settings.values.telemetry.keys,
        features=_allowed(scorer, settings),
    )
    parts = parts_of(prepared.rows, settings.values.score.part_rows)
    complete = store.complete(parts)
    for part in parts:
        if part.number in complete:
            continue
        report(f"part {part.number + 1} of {len(parts)}, {part.start:,} of {prepared.rows:,} keys")
        table = _slice(prepared.features, part)
        answered, at = scorer.score(table), settings.clock()
        keeps = settings.values.telemetry.enabled
        events = events_of(answered, table[key], source, at, table) if keeps else None
        store.add(part, _rows(table[key], answered, scorer.version, day, at), key, events)
    return len(complete)


def _allowed(scorer: Scorer, settings: LoadedSettings) -> tuple[str, ...]:
    """Return the features that events may hold."""
    if not settings.values.telemetry.features:
        return ()
    return tuple(personal_of(settings.use_case).others(scorer.features.names))


def _slice(features: Path, part: Part) -> pl.DataFrame:
    return pl.scan_parquet(features, glob=False).slice(part.start, part.rows).collect()


def _rows(
    keys: pl.Series, answered: pl.DataFrame, version: int, day: date, at: datetime
) -> pl.DataFrame:
    return pl.DataFrame([keys, *answered]).with_columns(
        pl.lit(version, dtype=pl.Int64).alias(MODEL_VERSION),
        pl.lit(day, dtype=pl.Date).alias(REFERENCE_DATE),
        pl.lit(at, dtype=pl.Datetime("us", "UTC")).alias(SCORED_AT),
    )


def _scored(
    request: Request, identity: Identity, header: Mapping[str, Any], store: PartStore, *, kept: int
) -> Scored:
    rows = int(header["rows"])
    return Scored(
        run=identity.run,
        rows=rows,
        parts=len(parts_of(rows, int(header["part_rows"]))),
        kept=kept,
        model_version=int(header["model"]["version"]),
        reference_date=str(header["reference_date"]),
        left_out=dict(header["left_out"]),
        output=str(request.output),
        events=str(store.events),
    )
