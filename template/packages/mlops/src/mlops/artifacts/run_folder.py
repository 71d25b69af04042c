"""The folder of a training run: one folder a step, and the gate's verdict beside them.

    validated/    validation-results.json, data.parquet if they passed
    prepared/     prepared.json, train.parquet, holdout.parquet
    model/        training.json, model.skops, model.onnx, baseline.skops
    evaluation/   evaluation.json, quality.png, importance.png
    package/      package.json, model.onnx, probes.json, baseline.parquet
    verdict.json
    candidate.json, if a retraining made it

Every step reads and writes whole folders, since on Azure each lies at a place of its own.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops.artifacts import documents
from mlops.artifacts.candidate import CANDIDATE, Candidate, read_candidate
from mlops.artifacts.prepared import Prepared, load_prepared
from mlops.artifacts.version_folder import (
    DRIFT_BASELINE,
    IMPORTANCE_PLOT,
    ONNX,
    QUALITY_PLOT,
    SKOPS,
)

_VALIDATED, _PREPARED, _MODEL, _EVALUATION = "validated", "prepared", "model", "evaluation"
_PACKAGE = "package"
STEP_OUTPUTS = (_VALIDATED, _PREPARED, _MODEL, _EVALUATION)
"""The folders that training leaves, in the order of the steps."""


@dataclass(frozen=True)
class ValidatedFolder:
    """What the step validate writes."""

    path: Path

    @property
    def data(self) -> Path:
        """The rows in the contract's types; there only if they passed."""
        return self.path / "data.parquet"

    def results(self) -> dict[str, Any]:
        """Return what validation found.

        Raises:
            ConfigError: the file is missing or unreadable.
        """
        return documents.VALIDATION_RESULTS.read(self.path)


@dataclass(frozen=True)
class ModelFolder:
    """What the step fit writes."""

    path: Path

    @property
    def model(self) -> Path:
        """The fitted model."""
        return self.path / SKOPS

    @property
    def onnx(self) -> Path:
        """The fitted model as it is judged and will serve."""
        return self.path / ONNX

    @property
    def baseline(self) -> Path:
        """The fitted baseline that the model has to beat."""
        return self.path / "baseline.skops"

    def training(self) -> dict[str, Any]:
        """Return how the model was fitted.

        Raises:
            ConfigError: the file is missing or unreadable.
        """
        return documents.TRAINING.read(self.path)


@dataclass(frozen=True)
class EvaluationFolder:
    """What the step evaluate writes."""

    path: Path

    @property
    def results_file(self) -> Path:
        """The file of the results, whose hash a verdict names."""
        return self.path / documents.EVALUATION.name

    @property
    def quality_plot(self) -> Path:
        """Curves and confusion on the holdout."""
        return self.path / QUALITY_PLOT

    @property
    def importance_plot(self) -> Path:
        """How much each feature matters."""
        return self.path / IMPORTANCE_PLOT

    def plots(self) -> list[Path]:
        """Return the pictures that are there."""
        return sorted(self.path.glob("*.png"))

    def results(self) -> dict[str, Any]:
        """Return the metrics on the holdout.

        Raises:
            ConfigError: the file is missing or unreadable.
        """
        return documents.EVALUATION.read(self.path)


@dataclass(frozen=True)
class PackageFolder:
    """What of a version needs the run's data: made where those are, registered anywhere."""

    path: Path

    @property
    def onnx(self) -> Path:
        """The model as it will serve."""
        return self.path / ONNX

    @property
    def probes(self) -> Path:
        """What a server must answer before it serves."""
        return self.path / documents.PROBES.name

    @property
    def drift_baseline(self) -> Path:
        """How features and predictions were distributed in training."""
        return self.path / DRIFT_BASELINE

    def exists(self) -> bool:
        """Tell whether the run was packaged."""
        return (self.path / documents.PACKAGE.name).is_file()

    def description(self) -> dict[str, Any]:
        """Return which model was packaged, with the files' hashes.

        Raises:
            ConfigError: the file is missing or unreadable.
        """
        return documents.PACKAGE.read(self.path)


@dataclass(frozen=True)
class RunFolder:
    """All that a run leaves."""

    path: Path

    @property
    def validated(self) -> ValidatedFolder:
        """What validate wrote."""
        return ValidatedFolder(self.path / _VALIDATED)

    @property
    def prepared_path(self) -> Path:
        """The folder that prepare wrote."""
        return self.path / _PREPARED

    @property
    def model(self) -> ModelFolder:
        """What fit wrote."""
        return ModelFolder(self.path / _MODEL)

    @property
    def evaluation(self) -> EvaluationFolder:
        """What evaluate wrote."""
        return EvaluationFolder(self.path / _EVALUATION)

    @property
    def package(self) -> PackageFolder:
        """What packaging wrote."""
        return PackageFolder(self.path / _PACKAGE)

    def prepared(self) -> Prepared:
        """Return the prepared data.

        Raises:
            ConfigError: they are missing or unreadable.
        """
        return load_prepared(self.prepared_path)

    def candidate(self) -> Candidate | None:
        """Return the candidate that the run was made of, if it was made of one.

        Raises:
            ConfigError: its manifest cannot be read.
        """
        path = self.path / CANDIDATE.name
        return read_candidate(path) if path.is_file() else None

    def is_judged(self) -> bool:
        """Tell whether there is a verdict."""
        return (self.path / documents.VERDICT.name).is_file()

    def verdict(self) -> dict[str, Any]:
        """Return the gate's verdict.

        Raises:
            ConfigError: the file is missing or unreadable.
        """
        return documents.VERDICT.read(self.path)
