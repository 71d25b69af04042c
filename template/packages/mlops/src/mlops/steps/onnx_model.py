"""The model as ONNX: conversion and prediction."""

from pathlib import Path
from typing import Any

import numpy as np

from mlops.arrays import Matrix, Outputs
from mlops.errors import Refused
from mlops.steps.boosters import make_convertible
from mlops.steps.estimators import name_of
from mlops.steps.null_routing import route_nulls
from mlops.steps.servable import require_answers, require_servable
from mlops.tasks import BINARY_TARGET, Target

INPUT = "features"
PROBABILITIES = "probabilities"
NUMBERS = "variable"
"""What the numbers are called that a regression answers, whatever its converter calls them."""
OPSET = {"": 21, "ai.onnx.ml": 3}
"""What every ONNX Runtime that this project allows reads, whatever skl2onnx is installed."""


def convert(model: Any, features: int, target: Target = BINARY_TARGET) -> bytes:
    """Return a fitted estimator, its numbers settled to float32, as an ONNX file's bytes.

    The input `features` is float32 of shape (rows, features); the output `probabilities` of a
    classifier has shape (rows, classes), the output `variable` of a regression (rows, 1).

    Raises:
        Refused: the model is of a kind that is not served as it was judged, skl2onnx has no
            converter for it, or ONNX Runtime cannot load what it made.
    """
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    require_answers(model, "model", target)
    require_servable(model)
    make_convertible(model)
    try:
        converted = to_onnx(
            model,
            initial_types=[(INPUT, FloatTensorType([None, features]))],
            options=_options(model, target),
            target_opset=OPSET,
        )
    except Exception as error:
        raise Refused(
            f"the model ({name_of(model)}) cannot be converted to ONNX, which serving needs: "
            f"{_first_line(error)}",
            "in model.py use estimators that skl2onnx supports (docs/models.md lists some)",
        ) from error
    if not target.task.classifies:
        _name_output(converted.graph, NUMBERS)
    route_nulls(converted.graph, model)
    content = bytes(converted.SerializeToString())
    _require_loads(content, model)
    return content


def open_session(onnx: bytes | Path) -> Any:
    """Return an ONNX Runtime session as the scoring server opens it: on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    source = str(onnx) if isinstance(onnx, Path) else onnx
    return onnxruntime.InferenceSession(
        source, sess_options=options, providers=["CPUExecutionProvider"]
    )


def predict(onnx: bytes | Path, inputs: Matrix, target: Target = BINARY_TARGET) -> Outputs:
    """Return the answers of a model, see `Target.outputs`, as the scoring server computes them."""
    return answers(open_session(onnx), inputs, target)


def answers(session: Any, inputs: Matrix, target: Target = BINARY_TARGET) -> Outputs:
    """Return the answers of a model, see `Target.outputs`, as the scoring server computes them.

    A single row is scored twice, since ONNX Runtime multiplies one row with a matrix otherwise than
    several: so it gets the answer that it would get among others.
    """
    rows = np.repeat(inputs, 2, axis=0) if len(inputs) == 1 else inputs
    output = PROBABILITIES if target.task.classifies else NUMBERS
    return target.outputs(session.run([output], {INPUT: rows})[0][: len(inputs)])


def _options(model: Any, target: Target) -> dict[Any, Any]:
    """Return the options of every conversion; those of types that are absent do no harm."""
    from sklearn.preprocessing import MaxAbsScaler, RobustScaler, StandardScaler

    divide = {kind: {"div": "div"} for kind in (StandardScaler, RobustScaler, MaxAbsScaler)}
    return {id(model): {"zipmap": False}, **divide} if target.task.classifies else divide


def _name_output(graph: Any, name: str) -> None:
    """Call the only output of a graph by a name."""
    (output,) = graph.output
    before, output.name = output.name, name
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [name if each == before else each for each in names]


def _require_loads(content: bytes, model: Any) -> None:
    try:
        open_session(content)
    except Exception as error:
        raise Refused(
            f"ONNX Runtime cannot load the model ({name_of(model)}) that skl2onnx made of it: "
            f"{_first_line(error)}",
            "use other estimators in model.py (docs/models.md lists what converts)",
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
