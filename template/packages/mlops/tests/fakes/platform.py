"""A platform that pretends: runs and versions in a folder, endpoints in memory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from fakes.audit import FakeAudit
from fakes.endpoint import FakeEndpoint
from fakes.tiny_version import FEATURES, REAL, write_version
from mlops.artifacts.data_source import DataSource
from mlops.diagnosis import Diagnosis
from mlops.errors import ConfigError
from mlops.platforms.base import KeptEvidence, ModelVersion, Run
from mlops.platforms.local.evidence import LocalEvidence
from mlops.platforms.watching import RuleState
from mlops.progress import Report, Stage, StageReport
from mlops.settings.loading import LoadedSettings

NUMBERS = (1, 2, 9, 10, 11)


class FakePlatform:
    """See `Platform` in base.py for what each method promises.

    Args:
        folder: where runs and versions are kept.
        numbers: the versions of the tiny model that are registered.
    """

    name = "fake"
    has_callers: ClassVar[bool] = False
    can_stop: ClassVar[bool] = True

    def __init__(self, folder: Path, numbers: Iterable[int] = NUMBERS) -> None:
        self.folder = folder
        self.numbers = sorted(numbers)
        self.endpoints: dict[str, FakeEndpoint] = {}
        """Each endpoint that was asked for, by name."""
        self.features: dict[int, Sequence[Mapping[str, Any]]] = {}
        """What a version's signature asks for, where not for what the tiny model takes."""
        self.sources: dict[int, DataSource] = {}
        """What a version is made of, where not of all of some real data."""
        self.archived: set[int] = set()
        """Versions that are in no list."""
        self.audit_store = FakeAudit()
        self.gone = ""
        """What is said of a version that serves and is not registered any more."""
        self.known_runs: dict[str, Run] = {}
        self.verdicts: dict[str, Mapping[str, Any]] = {}
        self.registered: dict[int, Run] = {}
        """The run of each version that was registered here."""
        self.rules: Mapping[str, RuleState] | None = None
        self.watched: list[str] = []
        self.secrets: dict[str, str] = {}
        """Which alerts it watches by itself, and whether each is on."""

    @classmethod
    def examine(cls, _settings: LoadedSettings) -> list[Diagnosis]:
        return []

    def train(self, data_dir: Path | None, report: StageReport) -> Run:
        run_id = f"run-{len(self.known_runs) + 1}"
        run = Run(run_id, self.folder / run_id)
        run.folder.mkdir(parents=True)
        report(str(data_dir or "the sample"), Stage.DATA)
        for stage in (Stage.VALIDATE, Stage.TRAIN, Stage.EVALUATE):
            report("pretended", stage)
        self.known_runs[run_id] = run
        return run

    def run(self, run_id: str) -> Run:
        if run_id not in self.known_runs:
            raise ConfigError(f"there is no run {run_id!r}")
        return self.known_runs[run_id]

    def runs(self) -> list[Run]:
        return list(reversed(self.known_runs.values()))

    def store_verdict(self, run: Run, verdict: Mapping[str, Any]) -> None:
        self.verdicts[run.run_id] = verdict

    def register(self, run: Run, build: Callable[[Path, int], None]) -> ModelVersion:
        number = max(self.numbers, default=0) + 1
        folder = self._folder(number)
        folder.mkdir(parents=True)
        build(folder, number)
        self.numbers.append(number)
        self.registered[number] = run
        return ModelVersion("tiny", number, folder)

    def versions(self) -> list[ModelVersion]:
        listed = [number for number in self.numbers if number not in self.archived]
        return [self.version(number) for number in listed]

    def version(self, number: int) -> ModelVersion:
        if number not in self.numbers:
            raise ConfigError(f"there is no version {number}")
        folder = self._folder(number)
        if not folder.exists():
            features = self.features.get(number, FEATURES)
            write_version(folder, number, features, self.sources.get(number, REAL))
        return ModelVersion("tiny", number, folder, archived=number in self.archived)

    def share(self, number: int, report: Report) -> str | None:
        report(f"every environment has version {number}")
        return None

    def keep_evidence(self, number: int, name: str, folder: Path) -> KeptEvidence:
        return self._evidence(number).keep(name, folder)

    def evidence(self, number: int) -> list[KeptEvidence]:
        return self._evidence(number).listed()

    def fetch_evidence(self, number: int, name: str, target: Path) -> None:
        self._evidence(number).fetch(name, target)

    def register_data(self, folder: Path, name: str, report: Report) -> str | None:
        report(f"{folder} needs no name such as {name}")
        return None

    def register_stored_data(self, path: str, name: str, report: Report) -> str:
        report(f"looking for {name}")
        raise ConfigError(f"{path} is on no datastore: there are none")

    def endpoint(self, name: str) -> FakeEndpoint:
        return self.endpoints.setdefault(name, FakeEndpoint(name))

    def champion(self, report: Report) -> ModelVersion | None:
        if self.gone:
            report(self.gone)
        return self.version(self.numbers[-1]) if self.numbers else None

    def audit(self) -> FakeAudit:
        return self.audit_store

    def alert_rules(self, alerts: Sequence[str]) -> Mapping[str, RuleState] | None:
        self.watched = [*alerts]
        return self.rules

    def secret(self, name: str) -> str | None:
        return self.secrets.get(name)

    def remote_rows(self) -> None:
        return None

    def out_of_reach(self) -> tuple[str, ...]:
        return ()

    def signing_key(self) -> None:
        return None

    def _evidence(self, number: int) -> LocalEvidence:
        self.version(number)
        return LocalEvidence(self.folder / "evidence" / str(number))

    def _folder(self, number: int) -> Path:
        return self.folder / "versions" / str(number)
