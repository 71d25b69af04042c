"""The bill of materials of a version and of what serves it, as CycloneDX 1.6 with its model card.

https://cyclonedx.org/docs/1.6/json/ is the format. The library that writes it has no model card,
so what is the version's own is made here and the packages come from `cyclonedx-py`.
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from mlops.artifacts.data_source import read_source
from mlops.artifacts.version_folder import ONNX
from mlops.tasks import Target

SPEC_VERSION = "1.6"
SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
MODEL, DATA = "model", "data"
"""The references of the model and of its data within a bill."""
_APPLICATION = "application"


def build_bom(
    *,
    card: Mapping[str, Any],
    lineage: Mapping[str, Any],
    signature: Mapping[str, Any],
    packages: Mapping[str, Any],
    human: Mapping[str, Any],
    requirements_sha256: str,
) -> dict[str, Any]:
    """Return the bill of materials of a version; the same content has the same serial number.

    Args:
        card: the content of card.json.
        lineage: the content of lineage.json.
        signature: the content of signature.json.
        packages: the bill of the serving environment, as `cyclonedx-py environment` writes it.
        human: what people wrote of the model; what it lacks is left out.
        requirements_sha256: the hash of the file that the serving environment is made of.
    """
    libraries = list(packages.get("components", []))
    edges = [dict(each) for each in packages.get("dependencies", [])]
    name, version = str(lineage["model"]["name"]), str(lineage["model"]["version"])
    content = {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "version": 1,
        "metadata": {
            "timestamp": lineage["created_at"],
            "tools": packages.get("metadata", {}).get("tools", {"components": []}),
            "component": {
                "type": "application",
                "bom-ref": _APPLICATION,
                "name": f"{name}-serving",
                "version": version,
                "properties": _properties({"mlops:requirements.sha256": requirements_sha256}),
            },
        },
        "components": [
            _model(name, version, card, lineage, signature, human),
            _data(lineage),
            *libraries,
        ],
        "dependencies": [
            {
                "ref": _APPLICATION,
                "dependsOn": sorted({MODEL, *(each["bom-ref"] for each in libraries)}),
            },
            {"ref": MODEL, "dependsOn": [DATA]},
            {"ref": DATA},
            *edges,
        ],
    }
    return {**content, "serialNumber": serial_number(content)}


def serial_number(content: Mapping[str, Any]) -> str:
    """Return the URN of a bill without its serial number: a UUIDv5 of its content."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return uuid.uuid5(uuid.NAMESPACE_URL, text).urn


def _model(
    name: str,
    version: str,
    card: Mapping[str, Any],
    lineage: Mapping[str, Any],
    signature: Mapping[str, Any],
    human: Mapping[str, Any],
) -> dict[str, Any]:
    commit = str(lineage["git"]["commit"] or "")
    files = {f"mlops:file:{key}": value for key, value in sorted(lineage["files"].items())}
    return {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": name,
        "version": version,
        "description": str(card["description"]),
        "hashes": [{"alg": "SHA-256", "content": lineage["files"][ONNX]}],
        **({"pedigree": {"commits": [{"uid": commit}]}} if commit else {}),
        "modelCard": {
            "bom-ref": "model-card",
            "modelParameters": _parameters(lineage, signature),
            "quantitativeAnalysis": {"performanceMetrics": _metrics(card["evaluation"])},
            "considerations": considerations(human),
        },
        "properties": _properties(
            {
                "mlops:data.hash": str(lineage["data"]["hash"]),
                "mlops:run_id": str(lineage["run_id"]),
                "mlops:git.dirty": str(bool(lineage["git"].get("dirty"))).lower(),
                **files,
            }
        ),
    }


def _parameters(lineage: Mapping[str, Any], signature: Mapping[str, Any]) -> dict[str, Any]:
    target = Target.read(signature)
    answers = ["predictions", *(["probabilities"] if target.task.classifies else [])]
    return {
        "approach": {"type": "supervised"},
        "task": target.task.value,
        "architectureFamily": str(lineage["training"]["model_type"]),
        "modelArchitecture": "ONNX",
        "datasets": [{"ref": DATA}],
        "inputs": [
            {"format": f"{each['name']}: {each.get('kind', 'number')}"}
            for each in signature["features"]
        ],
        "outputs": [{"format": each} for each in answers],
    }


def _metrics(evaluation: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the metrics as a bill has them: texts, of the whole holdout first."""
    whole = _of(evaluation["model"])
    slices = evaluation.get("slices")
    parts = [
        {**metric, "slice": f"{each.get('slice')} = {each.get('value')}"}
        for each in (slices if isinstance(slices, list) else [])
        for metric in _of(each.get("metrics") or {})
    ]
    return [*whole, *parts]


def _of(metrics: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"type": name, "value": repr(float(value))}
        for name, value in metrics.items()
        if isinstance(value, float | int)
    ]


def considerations(human: Mapping[str, Any]) -> dict[str, Any]:
    """Return what people wrote of a model as a bill has it; what is not written is left out."""
    outside = [f"not for: {each}" for each in _texts(human.get("out_of_scope"))]
    found = {
        "users": _texts(human.get("users")),
        "useCases": _texts(human.get("intended_use")),
        "technicalLimitations": [*_texts(human.get("limitations")), *outside],
        "ethicalConsiderations": [
            {"name": each} for each in _texts(human.get("ethical_considerations"))
        ],
        "fairnessAssessments": [
            {"groupAtRisk": each} for each in _texts(human.get("people_affected"))
        ],
    }
    return {key: value for key, value in found.items() if value}


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    texts = [each.strip() for each in values if isinstance(each, str)]
    return [text for text in texts if text and not text.upper().startswith("TODO")]


def _data(lineage: Mapping[str, Any]) -> dict[str, Any]:
    data = lineage["data"]
    source = read_source(data.get("source"))
    facts = {
        "mlops:source": source.words,
        "mlops:hash": str(data["hash"]),
        "mlops:rows": str(data.get("rows", "")),
        "mlops:cutoff": str(data.get("cutoff", "")),
        "mlops:made_up": str(source.made_up).lower(),
    }
    name = source.name or source.kind
    contents = {"properties": _properties(facts)}
    return {
        "type": "data",
        "bom-ref": DATA,
        "name": name,
        "data": [{"type": "dataset", "name": name, "contents": contents}],
    }


def _properties(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]
