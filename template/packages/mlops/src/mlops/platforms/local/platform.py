"""The local platform: training in this process, MLflow on SQLite, endpoints as local servers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from filelock import FileLock
from typing_extensions import override

from mlops.artifacts.documents import VALIDATION_RESULTS, VERDICT
from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.version_folder import VersionFolder, origin_tags, source_of_version
from mlops.data.findings import without_values
from mlops.data.source import Located, locate
from mlops.diagnosis import Diagnosis
from mlops.errors import ConfigError, Refused
from mlops.files import new_folder
from mlops.governance.standing import champion_number
from mlops.hints import typed
from mlops.platforms.base import Endpoint, KeptEvidence, ModelVersion, Platform, Run
from mlops.platforms.local.audit import LocalAudit
from mlops.platforms.local.evidence import LocalEvidence
from mlops.platforms.local.tracking import Tracking
from mlops.platforms.stored_runs import find_stored_run, stored_runs
from mlops.platforms.traffic_rules import sole_version
from mlops.progress import Report, Stage, StageReport
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.signing.policy import trust_of
from mlops.steps.provenance import as_dict, git_state


class LocalPlatform(Platform):
    """Everything in the project's own `.mlops` folder, on this machine.

    Args:
        settings: what is in force.
        serving_venvs: where serving environments are kept; by default `.mlops/serving-env`.
    """

    name = "local"
    has_callers: ClassVar[bool] = False
    can_stop: ClassVar[bool] = True

    def __init__(self, settings: LoadedSettings, serving_venvs: Path | None = None) -> None:
        self.settings = settings
        self._serving_venvs = serving_venvs
        self._state_dir = settings.project.state_dir
        self._tracking = Tracking(self._state_dir, settings.model_name, settings.clock)

    @classmethod
    @override
    def examine(cls, settings: LoadedSettings) -> list[Diagnosis]:
        """Return nothing: what this machine needs is checked on every platform."""
        return []

    @override
    def train(self, data_dir: Path | None, report: StageReport) -> Run:
        settings = self.settings
        report("reading", Stage.DATA)
        source = locate(settings, data_dir)
        git = git_state(settings.project.root)
        report("opening MLflow", Stage.DATA)
        run_id = self._tracking.start(
            {
                "mlflow.source.git.commit": git.commit,
                "git.dirty": str(git.dirty).lower(),
                "environment": settings.values.environment,
            }
        )
        run = Run(run_id, self._run_folder(run_id))
        with self._ended(run_id):
            self._steps(run, source, as_dict(git), report)
            report("logging to MLflow", Stage.EVALUATE)
            self._log(run)
        return run

    @override
    def run(self, run_id: str) -> Run:
        found = find_stored_run(self._state_dir / "runs", run_id)
        if found is None:
            see = f"{typed('status')} lists the newest"
            raise ConfigError(f"there is no run {run_id!r} in .mlops/runs", see)
        return found

    @override
    def runs(self) -> list[Run]:
        return stored_runs(self._state_dir / "runs")

    @override
    def store_verdict(self, run: Run, verdict: Mapping[str, Any]) -> None:
        """Keep the gate's verdict with the run, and its outcome as a tag in MLflow."""
        VERDICT.write(run.folder, verdict)
        self._tracking.log(run.run_id, {}, {}, {"gate.passed": str(verdict["passed"]).lower()})

    @override
    def register(self, run: Run, build: Callable[[Path, int], None]) -> ModelVersion:
        self._registry.mkdir(parents=True, exist_ok=True)
        with FileLock(self._registry / ".lock"):
            for known in self.versions():
                if self._holds(known, run):
                    return known
            number = self._take_number(run)
            try:
                with new_folder(self._registry / str(number)) as folder:
                    build(folder, number)
                    self._tracking.tag_version(number, origin_tags(folder))
            except BaseException:
                self._tracking.delete_version(number)
                raise
        return self.version(number)

    @override
    def versions(self) -> list[ModelVersion]:
        numbers = sorted(
            int(path.name) for path in self._registry.glob("*") if path.name.isdecimal()
        )
        name = self.settings.model_name
        return [ModelVersion(name, n, self._registry / str(n)) for n in numbers]

    @override
    def version(self, number: int) -> ModelVersion:
        for known in self.versions():
            if known.version == number:
                return known
        have = ", ".join(str(known.version) for known in self.versions()) or "none"
        raise ConfigError(
            f"{self.settings.model_name} has no version {number} (registered: {have})",
            f"{typed('register --run-id …')} makes one",
        )

    @override
    def share(self, number: int, _report: Report) -> str | None:
        """Check that there is such a version; all environments of this machine have it."""
        self.version(number)
        return None

    @override
    def keep_evidence(self, number: int, name: str, folder: Path) -> KeptEvidence:
        return self._evidence(number).keep(name, folder)

    @override
    def evidence(self, number: int) -> list[KeptEvidence]:
        return self._evidence(number).listed()

    @override
    def fetch_evidence(self, number: int, name: str, target: Path) -> None:
        self._evidence(number).fetch(name, target)

    @override
    def register_data(self, _folder: Path, _name: str, _report: Report) -> str | None:
        """Do nothing: on this machine a folder is read where it is."""
        return None

    @override
    def register_stored_data(self, path: str, _name: str, _report: Report) -> str:
        """Refuse: this machine has no datastores."""
        raise ConfigError(
            f"--path: {path} cannot be registered on the platform local, which has no datastores",
            "set MLOPS_PLATFORM=azure, or name a folder of this machine with --data-dir",
        )

    @override
    def endpoint(self, name: str) -> Endpoint:
        from mlops.monitoring.telemetry import telemetry_of
        from mlops.platforms.local.endpoint import LocalEndpoint

        return LocalEndpoint(
            self.settings.project,
            name,
            self.settings.values.endpoint,
            self.settings.clock,
            telemetry_of(self.settings),
            self._serving_venvs,
            trust_of(self.settings),
        )

    @override
    def champion(self, report: Report) -> ModelVersion | None:
        serving = sole_version(self.endpoint(self._prod_endpoint()))
        data = {each.version: source_of_version(each.folder) for each in self.versions()}
        number = champion_number(serving, data, report)
        return None if number is None else self.version(number)

    @override
    def audit(self) -> LocalAudit:
        return LocalAudit(self._state_dir / "audit", self._registry)

    @override
    def alert_rules(self, alerts: Sequence[str]) -> None:
        return None

    @override
    def secret(self, name: str) -> None:
        return None

    @override
    def remote_rows(self) -> None:
        return

    @override
    def out_of_reach(self) -> tuple[str, ...]:
        return ()

    @override
    def signing_key(self) -> None:
        """Return nothing: this machine's key is a file, which no platform keeps."""
        return

    def _prod_endpoint(self) -> str:
        project = self.settings.project
        if "prod" in project.environments():
            return load_settings(project, "prod", clock=self.settings.clock).endpoint_name
        return f"{self.settings.model_name}-prod"

    @property
    def tracking(self) -> Tracking:
        """The MLflow store."""
        return self._tracking

    @property
    def _registry(self) -> Path:
        return self._state_dir / "registry" / self.settings.model_name

    def _evidence(self, number: int) -> LocalEvidence:
        version = self.version(number)
        return LocalEvidence(self._state_dir / "evidence" / version.name / str(number))

    def _run_folder(self, run_id: str) -> Path:
        return self._state_dir / "runs" / run_id

    def _steps(self, run: Run, source: Located, git: dict[str, Any], report: StageReport) -> None:
        from mlops.steps import evaluate, fit, prepare, validate

        settings, folder = self.settings, RunFolder(run.folder)
        report("checking the contract", Stage.VALIDATE)
        validation = validate.run(source, folder.validated.path, settings)
        if not validation.passed:
            values = settings.values.data.show_values
            sentences = "\n  ".join(
                finding.sentence(values=values) for finding in validation.failures
            )
            raise Refused(f"the data in {source.folder} is refused:\n  {sentences}")
        share = settings.values.data.fraction
        of = f" of {100 * share:g} % of the keys" if share < 1 else ""
        report(f"{validation.rows:,} rows passed", Stage.VALIDATE)
        if validation.forgotten:
            report(f"{validation.forgotten:,} rows of forgotten keys left out", Stage.VALIDATE)
        report(f"computing features and labels{of}", Stage.TRAIN)
        prepare.run(folder.validated.path, folder.prepared_path, settings)
        report("fitting model and baseline", Stage.TRAIN)
        fit.run(folder.prepared_path, folder.model.path, settings, git)
        report("measuring on the holdout", Stage.EVALUATE)
        evaluate.run(folder.prepared_path, folder.model.path, folder.evaluation.path, settings)

    def _log(self, run: Run) -> None:
        from mlops.steps.scoring import load_model

        folder = RunFolder(run.folder)
        training = folder.model.training()
        prepared = folder.prepared()
        evaluation = folder.evaluation.results()
        baseline = {f"baseline_{name}": value for name, value in evaluation["baseline"].items()}
        self._tracking.log(
            run.run_id,
            params={**training["settings"], "model_type": training["model_type"]},
            metrics={**evaluation["model"], **baseline},
            tags={
                "data.hash": prepared.data_hash,
                **prepared.source.tags(),
                "model.sha256": training["model_sha256"],
            },
        )
        evaluated = folder.evaluation.path
        self._tracking.log_files(run.run_id, evaluated, evaluated.name)
        results = folder.validated.results()
        self._tracking.log_json(run.run_id, VALIDATION_RESULTS.name, without_values(results))
        self._tracking.log_model(
            run.run_id,
            load_model(folder.model.model),
            trusted_types=training["types"],
        )

    def _holds(self, version: ModelVersion, run: Run) -> bool:
        """Tell whether a version was made of just what the run holds now."""
        lineage = VersionFolder(version.folder).lineage()
        training = RunFolder(run.folder).model.training()
        same_run: bool = lineage["run_id"] == run.run_id
        return same_run and lineage["training"]["model_sha256"] == training["model_sha256"]

    def _take_number(self, run: Run) -> int:
        """Return a version number that neither MLflow nor a folder has used."""
        highest = max((known.version for known in self.versions()), default=0)
        while (number := self._tracking.create_version(run.run_id)) <= highest:
            self._tracking.delete_version(number)
        return number

    @contextmanager
    def _ended(self, run_id: str) -> Iterator[None]:
        """End the run in MLflow, whatever happens inside the block."""
        status = "FAILED"
        try:
            yield
            status = "FINISHED"
        except KeyboardInterrupt:
            status = "KILLED"
            raise
        finally:
            self._tracking.finish(run_id, status)
