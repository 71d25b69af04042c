"""Settings: defaults in code, `conf/base.yaml`, `conf/<environment>.yaml`, `MLOPS_*` variables.

Later sources win, key by key. The result is typed and frozen, and remembers where each value came
from. A key or variable that no setting has is an error, so that a typo never passes silently.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel, ValidationError

from mlops.clock import Clock, system_clock
from mlops.errors import ConfigError
from mlops.settings.azure_names import AzureNames, azure_names
from mlops.settings.plain_yaml import is_null, load_yaml, problem_of
from mlops.settings.project import Project
from mlops.settings.sections import Settings
from mlops.settings.task_settings import check_task, defaults_of
from mlops.usecase.use_case import UseCase

PREFIX = "MLOPS_"
ENVIRONMENT_VARIABLE = "MLOPS_ENVIRONMENT"
REGION = "azure.region"
SHARED = ("azure.registry", "azure.registry_resource_group")
"""What all environments have in common: `infra/` reads these in `conf/base.yaml` alone."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


@dataclass(frozen=True)
class LoadedSettings:
    """Settings together with the project they belong to and the source of each value.

    `clock` is what tells the time to all that these settings are handed to.
    """

    project: Project
    values: Settings
    sources: dict[str, str]
    clock: Clock = field(default=system_clock, repr=False, compare=False)

    def source_of(self, key: str) -> str:
        """Return where the value of a dotted key comes from."""
        owners = [k for k in self.sources if key == k or key.startswith(f"{k}.")]
        return self.sources[max(owners, key=len)] if owners else "default"

    @property
    def use_case(self) -> UseCase:
        """What the team's package defines."""
        return UseCase(self.project.package)

    @property
    def reference_date(self) -> date:
        """The day that counts as today."""
        return self.values.data.reference_date or self.clock().date()

    @property
    def model_name(self) -> str:
        """The name under which models are registered."""
        return self.project.name

    @property
    def endpoint_name(self) -> str:
        """The name of this environment's endpoint."""
        return self.values.endpoint.name or f"{self.model_name}-{self.values.environment}"

    @property
    def azure_names(self) -> AzureNames:
        """What this environment's resources are called in Azure, where there are any."""
        return azure_names(self.model_name, self.values.environment, self.values.azure)


def load_settings(
    project: Project,
    environment: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    variables: Mapping[str, str] | None = None,
    clock: Clock = system_clock,
) -> LoadedSettings:
    """Merge all sources into one frozen object.

    Args:
        project: the project whose `conf/` is read.
        environment: which environment; by default `MLOPS_ENVIRONMENT`, else `dev`.
        overrides: values of command-line options by dotted key; they win over all else.
        variables: environment variables; by default those of this process.
        clock: what tells the time.

    Raises:
        ConfigError: an unknown key, a wrong value, an unreadable file or an unknown variable.
    """
    variables = os.environ if variables is None else variables
    name = environment or variables.get(ENVIRONMENT_VARIABLE) or "dev"
    task = UseCase(project.package).task
    layers = [
        (defaults_of(task), "default"),
        *_file_layers(project, name),
        *_variable_layers(variables),
        *(({key: value}, "command line") for key, value in (overrides or {}).items()),
        ({"environment": name}, "command line" if environment else _environment_source(variables)),
    ]
    merged: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for flat, source in layers:
        for key, value in flat.items():
            found = _check_key(key, source)
            if problem := problem_of(value, found):
                raise ConfigError(f"{source}: {key} = {value}: {problem}")
            if value == {} or (value is None and _is_section(found)):
                continue
            _forget_below(merged, sources, key)
            merged[key] = value
            sources[key] = source
    _check_sources(sources)
    check_task(task, merged, sources)
    settings = _build(project, merged, sources)
    return LoadedSettings(project=project, values=settings, sources=sources, clock=clock)


def _check_sources(sources: Mapping[str, str]) -> None:
    """Refuse settings from elsewhere than where infra/ reads them, too.

    Raises:
        ConfigError: so.
    """
    source = sources.get(REGION, "conf/")
    if not source.startswith("conf/"):
        raise ConfigError(
            f"{source}: {REGION} stands in conf/ alone: infra/ reads it there and would make the "
            "resources elsewhere",
            "set it in conf/base.yaml, or for one environment in conf/<environment>.yaml",
        )
    for key in SHARED:
        source = sources.get(key, "conf/base.yaml")
        if source != "conf/base.yaml":
            raise ConfigError(
                f"{source}: {key} stands in conf/base.yaml alone: all environments share the "
                "registry, and infra/ reads it there and would give the rights to another one",
                "set it in conf/base.yaml",
            )


def flatten(settings: Settings) -> dict[str, Any]:
    """Return every effective value by its dotted key."""
    return dict(_flatten(settings.model_dump(mode="json")))


def require_environment(project: Project, environment: str) -> None:
    """Raise ConfigError, which names those that there are, if conf/ has no such environment."""
    known = project.environments()
    if environment not in known or not _NAME.fullmatch(environment):
        raise ConfigError(
            f"there is no environment {environment!r}: conf/{environment}.yaml does not exist "
            f"(there is: {', '.join(known) or 'none'})",
            _brought_by_level(project, environment),
        )


def _file_layers(project: Project, environment: str) -> list[tuple[dict[str, Any], str]]:
    require_environment(project, environment)
    paths = [project.root / "conf" / f"{name}.yaml" for name in ("base", environment)]
    layers = [(_read_yaml(path), f"conf/{path.name}") for path in paths if path.is_file()]
    for content, source in layers:
        if "environment" in content:
            raise ConfigError(
                f"{source}: the environment is not set in a file",
                f"give --environment or {ENVIRONMENT_VARIABLE}",
            )
    return layers


def _brought_by_level(project: Project, environment: str) -> str:
    if environment not in ("test", "prod") or project.maturity_level > 1:
        return ""
    return (
        "test and prod come with maturity level 2, and this project is at level 1: raise it "
        "with `uvx copier update -d maturity_level=2`"
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = load_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"conf/{path.name} is not valid YAML: {error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"conf/{path.name} must hold keys and values, not a {type(content)}")
    return dict(_flatten(content))


def _flatten(content: Mapping[Any, Any], prefix: str = "") -> list[tuple[str, Any]]:
    items: list[tuple[str, Any]] = []
    for key, value in content.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            items.extend(_flatten(value, f"{dotted}."))
        else:
            items.append((dotted, value))
    return items


def _variable_layers(variables: Mapping[str, str]) -> list[tuple[dict[str, Any], str]]:
    layers = []
    for variable, text in sorted(variables.items()):
        if not variable.startswith(PREFIX) or variable == ENVIRONMENT_VARIABLE or text == "":
            continue
        key = variable.removeprefix(PREFIX).lower().replace("__", ".")
        kind = _check_key(key, variable)
        if kind in (str, str | None):
            nothing = kind is not str and is_null(text)
            layers.append(({key: None if nothing else text}, variable))
            continue
        try:
            value = load_yaml(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"the variable {variable} is not a valid value: {error}") from None
        flat = dict(_flatten(value, f"{key}.")) if isinstance(value, dict) else {key: value}
        layers.append((flat, variable))
    return layers


def _environment_source(variables: Mapping[str, str]) -> str:
    return ENVIRONMENT_VARIABLE if variables.get(ENVIRONMENT_VARIABLE) else "default"


def _check_key(key: str, source: str) -> Any:
    """Return the type of a setting; of one below a free section, the type of that section."""
    model: type[BaseModel] = Settings
    parts = key.split(".")
    for position, part in enumerate(parts):
        field = model.model_fields.get(part)
        if field is None:
            place = ".".join(parts[:position]) or "the top level"
            known = ", ".join(sorted(model.model_fields))
            raise ConfigError(
                f"{source}: unknown setting {key!r}: {place} has no {part!r} (it has: {known})"
            )
        if not _is_section(field.annotation):
            return field.annotation
        model = cast("type[BaseModel]", field.annotation)
    return model


def _type_below(params_type: type[BaseModel], key: str) -> Any:
    """Return the type of a setting of the use case's own; Any for one that it does not know."""
    section, *parts = key.split(".")
    found: Any = params_type if section == "params" else Any
    for part in parts:
        field = found.model_fields.get(part) if _is_section(found) else None
        found = field.annotation if field else Any
    return found


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _forget_below(merged: dict[str, Any], sources: dict[str, str], key: str) -> None:
    """Drop what `key` makes obsolete: values below it, and a plain value above it."""
    parts = key.split(".")
    above = {".".join(parts[:n]) for n in range(1, len(parts))}
    for other in [k for k in merged if k.startswith(f"{key}.") or k in above]:
        del merged[other], sources[other]


def _build(project: Project, merged: Mapping[str, Any], sources: Mapping[str, str]) -> Settings:
    nested: dict[str, Any] = {}
    for key, value in merged.items():
        *parents, last = key.split(".")
        place = nested
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    try:
        settings = Settings.model_validate(nested)
        params_type = UseCase(project.package).params_type()
    except ValidationError as error:
        raise ConfigError(_explain(error, sources, prefix="")) from None
    for key, value in merged.items():
        if problem := problem_of(value, _type_below(params_type, key)):
            raise ConfigError(f"{sources[key]}: {key} = {value}: {problem}")
    try:
        params = params_type.model_validate(nested.get("params") or {})
    except ValidationError as error:
        raise ConfigError(_explain(error, sources, prefix="params.")) from None
    return settings.model_copy(update={"params": params})


def _explain(error: ValidationError, sources: Mapping[str, str], prefix: str) -> str:
    sentences = []
    for problem in error.errors():
        key = prefix + ".".join(str(part) for part in problem["loc"])
        owner = next((k for k in sources if k == key or key.startswith(f"{k}.")), None)
        source = (
            sources[owner]
            if owner
            else next((s for k, s in sources.items() if k.startswith(f"{key}.")), "the defaults")
        )
        if problem["type"] == "extra_forbidden":
            sentences.append(f"{source}: unknown setting {key!r}")
        else:
            sentences.append(f"{source}: {key} = {problem['input']!r}: {problem['msg']}")
    return "; ".join(sentences)
