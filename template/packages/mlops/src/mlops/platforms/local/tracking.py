"""MLflow tracking and registry on a SQLite file in `.mlops/`."""

import logging
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from mlops.clock import Clock
from mlops.errors import ConfigError
from mlops.platforms.local.database import opening, told

MODEL_ARTIFACT = "model"
PIP_REQUIREMENTS = ["scikit-learn", "skops", "numpy"]


class Tracking:
    """The project's MLflow store: one experiment, one registered model."""

    def __init__(self, state_dir: Path, name: str, clock: Clock) -> None:
        self._database = state_dir / "mlflow.db"
        self._artifacts = state_dir / "mlruns"
        self._name = name
        self._clock = clock
        self._client: Any = None

    @property
    def uri(self) -> str:
        """The tracking URI."""
        return sqlite_uri(self._database)

    @property
    def artifacts(self) -> Path:
        """The folder of the runs' artifacts."""
        return self._artifacts

    def prepare(self) -> None:
        """Make the store ready: its tables, its experiment, its place on disk."""
        with self._opened():
            pass

    def start(self, tags: Mapping[str, str]) -> str:
        """Start a run and return its id."""
        with self._opened() as client:
            experiment = client.get_experiment_by_name(self._name)
            run = client.create_run(experiment.experiment_id, tags=dict(tags))
            return str(run.info.run_id)

    def log(
        self,
        run_id: str,
        params: Mapping[str, Any],
        metrics: Mapping[str, float | None],
        tags: Mapping[str, Any],
    ) -> None:
        """Log parameters, metrics (those that were computed) and tags."""
        from mlflow.entities import Metric, Param, RunTag

        now = int(self._clock().timestamp() * 1000)
        with self._opened() as client:
            client.log_batch(
                run_id,
                metrics=[Metric(k, v, now, 0) for k, v in metrics.items() if v is not None],
                params=[Param(k, str(v)) for k, v in params.items()],
                tags=[RunTag(k, str(v)) for k, v in tags.items()],
            )

    def log_files(self, run_id: str, folder: Path, place: str) -> None:
        """Log the files of a folder as artifacts under `place`."""
        with self._opened() as client:
            client.log_artifacts(run_id, str(folder), place)

    def log_json(self, run_id: str, name: str, content: Mapping[str, Any]) -> None:
        """Log a JSON object as an artifact."""
        with self._opened() as client:
            client.log_dict(run_id, dict(content), name)

    def log_model(self, run_id: str, model: Any, trusted_types: list[str]) -> None:
        """Log a scikit-learn model as the artifact `model`, in MLflow's own format."""
        import mlflow.sklearn

        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / MODEL_ARTIFACT
            mlflow.sklearn.save_model(
                model,
                str(folder),
                pip_requirements=PIP_REQUIREMENTS,
                serialization_format="skops",
                skops_trusted_types=trusted_types,
            )
            self.log_files(run_id, folder, MODEL_ARTIFACT)

    def finish(self, run_id: str, status: str) -> None:
        """End a run as FINISHED, FAILED or KILLED."""
        with self._opened() as client:
            client.set_terminated(run_id, status=status)

    def create_version(self, run_id: str) -> int:
        """Register the run's model and return the version number, which is never used twice."""
        from mlflow.exceptions import MlflowException

        with self._opened() as client:
            try:
                client.get_registered_model(self._name)
            except MlflowException:
                client.create_registered_model(self._name)
            created = client.create_model_version(
                self._name, f"runs:/{run_id}/{MODEL_ARTIFACT}", run_id
            )
            return int(created.version)

    def tag_version(self, version: int, tags: Mapping[str, str]) -> None:
        """Tag a registered version."""
        with self._opened() as client:
            for key, value in tags.items():
                client.set_model_version_tag(self._name, str(version), key, value)

    def delete_version(self, version: int) -> None:
        """Take back a version that could not be completed."""
        with self._opened() as client:
            client.delete_model_version(self._name, str(version))

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """Yield MLflow's client, and make a sentence of what goes wrong with it."""
        with told(self._database):
            if self._client is None:
                with opening(self._database):
                    self._client = self._connect()
            yield self._client

    def _connect(self) -> Any:
        if self._database.is_file():
            relocate(self._database, self._name, self._artifacts)
        import mlflow

        check_place(Path(mlflow.__file__).parent)
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        client = mlflow.MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
        if client.get_experiment_by_name(self._name) is None:
            client.create_experiment(self._name, artifact_location=self._artifacts.as_uri())
        return client


def check_place(library: Path) -> None:
    """Refuse an environment in which MLflow cannot make its database.

    It reads the name of its own folder as a pattern in which a % begins a placeholder.

    Raises:
        ConfigError: there is a % in that name.
    """
    if "%" in str(library):
        raise ConfigError(
            f"MLflow does not work in {library}, because of the % in its name",
            "rename that folder, or let UV_PROJECT_ENVIRONMENT name another place for .venv "
            "and run `uv sync`",
        )


def sqlite_uri(database: Path) -> str:
    """Return the URI by which SQLAlchemy opens just this file, whatever its folders are called.

    The driver is named, since MLflow takes what follows `sqlite:///` for a path as it stands, and
    makes its folders.

    Raises:
        ConfigError: this version of SQLAlchemy would open another file.
    """
    from sqlalchemy.engine import URL, make_url

    uri = URL.create("sqlite+pysqlite", database=database.as_posix()).render_as_string()
    if make_url(uri).database != database.as_posix():
        raise ConfigError(
            f"MLflow cannot keep its database in {database.parent}",
            "rename the folder whose name holds ?, # or %",
        )
    return uri


def relocate(database: Path, experiment: str, artifacts: Path) -> None:
    """Tell MLflow where its artifacts are after the project's folder was moved.

    MLflow stores absolute locations and offers no call to change them.
    """
    location = artifacts.as_uri()
    with closing(sqlite3.connect(database)) as connection, connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'experiments'")
        if tables.fetchone() is None:
            return
        row = connection.execute(
            "SELECT experiment_id, artifact_location FROM experiments WHERE name = ?",
            (experiment,),
        ).fetchone()
        if row is None or row[1] == location:
            return
        connection.execute(
            "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?",
            (location, row[0]),
        )
        connection.execute(
            "UPDATE runs SET artifact_uri = ? || substr(artifact_uri, ?) "
            "WHERE experiment_id = ? AND substr(artifact_uri, 1, ?) = ?",
            (location, len(row[1]) + 1, row[0], len(row[1]), row[1]),
        )
