"""Whether a body is what Azure's API takes, by the models of azure-mgmt-machinelearningservices.

Those are generated from Azure's published API descriptions, independently of the SDK that the
project uses. They know each field's type, which fields are required, patterns, and the values that
a field may have.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

KINDS = {
    "codes": "CodeContainer",
    "codes/versions": "CodeVersion",
    "components": "ComponentContainer",
    "components/versions": "ComponentVersion",
    "data": "DataContainer",
    "data/versions": "DataVersionBase",
    "environments": "EnvironmentContainer",
    "environments/versions": "EnvironmentVersion",
    "jobs": "JobBase",
    "models": "ModelContainer",
    "models/versions": "ModelVersion",
    "onlineEndpoints": "OnlineEndpoint",
    "onlineEndpoints/deployments": "OnlineDeployment",
    "schedules": "Schedule",
}
# What the SDK itself sends against the contract, and Azure takes: no fault of the project.
HABITS = (
    "properties.properties.hash_version must be str",
    # the inference server answers its probes at /, and public deployments say so
    "properties.inferenceConfig.livenessRoute.path, '/', does not match",
    "properties.inferenceConfig.readinessRoute.path, '/', does not match",
)
_SIMPLE: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": (int, float),
    "iso-8601": str,
    "duration": str,
}


def problems(kind: str, body: object) -> list[str]:
    """Return what is wrong with the body of a PUT of this kind, a sentence each."""
    known, collector = _apart(body) if kind == "onlineEndpoints/deployments" else (body, None)
    found = [*_check(known, KINDS[kind], "")] if kind in KINDS else []
    found += _check_collector(collector)
    return [each for each in found if not each.startswith(HABITS)]


def _apart(body: object) -> tuple[object, object]:
    """Return the body of a deployment without its data collector, which is newer, and that."""
    if not isinstance(body, Mapping) or not isinstance(body.get("properties"), Mapping):
        return body, None
    rest = {name: each for name, each in body["properties"].items() if name != "dataCollector"}
    return {**body, "properties": rest}, body["properties"].get("dataCollector")


def _check_collector(value: object) -> Iterator[str]:
    """Check a data collector as the API's published description has it, from 2023-04-01-preview."""
    if value is None:
        return
    collections = value.get("collections") if isinstance(value, Mapping) else None
    if not isinstance(collections, Mapping) or not collections:
        yield "properties.dataCollector.collections is required"
        return
    for name, each in collections.items():
        where = f"properties.dataCollector.collections.{name}"
        if name != name.lower():
            yield f"{where}: the SDK that collects knows names in small letters alone"
        if str(each.get("dataCollectionMode")).lower() not in ("enabled", "disabled"):
            yield f"{where}.dataCollectionMode must be Enabled or Disabled"
        if unknown := each.keys() - {"dataCollectionMode", "samplingRate", "dataId", "clientId"}:
            yield f"{where} has {', '.join(sorted(unknown))}, which is not known"


def _check(value: object, kind: str, path: str) -> Iterator[str]:
    if value is None or kind == "object":
        return
    if kind[0] in "[{":
        yield from _check_many(value, kind, path)
    elif kind in _SIMPLE:
        wanted = _SIMPLE[kind]
        if not isinstance(value, wanted) or (isinstance(value, bool) and kind != "bool"):
            yield f"{path} must be {kind}, not {value!r}"
    else:
        yield from _check_model(value, kind, path)


def _check_many(value: object, kind: str, path: str) -> Iterator[str]:
    inner = kind[1:-1]
    if kind[0] == "[" and isinstance(value, list):
        for number, each in enumerate(value):
            yield from _check(each, inner, f"{path}[{number}]")
    elif kind[0] == "{" and isinstance(value, Mapping):
        for name, each in value.items():
            yield from _check(each, inner, f"{path}.{name}")
    else:
        yield f"{path} must be a {'list' if kind[0] == '[' else 'mapping'}, not {value!r}"


def _check_model(value: object, kind: str, path: str) -> Iterator[str]:
    model = _model(kind)
    if not isinstance(value, Mapping):
        if model is None or not isinstance(value, str):
            yield f"{path} must be an object, not {value!r}"
        return
    model = _concrete(model, value)
    known = {each["key"].replace("\\.", "."): name for name, each in model._attribute_map.items()}
    for key, each in value.items():
        where = f"{path}.{key}" if path else key
        if key not in known:
            if each is not None:
                yield f"{where} is not known ({model.__name__})"
            continue
        name = known[key]
        yield from _check(each, model._attribute_map[name]["type"], where)
        yield from _check_rules(each, model, name, where)
    for name, rules in model._validation.items():
        key = model._attribute_map[name]["key"]
        if rules.get("required") and value.get(key) is None:
            yield f"{path}.{key} is required ({model.__name__})".lstrip(".")


def _check_rules(value: object, model: Any, name: str, path: str) -> Iterator[str]:
    rules = model._validation.get(name, {})
    pattern = rules.get("pattern")
    if isinstance(value, str) and pattern and not re.search(pattern, value):
        yield f"{path}, {value!r}, does not match {pattern}"
    lowest = rules.get("minimum")
    if isinstance(value, int | float) and lowest is not None and value < lowest:
        yield f"{path} must be at least {lowest}, not {value}"
    allowed = _allowed(model, name)
    if isinstance(value, str) and allowed and value.lower() not in allowed:
        yield f"{path}, {value!r}, is none of {', '.join(sorted(allowed))}"


@cache
def _model(kind: str) -> Any:
    from azure.mgmt.machinelearningservices import models  # costs a second

    return getattr(models, kind)


def _concrete(model: Any, value: Mapping[str, Any]) -> Any:
    """Return the subclass that the discriminating field names."""
    for name, subtypes in vars(model).get("_subtype_map", {}).items():
        said = str(value.get(model._attribute_map[name]["key"], "")).lower()
        for each, subtype in subtypes.items():
            if each.lower() == said:
                return _concrete(_model(subtype), value)
    return model


@cache
def _allowed(model: Any, name: str) -> frozenset[str]:
    """Return the values that a field may have; none if it may have any."""
    if model._attribute_map[name]["type"] != "str":
        return frozenset()
    hint = str(model.__init__.__annotations__.get(name, ""))
    found = re.search(r"_models\.(\w+)", hint)
    if found is None:
        return frozenset()
    return frozenset(str(each.value).lower() for each in _model(found[1]))
