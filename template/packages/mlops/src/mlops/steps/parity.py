"""Is what is served what was judged: scikit-learn against ONNX where the two may differ.

Both are asked on the holdout, on training rows, at the thresholds of trees and one float32 to
either side of them and of values in the data, at the ends of each feature, with constant columns,
with each feature null, and one row alone. What is judged are ONNX's answers; scikit-learn's are the
reference that shows whether the conversion was right.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops.arrays import Matrix, Probabilities
from mlops.artifacts.prepared import Feature
from mlops.errors import Refused
from mlops.steps.estimators import name_of
from mlops.steps.onnx_model import answers, open_session, predict
from mlops.steps.probes import NULL_ROWS, probe_groups, without
from mlops.steps.servable import way_out

SINGLE_ROWS = 20
"""So many rows are scored one by one, too."""


@dataclass(frozen=True)
class Parity:
    """How ONNX answers beside scikit-learn.

    Attributes:
        gap: the largest difference of a probability.
        place: where that was.
        probes: how many rows were compared.
        flips: how many of them were decided otherwise, at the decision threshold.
        single_gap: the largest difference between a row scored alone and among others, in ONNX.
        null_gaps: for each feature the gap where it is null; None if scikit-learn refuses that.
        load_seconds: how long ONNX Runtime took to load the model.
    """

    gap: float
    place: str
    probes: int
    flips: int
    single_gap: float
    null_gaps: tuple[float | None, ...]
    load_seconds: float


def measure(model: Any, onnx: bytes, train: Matrix, holdout: Matrix, threshold: float) -> Parity:
    """Compare a fitted classifier with its ONNX on probes made of both parts of the data.

    Args:
        model: the fitted classifier.
        onnx: the same as ONNX.
        train: the training part, shape (rows, features).
        holdout: the holdout, shape (rows, features).
        threshold: probability from which the prediction is 1.

    Raises:
        Refused: scikit-learn's model cannot answer a row of the data.
    """
    started = time.monotonic()
    session = open_session(onnx)
    load_seconds = time.monotonic() - started
    worst, place, probes, flips = 0.0, "", 0, 0
    for name, rows in probe_groups(model, train, holdout).items():
        expected, found = reference(model, rows, "model"), answers(session, rows)
        gap = _largest(found - expected)
        if not place or not gap <= worst:
            worst, place = gap, name
        probes += len(rows)
        flips += int(np.sum((found >= threshold) != (expected >= threshold)))
    some = np.concatenate([part[: NULL_ROWS // 2] for part in (holdout, train)])
    nulls = null_gaps(model, session, some)
    return Parity(
        gap=worst,
        place=place,
        probes=probes,
        flips=flips,
        single_gap=_single_gap(session, holdout[:SINGLE_ROWS]),
        null_gaps=tuple(nulls),
        load_seconds=load_seconds,
    )


def reference(model: Any, inputs: Matrix, role: str) -> Probabilities:
    """Return scikit-learn's probability of label 1, shape (rows,).

    Raises:
        Refused: it cannot answer the rows; the sentence names the model by its role.
    """
    try:
        result: Probabilities = model.predict_proba(inputs)[:, 1]
    except ValueError as error:
        nulls = " where features are null" if np.isnan(inputs).any() else ""
        first = str(error).strip().partition("\n")[0].rstrip(".")
        raise Refused(
            f"the {role} ({name_of(model)}) cannot answer rows of the data{nulls}: {first}",
            "fill nulls in features.py, or in model.py by a SimpleImputer before the estimator",
        ) from error
    return result


def parity_gap(model: Any, onnx: bytes, inputs: Matrix) -> float:
    """Return the largest difference of a probability between scikit-learn and ONNX."""
    return _largest(predict(onnx, inputs) - model.predict_proba(inputs)[:, 1])


def null_gaps(model: Any, session: Any, inputs: Matrix) -> list[float | None]:
    """Return for each feature the parity gap where it is null; None if scikit-learn refuses that.

    Args:
        model: the fitted classifier.
        session: the same as an ONNX Runtime session.
        inputs: some rows, shape (rows, features).
    """
    return [_null_gap(model, session, without(inputs, column)) for column in range(inputs.shape[1])]


def require_parity(parity: Parity, model: Any, *, tolerance: float, max_load: float) -> None:
    """Refuse a model that would not be served as it was judged, or takes too long to load.

    Raises:
        Refused: the sentence names the step that most likely makes the difference, and a way out.
    """
    step, remedy = way_out(model)
    where = f"{parity.place}, most likely because of {step}"
    require_gap(parity.gap, tolerance, where, f"{remedy} (docs/models.md)")
    require_gap(parity.single_gap, tolerance, f"one row alone against many, with {step}")
    if not parity.load_seconds <= max_load:
        raise Refused(
            f"ONNX Runtime takes {parity.load_seconds:.1f} s to load the model "
            f"(gate.max_load_seconds allows {max_load:g})",
            "make it smaller in model.py: fewer or smaller trees, fewer categories",
        )


def require_gap(gap: float, tolerance: float, where: str, remedy: str = "") -> None:
    """Refuse a difference of probabilities that is too large, or no number.

    Raises:
        Refused: the sentence names it, what is allowed, and where it was found.
    """
    if not gap <= tolerance:
        raise Refused(
            f"ONNX and scikit-learn differ by {gap:.2e} (gate.parity_tolerance allows "
            f"{tolerance:.0e}) on {where}: the served model would not be the one that was judged",
            remedy,
        )


def answered_nulls(
    features: Sequence[Feature], gaps: Sequence[float | None], tolerance: float
) -> list[str]:
    """Return the features for which the served model answers null as scikit-learn does.

    It follows from the kind of model alone, so that versions do not differ in it by chance: where
    scikit-learn takes a null, and ONNX answers every such null alike.

    Raises:
        Refused: the data hold nulls in another one.
    """
    pairs = list(zip(features, gaps, strict=True))
    taken = [(feature.name, gap) for feature, gap in pairs if gap is not None]
    answered = [name for name, _ in taken] if all(gap <= tolerance for _, gap in taken) else []
    wrong = [each.name for each, _ in pairs if each.has_nulls and each.name not in answered]
    if wrong:
        raise Refused(
            f"the model is trained on nulls in {', '.join(wrong)}, and ONNX answers them otherwise "
            "than scikit-learn: the served model would not be the one that was judged",
            "fill them in features.py, or in model.py by a SimpleImputer before the model",
        )
    return answered


def described(parity: Parity, nullable: Sequence[str]) -> dict[str, Any]:
    """Return what evaluation.json keeps of a parity."""
    return {
        "gap": parity.gap,
        "place": parity.place,
        "probes": parity.probes,
        "flips": parity.flips,
        "single_gap": parity.single_gap,
        "load_seconds": round(parity.load_seconds, 3),
        "nullable": list(nullable),
    }


def _null_gap(model: Any, session: Any, rows: Matrix) -> float | None:
    try:
        expected = model.predict_proba(rows)[:, 1]
    except ValueError:
        return None
    return _largest(answers(session, rows) - expected)


def _single_gap(session: Any, rows: Matrix) -> float:
    batch = answers(session, rows)
    alone = np.concatenate([answers(session, rows[i : i + 1]) for i in range(len(rows))])
    return _largest(alone - batch)


def _largest(differences: Probabilities) -> float:
    """Return the largest size of a difference; infinite where one is no number."""
    largest = float(np.max(np.abs(differences)))
    return largest if np.isfinite(largest) else float("inf")
