"""The local platform: training in this process, MLflow on SQLite, endpoints as local servers."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from mlops.artifacts.documents import VALIDATION_RESULTS, VERDICT
from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.version_folder import ONNX, VersionFolder
from mlops.data.findings import without_values
from mlops.data.source import locate
from mlops.errors import ConfigError, Refused
from mlops.files import new_folder
from mlops.platforms.base import Endpoint, ModelVersion, Report, Run
from mlops.platforms.local.tracking import Tracking
from mlops.settings.loading import LoadedSettings, flatten, load_settings
from mlops.steps.provenance import as_dict, git_state


class LocalPlatform:
    """Everything in the project's own `.mlops` folder, on this machine.

    Args:
        settings: what is in force.
        environments: where serving environments are kept; by default `.mlops/serving-env`.
    """

    name = "local"

    def __init__(self, settings: LoadedSettings, environments: Path | None = None) -> None:
        self.settings = settings
        self._environments = environments
        self._state_dir = settings.project.state_dir
        self._tracking = Tracking(self._state_dir, settings.model_name)

    def train(self, data_dir: Path | None, report: Report) -> Run:
        """Run validate, prepare, fit and evaluate; return the run with its outputs.

        Raises:
            Refused: the data did not pass validation.
        """
        settings = self.settings
        report("data: reading")
        source = locate(settings, data_dir)
        git = git_state(settings.project.root)
        report("data: opening MLflow")
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
            report("evaluate: logging to MLflow")
            self._log(run)
        return run

    def run(self, run_id: str) -> Run:
        """Find a run by its id.

        Raises:
            ConfigError: there is no such run.
        """
        folder = self._run_folder(run_id)
        if not run_id.isalnum() or not folder.is_dir():
            raise ConfigError(f"there is no run {run_id!r} in .mlops/runs: see `mlops status`")
        return Run(run_id, folder)

    def runs(self) -> list[Run]:
        """Return the runs whose outputs are here, newest first."""
        folders = [path for path in (self._state_dir / "runs").glob("[!.]*") if path.is_dir()]
        folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        return [Run(path.name, path) for path in folders]

    def store_verdict(self, run: Run, verdict: Mapping[str, Any]) -> None:
        """Keep the gate's verdict with the run, and its outcome as a tag in MLflow."""
        VERDICT.write(run.folder, verdict)
        self._tracking.log(run.run_id, {}, {}, {"gate.passed": str(verdict["passed"]).lower()})

    def register(self, run: Run, build: Callable[[Path, int], None]) -> ModelVersion:
        """Register the version folder that `build(folder, version)` fills.

        A run whose model is registered already keeps its version.
        """
        self._registry.mkdir(parents=True, exist_ok=True)
        with FileLock(self._registry / ".lock"):
            for known in self.versions():
                if self._holds(known, run):
                    return known
            number = self._take_number(run)
            try:
                with new_folder(self._registry / str(number)) as folder:
                    build(folder, number)
                    self._tracking.tag_version(number, _version_tags(folder))
            except BaseException:
                self._tracking.delete_version(number)
                raise
        return self.version(number)

    def versions(self) -> list[ModelVersion]:
        """Return the registered versions, oldest first."""
        numbers = sorted(
            int(path.name) for path in self._registry.glob("*") if path.name.isdecimal()
        )
        name = self.settings.model_name
        return [ModelVersion(name, n, self._registry / str(n)) for n in numbers]

    def version(self, number: int) -> ModelVersion:
        """Find a registered version.

        Raises:
            Refused: there is no such version.
        """
        for known in self.versions():
            if known.version == number:
                return known
        have = ", ".join(str(known.version) for known in self.versions()) or "none"
        raise Refused(
            f"{self.settings.model_name} has no version {number} (registered: {have}); "
            "`mlops register --run-id …` makes one"
        )

    def share(self, number: int, _report: Report) -> str | None:
        """Check that there is such a version; all environments of this machine have it."""
        self.version(number)
        return None

    def register_data(self, _folder: Path, _name: str, _report: Report) -> str | None:
        """Do nothing: on this machine a folder is read where it is."""
        return None

    def register_stored_data(self, path: str, _name: str, _report: Report) -> str:
        """Refuse: this machine has no datastores.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(
            f"--path: {path} cannot be registered on the platform local, which has no datastores: "
            "set MLOPS_PLATFORM=azure, or name a folder of this machine with --data-dir"
        )

    def endpoint(self, name: str) -> Endpoint:
        """Return an endpoint by name, whether or not it exists yet."""
        from mlops.platforms.local.endpoint import LocalEndpoint

        return LocalEndpoint(
            self.settings.project, name, self.settings.values.endpoint, self._environments
        )

    def champion(self) -> ModelVersion | None:
        """Return the version with all traffic in prod, else the newest registered one."""
        endpoint = self.endpoint(self._prod_endpoint())
        if endpoint.exists():
            full = [name for name, share in endpoint.traffic().items() if share == 100]
            for deployment in endpoint.deployments():
                if deployment.name in full:
                    return self.version(deployment.model_version)
        versions = self.versions()
        return versions[-1] if versions else None

    def _prod_endpoint(self) -> str:
        project = self.settings.project
        if (project.root / "conf" / "prod.yaml").is_file():
            return load_settings(project, "prod").endpoint_name
        return f"{self.settings.model_name}-prod"

    @property
    def tracking(self) -> Tracking:
        """The MLflow store."""
        return self._tracking

    @property
    def _registry(self) -> Path:
        return self._state_dir / "registry" / self.settings.model_name

    def _run_folder(self, run_id: str) -> Path:
        return self._state_dir / "runs" / run_id

    def _steps(self, run: Run, source: Path, git: dict[str, Any], report: Report) -> None:
        from mlops.steps import evaluate, fit, prepare, validate

        settings, folder = self.settings, RunFolder(run.folder)
        report("validate: checking the contract")
        validation = validate.run(source, folder.validated.path, settings)
        if not validation.passed:
            values = settings.values.data.show_values
            sentences = "\n  ".join(
                finding.sentence(values=values) for finding in validation.failures
            )
            raise Refused(f"the data in {source} is refused:\n  {sentences}")
        share = settings.values.data.fraction
        of = f" of {100 * share:g} % of the keys" if share < 1 else ""
        report(f"validate: {validation.rows:,} rows passed")
        report(f"train: computing features and labels{of}")
        prepare.run(folder.validated.path, folder.prepared_path, settings)
        report("train: fitting model and baseline")
        fit.run(folder.prepared_path, folder.model.path, settings, git)
        report("evaluate: measuring on the holdout")
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
            params={**flatten(self.settings.values), "model_type": training["model_type"]},
            metrics={**evaluation["model"], **baseline},
            tags={"data.hash": prepared.data_hash, "model.sha256": training["model_sha256"]},
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


def _version_tags(folder: Path) -> dict[str, str]:
    lineage = VersionFolder(folder).lineage()
    return {
        "git.commit": lineage["git"]["commit"],
        "data.hash": lineage["data"]["hash"],
        "model.sha256": lineage["files"][ONNX],
    }
