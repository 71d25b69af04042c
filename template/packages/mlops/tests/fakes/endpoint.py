"""An endpoint that pretends, in memory, and remembers what was asked of it.

It passes the contract of endpoints, as those of the platforms do (test_fake_endpoint.py). A test
says by its attributes how its deployments behave and who calls them.
"""

import hashlib
import json
import math
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl

from fakes.request_log import OPEN, RequestLog
from fakes.scoring_script import load_script
from fakes.tiny_version import FAILS, FEATURES, tiny_onnx, tiny_probability
from mlops.artifacts.predictions import REQUEST, Predictions, event_schema
from mlops.artifacts.scores import part_files
from mlops.artifacts.version_folder import verify_version
from mlops.clock import Clock, system_clock
from mlops.errors import ConfigError, PlatformError
from mlops.features import Features
from mlops.monitoring.event_store import read_score_files
from mlops.platforms.base import (
    Answer,
    Deployment,
    DeploymentShare,
    ModelVersion,
    NotObserved,
    Observation,
)
from mlops.platforms.lease_rules import EndpointBusy, Memory, memory_after, undone
from mlops.platforms.lease_terms import USUAL, Pending, Terms, WayBack
from mlops.platforms.traffic_rules import (
    check_mirror,
    check_removal,
    check_shares,
    require_healthy,
    unknown_deployment,
)
from mlops.progress import Report, silent
from mlops.window import Window

BATCH = 400
SECONDS = 0.001
HANGS_SECONDS = 2.0
CODE = "# the scoring code"
COMMIT = "0123456789abcdef"
_ANSWERED = ("inference_id", "predictions", "probabilities")
_TINY = Features.read(FEATURES)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}")


@dataclass(frozen=True)
class Placed:
    """What a deployment is made of; its origin is the text of its scoring code."""

    model_version: int
    model_sha256: str
    commit: str
    origin: str


@dataclass(frozen=True)
class FakeLease:
    """A change of several steps: who makes it, and what was before it."""

    purpose: str
    before: dict[str, DeploymentShare]
    mirror: dict[str, int]
    holder: Literal["own", "another", "dead"] = "own"
    done: bool = False
    terms: Terms = USUAL


class FakeEndpoint:
    """One endpoint; see `Endpoint` in base.py for what each method promises.

    Args:
        name: the endpoint's name.
        batch: how many requests come between two looks, besides those that `invoke` sends.
    """

    poll_seconds = 0.0

    def __init__(self, name: str = "tiny-prod", batch: int = BATCH) -> None:
        self.name = name
        self.batch = batch
        self.address = "http://127.0.0.1:9"  # where nobody answers
        self.code = CODE
        """The scoring code that the project holds now."""
        self.dead: set[str] = set()
        """Deployments that are not healthy."""
        self.hanging: set[str] = set()
        """Deployments that answer none of the batch's requests."""
        self.errors: dict[int, float] = {}
        """The share of the batch's requests that a version fails."""
        self.fault: Callable[[Answer], Answer] = lambda answer: answer
        """What becomes of the answers that `invoke` gets."""
        self.unobserved = ""
        """Why nothing is seen of requests."""
        self.before_look: Callable[[], None] = lambda: None
        self.calls: list[str] = []
        """Every change."""
        self.invoked: list[str | None] = []
        """The deployment that each request of `invoke` named."""
        self.patience: set[float] = set()
        """What `observations` was asked with."""
        self.recorded: dict[str, DeploymentShare] | None = None
        self.kept_back: WayBack | None = None
        """What `way_back` returns."""
        self.completed = False
        """Whether the last traffic that was set completes its change."""
        self.stopped = False
        self.events = Predictions(pl.LazyFrame(schema=event_schema()))
        """What `predictions` returns of its window."""
        self.clock: Clock = system_clock
        """By which `invoke` takes note of what it answers."""
        self.kept: list[dict[str, Any]] = []
        self.scored: list[Path] = []
        self.front: list[dict[str, Any]] | None = None
        """What checks found, as they told it."""
        self.unkept = ""
        """Why nothing that checks find can be kept or read."""
        self.noted: dict[str, str] = {}
        """What is to be known at once."""
        self._placed: dict[str, Placed] = {}
        self._shares: dict[str, int] = {}
        self._mirror: dict[str, int] = {}
        self._lease: FakeLease | None = None
        self._own: FakeLease | None = None  # what the command that asks took, also if it lost it
        self._log = RequestLog()
        self._printed: dict[str, list[str]] = {}
        self._in_batches: dict[str, int] = {}
        self._routed = 0
        self._noted: list[tuple[Any, ...]] = []

    def serve(self, deployment: str, version: int, share: int = 0, origin: str = "") -> None:
        """Let a deployment be there, whatever was before."""
        model = hashlib.sha256(tiny_onnx()).hexdigest()
        self._place(deployment, Placed(version, model, COMMIT, origin or self.code))
        self._shares[deployment] = share

    @property
    def serving(self) -> dict[str, int]:
        """The version of each deployment."""
        return {name: each.model_version for name, each in sorted(self._placed.items())}

    @contextmanager
    def another_command(
        self, purpose: str, traffic: Mapping[str, int], terms: Terms = USUAL
    ) -> Iterator[None]:
        """Let another command hold the lease, after it has set the traffic; at the end it dies."""
        taken = replace(self._taken(purpose, terms), holder="another")
        self._mirror, self._shares = {}, {name: traffic.get(name, 0) for name in self._placed}
        self._lease = taken
        try:
            yield
        finally:
            if self._lease is taken:
                self._lease = replace(taken, holder="dead")

    def exists(self) -> bool:
        return bool(self._placed)

    def url(self) -> str:
        self._require_existence()
        return f"{self.address}/{self.name}/score"

    def key(self) -> str:
        return "key"

    def deploy(
        self,
        deployment: str,
        version: ModelVersion,
        report: Report,
        *,
        first_share: int = 100,
        origin: str = "",
    ) -> None:
        if not _NAME.fullmatch(deployment):
            raise ConfigError(f"the name {deployment!r} must start with a letter")
        facts = verify_version(version.folder)
        self._require_right_to_change()
        report(f"starting {deployment}")
        code = origin or self.code
        _start(deployment, code)
        self.calls.append(f"deploy {deployment} {version.version} {origin}".strip())
        self._shares.setdefault(deployment, 0 if self._placed else first_share)
        self._place(deployment, Placed(facts.version, facts.model_sha256, facts.commit, code))

    def is_current(self, deployment: str, version: ModelVersion) -> bool:
        found = self._placed.get(deployment)
        if found is None or self._problem(deployment):
            return False
        facts = verify_version(version.folder)
        return found == Placed(facts.version, facts.model_sha256, facts.commit, self.code)

    def deployments(self) -> list[Deployment]:
        return [
            Deployment(
                name=name,
                model_version=each.model_version,
                model_sha256=each.model_sha256,
                commit=each.commit,
                healthy=not self._problem(name),
                detail=self._problem(name),
                origin=each.origin,
            )
            for name, each in sorted(self._placed.items())
        ]

    def traffic(self) -> dict[str, int]:
        return dict(sorted(self._shares.items()))

    def set_traffic(
        self,
        traffic: Mapping[str, int],
        *,
        completes: bool = False,
        way_back: WayBack | None = None,
    ) -> None:
        self._require_right_to_change()
        self._require_existence()
        check_shares(self.name, traffic, self._placed.keys(), self._mirror)
        for name, share in traffic.items():
            if share:
                problem = self._problem(name)
                require_healthy(name, problem, healthy=not problem)
        self.calls.append(f"traffic {dict(traffic)}")
        self.completed = completes
        if self._lease and completes:
            self._lease = replace(self._lease, done=True)
            self.kept_back = way_back
        self._shares = {name: traffic.get(name, 0) for name in self._placed}

    def mirror(self) -> dict[str, int]:
        return dict(self._mirror)

    def set_mirror(self, deployment: str | None, percent: int = 0) -> None:
        self._require_right_to_change()
        self._require_existence()
        check_mirror(self.name, deployment, percent, self.traffic())
        self.calls.append(f"mirror {deployment} {percent}")
        self._mirror = {deployment: percent} if deployment is not None and percent else {}

    def delete(self, deployment: str) -> None:
        self._require_right_to_change()
        check_removal(self.name, deployment, self.traffic(), self._mirror)
        self.calls.append(f"delete {deployment}")
        del self._placed[deployment], self._shares[deployment]

    def observations(self, after: int = 0, patience_seconds: float = math.inf) -> list[Observation]:
        self._require_existence()
        self.patience.add(patience_seconds)
        if patience_seconds:
            self.before_look()
        for name, share in self._shares.items():
            self._add_batch(name, self.batch * share // 100, mirrored=False)
        for name, percent in self._mirror.items():
            self._add_batch(name, self.batch * percent // 100, mirrored=True)
        return self._log.after(after, patience_seconds)

    def await_observation(self, deployment: str, _report: Report) -> None:
        self._require_existence()
        assert deployment in self._placed
        if self.unobserved:
            raise NotObserved(self.unobserved)

    def predictions(self, window: Window, features: Features | None = None) -> Predictions:
        columns = list(event_schema(features))
        within = pl.col("time").is_between(window.start, window.end, closed="left")
        rows = self.events.rows
        if self._noted:
            own = pl.LazyFrame(self._noted, schema=event_schema(_TINY), orient="row")
            rows = pl.concat([rows, own], how="diagonal")
        rows = rows.filter(within).select(columns)
        paths = [path for folder in self.scored for path in part_files(folder)]
        scored = read_score_files(paths, self.name, window, features).rows
        return replace(self.events, rows=pl.concat([rows, scored]))

    def front_log(self, _window: Window) -> list[dict[str, Any]] | None:
        return self.front

    def keep_scored(self, folder: Path) -> None:
        self.scored.append(folder)

    def keep_checks(self, checks: Sequence[Mapping[str, Any]]) -> None:
        if self.unkept:
            raise PlatformError(self.unkept)
        self.kept += [dict(each) for each in checks]

    def checks(self, name: str, window: Window) -> list[dict[str, Any]]:
        if self.unkept:
            raise NotObserved(self.unkept)

        def within(told: str) -> bool:
            return window.start <= datetime.fromisoformat(told) < window.end

        found = [each for each in self.kept if each["check"] == name and within(each["time"])]
        return sorted(found, key=lambda each: str(each["time"]))

    def notes(self) -> dict[str, str]:
        return dict(self.noted)

    def note(self, name: str, text: str) -> None:
        self._require_right_to_change()
        self._require_existence()
        self.noted[name] = text

    @contextmanager
    def lease(self, purpose: str, terms: Terms = USUAL) -> Iterator[None]:
        self._undo_abandoned(silent)
        if self._lease:
            if not (terms.takes_over and self._lease.terms.yields and not self._lease.done):
                raise self._busy(self._lease)
            self._restore()
        self.calls.append(f"lease for {purpose}")
        outer, mine = self._own, self._taken(purpose, terms)
        self._own = self._lease = mine
        try:
            yield
            self._require_hold()
        except BaseException:
            if self._is_still(mine):
                if self._lease == mine:
                    self.calls.append("undone")
                self._restore()
            raise
        finally:
            self._own = outer
        self._complete()

    def pending(self) -> Pending | None:
        held = self._lease
        if held is None:
            return None
        lives = held.holder != "dead"
        return Pending(held.purpose, lives, held.done, yields=held.terms.yields)

    def previous(self) -> dict[str, DeploymentShare] | None:
        return self.recorded

    def way_back(self) -> WayBack | None:
        return self.kept_back

    def invoke(self, payload: bytes | Mapping[str, Any], deployment: str | None = None) -> Answer:
        self._require_existence()
        self.invoked.append(deployment)
        name = self._route() if deployment is None else deployment
        if name not in self._placed:
            return Answer(
                404, {"error": unknown_deployment(self.name, name, self._shares.keys())}, 0
            )
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        answer = self._answered(name, raw, direct=deployment is not None)
        if deployment is None:
            self._log.add(name, answer.status, answer.seconds, mirrored=False)
            for other, percent in self._mirror.items():
                if self._point() < percent:
                    copy = self._answered(other, raw, direct=False)
                    self._log.add(other, copy.status, copy.seconds, mirrored=True)
        return answer

    def logs(self, deployment: str, lines: int = 100) -> str:
        if deployment not in self._placed:
            raise ConfigError(unknown_deployment(self.name, deployment, self._placed.keys()))
        return "\n".join(self._printed[deployment][-lines:])

    def stop(self) -> None:
        self._require_right_to_change()
        self.calls.append("stop")
        self.stopped = True

    def repair(self, report: Report) -> None:
        self._undo_abandoned(report)
        if self._lease is None:
            self.stopped = False

    def answer(self, raw: bytes, model_version: int) -> Answer:
        """Answer as the scoring script would that serves the tiny model."""
        script = load_script()
        features = [script.Feature(each["name"], each["nullable"]) for each in FEATURES]
        try:
            asked = script.parse(raw, features)
        except script.BadRequest as error:
            return Answer(400, {"error": str(error)}, SECONDS)
        if asked.rows[0]["a"] == FAILS:
            return Answer(500, {"message": "the model failed"}, SECONDS)
        chances = [tiny_probability(a, b, None if math.isnan(c) else c) for a, b, c in asked.matrix]
        body = {
            "predictions": [int(chance >= 0.5) for chance in chances],
            "probabilities": chances,
            "model_version": model_version,
            "inference_id": [uuid.uuid4().hex for _ in chances],
            **({} if asked.keys is None else {"keys": asked.keys}),
        }
        return Answer(200, body, SECONDS)

    def _place(self, deployment: str, placed: Placed) -> None:
        self._placed[deployment] = placed
        self._printed[deployment] = [f"{deployment} printed this"]
        self.dead.discard(deployment)
        self.stopped = False

    def _answered(self, name: str, raw: bytes, *, direct: bool) -> Answer:
        if self._problem(name):
            return Answer(502, {"error": f"{name} does not answer"}, SECONDS)
        answer = self.answer(raw, self._placed[name].model_version)
        if not direct:
            self._note(name, raw, answer)
        answer = self.fault(answer)
        self._printed[name].append(f"POST /score {answer.status}")
        return answer

    def _note(self, name: str, raw: bytes, answer: Answer) -> None:
        """Keep an event of each row, or one of a request that was refused."""
        refused = answer.status == 400
        asked = {"data": [{}]} if refused else json.loads(raw)
        error = {400: "BadRequest", 500: "ZeroDivisionError"}.get(answer.status)
        for number, row in enumerate(asked["data"]):
            key = asked["keys"][number] if "keys" in asked else None
            of = {f: answer.body[f][number] if error is None else None for f in _ANSWERED}
            self._noted.append(
                (
                    of["inference_id"] or uuid.uuid4().hex,
                    None if key is None else str(key),
                    self.clock(),
                    REQUEST,
                    self.name,
                    name,
                    "tiny",
                    self._placed[name].model_version,
                    1000 * answer.seconds,
                    answer.status,
                    error,
                    None if error else str(of["predictions"]),
                    of["probabilities"],
                    None,
                    number,
                    not refused,
                    *(row.get(each.name) for each in _TINY),
                )
            )

    def _point(self) -> int:
        """A number from 0 to 99; in a hundred requests each comes once."""
        return 37 * self._routed % 100

    def _route(self) -> str:
        self._routed += 1
        passed = 0
        for name, share in self.traffic().items():
            passed += share
            if self._point() < passed:
                return name
        return ""

    def _add_batch(self, name: str, count: int, *, mirrored: bool) -> None:
        rate = self.errors.get(self._placed[name].model_version, 0.0)
        for _ in range(count):
            n = self._in_batches[name] = self._in_batches.get(name, 0) + 1
            failed = bool(self._problem(name)) or int(n * rate) > int((n - 1) * rate)
            if name in self.hanging:
                self._log.add(name, OPEN, HANGS_SECONDS, mirrored=mirrored)
            else:
                self._log.add(name, 502 if failed else 200, 10 * SECONDS, mirrored=mirrored)

    def _problem(self, name: str) -> str:
        return "not running" if self.stopped or name in self.dead else ""

    def _require_existence(self) -> None:
        if not self.exists():
            raise ConfigError(f"the endpoint {self.name} does not exist")

    def _require_right_to_change(self) -> None:
        self._require_hold()
        self._undo_abandoned(silent)
        if self._lease and self._lease.holder == "another":
            raise self._busy(self._lease)

    def _require_hold(self) -> None:
        if self._own and not self._is_still(self._own):
            raise EndpointBusy(f"{self._own.purpose} lost its hold on {self.name}")

    def _busy(self, held: FakeLease) -> EndpointBusy:
        return EndpointBusy(f"another command is changing {self.name}: {held.purpose}")

    def _taken(self, purpose: str, terms: Terms) -> FakeLease:
        return FakeLease(purpose, self._described(), dict(self._mirror), terms=terms)

    def _is_still(self, lease: FakeLease) -> bool:
        held = self._lease
        return held is not None and replace(held, done=False) == lease

    def _described(self) -> dict[str, DeploymentShare]:
        return {
            name: DeploymentShare(each.model_version, self._shares[name], each.origin)
            for name, each in sorted(self._placed.items())
        }

    def _complete(self) -> None:
        if held := self._lease:
            known = Memory(self.recorded, self.kept_back)
            now, leaves = self._described(), held.terms.leaves
            self._remember(memory_after(held.before, now, known, leaves, done=held.done))

    def _restore(self) -> None:
        """Undo the change, unless it was done."""
        held = self._lease
        if held is None or held.done:
            self._complete()
            return
        known = Memory(self.recorded, self.kept_back)
        after = undone(held.before, held.mirror, self._described(), known)
        self._shares, self._mirror = after.traffic, after.mirror
        self._remember(after.memory)

    def _remember(self, memory: Memory) -> None:
        self.recorded, self.kept_back = memory.previous, memory.way_back
        self._lease = None

    def _undo_abandoned(self, report: Report) -> None:
        held = self._lease
        if held is None or held.holder != "dead":
            return
        self._restore()
        shares = ", ".join(f"{name} {share} %" for name, share in self.traffic().items())
        when = " at its end" if held.done else ""
        report(f"{held.purpose} was interrupted{when}: the traffic is {shares}")


def _start(deployment: str, code: str) -> None:
    """Run the scoring code's `init`, if it has one.

    Raises:
        PlatformError: it fails.
    """
    script: dict[str, Any] = {}
    exec(code, script)
    try:
        script.get("init", lambda: None)()
    except Exception as error:
        raise PlatformError(
            f"{deployment} did not start: {type(error).__name__}: {error}"
        ) from error
