"""Whether a bill of materials is one: by the schema of CycloneDX, and by what that leaves open.

The schema asks a model card for nothing, lets two components share a reference, references lead
nowhere and a licence be any text (tried with the schemas of 1.6): so that is asked for here.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.errors import ConfigError
from mlops.governance.bom import SCHEMA, SPEC_VERSION
from mlops.governance.licences import parsed

REQUIRED = (
    "$schema",
    "bomFormat",
    "specVersion",
    "serialNumber",
    "version",
    "metadata.timestamp",
    "metadata.component.bom-ref",
    "metadata.component.name",
    "metadata.component.version",
    "components",
    "dependencies",
)
OF_A_MODEL = (
    "bom-ref",
    "name",
    "version",
    "hashes",
    "modelCard.modelParameters.approach.type",
    "modelCard.modelParameters.task",
    "modelCard.modelParameters.architectureFamily",
    "modelCard.modelParameters.modelArchitecture",
    "modelCard.modelParameters.datasets",
    "modelCard.modelParameters.inputs",
    "modelCard.modelParameters.outputs",
    "modelCard.quantitativeAnalysis.performanceMetrics",
)
OF_A_LIBRARY = ("bom-ref", "name", "version", "purl")
OF_A_METRIC = ("type", "value")
_MODEL = "machine-learning-model"


def problems(bom: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a bill besides what CycloneDX's own schema says, as sentences."""
    components = [each for each in bom.get("components") or [] if isinstance(each, Mapping)]
    models = [each for each in components if each.get("type") == _MODEL]
    found = list(_missing("the bill", bom, REQUIRED))
    if bom.get("$schema") != SCHEMA or bom.get("specVersion") != SPEC_VERSION:
        found.append(f"the bill is not of CycloneDX {SPEC_VERSION}")
    if len(models) != 1:
        found.append(f"the bill has {len(models)} models, not one")
    for model in models:
        found += _missing("the model", model, OF_A_MODEL)
        for metric in _at(model, "modelCard.quantitativeAnalysis.performanceMetrics") or []:
            found += _missing("a metric of the model", metric, OF_A_METRIC)
    for each in components:
        name = str(each.get("name"))
        if each.get("type") == "library":
            found += _missing(name, each, OF_A_LIBRARY)
        if "modelCard" in each and each.get("type") != _MODEL:
            found.append(f"{name} has a model card and is no model")
        for expression in _expressions(each):
            if parsed(expression) is None:
                found.append(f"{name} has a licence that is no expression of SPDX: {expression!r}")
    return [*found, *_references(bom)]


def schema_problem(text: str) -> str:
    """Return what CycloneDX's own schema of this version says against a bill; empty for nothing.

    Args:
        text: the bill as JSON.

    Raises:
        ConfigError: the group of packages that checks it is not installed.
    """
    try:
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
    except ModuleNotFoundError as error:
        raise no_packages(error) from None
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if problem is None:
        return ""
    path = ".".join(str(part) for part in getattr(problem.data, "absolute_path", ()))
    return f"{path}: {getattr(problem.data, 'message', problem)}"


def no_packages(error: ModuleNotFoundError) -> ConfigError:
    """Return the error of a project that lacks the packages for bills of materials."""
    return ConfigError(
        f"a bill of materials needs packages that are not installed ({error.name})",
        "run `uv sync --group compliance`",
    )


def _missing(what: str, content: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        if _at(content, key) in (None, "", [], {}):
            yield f"{what} lacks {key}"


def _at(content: Any, path: str) -> Any:
    for part in path.split("."):
        content = content.get(part) if isinstance(content, Mapping) else None
    return content


def _expressions(component: Mapping[str, Any]) -> Iterator[str]:
    for each in component.get("licenses") or []:
        if "expression" in each:
            yield str(each["expression"])


def _references(bom: Mapping[str, Any]) -> Iterator[str]:
    known = Counter(_known(bom))
    yield from (f"the reference {ref} is there {n} times" for ref, n in known.items() if n > 1)
    for ref in _used(bom):
        if ref not in known:
            yield f"the reference {ref} leads nowhere"


def _known(content: Any) -> Iterator[str]:
    if isinstance(content, Mapping):
        if "bom-ref" in content:
            yield str(content["bom-ref"])
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from _known(each)


def _used(bom: Mapping[str, Any]) -> Iterator[str]:
    for each in bom.get("dependencies") or []:
        yield from map(str, [each.get("ref"), *(each.get("dependsOn") or [])])
    for component in bom.get("components") or []:
        for dataset in _at(component, "modelCard.modelParameters.datasets") or []:
            if "ref" in dataset:
                yield str(dataset["ref"])
