"""A registered version that answers tables: the very model, codes and threshold that serve."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from mlops.arrays import Matrix, Outputs
from mlops.artifacts.documents import PROBES
from mlops.artifacts.scores import PREDICTION, PROBABILITY
from mlops.artifacts.signature import features_of, target_of
from mlops.artifacts.version_folder import VersionFolder
from mlops.errors import PlatformError, Refused
from mlops.features import Features
from mlops.steps.onnx_model import answers, open_session
from mlops.tasks import Target, Task


@dataclass(frozen=True)
class Scorer:
    """A loaded version; see `open_scorer`."""

    session: Any
    signature: Mapping[str, Any]
    features: Features
    target: Target
    threshold: float

    @property
    def version(self) -> int:
        """The number of the version."""
        return int(self.signature["model_version"])

    def score(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return `prediction` and, of a classifier, `probability`; one row for each of `table`.

        Args:
            table: the features in the types in which they are stored; other columns do not matter.

        Raises:
            PlatformError: the model gave an answer that is not a number.
        """
        return self.answered(self.features.matrix(table))

    def answered(self, rows: Matrix) -> pl.DataFrame:
        """Return predictions and probabilities of rows of shape (rows, features)."""
        outputs = self.raw(rows)
        if not np.isfinite(outputs).all():
            raise PlatformError(
                f"version {self.version} gave an answer that is not a number",
                "serve and score with another version",
            )
        decisions = self.target.decisions(outputs, self.threshold)
        if self.target.task is Task.REGRESSION:
            return pl.DataFrame({PREDICTION: outputs})
        if self.target.task is Task.BINARY:
            return pl.DataFrame({PREDICTION: decisions.astype(np.int64), PROBABILITY: outputs})
        classes = self.target.classes
        columns = [pl.Series(str(i), outputs[:, i]) for i in range(len(classes))]
        told = pl.DataFrame(columns).to_struct(PROBABILITY).struct.rename_fields(list(classes))
        names = pl.Series(PREDICTION, classes, pl.String)
        return pl.DataFrame([names.gather(decisions.tolist()), told])

    def raw(self, rows: Matrix) -> Outputs:
        """Return the answers in double precision, in which a server compares with the threshold."""
        return answers(self.session, rows, self.target).astype(np.float64)


def open_scorer(folder: VersionFolder) -> Scorer:
    """Load a version whose files were verified, as the scoring server does.

    Raises:
        ConfigError: a file is missing or unreadable.
        Refused: it does not answer its probes here as where it was judged.
    """
    signature = folder.signature()
    scorer = Scorer(
        session=open_session(folder.onnx),
        signature=signature,
        features=features_of(signature),
        target=target_of(signature),
        threshold=float(signature.get("decision_threshold", 0.5)),
    )
    if folder.probes.is_file():
        _require_probes(scorer, PROBES.read(folder.path))
    return scorer


def _require_probes(scorer: Scorer, probes: Mapping[str, Any]) -> None:
    rows = np.array(probes["rows"], dtype=np.float32)  # null becomes NaN
    classifies = scorer.target.task.classifies
    expected = np.array(probes["probabilities" if classifies else "predictions"], dtype=float)
    gaps = np.abs(scorer.raw(rows) - expected).reshape(len(rows), -1).max(axis=1)
    wrong = int(np.sum(~(gaps <= probes["tolerance"])))
    if wrong:
        raise Refused(
            f"version {scorer.version} answers {wrong} of {len(rows)} probes otherwise here than "
            f"where it was judged, by up to {np.max(gaps):.2g}",
            "install the ONNX Runtime of uv.lock: `uv sync`",
        )
