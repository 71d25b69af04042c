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

from mlops.arrays import Matrix, Outputs
from mlops.errors import Refused
from mlops.features import Feature, Features, Kind
from mlops.steps.estimators import name_of
from mlops.steps.onnx_model import answers, open_session, predict
from mlops.steps.probes import NULL_ROWS, probe_groups, without
from mlops.steps.servable import way_out
from mlops.tasks import BINARY_TARGET, Target, Task

SINGLE_ROWS = 20
"""So many rows are scored one by one, too."""


@dataclass(frozen=True)
class Parity:
    """How ONNX answers beside scikit-learn.

    Attributes:
        gap: the largest difference of a probability; of a regression, of a number in standard
            deviations of the label, or in parts of itself where it is larger than one.
        place: where that was.
        probes: how many rows were compared.
        flips: how many of them were decided otherwise; a regression decides nothing.
        single_gap: the largest difference between a row scored alone and among others, in ONNX.
        null_gaps: for each feature the gap where it is null; None if scikit-learn refuses that. A
            category that is null has a code like every other one: 0.
        load_seconds: how long ONNX Runtime took to load the model.
    """

    gap: float
    place: str
    probes: int
    flips: int
    single_gap: float
    null_gaps: tuple[float | None, ...]
    load_seconds: float


def measure(
    model: Any,
    onnx: bytes,
    train: Matrix,
    holdout: Matrix,
    threshold: float,
    features: Features,
    target: Target = BINARY_TARGET,
) -> Parity:
    """Compare a fitted model with its ONNX on probes made of both parts of the data.

    Args:
        model: the fitted estimator.
        onnx: the same as ONNX.
        train: the training part, shape (rows, features).
        holdout: the holdout, shape (rows, features).
        threshold: probability from which a binary prediction is 1.
        features: those of the columns.
        target: what is predicted.

    Raises:
        Refused: scikit-learn's model cannot answer a row of the data.
    """
    started = time.monotonic()
    session = open_session(onnx)
    load_seconds = time.monotonic() - started
    worst, place, probes, flips = 0.0, "", 0, 0
    for name, rows in probe_groups(model, train, holdout, features).items():
        expected = reference(model, rows, "model", target)
        found = answers(session, rows, target)
        gap = _gap(found, expected, target)
        if not place or not gap <= worst:
            worst, place = gap, name
        probes += len(rows)
        flips += _flips(found, expected, target, threshold)
    some = np.concatenate([part[: NULL_ROWS // 2] for part in (holdout, train)])
    nulls = null_gaps(model, session, some, features, target)
    return Parity(
        gap=worst,
        place=place,
        probes=probes,
        flips=flips,
        single_gap=_single_gap(session, holdout[:SINGLE_ROWS], target),
        null_gaps=tuple(nulls),
        load_seconds=load_seconds,
    )


def reference(model: Any, inputs: Matrix, role: str, target: Target = BINARY_TARGET) -> Outputs:
    """Return scikit-learn's answers, see `Target.outputs`.

    Raises:
        Refused: it cannot answer the rows; the sentence names the model by its role.
    """
    try:
        return raw_answers(model, inputs, target)
    except ValueError as error:
        nulls = " where features are null" if np.isnan(inputs).any() else ""
        first = str(error).strip().partition("\n")[0].rstrip(".")
        raise Refused(
            f"the {role} ({name_of(model)}) cannot answer rows of the data{nulls}: {first}",
            "fill nulls in features.py, or in model.py by a SimpleImputer before the estimator",
        ) from error


def raw_answers(model: Any, inputs: Matrix, target: Target) -> Outputs:
    """Return what a fitted estimator answers, see `Target.outputs`.

    Raises:
        ValueError: it cannot answer the rows.
    """
    if target.task.classifies:
        return target.outputs(model.predict_proba(inputs))
    return target.outputs(np.asarray(model.predict(inputs)))


def parity_gap(model: Any, onnx: bytes, inputs: Matrix, target: Target = BINARY_TARGET) -> float:
    """Return the largest difference of an answer between scikit-learn and ONNX.

    It is one of a probability or, of a regression, in standard deviations of the label.
    """
    return _gap(predict(onnx, inputs, target), raw_answers(model, inputs, target), target)


def null_gaps(
    model: Any,
    session: Any,
    inputs: Matrix,
    features: Features,
    target: Target = BINARY_TARGET,
) -> list[float | None]:
    """Return for each feature the parity gap where it is null; None if scikit-learn refuses that.

    Args:
        model: the fitted estimator.
        session: the same as an ONNX Runtime session.
        inputs: some rows, shape (rows, features).
        features: those of the columns.
        target: what is predicted.
    """
    return [
        _null_gap(model, session, features.in_codes(without(inputs, column)), target)
        for column in range(inputs.shape[1])
    ]


def require_parity(
    parity: Parity,
    model: Any,
    target: Target = BINARY_TARGET,
    *,
    tolerance: float,
    max_load: float,
) -> None:
    """Refuse a model that would not be served as it was judged, or takes too long to load.

    Raises:
        Refused: the sentence names the step that most likely makes the difference, and a way out.
    """
    step, remedy = way_out(model)
    where = f"{parity.place}, most likely because of {step}"
    require_gap(parity.gap, tolerance, where, f"{remedy} (docs/models.md)", target)
    alone = f"one row alone against many, with {step}"
    require_gap(parity.single_gap, tolerance, alone, target=target)
    if not parity.load_seconds <= max_load:
        raise Refused(
            f"ONNX Runtime takes {parity.load_seconds:.1f} s to load the model "
            f"(gate.max_load_seconds allows {max_load:g})",
            "make it smaller in model.py: fewer or smaller trees, fewer categories",
        )


def require_gap(
    gap: float, tolerance: float, where: str, remedy: str = "", target: Target = BINARY_TARGET
) -> None:
    """Refuse a difference of answers that is too large, or no number.

    Raises:
        Refused: the sentence names it, what is allowed, and where it was found.
    """
    unit = "" if target.task.classifies else " standard deviations of the label"
    if not gap <= tolerance:
        raise Refused(
            f"ONNX and scikit-learn differ by {gap:.2e}{unit} (gate.parity_tolerance allows "
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
    numbers = [pair for pair in pairs if pair[0].kind is not Kind.CATEGORY]
    taken = [(feature.name, gap) for feature, gap in numbers if gap is not None]
    answered = [name for name, _ in taken] if all(gap <= tolerance for _, gap in taken) else []
    wrong = [each.name for each, _ in numbers if each.has_nulls and each.name not in answered]
    if wrong:
        raise Refused(
            f"the model is trained on nulls in {', '.join(wrong)}, and ONNX answers them otherwise "
            "than scikit-learn: the served model would not be the one that was judged",
            "fill them in features.py, or in model.py by a SimpleImputer before the model",
        )
    return [f.name for f in features if f.kind is Kind.CATEGORY or f.name in answered]


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


def _null_gap(model: Any, session: Any, rows: Matrix, target: Target) -> float | None:
    try:
        expected = raw_answers(model, rows, target)
    except ValueError:
        return None
    return _gap(answers(session, rows, target), expected, target)


def _single_gap(session: Any, rows: Matrix, target: Target) -> float:
    batch = answers(session, rows, target)
    alone = np.concatenate([answers(session, rows[i : i + 1], target) for i in range(len(rows))])
    return _gap(alone, batch, target)


def _flips(found: Outputs, expected: Outputs, target: Target, threshold: float) -> int:
    if target.task is Task.REGRESSION:
        return 0
    decided = target.decisions(found, threshold) != target.decisions(expected, threshold)
    return int(np.sum(decided))


def _gap(found: Outputs, expected: Outputs, target: Target) -> float:
    """Return the largest size of a difference; infinite where one is no number.

    Numbers are float32, whose steps grow with them: far from the labels a part of each counts.
    """
    units: Any = 1.0
    if target.task is Task.REGRESSION:
        units = np.maximum(np.abs(expected), target.scale)
    largest = float(np.max(np.abs(found - expected) / units))
    return largest if np.isfinite(largest) else float("inf")
