"""The model as ONNX: conversion, prediction and parity with scikit-learn."""

from pathlib import Path
from typing import Any

import numpy as np

from mlops.arrays import Matrix, Probabilities
from mlops.errors import Refused
from mlops.steps.null_routing import route_nulls

INPUT = "features"
OUTPUT = "probabilities"


def convert(model: Any, features: int) -> bytes:
    """Return a fitted classifier as an ONNX file's bytes.

    The input `features` is float32 of shape (rows, features); the output `probabilities` has shape
    (rows, 2).

    Raises:
        Refused: skl2onnx has no converter for the model.
    """
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    try:
        converted = to_onnx(
            model,
            initial_types=[(INPUT, FloatTensorType([None, features]))],
            options={"zipmap": False},
        )
    except Exception as error:
        raise Refused(
            f"the model cannot be converted to ONNX, which serving needs: {error}",
            "use estimators that skl2onnx supports in model.py",
        ) from error
    route_nulls(converted.graph, model)
    return bytes(converted.SerializeToString())


def predict(onnx: bytes | Path, inputs: Matrix) -> Probabilities:
    """Return the probability of label 1, shape (rows,), as the scoring server computes it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    source = str(onnx) if isinstance(onnx, Path) else onnx
    session = onnxruntime.InferenceSession(
        source, sess_options=options, providers=["CPUExecutionProvider"]
    )
    result: Probabilities = session.run([OUTPUT], {INPUT: inputs})[0][:, 1]
    return result


def parity_gap(model: Any, onnx: bytes, inputs: Matrix) -> float:
    """Return the largest difference of a probability between scikit-learn and ONNX."""
    expected = model.predict_proba(inputs)[:, 1]
    return float(np.max(np.abs(predict(onnx, inputs) - expected)))


def null_gaps(model: Any, onnx: bytes, inputs: Matrix) -> list[float | None]:
    """Return for each feature the parity gap where it is null; None if scikit-learn refuses that.

    Args:
        model: the fitted classifier.
        onnx: the same as ONNX.
        inputs: some rows, shape (rows, features).
    """
    return [_null_gap(model, onnx, inputs, column) for column in range(inputs.shape[1])]


def _null_gap(model: Any, onnx: bytes, inputs: Matrix, column: int) -> float | None:
    without = inputs.copy()
    without[:, column] = np.nan
    try:
        expected = model.predict_proba(without)[:, 1]
    except ValueError:
        return None
    gap = float(np.max(np.abs(predict(onnx, without) - expected)))
    return gap if np.isfinite(gap) else float("inf")
