"""Reading the files below aml/ into their shapes."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mlops.aml.problems import Problem, known
from mlops.aml.shapes import SHAPES, Environment, Shape
from mlops.yaml_loader import Loader

_SCHEMA = re.compile(r"https://azuremlschemas\.azureedge\.net/latest/(\w+)\.schema\.json")


@dataclass(frozen=True)
class DefinitionFile:
    """One file below aml/ and what it says."""

    name: str
    path: Path
    content: Shape

    def resolve(self, relative: str) -> Path:
        """Return a path that the file gives, which counts from the file's own folder."""
        return (self.path.parent / relative).resolve()

    def problem(self, place: str, message: str) -> Problem:
        """Return a problem in this file."""
        return Problem(self.name, place, message)


@dataclass(frozen=True)
class Definitions:
    """Every file that could be read, and what is wrong with the others."""

    root: Path
    files: tuple[DefinitionFile, ...]
    problems: tuple[Problem, ...]

    def find(self, path: Path) -> DefinitionFile | None:
        """Return the file of a path, if it could be read."""
        return next((file for file in self.files if file.path == path), None)

    def check_environment(
        self, file: DefinitionFile, reference: str | dict[str, Any]
    ) -> list[Problem]:
        """Check the environment that a component or a deployment names."""
        if isinstance(reference, dict):
            message = "name an environment of aml/environments: one that stands here has no name"
            return [file.problem("environment", message)]
        found = re.fullmatch(r"azureml:([A-Za-z0-9_.-]+)(@latest|:[A-Za-z0-9_.-]+)", reference)
        if not found:
            message = f"{reference!r} is not of the form azureml:<name>@latest"
            return [file.problem("environment", message)]
        contents = [each.content for each in self.files]
        names = [content.name for content in contents if isinstance(content, Environment)]
        if found[1] in names:
            return []
        message = f"aml/environments has no {found[1]!r} ({known(names)})"
        return [file.problem("environment", message)]


def read_definitions(root: Path) -> Definitions:
    """Read every YAML file below aml/."""
    root = root.resolve()
    files: list[DefinitionFile] = []
    problems: list[Problem] = []
    paths = [path for path in (root / "aml").rglob("*") if path.suffix in (".yml", ".yaml")]
    for path in sorted(paths):
        name = path.relative_to(root).as_posix()
        try:
            files.append(DefinitionFile(name, path, _read(path)))
        except _UnreadableError as error:
            problems += [Problem(name, place, message) for place, message in error.findings]
    return Definitions(root, tuple(files), tuple(problems))


class _UnreadableError(Exception):
    def __init__(self, findings: list[tuple[str, str]]) -> None:
        super().__init__()
        self.findings = findings


def _read(path: Path) -> Shape:
    try:
        # a safe loader of our own
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)  # nosec B506
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _UnreadableError([("", f"not valid YAML: {error}")]) from None
    if not isinstance(content, dict):
        raise _UnreadableError([("", "must hold keys and values")])
    found = _SCHEMA.fullmatch(str(content.get("$schema", "")))
    if not found or found[1] not in SHAPES:
        message = f"must name one of Azure ML's schemas ({known(SHAPES)})"
        raise _UnreadableError([("$schema", message)])
    try:
        return SHAPES[found[1]].model_validate(content)
    except ValidationError as error:
        raise _UnreadableError([_finding(dict(one)) for one in error.errors()]) from None


def _finding(error: dict[str, Any]) -> tuple[str, str]:
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return place, "unknown key: is it misspelt, or in the wrong block?"
    return place, str(error["msg"]).lower().replace("field required", "is missing")
