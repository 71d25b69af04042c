"""A tiny registered model version: a logistic function of the features a, b and c."""

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mlops.artifacts.data_source import DataSource

FEATURES: list[dict[str, Any]] = [
    {"name": "a", "nullable": False, "example": 1.0},
    {"name": "b", "nullable": False, "example": -0.5},
    {"name": "c", "nullable": True, "example": 0.25},
]
REAL = DataSource("folder", "data/orders", made_up=False, fraction=1.0)
MADE_UP = DataSource("sample", "size 300, seed 1, drift 0", made_up=True, fraction=1.0)
ROW = {"a": 1.0, "b": -0.5, "c": 0.25}
FAILS = 98.0
"""A value of `a` at which the endpoints of the tests fail."""
WEIGHTS = np.array([2.0, -1.0, 0.5])
SERVED_FILES = ("model.onnx", "signature.json", "probes.json")
PROBED = [(1.0, -0.5, 0.25), (-2.0, 3.0, None), (0.0, 0.0, 0.0)]


def write_version(
    folder: Path,
    version: int = 1,
    features: Sequence[Mapping[str, Any]] = FEATURES,
    source: DataSource = REAL,
) -> Path:
    """Fill `folder` with what serving needs of a version folder; return it.

    With other features its signature asks for what the tiny model does not take; `source` is the
    data that it says it is made of.
    """
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(tiny_onnx())
    signature = {
        "schema": 1,
        "model_name": "tiny",
        "model_version": version,
        "decision_threshold": 0.5,
        "features": list(features),
    }
    (folder / "signature.json").write_text(json.dumps(signature))
    probes = {
        "schema": 1,
        "tolerance": 1e-4,
        "rows": PROBED,
        "probabilities": [tiny_probability(*row) for row in PROBED],
    }
    (folder / "probes.json").write_text(json.dumps(probes))
    lineage = {
        "schema": 1,
        "model": {"name": "tiny", "version": version},
        "git": {"commit": "0123456789abcdef", "dirty": False},
        "data": {"source": source.to_dict()},
        "files": _hashes(folder),
    }
    (folder / "lineage.json").write_text(json.dumps(lineage))
    return folder


def told(folder: Path) -> dict[str, str]:
    """Return the environment by which a server knows the files of `folder`, as they are now."""
    return {"SERVED_FILES_SHA256": json.dumps(_hashes(folder))}


def _hashes(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in SERVED_FILES}


def tiny_probability(a: float, b: float, c: float | None) -> float:
    """Return what the tiny model should answer."""
    values = np.array([a, b, 0.0 if c is None else c])
    return float(1 / (1 + np.exp(-values @ WEIGHTS)))


@functools.cache
def tiny_onnx() -> bytes:
    """Build the model by hand, which is much faster than to train and convert one."""
    import onnx
    from onnx import TensorProto, helper

    constants = {
        "zero": np.float32(0),
        "one": np.float32(1),
        "half": np.float32(0.5),
        "weights": WEIGHTS.astype(np.float32).reshape(3, 1),
    }
    nodes = [
        helper.make_node("IsNaN", ["features"], ["unknown"]),
        helper.make_node("Where", ["unknown", "zero", "features"], ["known"]),
        helper.make_node("MatMul", ["known", "weights"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["yes"]),
        helper.make_node("Sub", ["one", "yes"], ["no"]),
        helper.make_node("Concat", ["no", "yes"], ["probabilities"], axis=1),
        helper.make_node("GreaterOrEqual", ["yes", "half"], ["label_bool"]),
        helper.make_node("Cast", ["label_bool"], ["label"], to=TensorProto.INT64),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, 3])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [None, 1]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]),
        ],
        [onnx.numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    content: bytes = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    return content
