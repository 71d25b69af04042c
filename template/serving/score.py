"""The scoring script: what the Azure ML inference server runs, on a laptop and on Azure.

The server loads this file by its path, calls `init()` once and `run()` for each request. It stands
alone: no import of the project's package, only numpy and ONNX Runtime (see requirements.txt), and
of the files beside it mounted.py and telemetry.py, which keeps an event of each prediction, with
insights.py on Azure.

Request: `{"data": [{feature: value, …}, …]}`, JSON in UTF-8; a value is a number, true or false, or
the text of a category. `"keys": […]` may come along, one a row: texts or whole numbers that say
whom or what the rows are of; they decide nothing. Answer: `{"predictions": […], "probabilities":
[…], "model_version": 3, "inference_id": [one per row]}`, and the keys as they came, where a row's
prediction and probability are

- binary: 0 or 1, and the probability of label 1;
- multiclass: the name of a class, and `{class: probability, …}`;
- regression: a number, and there are no probabilities.

Input that breaks this contract is answered with 400 and `{"error": sentence}`; any other failure
is ours and stays a 500.

It serves only what it was told to, and only if that answers here as where it was judged: the
environment variable SERVED_FILES_SHA256 holds the SHA-256 of each file, and probes.json has rows
with the answers to them. Otherwise it does not start, and the log says why in one sentence.
"""

import json
import os
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

# Said before the import: else ONNX Runtime notes which machine this is, and reports to its maker.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime as ort

SIGNATURE_SCHEMAS = (1, 2)
"""The first one is of binary models that take numbers alone."""
PROBES_SCHEMA = 1
BINARY, MULTICLASS, REGRESSION = "binary", "multiclass", "regression"
NUMBER, BOOLEAN, CATEGORY = "number", "boolean", "category"
PROBES = "probes.json"
LARGEST = float(np.finfo(np.float32).max)
FIELDS = ("data", "keys")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_LONGEST_ECHO = 60

Matrix = npt.NDArray[np.float32]
Outputs = npt.NDArray[np.float64]


class BadRequest(ValueError):
    """The client's input breaks the contract; the message says where and how."""


@dataclass(frozen=True)
class Feature:
    """One column of the model's input."""

    name: str
    nullable: bool
    optional: bool = False
    kind: str = NUMBER
    codes: Mapping[str, float] = field(default_factory=dict)
    """The number by which the model knows each category."""
    other: float = float("nan")
    """That of every category that it does not know."""
    null: float = float("nan")
    """What the model is given where the value is null."""


@dataclass(frozen=True)
class Model:
    """A loaded model version."""

    session: ort.InferenceSession
    features: tuple[Feature, ...]
    decision_threshold: float
    version: int
    task: str = BINARY
    classes: tuple[str, ...] = ()

    @property
    def output(self) -> str:
        """The output of model.onnx that is answered."""
        return "variable" if self.task == REGRESSION else "probabilities"


@dataclass(frozen=True)
class Request:
    """What is asked: rows as they came and, as float32 [rows, features], as the model sees them.

    `keys` says whom or what each row is of, where the caller says it.
    """

    rows: Sequence[Mapping[str, Any]]
    matrix: Matrix
    keys: Sequence[str | int] | None = None


def _beside(name: str) -> Any:
    """Load another file of this folder, whatever else is called so on the import path."""
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(f"{name}.py cannot be loaded")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


mounted, telemetry = _beside("mounted"), _beside("telemetry")
SERVED_VARIABLE, RefusedToStart = mounted.SERVED_VARIABLE, mounted.RefusedToStart
find_model, check_files = mounted.find_model, mounted.check_files
_model: Model | None = None
_events: Any = None


def init() -> None:
    """Load the model version below `AZUREML_MODEL_DIR`; called once, before the first request."""
    global _events, _model
    directory = os.environ.get("AZUREML_MODEL_DIR")
    if not directory:
        raise RuntimeError("AZUREML_MODEL_DIR is not set: it must name the model version's folder")
    folder = find_model(Path(directory))
    check_files(folder, os.environ.get(SERVED_VARIABLE, ""))
    model = load_model(folder)
    check_answers(model, folder)
    _model = model
    _events = telemetry.events_of(os.environ.get(telemetry.VARIABLE, ""), _beside)


def run(raw_data: str, request_headers: Mapping[str, str] | None = None) -> Any:
    """Score one request; the server passes its headers on, as the parameter's name asks."""
    if _model is None:
        raise RuntimeError("init() was not called")
    started, request = perf_counter(), None
    headers = request_headers or {}
    agent = headers.get("User-Agent", "")
    try:
        check_headers(headers)
        request = parse(raw_data, _model.features)
        answered = score(_model, request.matrix)
    except BadRequest as error:
        from azureml_inference_server_http.api.aml_response import AMLResponse

        if _events is not None:
            _events.add(started, _model.version, 400, type(error).__name__, agent=agent)
        return AMLResponse({"error": str(error)}, 400, json_str=True)
    except BaseException as error:
        if _events is not None:
            rows, keys = (request.rows, request.keys) if request else (None, None)
            told = type(error).__name__, rows, keys
            _events.add(started, _model.version, 500, *told, agent=agent)
        raise
    if request.keys is not None:
        answered["keys"] = request.keys
    if _events is not None:
        parts = request.rows, request.keys, answered
        _events.add(started, _model.version, 200, None, *parts, agent=agent)
    return answered


def check_answers(model: Model, folder: Path) -> None:
    """Answer the version's probes; one that was registered before there were any has none.

    Raises:
        RefusedToStart: this runtime answers otherwise than the one on which the model was judged.
    """
    path = folder / PROBES
    if not path.is_file():
        return
    probes = json.loads(path.read_text(encoding="utf-8"))
    if probes["schema"] != PROBES_SCHEMA:
        raise RefusedToStart(f"{PROBES} has schema {probes['schema']!r}, not {PROBES_SCHEMA}")
    rows = np.array(probes["rows"], dtype=np.float32)  # null becomes NaN
    expected = probes["predictions" if model.task == REGRESSION else "probabilities"]
    allowed = np.maximum(
        probes["tolerance"], probes.get("relative_tolerance", 0.0) * np.abs(expected)
    )
    gaps = np.abs(predict(model, rows) - np.array(expected))
    right = (gaps <= allowed).reshape(len(rows), -1).all(axis=1)
    wrong = int(np.sum(~right))
    if wrong:
        raise RefusedToStart(
            f"ONNX Runtime {ort.__version__} answers {wrong} of {len(rows)} probes otherwise than "
            f"where the model was judged, by up to {np.max(gaps):.2g}: an answer may differ by "
            f"{probes['tolerance']:g}"
        )


def load_model(folder: Path) -> Model:
    """Load model.onnx and signature.json.

    Raises:
        ValueError: the two do not fit together, or the signature's schema is unknown.
    """
    signature = json.loads((folder / "signature.json").read_text(encoding="utf-8"))
    if signature["schema"] not in SIGNATURE_SCHEMAS:
        raise ValueError(
            f"signature.json has schema {signature['schema']!r}, not one of {SIGNATURE_SCHEMAS}"
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(
        str(folder / "model.onnx"), sess_options=options, providers=["CPUExecutionProvider"]
    )
    features = tuple(read_feature(described) for described in signature["features"])
    width = session.get_inputs()[0].shape[-1]
    if isinstance(width, int) and width != len(features):
        raise ValueError(f"model.onnx takes {width} features, signature.json has {len(features)}")
    return Model(
        session=session,
        features=features,
        decision_threshold=float(signature.get("decision_threshold", 0.5)),
        version=int(signature["model_version"]),
        task=str(signature.get("task", BINARY)),
        classes=tuple(signature.get("classes", ())),
    )


def read_feature(described: Mapping[str, Any]) -> Feature:
    """Return a feature of signature.json; the codes of a category are the positions in its list.

    After them come the code of every other category, and that of null.
    """
    known = described.get("categories", ())
    is_category = described.get("kind", NUMBER) == CATEGORY
    return Feature(
        name=str(described["name"]),
        nullable=bool(described["nullable"]),
        optional=bool(described.get("optional", False)),
        kind=str(described.get("kind", NUMBER)),
        codes={name: float(code) for code, name in enumerate(known)},
        other=float(len(known)) if is_category else float("nan"),
        null=len(known) + 1.0 if is_category else float("nan"),
    )


def check_headers(headers: Mapping[str, str]) -> None:
    """Check that a request's body came as it was sent: a form would be lost, what is packed unread.

    Raises:
        BadRequest: the headers say otherwise.
    """
    named = {name.lower(): value.strip().lower() for name, value in headers.items()}
    encoding = named.get("content-encoding", "")
    if encoding not in ("", "identity"):
        raise BadRequest(
            f"the request is encoded ({_echo(encoding)}): send it as it is, without the header "
            "Content-Encoding"
        )
    kind = named.get("content-type", "").partition(";")[0].strip()
    if kind in FORMS:
        raise BadRequest(
            f"the request is a form ({kind}): send JSON with the header "
            "Content-Type: application/json"
        )


def parse(raw: str | bytes, features: Sequence[Feature]) -> Request:
    """Read a request. In its matrix a number that is null is NaN, and a category its code.

    Raises:
        BadRequest: the request breaks the contract.
    """
    try:
        body = json.loads(raw, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except BadRequest:
        raise
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the request is not valid JSON: {error}") from None
    if not isinstance(body, dict):
        raise BadRequest(f'the request must be an object {{"data": [row, …]}}, not {_kind(body)}')
    if isinstance(body, _Repeated):
        raise BadRequest(f"the field {_echo(body.key)} stands twice")
    if "data" not in body:
        raise BadRequest('the request lacks the field "data", the list of rows')
    unknown = next((key for key in body if key not in FIELDS), None)
    if unknown is not None:
        raise BadRequest(f'unknown field {_echo(unknown)} beside "data"')
    rows = body["data"]
    if not isinstance(rows, list):
        raise BadRequest(f'"data" must be a list of rows, not {_kind(rows)}')
    if not rows:
        raise BadRequest('"data" is empty: send at least one row')
    known = {feature.name for feature in features}
    values = [_parse_row(number, row, features, known) for number, row in enumerate(rows)]
    keys = _parse_keys(body["keys"], len(rows)) if "keys" in body else None
    return Request(rows, np.array(values, dtype=np.float32), keys)


def score(model: Model, matrix: Matrix) -> dict[str, Any]:
    """Return the answer to the rows of `matrix`."""
    outputs = predict(model, matrix)
    if not np.isfinite(outputs).all():
        raise RuntimeError("the model gave an answer that is not a number")
    return {
        **answer(model, outputs),
        "model_version": model.version,
        "inference_id": [uuid.uuid4().hex for _ in outputs],
    }


def answer(model: Model, outputs: Outputs) -> dict[str, Any]:
    """Return predictions and probabilities, in the form of the model's task."""
    if model.task == REGRESSION:
        return {"predictions": outputs.tolist()}
    if model.task == MULTICLASS:
        return {
            "predictions": [model.classes[position] for position in outputs.argmax(axis=1)],
            "probabilities": [
                dict(zip(model.classes, row, strict=True)) for row in outputs.tolist()
            ],
        }
    return {
        "predictions": [int(p >= model.decision_threshold) for p in outputs],
        "probabilities": outputs.tolist(),
    }


def predict(model: Model, matrix: Matrix) -> Outputs:
    """Return the probability of label 1 for each row, those of all classes, or the number.

    A single row is scored twice: ONNX Runtime multiplies one row with a matrix otherwise than
    several, and a row is to get the same answer alone and among others.
    """
    rows = np.repeat(matrix, 2, axis=0) if len(matrix) == 1 else matrix
    session = model.session
    (output,) = session.run([model.output], {session.get_inputs()[0].name: rows})
    outputs = np.asarray(output)[: len(matrix)].astype(float)
    if model.task == MULTICLASS:
        return outputs
    return outputs[:, 1] if model.task == BINARY else outputs.reshape(len(matrix))


def _parse_keys(keys: Any, rows: int) -> list[str | int]:
    if not isinstance(keys, list):
        raise BadRequest(f'"keys" must be a list, one a row, not {_kind(keys)}')
    if len(keys) != rows:
        raise BadRequest(f'"keys" must have one entry a row: {rows:,} of them, not {len(keys):,}')
    for number, key in enumerate(keys):
        if isinstance(key, bool) or not isinstance(key, str | int):
            raise BadRequest(
                f'row {number}: what "keys" has for it must be a text or a whole number, not '
                f"{_kind(key)}"
            )
    return keys


def _parse_row(number: int, row: Any, features: Sequence[Feature], known: set[str]) -> list[float]:
    if not isinstance(row, dict):
        raise BadRequest(f"row {number}: must be an object of features, not {_kind(row)}")
    if isinstance(row, _Repeated):
        raise BadRequest(f"row {number}: the field {_echo(row.key)} stands twice")
    values = [_parse_value(number, row, feature) for feature in features]
    if not row.keys() <= known:
        unknown = next(key for key in row if key not in known)
        raise BadRequest(f"row {number}: unknown field {_echo(unknown)}")
    return values


def _parse_value(number: int, row: Mapping[str, Any], feature: Feature) -> float:
    name = feature.name
    try:
        value = row[name]
    except KeyError:
        if feature.optional:
            return feature.null
        raise BadRequest(f'row {number}: the field "{name}" is missing') from None
    if value is None:
        if feature.nullable:
            return feature.null
        raise BadRequest(f'row {number}: "{name}" must not be null')
    if feature.kind == CATEGORY:
        return _parse_category(number, value, feature)
    if feature.kind == BOOLEAN:
        return _parse_boolean(number, value, feature)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f'row {number}: "{name}" must be a number, not {_kind(value)}')
    if abs(value) > LARGEST:
        raise BadRequest(f'row {number}: "{name}" is too large for a 32-bit floating-point number')
    return float(value)


def _parse_category(number: int, value: Any, feature: Feature) -> float:
    if not isinstance(value, str):
        raise BadRequest(f'row {number}: "{feature.name}" must be a text, not {_kind(value)}')
    code = feature.codes.get(value)
    if code is None:
        code = feature.codes.get(normalised(value), feature.other)
    return code


def normalised(value: str) -> str:
    """Return a category as it is compared: composed (Unicode NFC), without blanks at its ends."""
    return unicodedata.normalize("NFC", value).strip()


def _parse_boolean(number: int, value: Any, feature: Feature) -> float:
    if isinstance(value, bool) or (isinstance(value, int | float) and value in (0, 1)):
        return float(value)
    raise BadRequest(f'row {number}: "{feature.name}" must be true or false, not {_kind(value)}')


class _Repeated(dict[str, Any]):
    """An object in which a key stands twice."""

    key = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object, marked where it says two things of one key."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeated = _Repeated()
    for name, value in pairs:
        if name in repeated:
            repeated.key = name
        repeated[name] = value
    return repeated


def _refuse_constant(constant: str) -> float:
    raise BadRequest(f"the request is not valid JSON: {constant} is not a JSON number")


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return f"the text {_echo(value)}"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "a number"


def _echo(text: str) -> str:
    return json.dumps(text if len(text) <= _LONGEST_ECHO else text[:_LONGEST_ECHO] + "…")
