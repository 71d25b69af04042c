"""An endpoint that serves a version whose commit can be had."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fakes.alerts import FakeReceiver
from fakes.candidates import committed
from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.project import with_level, write_project
from mlops.artifacts.candidate import Candidate
from mlops.monitoring.alerting.act import Done
from mlops.monitoring.alerting.incident import Incident
from mlops.monitoring.decisions import Decision, Kind, decided
from mlops.monitoring.retraining.command import Retrained, Steps, retrain
from mlops.monitoring.retraining.telling import Hearers
from mlops.monitoring.retraining.training import Trained
from mlops.platforms.base import ModelVersion
from mlops.progress import Report, silent
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.window import Window

START = datetime(2026, 6, 30, 12, tzinfo=UTC)
VERSION = 9
DAY = timedelta(days=1)


@dataclass
class Loop:
    """A project at level 3 with its platform, and what was done to it.

    Attributes:
        platform: it outlasts the machines.
        folder: below which machines are.
        fails: what training or releasing ends with, in turn; then all goes well.
        done: what was trained and released.
        receivers: who is told.
        incidents: what was opened.
    """

    platform: FakePlatform
    folder: Path
    now: datetime = START
    fails: dict[str, BaseException] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    manifests: list[Path] = field(default_factory=list)
    receivers: list[Any] = field(default_factory=lambda: [FakeReceiver()])
    incidents: list[Incident] = field(default_factory=list)
    after_training: Callable[[], None] = lambda: None
    settings: LoadedSettings = field(init=False)

    def __post_init__(self) -> None:
        self.new_machine()
        self.serve(VERSION, self.commit)

    def new_machine(self) -> None:
        """Go on at a machine that has nothing but the project's files."""
        place = self.folder / f"machine-{len(list(self.folder.glob('machine-*')))}"
        project = with_level(write_project(place), 3)
        self.commit = committed(
            place, "uv.lock", "packages/mlops/pyproject.toml", *_MANIFESTS, "serving/score.py"
        )
        self.settings = load_settings(project, "dev", variables={}, clock=lambda: self.now)

    def serve(self, version: int, commit: str, **changed: Any) -> ModelVersion:
        """Let a version serve that was made at a commit."""
        found = self.platform.version(version)
        path = found.folder / "lineage.json"
        lineage = json.loads(path.read_text())
        git = {"commit": commit, "dirty": False, **changed.pop("git", {})}
        made = {"created_at": (START - 10 * DAY).isoformat(), "git": git, **changed}
        path.write_text(json.dumps({**lineage, **made}))
        self.endpoint.serve("blue", version, 100)
        return found

    @property
    def endpoint(self) -> FakeEndpoint:
        return self.platform.endpoint("tiny-dev")

    def drift(self, *outcomes: str, version: int = VERSION, step: timedelta = DAY) -> None:
        """Let checks of drift, newest first, be found of this moment and before."""
        for number, outcome in enumerate(outcomes):
            end = self.now - number * step
            whole = {
                "check": "drift",
                "time": end.isoformat(),
                "window_end": end.isoformat(),
                "column": None,
                "model_version": version,
                "outcome": outcome,
            }
            self.endpoint.keep_checks([whole, {**whole, "column": "a", "outcome": "drift"}])

    def performance(self, outcome: str, **changed: Any) -> None:
        """Let a check of the performance be found."""
        row = {
            "check": "performance",
            "time": self.now.isoformat(),
            "kind": "realised",
            "slice": None,
            "model_version": VERSION,
            "metric": "f1",
            "value": 0.5,
            "limit": 0.75,
            "outcome": outcome,
        }
        self.endpoint.keep_checks([{**row, **changed}])

    def steps(self, *, trains: bool = True) -> Steps:
        """What follows from a decision here."""
        hearers = Hearers(self.receivers, self._open)
        return Steps(self._train if trains else None, self._release, hearers)

    def retrain(self, *, trains: bool = True, **options: Any) -> Retrained:
        steps = self.steps(trains=trains)
        report = options.pop("report", silent)
        return retrain(self.platform, self.settings, steps, report, **options)

    @property
    def heard(self) -> list[str]:
        """What the first receiver heard."""
        return list(self.receivers[0].news)

    def decisions(self, kind: Kind = Kind.RETRAINING) -> list[Decision]:
        return decided(self.endpoint, Window(START - 999 * DAY, self.now + DAY), kind)

    @property
    def outcomes(self) -> Sequence[str]:
        return [each.outcome for each in self.decisions()]

    def _train(
        self, candidate: Candidate, manifest: Path, settings: LoadedSettings, _report: Report
    ) -> Trained:
        assert manifest.is_file()
        self.manifests.append(manifest)
        self.done.append(f"train {candidate.id}")
        self._fail("train")
        self.after_training()
        return Trained("run-1", 12, settings.project.state_dir / "serving")

    def _release(self, trained: Trained, _settings: LoadedSettings, _report: Report) -> str:
        self.done.append(f"release {trained.model_version}")
        self._fail("release")
        return "no worse"

    def _open(self, incident: Incident) -> Done:
        self._fail("incident")
        self.incidents.append(incident)
        return Done("opened", "an issue", f"issue {len(self.incidents)}")

    def _fail(self, step: str) -> None:
        if step in self.fails:
            raise self.fails[step]


_MANIFESTS = ("packages/mlops/src/mlops/artifacts/candidate.py",)
